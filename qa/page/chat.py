"""The conversation of one browser tab, and its HTML."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

from index.articles import Article
from qa.answer import SEARCHED, Answer
from qa.page.answers import render_answer
from qa.page.feedback import NOT_RATED, Rating, render_rating
from qa.page.marks import attribute, escape
from qa.page.narrowing import EVERYTHING, Narrowing, render_note
from qa.page.opening import Status
from qa.page.statements import stopped
from qa.page.words import DEFAULT, Words, words

# Questions that the seed articles answer, in the languages of their askers.
EXAMPLES = (
    ("en", "What gifts did Putin give to Kim?"),
    ("sl", "Kje so počitnikovali otroci ubitih ruskih vojakov?"),
    ("sq", "Kush e shoqëroi Kim Jong-un në ekspozitën e raketave?"),
    ("de", "Welche Sanktionen sollten laut Putin überprüft werden?"),
    ("zh", "普京送给金正恩什么汽车？"),
    ("ar", "من اتهم كوريا الشمالية بتزويد روسيا بالصواريخ؟"),
)
_MOST_HISTORY = 20  # earlier questions that a follow-up is given


@dataclass(frozen=True)
class Turn:
    """A question and what became of it."""

    key: int
    question: str
    state: Literal["waiting", "answered", "stopped", "failed"] = "waiting"
    answer: Answer | None = None
    error: str = ""  # in words for the reader; "" = the page's own sentence
    alone: bool = False  # asked by itself, not as a follow-up
    rating: Rating = NOT_RATED
    narrowing: Narrowing = EVERYTHING
    at: str = ""  # when it was asked, YYYY-MM-DDTHH:MM:SSZ


@dataclass
class Session:
    """The one thing of the page that changes: the chat of a tab. Every handler works on it in place."""

    language: str = DEFAULT
    user: str = ""  # who has logged in, where one has to
    turns: list[Turn] = field(default_factory=list)
    asked: int = 0
    narrowing: Narrowing = EVERYTHING  # of the questions to come
    chat: str = ""  # the name under which the browser keeps the chat; "" before its first question
    opened: bool = False  # whether the browser has the page in its language by now
    notice: str = ""  # what went wrong outside of any question, until the next thing is done

    @property
    def words(self) -> Words:
        """The strings in the tab's language."""
        return words(self.language)

    @property
    def busy(self) -> bool:
        """Whether a question waits for its answer."""
        return any(turn.state == "waiting" for turn in self.turns)

    def begin(self, question: str, *, alone: bool = False) -> Turn:
        """Adds a question. One that still waits is stopped: a chat asks one thing at a time."""
        self.stop()
        self.asked += 1
        self.chat = self.chat or secrets.token_hex(8)
        narrowing = EVERYTHING if alone else self.narrowing
        turn = Turn(self.asked, question, alone=alone, narrowing=narrowing, at=_now())
        self.turns.append(turn)
        return turn

    def again(self, key: object) -> Turn | None:
        """Asks a question once more, in its place."""
        old = self._turn(key)
        if old is None:
            return None
        self.stop()
        turn = Turn(old.key, old.question, alone=old.alone, at=_now())
        self.turns = [turn if each.key == key else each for each in self.turns]
        return turn

    def edit(self, key: object, question: str) -> Turn | None:
        """Asks another question in the place of one; those after it go.

        They are not lost: the chat goes on under a new name then, and the browser keeps the old one as it was.
        """
        old = self._turn(key)
        if old is None:
            return None
        if self.turns[-1].key != key:
            self.chat = ""
        self.turns = self.turns[: self.turns.index(old)]
        return self.begin(question, alone=old.alone)

    def restore(self, chat: str, turns: Sequence[Turn]) -> None:
        """Puts a chat that was kept in the place of this one. Its questions get numbers not used before."""
        self.turns = [replace(turn, key=self.asked + place) for place, turn in enumerate(turns, 1)]
        self.asked += len(turns)
        self.chat = chat

    def history(self, turn: Turn) -> list[str]:
        """The answered questions before ``turn``, oldest first; none before one that was asked alone."""
        if turn.alone:
            return []
        earlier = [old.question for old in self.turns if old.key < turn.key and old.answer]
        return earlier[-_MOST_HISTORY:]

    def waits(self, turn: Turn) -> bool:
        """Whether a question still wants its answer: it was neither stopped nor cleared away."""
        return any(old.key == turn.key and old.state == "waiting" for old in self.turns)

    def grow(self, turn: Turn, answer: Answer) -> Turn:
        """Records as much of an answer as there is."""
        grown = replace(turn, answer=answer)
        self._replace(turn, grown)
        return grown

    def finish(self, turn: Turn, answer: Answer) -> None:
        """Records the answer, unless the question is no longer wanted."""
        self._replace(turn, replace(turn, state="answered", answer=answer))

    def fail(self, turn: Turn, error: str = "") -> None:
        """Records that the question got no answer, and why."""
        self._replace(turn, replace(turn, state="failed", error=error))

    def find(self, key: object) -> Turn | None:
        """The answered turn of this number."""
        found = self._turn(key)
        return found if found and found.answer else None

    def rate(self, turn: Turn, rating: Rating) -> None:
        """Records what the reader thinks of an answer."""
        self._replace(turn, replace(turn, rating=rating))

    def stop(self) -> None:
        """Gives up the questions that wait."""
        self.turns = [replace(old, state="stopped") if old.state == "waiting" else old for old in self.turns]

    def clear(self) -> None:
        """A new chat."""
        self.turns = []
        self.chat = ""

    def _turn(self, key: object) -> Turn | None:
        return next((turn for turn in self.turns if turn.key == key), None)

    def _replace(self, old: Turn, new: Turn) -> None:
        self.turns = [new if turn == old else turn for turn in self.turns]


def render_chat(session: Session, status: Status, examples: bool, articles: Mapping[str, Article] | None = None) -> str:
    """The whole conversation, or the welcome where there is none yet.

    ``articles``, once there are any, tell which citations of earlier answers do not hold any more.
    """
    words = session.words
    if session.turns:
        body = "".join(render_turn(turn, status, words, articles) for turn in session.turns)
    else:
        body = _welcome(words, EXAMPLES if examples else ())
    notice = f'<p class="pc-note pc-error" role="alert">{escape(session.notice)}</p>' if session.notice else ""
    label = attribute("aria-label", words.say("conversation"))
    opened = " data-opened" if session.opened else ""
    return f'<div class="pc-chat" role="log" aria-live="polite"{label}{_scope(words)}{opened}>{notice}{body}</div>'


def render_turn(turn: Turn, status: Status, words: Words, articles: Mapping[str, Article] | None = None) -> str:
    """One question and its answer."""
    kind = "declined" if turn.answer and turn.answer.kind == "declined" else turn.state
    hidden = f'<span class="pc-hidden">{escape(words.say("you_asked"))}: </span>'
    tools = "" if turn.state == "waiting" else _tools(words)
    return (
        f'<section class="pc-turn pc-is-{kind}" data-turn="{turn.key}"><div class="pc-asked">'
        f'<h2 class="pc-question">{hidden}<span dir="auto">{escape(turn.question)}</span></h2>{tools}</div>'
        f'{render_note(turn.narrowing, words)}<div class="pc-answer">{_outcome(turn, status, words, articles)}</div>'
        "</section>"
    )


def render_status(status: Status, words: Words) -> str:
    """What the start is doing, with a bar where the engine counts."""
    if status.state == "failed":
        return f'<span class="pc-error">{escape(words.say("unavailable", reason=status.reason))}</span>'
    said = stage(status.stage, words)
    if status.total <= 0:
        return f'<span class="pc-busy">{escape(said)}</span>'
    count = words.say("position", n=status.done, total=status.total)
    bar = f'<progress max="{status.total}" value="{status.done}"{attribute("aria-label", said)}></progress>'
    return f'<span class="pc-busy">{escape(said)} {escape(count)}</span>{bar}'


def stage(reported: str, words: Words) -> str:
    """The engine's word for a stage in the page's language; as the engine says it where the page has none."""
    if not reported:
        return words.say("starting")
    known = {"encoder": "loading_encoder", "reading": "indexing", "indexing": "indexing"}
    return words.say(known[reported]) if reported in known else reported


def _tools(words: Words) -> str:
    """What can be done with a question that was dealt with."""
    keys = (("edit", "edit_question"), ("again", "ask_again"), ("link-to", "copy_link"))
    buttons = "".join(
        f'<button type="button" class="pc-tool pc-{name}"{attribute("aria-label", words.say(key))}'
        f"{attribute('title', words.say(key))}></button>"
        for name, key in keys
    )
    return f'<div class="pc-turn-tools">{buttons}</div>'


def _outcome(turn: Turn, status: Status, words: Words, articles: Mapping[str, Article] | None) -> str:
    if turn.answer and turn.state in ("answered", "waiting"):
        shown = render_answer(turn.answer, words, _stale(turn.answer, articles))
        rated = turn.state == "answered" and turn.answer.kind in SEARCHED
        return shown + render_rating(turn.answer, turn.rating, words) if rated else shown
    if turn.state == "waiting":
        return _waiting(status, words)
    again = f'<button type="button" class="pc-pill pc-again">{escape(words.say("ask_again"))}</button>'
    if turn.state == "stopped":
        written = render_answer(stopped(turn.answer), words) if turn.answer and turn.answer.statements else ""
        return f'{written}<p class="pc-note">{escape(words.say("stopped"))}</p>{again}'
    said = escape(turn.error or words.say("failed"))
    return f'<p class="pc-note pc-error" role="alert" dir="auto">{said}</p>{again}'


def _stale(answer: Answer, articles: Mapping[str, Article] | None) -> frozenset[int]:
    """The numbers of the citations whose words do not stand any more where they stood."""
    if articles is None:
        return frozenset()
    found = ((c, articles.get(c.article)) for c in answer.citations)
    return frozenset(c.n for c, article in found if article is None or article.text[c.start : c.end] != c.text)


def _waiting(status: Status, words: Words) -> str:
    if status.state == "ready":
        return f'<p class="pc-note pc-busy">{escape(words.say("searching"))}</p>'
    return (
        f'<p class="pc-note pc-status">{render_status(status, words)}</p>'
        f'<p class="pc-note">{escape(words.say("waiting"))}</p>'
    )


def _welcome(words: Words, examples: Sequence[tuple[str, str]]) -> str:
    chips = "".join(
        f'<button type="button" class="pc-example" dir="auto"{attribute("lang", language)}'
        f"{attribute('data-question', question)}>{escape(question)}</button>"
        for language, question in examples
    )
    shown = f'<h3 class="pc-label">{escape(words.say("examples"))}</h3><div class="pc-examples">{chips}</div>'
    return (
        f'<section class="pc-welcome"><h2>{escape(words.say("welcome"))}</h2>'
        f"<p>{escape(words.say('welcome_text'))}</p>{shown if examples else ''}</section>"
    )


def _scope(words: Words) -> str:
    return f"{attribute('lang', words.language)}{attribute('dir', words.direction)}"


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
