"""The page as Gradio Blocks: which handler feeds which part. What the parts show is made elsewhere in this package."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Literal

import gradio as gr

from index.errors import UserError
from index.settings import SEEDS
from qa.answer import Answer
from qa.page.chat import Session, Turn, render_chat
from qa.page.corpus import summarise
from qa.page.delivery import COOKIE
from qa.page.drawer import render_drawer, render_record
from qa.page.feedback import Rating, feedback_file, judge, keep, ratings_file
from qa.page.frame import render_header, render_panel
from qa.page.gradio_api import add_gradio_api
from qa.page.narrowing import parse_narrowing, render_chips
from qa.page.opening import Opening, Options
from qa.page.requests import clean
from qa.page.stored import from_stored
from qa.page.words import choose_language, words

_POLL = 0.25  # seconds between two looks at how far the start has come
_LOG = logging.getLogger(__name__)


def build_page(opening: Opening) -> gr.Blocks:
    """The Blocks of the page, answering out of the engine that ``opening`` opens."""
    blocks: gr.Blocks
    handlers = Handlers(opening)
    here = words("en")
    with gr.Blocks(title="Polycite", analytics_enabled=False, fill_width=True) as blocks:
        session = gr.State(Session())
        linked = gr.State("")  # the question in the page's address
        header = _html("header", render_header(here, None, opening.status))
        chat = _html("chat", render_chat(Session(), opening.status, handlers.seeds))
        with gr.Row(elem_id="pc-composer"):
            only = _html("only", "")
            question = gr.Textbox(
                label=here.say("ask_label"), placeholder=here.say("ask_placeholder"), show_label=False, container=False,
                lines=1, max_lines=6, scale=1, elem_id="pc-question",
            )  # fmt: skip
            send = gr.Button(here.say("send"), variant="primary", scale=0, min_width=0, elem_id="pc-send")
            stop = gr.Button(here.say("stop"), visible=False, scale=0, min_width=0, elem_id="pc-stop")
        panel = _html("panel", render_panel(here))
        drawer = _html("drawer", render_drawer(here))
        record = _html("record", "")  # the chat as JSON, for the browser to keep
        _html("evaluate", "")  # no handler feeds it, nor the next: their scripts load them
        _html("corpus", "")
        add_gradio_api(opening)

        quiet: dict[str, Any] = {
            "show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None,
        }  # fmt: skip
        # Never the question field: an update of it can bring back what was typed before. The script empties it.
        shown = [chat, send, stop]
        everything = [header, panel, drawer, only, *shown]

        opened = blocks.load(handlers.open_page, [session], [linked, *everything], **quiet)
        started = opened.then(handlers.follow_start, [session], [header], **quiet)
        asked = [
            gr.on([question.submit, send.click], handlers.ask, [session, question], shown, **quiet),
            chat.select(handlers.ask_example, [session], shown, **quiet),
            chat.option_select(handlers.ask_alone, [session], shown, **quiet),
            chat.retry(handlers.ask_again, [session], shown, **quiet),
            chat.edit(handlers.ask_edited, [session], shown, **quiet),
            opened.then(handlers.ask_linked, [session, linked], shown, **quiet),
        ]
        only.select(handlers.narrow, [session], [only], **quiet)
        changed = [
            *asked,
            chat.like(handlers.rate, [session], [chat], **quiet),
            chat.submit(handlers.keep, [session], [chat], **quiet),
            stop.click(handlers.stop, [session], shown, cancels=asked, **quiet),
            header.click(handlers.new_chat, [session], shown, cancels=asked, **quiet),
            drawer.select(handlers.restore, [session], shown, cancels=asked, **quiet),
        ]
        for event in changed:
            event.then(handlers.record, [session], [record], **quiet)
        header.select(handlers.choose_language, [session], everything, cancels=[started], **quiet).then(
            handlers.follow_start, [session], [header], **quiet
        )
    return blocks


def _html(name: str, value: str) -> gr.HTML:
    """A part of the page whose value is HTML of ours and whose clicks the page's script looks after."""
    # The default template inserts the value as it is; any other would evaluate it.
    return gr.HTML(
        value, elem_id=f"pc-{name}-part", apply_default_css=False,
        js_on_load=f"window.polycite.mount({name!r}, element, trigger);",
    )  # fmt: skip


class Handlers:
    """The event handlers. Each yields or returns values for the components that it feeds."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self.seeds = opening.settings.corpus.resolve() == SEEDS.resolve()

    def open_page(self, session: Session, request: gr.Request) -> list[Any]:
        """Localises a page that was just opened, and takes the question out of its address."""
        session.language = choose_language(request.cookies.get(COOKIE), request.headers.get("accept-language"))
        session.user = request.username or ""
        session.opened = True
        return [clean(str(request.query_params.get("q", ""))), *self._everything(session)]

    async def follow_start(self, session: Session) -> AsyncIterator[list[Any]]:
        """Says what the start is doing until it is done.

        When a generator ends, Gradio sends its last values once more: so it must end at once after them, and must not
        feed a component that another handler may have fed since.
        """
        shown = self._opening.status
        yield [self._header(session)]
        while shown.state == "starting":
            await asyncio.sleep(_POLL)
            if self._opening.status != shown:
                shown = self._opening.status
                yield [self._header(session)]

    async def ask(self, session: Session, question: str) -> AsyncIterator[list[Any]]:
        """Asks what was typed."""
        async for update in self._ask(session, question):
            yield update

    async def ask_example(self, session: Session, event: gr.SelectData) -> AsyncIterator[list[Any]]:
        """Asks an example question that was clicked."""
        async for update in self._ask(session, str(event.value)):
            yield update

    async def ask_alone(self, session: Session, event: gr.SelectData) -> AsyncIterator[list[Any]]:
        """Asks a test question that was clicked, by itself, as the evaluation did."""
        async for update in self._ask(session, str(event.value), alone=True):
            yield update

    async def ask_again(self, session: Session, event: gr.SelectData) -> AsyncIterator[list[Any]]:
        """Asks an earlier question once more."""
        async for update in self._follow(session, session.again(event.index)):
            yield update

    async def ask_edited(self, session: Session, event: gr.SelectData) -> AsyncIterator[list[Any]]:
        """Asks an earlier question in other words."""
        question = clean(str(event.value))
        async for update in self._follow(session, session.edit(event.index, question) if question else None):
            yield update

    async def ask_linked(self, session: Session, linked: str) -> AsyncIterator[list[Any]]:
        """Asks the question in the page's address."""
        if not linked:
            # What the opening of the page shows can be older than a question that was asked meanwhile.
            yield self._shown(session)
            return
        async for update in self._ask(session, linked):
            yield update

    def rate(self, session: Session, event: gr.LikeData, request: gr.Request) -> list[Any]:
        """Records a thumb; the same one again takes it back."""
        turn = session.find(event.index)
        if turn and turn.answer and event.value in ("right", "wrong"):
            rating = Rating("" if turn.rating.judged == event.value else event.value)
            session.rate(turn, rating)
            self._judge(turn.answer, rating, request)
        return [self._chat(session)]

    def _judge(self, answer: Answer, rating: Rating, request: gr.Request) -> None:
        file = ratings_file(self._opening.settings, request.cookies)
        try:
            if file:
                judge(file, answer, rating)
        except OSError:
            _LOG.exception("a judgement could not be kept")

    def keep(self, session: Session, event: gr.SelectData, request: gr.Request) -> list[Any]:
        """Makes a test question of an answer; the value is the number of the right citation, 0 where none is."""
        turn = session.find(event.index)
        if turn and turn.answer and turn.rating.kept != "kept":
            session.rate(turn, replace(turn.rating, kept=self._keep(turn.answer, event.value, request)))
        return [self._chat(session)]

    def _keep(self, answer: Answer, citation: object, request: gr.Request) -> Literal["kept", "failed"]:
        file = feedback_file(self._opening.settings, request.cookies)
        if file is None or not isinstance(citation, int):
            return "failed"
        try:
            keep(file, answer, citation)
        except OSError:
            _LOG.exception("a test question could not be kept")
            return "failed"
        return "kept"

    def stop(self, session: Session) -> list[Any]:
        """Gives up the question that waits."""
        session.stop()
        return self._shown(session)

    def new_chat(self, session: Session) -> list[Any]:
        """Empties the conversation."""
        session.notice = ""
        session.clear()
        return self._shown(session)

    def restore(self, session: Session, event: gr.SelectData) -> list[Any]:
        """Shows a chat that the browser has kept."""
        session.stop()
        try:
            session.restore(*from_stored(event.value))
        except UserError:
            session.notice = session.words.say("ch_unreadable")
        return self._shown(session)

    def record(self, session: Session) -> str:
        """The chat for the browser to keep."""
        return render_record(session)

    def choose_language(self, session: Session, event: gr.SelectData) -> list[Any]:
        """Shows the page in another language."""
        session.language = choose_language(str(event.value), None)
        return self._everything(session)

    def narrow(self, session: Session, event: gr.SelectData) -> list[Any]:
        """Has the questions to come keep to what was chosen in the Corpus tab, or takes a part of that away."""
        given = event.value if isinstance(event.value, dict) else {}
        dropped = given.get("drop")
        old = session.narrowing
        session.narrowing = old.without(dropped) if isinstance(dropped, str) else parse_narrowing(given)
        return [render_chips(session.narrowing, session.words)]

    async def _ask(self, session: Session, typed: str, *, alone: bool = False) -> AsyncIterator[list[Any]]:
        question = clean(typed)
        if not question:
            yield self._shown(session)
            return
        async for update in self._follow(session, session.begin(question, alone=alone)):
            yield update

    async def _follow(self, session: Session, turn: Turn | None) -> AsyncIterator[list[Any]]:
        """Shows what becomes of a question."""
        session.notice = ""
        yield self._shown(session)
        if turn is None:
            return
        answering = asyncio.create_task(self._answer(session, turn))
        shown = (self._opening.status, session.turns)
        try:
            while not (await asyncio.wait([answering], timeout=_POLL))[0]:
                if not session.waits(turn):
                    break
                if shown[0] != self._opening.status or shown[1] is not session.turns:
                    shown = (self._opening.status, session.turns)
                    yield self._shown(session)
        finally:
            answering.cancel()  # a question that is given up is given up upstream too
        yield self._shown(session)

    async def _answer(self, session: Session, turn: Turn) -> None:
        """Answers a turn, or records why not. A question that is given up before its start is not asked at all."""
        try:
            await self._opening.ready()
            if not session.waits(turn):
                return
            options = Options(history=session.history(turn), **turn.narrowing.options)
            async with aclosing(self._opening.stream(turn.question, **options)) as growing:
                async for answer in growing:
                    if not session.waits(turn):
                        return
                    turn = session.grow(turn, answer)
            session.finish(turn, answer)
        except UserError as error:
            session.fail(turn, str(error))
        except Exception:  # noqa: BLE001 - the log keeps it, the reader gets one line
            _LOG.exception("a question could not be answered")
            session.fail(turn)

    def _everything(self, session: Session) -> list[Any]:
        here = session.words
        chat, send, stop = self._shown(session)
        send["value"], stop["value"] = here.say("send"), here.say("stop")
        chips = render_chips(session.narrowing, here)
        return [self._header(session), render_panel(here), render_drawer(here), chips, chat, send, stop]

    def _shown(self, session: Session) -> list[Any]:
        """The conversation, and Send or Stop."""
        return [self._chat(session), gr.update(visible=not session.busy), gr.update(visible=session.busy)]

    def _chat(self, session: Session) -> str:
        engine = self._opening.engine
        return render_chat(session, self._opening.status, self.seeds, engine.articles if engine else None)

    def _header(self, session: Session) -> str:
        engine = self._opening.engine
        corpus = summarise(engine.articles.values()) if engine else None
        return render_header(session.words, corpus, self._opening.status, session.user)
