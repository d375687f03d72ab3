"""The Corpus tab in a real browser: real files, the real engine with the toy encoder."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from documents import docx, paragraph, pdf
from hostile import PAYLOADS, in_format
from test_browser import _CONTRAST, _NAMELESS, CHROMIUM, DESKTOP, PHONE, OpenPage, browser, open_page, wait_until
from toy_encoder import ToyEncoder

from index.settings import Settings
from index.sync import sync
from qa.engine import Engine
from qa.page.opening import Opening, Progress
from qa.page.server import create_app, listen

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, ViewportSize

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH: the page is not tested in a browser"),
]
__all__ = ["browser", "open_page"]  # fixtures
TEXTS = {
    "a.txt": "date 2023-05 The ship left the harbour in the morning. It carried grain to the south.",
    "sub/b.txt": "date 2024-01 Muzeu hapi dyert e tij për të gjithë. Një pikturë u vodh natën nga salla.",
    "c.md": "# Rain\n\nRain fell for a *week*. The river rose by two metres.",
    "d.txt": "date 2024-06 Die Elbe ist ein langer Fluss, und viele Schiffe fahren auf ihr nach Hamburg.",
    "bad.pdf": "no PDF",
}
_FAST = 0.05


class Site:
    """A running server with a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.corpus = root / "corpus"
        self.settings = Settings(corpus=self.corpus, data=root / "data")
        self.opening = Opening(self.settings, self._open)
        for name, text in TEXTS.items():
            (self.corpus / name).parent.mkdir(parents=True, exist_ok=True)
            (self.corpus / name).write_text(text)

    @staticmethod
    def _open(settings: Settings, progress: Progress) -> Engine:
        encoder = ToyEncoder()
        report, collection = sync(settings, encoder, progress=progress)
        return Engine(settings, encoder, collection, report)

    def serve(self) -> None:
        import uvicorn

        self._listening = listen("127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        config = uvicorn.Config(create_app(self.opening), log_level="warning", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listening]}, daemon=True)
        self.opening.start()
        self._thread.start()

    def stop(self) -> None:
        self.opening.closed = True
        self._server.should_exit = True
        self._thread.join(10)
        self._listening.close()

    @property
    def articles(self) -> set[str]:
        return set(self.opening.engine.articles) if self.opening.engine else set()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr("qa.page.library._SHORTEST_PAUSE", _FAST)
    running = Site(tmp_path)
    running.serve()
    yield running
    running.stop()


@pytest.fixture(params=[("en-US", DESKTOP), ("ar", PHONE)], ids=["en-desktop", "ar-phone"])
def page(request: pytest.FixtureRequest, open_page: OpenPage, site: Site) -> "Page":
    locale, viewport = request.param
    return open_tab(open_page, site, locale=locale, viewport=viewport)


def open_tab(
    open_page: OpenPage, site: Site, *, locale: str = "en-US", viewport: "ViewportSize" = DESKTOP, **more: Any
) -> "Page":
    opened = open_page(base=site.address, locale=locale, viewport=viewport, **more)
    opened.wait_for_selector(f"html[lang={locale[:2]}]")
    opened.click(".pc-view[data-view=corpus]")
    opened.wait_for_selector(".pc-lib-is-ready")
    return opened


def row(page: "Page", name: str) -> "Locator":
    return page.locator(".pc-lib tbody tr").filter(has=page.locator(f".pc-lib-name:text-is('{name}')"))


def upload(page: "Page", **files: bytes) -> None:
    given: Any = [
        {"name": name.replace("_", "."), "mimeType": "application/octet-stream", "buffer": content}
        for name, content in files.items()
    ]
    page.locator(".pc-lib-drop input").set_input_files(given)


def ask(page: "Page", question: str) -> "Locator":
    before = page.locator(".pc-turn").count()
    page.fill("#pc-question textarea", question)
    page.press("#pc-question textarea", "Enter")
    turn = page.locator(".pc-turn").nth(before)
    turn.locator(".pc-confidence, .pc-error").wait_for()
    return turn


def test_table_tells_what_there_is(page: "Page", site: Site) -> None:
    assert page.locator(".pc-lib-name").all_inner_texts() == ["bad.pdf", "d.txt", "sub/b.txt", "a.txt", "c.md"]
    assert "named like a PDF" in row(page, "bad.pdf").inner_text()
    ship = row(page, "a.txt")
    assert (
        ship.locator(".pc-lib-open").inner_text()
        == "The ship left the harbour in the morning. It carried grain to the south."
    )
    assert ship.locator("time").get_attribute("datetime") == "2023-05"
    assert ship.locator(".pc-lib-number").text_content() == "2"
    german = row(page, "d.txt").inner_text()
    assert ("الألمانية" if page.get_attribute("html", "dir") == "rtl" else "German") in german
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    plot = page.locator(".pc-lib-plot svg")
    assert plot.locator("rect").count() == 3 and plot.get_attribute("aria-label")
    page.fill(".pc-lib [name=text]", "MUZEU")
    page.wait_for_function("document.querySelectorAll('.pc-lib tbody tr').length === 1")
    page.fill(".pc-lib [name=text]", "nothing like it")
    page.wait_for_selector(".pc-lib-none")


def test_uploads_are_asked_about_at_once_and_faults_are_named(page: "Page", site: Site) -> None:
    upload(
        page, new_pdf=pdf(["A zeppelin landed on the roof."], ["Twelve penguins waited for it."]),
        w_docx=docx(paragraph("The baker sold a violet cake.")), h_html=b"<p>An owl <b>sang</b> at noon.</p>",
        m_md=b"# Snow\n\nA *glacier* melted.", t_txt=b"A tram was late.", wrong_pdf=b"hm", x_exe=b"MZ",
        c_md=TEXTS["c.md"].encode(),
    )  # fmt: skip
    page.wait_for_function("document.querySelectorAll('.pc-lib-file-done').length === 6")
    faults = page.locator(".pc-lib-file-wrong")
    assert sorted(faults.locator("bdi").all_inner_texts()) == ["wrong.pdf", "x.exe"]
    assert faults.filter(has_text="wrong.pdf").locator(".pc-lib-file-state").inner_text() == (
        "is named like a PDF, but is none"
    )
    assert {"new.pdf", "w.docx", "h.html", "m.md", "t.txt"} <= site.articles
    assert not {"wrong.pdf", "x.exe"} & {path.name for path in site.corpus.iterdir()}
    page.wait_for_function("document.querySelectorAll('.pc-lib-is-waiting').length === 0")
    row(page, "new.pdf").wait_for()
    page.click(".pc-view[data-view=ask]")
    card = ask(page, "Twelve penguins waited for it").locator(".pc-card").first
    said = "صفحة 2" if page.get_attribute("html", "dir") == "rtl" else "page 2"
    assert said in card.locator(".pc-facts").inner_text()
    assert f"new.pdf · {said}" in str(card.get_attribute("data-source"))


def test_a_newer_version_takes_the_place_of_the_older_one_which_can_come_back(open_page: OpenPage, site: Site) -> None:
    page = open_tab(open_page, site)
    upload(page, a_txt=b"The ship sank.")
    page.wait_for_selector(".pc-lib-file-done")
    wait_until(lambda: (site.corpus / "a.txt").read_text() == "The ship sank.")
    page.click(".pc-lib-trash summary")
    page.click(".pc-lib-restore")  # not while the newer one is there
    page.wait_for_selector(".pc-lib-notice:has-text('another file')")
    row(page, "a.txt").locator(".pc-lib-delete").click()
    page.wait_for_selector(".pc-lib-undo")
    row(page, "a.txt").wait_for(state="detached")
    page.locator(".pc-lib-restore").nth(1).click()
    row(page, "a.txt").locator(".pc-lib-is-ready").wait_for()
    assert (site.corpus / "a.txt").read_text() == TEXTS["a.txt"]


def test_deleting_can_be_undone_with_keys_alone(page: "Page", site: Site) -> None:
    page.fill(".pc-lib [name=text]", "harbour")
    page.wait_for_function("document.querySelectorAll('.pc-lib tbody tr').length === 1")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.pc-lib-delete')"):
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_selector(".pc-lib-undo:focus")
    box = page.locator(".pc-lib-notice").bounding_box()
    viewport = page.viewport_size
    assert box and viewport and 0 <= box["y"] <= viewport["height"] - box["height"]
    wait_until(lambda: "a.txt" not in site.articles)
    assert not (site.corpus / "a.txt").exists()
    page.keyboard.press("Enter")
    wait_until(lambda: "a.txt" in site.articles)
    row(page, "a.txt").locator(".pc-lib-is-ready").wait_for()
    assert (site.corpus / "a.txt").read_text() == TEXTS["a.txt"]


def test_the_last_article_can_be_deleted_and_brought_back(open_page: OpenPage, site: Site) -> None:
    for name in set(TEXTS) - {"a.txt"}:
        (site.corpus / name).unlink()
    page = open_tab(open_page, site)
    page.wait_for_function("document.querySelectorAll('.pc-lib tbody tr').length === 1")
    row(page, "a.txt").locator(".pc-lib-delete").click()
    page.wait_for_selector(".pc-lib-none")
    wait_until(lambda: site.articles == set())
    page.click(".pc-view[data-view=ask]")
    assert ask(page, "Where is the ship?").locator(".pc-declined").count() == 1
    page.click(".pc-view[data-view=corpus]")
    page.click(".pc-lib-undo")
    row(page, "a.txt").locator(".pc-lib-is-ready").wait_for()


def test_changes_from_outside_are_noticed_and_a_vanished_folder_is_not_believed(
    open_page: OpenPage, site: Site, tmp_path: Path
) -> None:
    page = open_tab(open_page, site)
    (site.corpus / "outside.txt").write_text("An outsider wrote this.")
    row(page, "outside.txt").locator(".pc-lib-is-ready").wait_for()
    page.wait_for_selector(".pc-corpus:has-text('5 articles')")
    before = site.articles
    site.corpus.rename(tmp_path / "gone")
    page.wait_for_selector(".pc-lib-doing.pc-error:has-text('there is no folder')")
    site.corpus.mkdir()
    page.wait_for_selector(".pc-lib-doing.pc-error:has-text('holds no article')")
    assert site.articles == before
    shutil.rmtree(site.corpus)
    (tmp_path / "gone").rename(site.corpus)
    page.wait_for_selector(".pc-lib-doing", state="detached")
    assert site.articles == before


def test_questions_keep_to_what_was_chosen(page: "Page", site: Site) -> None:
    assert page.locator(".pc-lib-ask").is_disabled()
    page.select_option(".pc-lib [name=language]", "sq")
    page.fill(".pc-lib [name=since]", "2024-01")
    page.wait_for_function("document.querySelectorAll('.pc-lib tbody tr').length === 1")
    page.click(".pc-lib-ask")
    page.wait_for_selector(".pc-only-chip >> nth=1")
    turn = ask(page, "The ship left the harbour")
    assert {card.get_attribute("data-article") for card in turn.locator(".pc-card").all()} == {"sub/b.txt"}
    assert "2024" in turn.locator(".pc-only-note").inner_text()
    page.click(".pc-only-drop[data-part=language]")
    page.wait_for_function("document.querySelectorAll('.pc-only-chip').length === 1")
    turn = ask(page, "The ship left the harbour again")
    assert {card.get_attribute("data-article") for card in turn.locator(".pc-card").all()} == {"d.txt", "sub/b.txt"}
    page.click(".pc-only-drop")
    page.wait_for_selector(".pc-only", state="detached")
    turn = ask(page, "The ship left the harbour once more")
    assert turn.locator(".pc-card").first.get_attribute("data-article") == "a.txt"
    assert turn.locator(".pc-only-note").count() == 0


def test_article_is_read_in_a_window(page: "Page", site: Site) -> None:
    row(page, "c.md").locator(".pc-lib-open").click()
    page.wait_for_selector(".pc-lib-reader[open]")
    assert page.locator(".pc-lib-reader .pc-article-text").text_content() == (
        "Rain\n\nRain fell for a week. The river rose by two metres."
    )
    page.keyboard.press("Escape")
    page.wait_for_selector(".pc-lib-reader[open]", state="detached")
    assert page.evaluate("document.activeElement.dataset.name") == "c.md"


def test_sorting_and_pages(open_page: OpenPage, site: Site) -> None:
    for n in range(60):
        (site.corpus / f"n{n:02}.txt").write_text(
            f"date 19{n % 50 + 10}-03 Article {n} of many. {'It goes on. ' * (n // 10)}"
        )
    page = open_tab(open_page, site)
    page.wait_for_selector(".pc-lib-pages:has-text('of 65')")
    page.wait_for_selector(".pc-lib-plot svg text:text('1910')", state="attached")
    page.click("[data-sort=sentences]")
    page.wait_for_selector(".pc-lib-sentences[aria-sort=descending]")
    page.wait_for_function("document.querySelector('.pc-lib-number').textContent === '6'")
    page.click("[data-page='1']")
    page.wait_for_selector(".pc-lib-pages:has-text('51–65 of 65')")
    assert page.locator(".pc-lib tbody tr").count() == 15
    page.click("[data-sort=title]")
    page.wait_for_selector(".pc-lib-title[aria-sort=ascending]")


@pytest.mark.parametrize(("scheme", "viewport"), [("light", PHONE), ("dark", DESKTOP)], ids=["light", "dark"])
def test_the_tab_is_legible_and_named(open_page: OpenPage, site: Site, scheme: str, viewport: "ViewportSize") -> None:
    page = open_tab(open_page, site, color_scheme=scheme, viewport=viewport)
    upload(page, x_exe=b"MZ", t_txt=b"A tram was late.")
    page.wait_for_selector(".pc-lib-file-done")
    row(page, "t.txt").locator(".pc-lib-is-ready").wait_for()
    row(page, "t.txt").locator(".pc-lib-delete").click()
    page.wait_for_selector(".pc-lib-undo")
    assert page.evaluate(_CONTRAST) == []
    assert page.evaluate(_NAMELESS) == []
    page.select_option(".pc-lib [name=language]", "en")
    page.click(".pc-lib-ask")
    page.wait_for_selector(".pc-only")
    assert page.evaluate(_CONTRAST) == []


def test_language_of_the_page_changes_the_tab(open_page: OpenPage, site: Site) -> None:
    page = open_tab(open_page, site)
    page.fill(".pc-lib [name=text]", "ship")
    page.select_option(".pc-language", "sl")
    page.wait_for_selector(".pc-lib-head h2:text('Članki')")
    assert page.input_value(".pc-lib [name=text]") == "ship"


def test_dropped_files_are_taken(open_page: OpenPage, site: Site) -> None:
    page = open_tab(open_page, site)
    page.evaluate(
        "() => { const data = new DataTransfer(); data.items.add(new File(['A tram was late.'], 'drop.txt'));"
        " for (const kind of ['dragover', 'drop']) document.querySelector('.pc-lib-table, .pc-lib')"
        ".dispatchEvent(new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true})); }"
    )
    page.wait_for_selector(".pc-lib-file-done")
    assert "drop.txt" in site.articles


def test_hostile_articles_execute_nothing_and_load_nothing(open_page: OpenPage, site: Site) -> None:
    names = ['"><img src=x onerror=window.__pwned=1>', "${window.__pwned=1}", "{{constructor}}", "\u202egnp", "a\nb"]
    endings = (".txt", ".md", ".html", ".docx", ".html.escaped")
    payloads = PAYLOADS[::2]
    for n, payload in enumerate(payloads):
        ending = endings[n % len(endings)]
        name = f"{names[n // 3] if n < 15 and n % 3 == 0 else n}{ending.removesuffix('.escaped')}"
        (site.corpus / name.replace("/", "_")).write_bytes(in_format(ending, payload))
    page = open_tab(open_page, site)
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog opened: {dialog.message}"))
    page.click("[data-sort=title]")
    count = len(payloads) + len(TEXTS)
    page.wait_for_function("n => document.querySelectorAll('.pc-lib tbody tr').length === n", arg=count)
    while site.opening.engine is None or len(site.opening.engine.articles) < count - 1:
        page.wait_for_timeout(100)
    articles = site.opening.engine.articles
    opened = set()
    for button in page.locator(".pc-lib-open").all():
        name = str(button.get_attribute("data-name"))
        button.click()
        page.wait_for_selector(".pc-lib-reader[open]")
        page.wait_for_function(
            "text => document.querySelector('.pc-lib-reader .pc-article-text')?.textContent === text",
            arg=articles[name].text[articles[name].body :],
        )
        opened.add(name)
        page.locator(".pc-lib-text").click()
        page.keyboard.press("Escape")
        page.wait_for_selector(".pc-lib-reader[open]", state="detached")
    assert opened == set(articles) and len(opened) == count - 1
    page.click(".pc-view[data-view=ask]")
    for question in ("window.__pwned=1 script", "onerror window.__pwned=1 img", "Before it. And after it."):
        for card in ask(page, question).locator(".pc-chip, .pc-fold").all()[:6]:
            card.click()
    assert (
        page.locator(".gradio-container :is(script, iframe, base, form:not(.pc-lib-filters, [class*=gr]))").count() == 0
    )
    assert (
        page.locator(":is(#pc-corpus-part, #pc-chat-part, #pc-panel) :is(img, script, iframe, math, object)").count()
        == 0
    )
    assert page.evaluate("window.__pwned") is None
