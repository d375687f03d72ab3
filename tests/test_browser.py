"""The page in a real browser, against a really running server with a scripted engine."""

import json
import re
import shutil
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest
from fake_engine import HOSTILE, LONG, FakeEngine, opener

from index.settings import Settings
from qa.page.opening import Opening
from qa.page.server import create_app, listen

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Request, ViewportSize

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH: the page is not tested in a browser"),
]

GIFTS = "What gifts did Putin give to Kim?"
LAVROV = "من التقى لافروف في موسكو؟"
DESKTOP: "ViewportSize" = {"width": 1360, "height": 860}
PHONE: "ViewportSize" = {"width": 390, "height": 844}
OpenPage = Callable[..., "Page"]
STREAMS: "dict[Page, set[Request]]" = {}  # the answers of Gradio that each open page still waits for


@dataclass
class Site:
    """A running server; ``gate`` lets its engine open."""

    address: str
    engines: list[FakeEngine]
    gate: threading.Event

    @property
    def engine(self) -> FakeEngine:
        return self.engines[0]

    def last_asked(self) -> tuple[str, tuple[str, ...]]:
        """The last question that reached the engine, and its history."""
        return self.engine.asked[-1]

    def ask(self, question: str) -> dict[str, Any]:
        """The answer over the HTTP interface."""
        body = json.dumps({"question": question}).encode()
        address = f"{self.address}/api/ask"
        with urllib.request.urlopen(address, body) as answered:  # noqa: S310 - our own server
            return dict(json.load(answered))


@contextmanager
def running(open_at_once: bool = True, port: int = 0) -> Iterator[Site]:
    """A server on a free port, or on the one given, in a thread."""
    import uvicorn

    engines: list[FakeEngine] = []
    gate = threading.Event()
    if open_at_once:
        gate.set()
    opening = Opening(Settings(), opener(engines, hold=gate.wait))
    listening = listen("127.0.0.1", port)
    config = uvicorn.Config(create_app(opening), log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    opening.start()
    thread.start()
    try:
        yield Site(f"http://127.0.0.1:{listening.getsockname()[1]}", engines, gate)
    finally:
        gate.set()
        server.should_exit = True
        thread.join(10)
        listening.close()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running() as running_site:
        yield running_site


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield launched
        launched.close()


@dataclass
class Watch:
    """What pages did that they should not."""

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@pytest.fixture
def open_page(browser: "Browser", site: Site) -> Iterator[OpenPage]:
    """Opens pages in contexts of their own; in the end none may have left this machine or met an error."""
    watch = Watch()
    contexts = []

    def opening(
        path: str = "/",
        viewport: "ViewportSize | None" = None,
        base: str | None = None,
        script: str = "",
        **options: Any,
    ) -> "Page":
        context = browser.new_context(
            viewport=viewport or DESKTOP, **{"locale": "en-US", "reduced_motion": "reduce", **options}
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(script)
        streams = STREAMS.setdefault(page, set())
        page.on("request", lambda request: streams.add(request) if "/queue/data" in request.url else None)
        page.on("requestfinished", lambda request: streams.discard(request))
        page.on("requestfailed", lambda request: streams.discard(request))
        page.on("request", lambda request: watch.requests.append(request.url))
        page.on("pageerror", lambda error: watch.errors.append(str(error)))
        page.on("console", lambda said: watch.errors.append(said.text) if said.type == "error" else None)
        page.goto((base or site.address) + path)
        page.wait_for_selector("#pc-question textarea")
        page.wait_for_selector(".pc-chat > *")
        return page

    yield opening
    for context in contexts:
        context.close()
    STREAMS.clear()
    outside = [url for url in watch.requests if urlsplit(url).hostname != "127.0.0.1" and not url.startswith("data:")]
    assert (outside, watch.errors) == ([], [])


def ask(page: "Page", question: str) -> "Locator":
    """Types a question, presses Enter, and waits for what becomes of it; its turn."""
    before = page.locator(".pc-turn").count()
    page.fill("#pc-question textarea", question)
    page.press("#pc-question textarea", "Enter")
    turn = page.locator(".pc-turn").nth(before)
    turn.locator(".pc-confidence, .pc-error").wait_for()
    return turn


def settle(page: "Page") -> None:
    """Waits for what the page fetches and keeps after an answer: no server may end under a request."""
    page.wait_for_selector(".pc-more")
    page.wait_for_function("Object.keys(localStorage).some(key => key.startsWith('polycite.chat.'))")
    quiet(page)


def quiet(page: "Page") -> None:
    """Waits until Gradio's answers have all come: one that is cut off by leaving the page counts as an error.

    An answer sets off further requests a moment after it has come, so one quiet moment is not enough.
    """
    end = time.monotonic() + 10
    moments = 0
    while moments < 10:
        assert time.monotonic() < end, "Gradio still streams"
        page.wait_for_timeout(50)
        moments = 0 if STREAMS.get(page) else moments + 1


def marked_text(page: "Page") -> str:
    """The marked words of the open article."""
    page.wait_for_selector("#pc-panel mark")
    assert page.locator("#pc-panel mark").count() == 1
    return str(page.locator("#pc-panel mark").text_content())


def highlight(site: Site, citation: dict[str, Any]) -> str:
    """The words that the interface says are highlighted."""
    start, end = citation["highlight"]
    return site.engine.articles[citation["article"]].text[start:end]


def in_sight(page: "Page", selector: str) -> bool:
    """Whether the whole first line of an element is inside the window."""
    return bool(
        page.evaluate(
            "s => { const r = document.querySelector(s).getClientRects()[0];"
            " return r.top >= 0 && r.bottom <= innerHeight && r.left >= 0 && r.right <= innerWidth + 1 }",
            selector,
        )
    )


def wait_until(true: Callable[[], bool], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_question_is_answered_with_quotes(open_page: OpenPage, site: Site) -> None:
    page = open_page()
    turn = ask(page, GIFTS)
    answer = site.ask(GIFTS)
    assert turn.locator(".pc-question").inner_text().endswith(GIFTS)
    quotes = turn.locator(".pc-quote").all_text_contents()
    assert "\n".join(re.sub(r"\s*(\d)$", r" [\1]", quote) for quote in quotes) == answer["answer"]
    assert turn.locator(".pc-card").count() == len(answer["citations"])
    assert "87 % sure" in turn.inner_text()
    assert page.input_value("#pc-question textarea") == ""
    assert page.title() == "Polycite"


def test_citation_opens_the_article_at_its_words(open_page: OpenPage, site: Site) -> None:
    page = open_page()
    turn = ask(page, GIFTS)
    citations = site.ask(GIFTS)["citations"]
    turn.locator('.pc-chip[data-cite="2"]').click()
    assert marked_text(page) == highlight(site, citations[1])
    article = site.engine.articles[citations[1]["article"]]
    assert page.locator(".pc-article-text").text_content() == article.text[article.body :]
    assert page.locator("#pc-panel .pc-shade").text_content() == citations[1]["text"]
    assert page.locator(".pc-article-head").inner_text().startswith(citations[1]["title"])
    assert in_sight(page, "#pc-panel mark")
    page.keyboard.press("Escape")
    page.wait_for_selector("#pc-panel", state="hidden")
    assert page.evaluate("document.activeElement.dataset.cite") == "2"


def test_every_card_opens_its_own_words(open_page: OpenPage, site: Site) -> None:
    page = open_page()
    turn = ask(page, GIFTS)
    for place, citation in enumerate(site.ask(GIFTS)["citations"]):
        turn.locator(".pc-card").nth(place).locator(".pc-excerpt").click()
        page.wait_for_function("f => document.querySelector('.pc-file')?.textContent === f", arg=citation["article"])
        page.wait_for_function(
            "t => document.querySelector('#pc-panel mark')?.textContent === t", arg=highlight(site, citation)
        )
        page.locator("#pc-panel .pc-close").click()
        page.wait_for_selector("#pc-panel", state="hidden")


def test_keys_and_buttons_go_from_citation_to_citation(open_page: OpenPage, site: Site) -> None:
    page = open_page()
    ask(page, GIFTS).locator('.pc-chip[data-cite="1"]').click()
    expected = [highlight(site, citation) for citation in site.ask(GIFTS)["citations"]]
    has_mark = "t => document.querySelector('#pc-panel mark')?.textContent === t"
    page.wait_for_function(has_mark, arg=expected[0])
    for key, place in (("j", 1), ("ArrowRight", 2), ("k", 1), ("ArrowLeft", 0), ("k", 0)):
        page.keyboard.press(key)
        page.wait_for_function(has_mark, arg=expected[place])
    page.locator(".pc-next").click()
    page.wait_for_function(has_mark, arg=expected[1])
    assert page.locator(".pc-position").inner_text() == "2 of 4"
    page.locator(".pc-previous").click()
    page.wait_for_function(has_mark, arg=expected[0])
    assert page.locator(".pc-previous").is_disabled()


def test_citation_shows_its_quote_when_pointed_at(open_page: OpenPage, site: Site) -> None:
    page = open_page()
    turn = ask(page, GIFTS)
    expected = highlight(site, site.ask(GIFTS)["citations"][0])
    turn.locator('.pc-chip[data-cite="1"]').hover()
    assert page.locator("#pc-tip p").first.inner_text() == expected
    page.mouse.move(5, 5)
    page.wait_for_selector("#pc-tip", state="hidden")
    page.locator(".pc-new").focus()
    for _ in range(8):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "pc-chip":
            break
    assert page.locator("#pc-tip p").first.inner_text() == expected
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert marked_text(page) == expected


def test_declined_question_looks_different(open_page: OpenPage) -> None:
    page = open_page()
    answered, declined = ask(page, GIFTS), ask(page, "Wer ist das?")
    assert declined.locator(".pc-declined").inner_text() == "Die Artikel beantworten das nicht."
    assert declined.locator(".pc-declined").get_attribute("lang") == "de"
    assert declined.locator(".pc-label").text_content() == "Nächstliegende Stellen"
    assert declined.locator(".pc-quote").count() == 0
    assert declined.locator(".pc-card.pc-folded").count() == declined.locator(".pc-card").count() == 2
    looks = "e => { const s = getComputedStyle(e); return [s.backgroundColor, s.borderStyle] }"
    assert declined.locator(".pc-card").first.evaluate(looks) != answered.locator(".pc-card").first.evaluate(looks)


def test_cards_unfold_and_stay_as_they_were_left(open_page: OpenPage) -> None:
    page = open_page()
    card = ask(page, GIFTS).locator(".pc-card").nth(1)
    folded = card.locator(".pc-excerpt").inner_text()
    card.locator(".pc-fold").click()
    assert card.locator(".pc-fold").get_attribute("aria-expanded") == "true"
    assert len(card.locator(".pc-excerpt").inner_text()) > len(folded)
    ask(page, "another")
    assert card.locator(".pc-fold").get_attribute("aria-expanded") == "true"


def test_copy_takes_quote_and_source(open_page: OpenPage, site: Site) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    ask(page, GIFTS).locator(".pc-card").nth(2).locator(".pc-copy").click()
    page.wait_for_selector(".pc-copy:text('Copied')")
    citation = site.ask(GIFTS)["citations"][2]
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == (
        f"{highlight(site, citation)}\n— {citation['title']} · July 2023 · {citation['article']}"
    )  # fmt: skip


def test_hostile_article_stays_text(open_page: OpenPage, site: Site) -> None:
    page = open_page()
    turn = ask(page, "hostile <img src=x onerror='window.__pwned=9'> ${window.__pwned=8} {{window.__pwned=7}}")
    citation = site.ask("hostile")["citations"][0]
    assert citation["article"] == HOSTILE
    turn.locator(".pc-chip").first.hover()
    turn.locator(".pc-chip").first.click()
    assert marked_text(page) == highlight(site, citation)
    assert page.locator(".pc-article-text").text_content() == site.engine.articles[HOSTILE].text
    assert page.locator(":is(#pc-chat-part, #pc-panel, #pc-tip) :is(img, script, svg, iframe, form)").count() == 0
    assert page.evaluate("window.__pwned") is None


def test_long_article_opens_at_its_words(open_page: OpenPage, site: Site) -> None:
    page = open_page()
    turn = ask(page, "long")
    assert len(site.engine.articles[LONG].text) > 1_000_000
    started = time.monotonic()
    turn.locator(".pc-chip").first.click()
    assert marked_text(page) == highlight(site, site.ask("long")["citations"][0])
    wait_until(lambda: in_sight(page, "#pc-panel mark"))
    assert time.monotonic() - started < 8
    assert page.locator(".pc-panel-body").evaluate("e => e.scrollTop") > 10_000


def test_phone_shows_the_article_over_everything(open_page: OpenPage, site: Site) -> None:
    page = open_page(viewport=PHONE, has_touch=True)
    turn = ask(page, GIFTS)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    turn.locator('.pc-chip[data-cite="1"]').tap()
    assert marked_text(page) == highlight(site, site.ask(GIFTS)["citations"][0])
    box = page.locator("#pc-panel").bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, PHONE["width"], PHONE["height"])
    assert page.locator("#pc-panel").get_attribute("aria-modal") == "true"
    assert page.evaluate("document.querySelector('#pc-composer').inert")
    page.locator(".pc-close").tap()
    page.wait_for_selector("#pc-panel", state="hidden")
    assert not page.evaluate("document.querySelector('#pc-composer').inert")


def test_arabic_page_runs_from_right_to_left(open_page: OpenPage) -> None:
    page = open_page(locale="ar")
    page.wait_for_selector("html[lang=ar][dir=rtl]")
    turn = ask(page, LAVROV)
    assert "متأكد" in turn.inner_text()
    assert "الألبانية" in page.locator(".pc-corpus").inner_text()
    turn.locator(".pc-chip").first.click()
    page.wait_for_selector("#pc-panel mark")
    panel, column = page.locator("#pc-panel").bounding_box(), turn.bounding_box()
    assert panel is not None
    assert column is not None
    assert panel["x"] == 0
    assert column["x"] >= panel["width"]
    assert turn.locator(".pc-quote").first.get_attribute("lang") == "sq"
    assert turn.locator(".pc-quote").first.evaluate("e => getComputedStyle(e).direction") == "ltr"
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("document.querySelector('.pc-position').textContent.startsWith('2')")


def test_language_can_be_changed_and_is_kept(open_page: OpenPage) -> None:
    page = open_page(locale="de-DE")
    page.wait_for_selector(".pc-welcome h2:text('Was möchten Sie wissen?')")
    turn = ask(page, GIFTS)
    turn.locator(".pc-chip").first.click()
    page.wait_for_selector("#pc-panel mark")
    page.select_option(".pc-language", "sl")
    page.wait_for_selector("html[lang=sl]")
    page.wait_for_selector("#pc-send:text('Pošlji')")
    assert "87 % zanesljivo" in turn.inner_text()
    assert page.input_value("#pc-question textarea") == ""
    assert page.get_attribute("#pc-question textarea", "aria-label") == "Vaše vprašanje"
    assert page.get_attribute("#pc-question textarea", "placeholder") == "Vprašajte o člankih, v katerem koli jeziku"
    page.wait_for_selector("#pc-panel mark")
    page.wait_for_selector("#pc-panel .pc-facts:has-text('albanščina')")
    quiet(page)
    page.reload()
    page.wait_for_selector("html[lang=sl]")
    page.wait_for_selector(".pc-turn:has-text('87 % zanesljivo')")
    page.click(".pc-new")
    page.wait_for_selector(".pc-welcome h2:text('Kaj bi radi izvedeli?')")


def test_corpus_is_named_in_the_readers_language(open_page: OpenPage) -> None:
    page = open_page()
    page.wait_for_selector(".pc-corpus:has-text('Albanian (4)')")
    assert page.locator(".pc-corpus").inner_text() == (
        "7 articles · Albanian (4), English (2), Slovenian (1) · July 2023 – June 2025"
    )
    french = open_page(locale="fr-FR")
    french.wait_for_selector(".pc-corpus:has-text('albanais (4)')")
    assert "juillet 2023" in french.locator(".pc-corpus").inner_text()


# For every element with text of its own in sight: the contrast to the nearest opaque background.
_CONTRAST = """() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => [r, g, b].map(v => linear(v / 255))
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
  const poor = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    if (!own || box.width < 3 || style.visibility === 'hidden' || e.matches('option, :disabled')) continue;
    const [a, b] = [light(parse(style.color)), light(behind(e))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) poor.push([e.className || e.tagName, e.textContent.slice(0, 30), ratio.toFixed(2)].join(' | '));
  }
  return poor; }"""
_NAMELESS = """() => [...document.querySelectorAll('button, select, textarea, input')]
  .filter(e => e.getClientRects().length && !(e.ariaLabel || e.textContent.trim() || (e.labels || []).length))
  .map(e => e.outerHTML)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_is_legible_and_named(open_page: OpenPage, scheme: str) -> None:
    page = open_page(color_scheme=scheme, reduced_motion="reduce")
    assert page.evaluate(_CONTRAST) == []
    turn = ask(page, GIFTS)
    ask(page, "nobody")
    turn.locator(".pc-chip").first.click()
    page.wait_for_selector("#pc-panel mark")
    assert page.evaluate(_CONTRAST) == []
    assert page.evaluate(_NAMELESS) == []
    brightness = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]")
    assert brightness < 60 if scheme == "dark" else brightness > 200


def test_question_waits_for_the_engine(open_page: OpenPage) -> None:
    with running(open_at_once=False) as slow:
        page = open_page(base=slow.address)
        page.wait_for_selector(".pc-corpus:has-text('Indexing the articles… 3 of 5')")
        page.fill("#pc-question textarea", GIFTS)
        page.press("#pc-question textarea", "Enter")
        page.wait_for_selector(".pc-is-waiting:has-text('as soon as the articles are ready')")
        assert page.locator(".pc-is-waiting progress").get_attribute("value") == "3"
        page.wait_for_selector("#pc-stop")
        slow.gate.set()
        page.wait_for_selector(".pc-is-answered .pc-quote")
        page.wait_for_selector(".pc-corpus:has-text('7 articles')")
        page.wait_for_selector("#pc-send")
        settle(page)


def test_stop_gives_a_waiting_question_up(open_page: OpenPage) -> None:
    with running(open_at_once=False) as slow:
        page = open_page(base=slow.address)
        page.fill("#pc-question textarea", GIFTS)
        page.press("#pc-question textarea", "Enter")
        page.wait_for_selector(".pc-is-waiting")
        page.click("#pc-stop")
        page.wait_for_selector(".pc-is-stopped:has-text('Stopped.')")
        slow.gate.set()
        page.wait_for_selector(".pc-corpus:has-text('7 articles')")
        assert page.locator(".pc-is-stopped").count() == 1
        ask(page, "What gifts again?")
        assert slow.engine.asked == [("What gifts again?", ())]
        settle(page)


def test_follow_up_knows_the_earlier_questions(open_page: OpenPage, site: Site) -> None:
    page = open_page()
    ask(page, GIFTS)
    ask(page, "And who else?")
    assert site.last_asked() == ("And who else?", (GIFTS,))
    page.click(".pc-new")
    page.wait_for_selector(".pc-welcome")
    ask(page, "Fresh?")
    assert site.last_asked() == ("Fresh?", ())


def test_two_readers_never_see_each_other(open_page: OpenPage, site: Site) -> None:
    one, two = open_page(), open_page(locale="sl")
    ask(one, GIFTS)
    ask(two, "Kdo je to?")
    assert site.last_asked() == ("Kdo je to?", ())
    assert GIFTS not in two.locator("#pc-chat-part").inner_text()
    assert "Kdo je to?" not in one.locator("#pc-chat-part").inner_text()
    assert (one.locator(".pc-turn").count(), two.locator(".pc-turn").count()) == (1, 1)


def test_link_with_a_question_asks_it(open_page: OpenPage) -> None:
    page = open_page(f"/?q={quote(GIFTS)}")
    page.wait_for_selector(".pc-is-answered .pc-quote")
    assert page.locator(".pc-question").inner_text().endswith(GIFTS)


def test_example_is_asked_by_a_click(open_page: OpenPage) -> None:
    page = open_page()
    assert page.locator(".pc-example").count() == 6
    page.locator(".pc-example").first.click()
    page.wait_for_selector(".pc-is-answered .pc-quote")


def test_what_cannot_be_answered_is_said(open_page: OpenPage) -> None:
    page = open_page()
    assert "too long" in ask(page, "x" * 2001).locator(".pc-error").inner_text()
    assert "Something went wrong" in ask(page, "explode").locator(".pc-error").inner_text()
    ask(page, GIFTS).locator(".pc-quote").first.wait_for()


def test_enter_that_ends_a_composed_word_sends_nothing(open_page: OpenPage) -> None:
    page = open_page()
    page.fill("#pc-question textarea", "你好")
    page.evaluate(
        "document.querySelector('#pc-question textarea').dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"
    )
    page.wait_for_timeout(300)
    assert page.locator(".pc-turn").count() == 0
    assert page.input_value("#pc-question textarea") == "你好"
