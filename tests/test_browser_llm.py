"""Answers by a language model in a real browser: as they grow, in part unsupported, fallen back, stopped."""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_engine import FakeEngine, fake_articles
from scripted_llm import Reply, ScriptedLLM, scripted
from test_browser import CHROMIUM, GIFTS, PHONE, OpenPage, Site, browser, open_page

from index.settings import Settings
from qa.answer import Answer, Citation
from qa.llm.answering import write
from qa.llm.client import Client
from qa.llm.settings import LLMSettings
from qa.llm.verify import Verdict
from qa.page.opening import Opening
from qa.page.server import create_app, listen

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH: the page is not tested in a browser"),
]
__all__ = ["browser", "open_page"]  # fixtures
MODEL = "qwen3:8b"
SPITE = '<img src=x onerror="window.pwned=true">'
PROSE = "Putin gave Kim a dagger and a tea set {1}, besides a luxury Aurus car made in Russia {2}. "
DOUBTFUL = "The car was worth 40,000 dollars {2}. "
ART = "Kim gave back works of art, some busts of Putin among them {1}."


class NumbersVerifier:
    """Takes a sentence for unsupported where a number in it is not in its quotes."""

    def check(self, sentence: str, language: str, citations: Sequence[Citation], *, stray: bool = False) -> Verdict:
        """See Verifier."""
        from qa.llm.facts import missing_numbers

        if stray or not citations:
            return Verdict(False, "citation")
        lacking = missing_numbers(sentence, language, citations)
        return Verdict(False, "number") if lacking else Verdict(True)


@dataclass
class WritingEngine(FakeEngine):
    """The scripted engine with a scripted model behind it; ``llm`` says where."""

    llm: list[ScriptedLLM] = field(default_factory=list)

    def stream(self, question: str, *, cancel: threading.Event | None = None, **options: Any) -> Iterator[Answer]:
        """The answer as the model writes it."""
        quotes = self.ask(question, **options)
        if not quotes.answered:
            yield quotes
            return
        client = Client(LLMSettings(self.llm[0].url, MODEL, timeout=60))
        yield from write(client, NumbersVerifier(), quotes, (), cancel)


@contextmanager
def serving(llm: ScriptedLLM) -> Iterator[str]:
    """A running page whose model is ``llm``; its address."""
    import uvicorn

    engine = WritingEngine(Settings(), fake_articles(), llm=[llm])
    opening = Opening(Settings(), lambda settings, progress: engine)
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(opening), log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    opening.start()
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedLLM]:
    """The scripted model of the module; tests set its replies."""
    with scripted(Reply()) as llm:
        yield llm


@pytest.fixture(scope="module")
def site(model: ScriptedLLM) -> Iterator[Site]:
    with serving(model) as address:
        yield Site(address, [], threading.Event())


def put(page: "Page", question: str = GIFTS) -> None:
    """Asks without waiting."""
    page.fill("#pc-question textarea", question)
    page.press("#pc-question textarea", "Enter")


def picture(page: "Page", name: str) -> None:
    """Saves the page where POLYCITE_PICTURES names a folder."""
    if folder := os.environ.get("POLYCITE_PICTURES"):
        page.wait_for_timeout(400)
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def test_sentences_grow_and_open_their_sources(open_page: OpenPage, model: ScriptedLLM) -> None:
    model.replies[:] = [Reply(PROSE + ART + " Both were very pleased {1}{2}.", pause=0.08, piece=6)]
    page = open_page()
    put(page)
    page.wait_for_selector(".pc-draft")
    page.wait_for_selector(".pc-card")  # the sources are there before the model has finished
    assert page.locator(".pc-confidence").count() == 0
    page.wait_for_selector(".pc-statement")
    page.wait_for_selector(".pc-statement + .pc-draft")
    picture(page, "answer-streamed")
    page.wait_for_selector(".pc-by")
    assert page.locator(".pc-statement").count() == 3
    assert page.locator(".pc-draft, .pc-unsupported, .pc-fallback").count() == 0
    assert MODEL in str(page.locator(".pc-by").text_content())
    assert "87 % sure" in str(page.locator(".pc-confidence").text_content())
    page.locator(".pc-statement .pc-chip").first.click()
    page.wait_for_selector("#pc-panel mark")


def test_unsupported_sentences_are_marked_and_say_why(open_page: OpenPage, model: ScriptedLLM) -> None:
    model.replies[:] = [Reply(PROSE + DOUBTFUL + ART + f" Then {SPITE} said {{3}}.")]
    page = open_page()
    put(page)
    page.wait_for_selector(".pc-by")
    assert page.locator(".pc-statement").count() == 4
    doubtful = page.locator(".pc-unsupported")
    assert doubtful.count() == 1
    assert "40,000" in str(doubtful.text_content())
    assert "not supported: Its source does not hold a number" in str(doubtful.locator(".pc-flag").text_content())
    assert "65 % sure" in str(page.locator(".pc-confidence").text_content())
    assert SPITE in str(page.locator(".pc-statements").text_content())
    assert page.evaluate("window.pwned") is None
    model.replies[:] = [Reply(PROSE + DOUBTFUL + ART)]
    fresh = open_page()
    put(fresh)
    fresh.wait_for_selector(".pc-by")
    picture(fresh, "answer-unsupported")


def test_a_fault_shows_the_quotes_and_one_line(open_page: OpenPage, model: ScriptedLLM) -> None:
    model.replies[:] = [Reply(status=500)]
    page = open_page()
    put(page)
    page.wait_for_selector(".pc-fallback")
    assert page.locator(".pc-quote").count() == 2
    assert page.locator(".pc-fallback").text_content() == (
        "The server of the language model reports an error; these are the quotes."
    )
    picture(page, "answer-fallback")
    arabic = open_page(locale="ar", viewport=PHONE)
    put(arabic)
    arabic.wait_for_selector(".pc-fallback:lang(ar)")
    assert "الاقتباسات" in str(arabic.locator(".pc-fallback").text_content())


def test_a_declined_question_reaches_no_model(open_page: OpenPage, model: ScriptedLLM) -> None:
    page = open_page()
    before = len(model.requests)
    put(page, "Who won the cup?")
    page.wait_for_selector(".pc-declined")
    assert len(model.requests) == before


def test_stop_reaches_the_model_and_keeps_what_was_written(open_page: OpenPage, model: ScriptedLLM) -> None:
    model.replies[:] = [Reply(PROSE + "And then {1}, and then, and on, and on, " + "x y z " * 900, pause=0.1)]
    page = open_page()
    given_up = model.given_up
    put(page)
    page.wait_for_selector(".pc-statement")
    page.click("#pc-stop")
    page.wait_for_selector(".pc-is-stopped")
    assert model.wait_given_up(given_up + 1)
    assert page.locator(".pc-statement").count() == 1
    assert page.locator(".pc-draft, .pc-busy").count() == 0
    page.wait_for_selector("#pc-send")


def test_one_reader_waits_for_no_other(open_page: OpenPage, model: ScriptedLLM) -> None:
    slow, quick = Reply(PROSE, first_after=6), Reply(PROSE)
    model.replies[:] = [slow, quick]
    first, second = open_page(), open_page()
    put(first)
    first.wait_for_selector(".pc-card")
    put(second)
    second.wait_for_selector(".pc-by")
    assert first.locator(".pc-by").count() == 0
    first.click("#pc-stop")
    first.wait_for_selector(".pc-is-stopped")
