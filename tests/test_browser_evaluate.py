"""The Evaluate tab and the making of test questions, in a real browser against a really running server."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from test_browser import (
    _CONTRAST,
    _NAMELESS,
    CHROMIUM,
    GIFTS,
    PHONE,
    OpenPage,
    Site,
    ask,
    browser,
    open_page,
    settle,
    site,
    wait_until,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH: the page is not tested in a browser"),
]
__all__ = ["browser", "open_page", "site"]  # fixtures
SPITE = '<img src=x onerror="window.__pwned=1">${window.__pwned=2}{{window.__pwned=3}}'
ROWS = [
    {"id": "won", "question": GIFTS, "articles": ["004_d3aeb010e0d73a70.txt"], "answers": ["çaji"]},
    {"id": "wrong", "question": "What gifts else?", "articles": ["001_1977e9eac9134f9c.txt"], "answers": [SPITE]},
    {"id": "refused", "question": SPITE, "articles": ["004_d3aeb010e0d73a70.txt"], "answers": ["çaji"]},
    {"id": "none", "question": "Who?", "articles": [], "answers": []},
]


@pytest.fixture(autouse=True)
def _plain_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes long: the plots of the tab are enough here."""
    monkeypatch.setattr("qa.evaluation.report.draw_plots", lambda *given: {})


def upload(page: "Page", content: bytes, name: str = "my.jsonl") -> None:
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.locator(".pc-ev-upload input").set_input_files(file)  # type: ignore[arg-type]


def questions(count: int = 0) -> bytes:
    many = ({"id": str(n), "question": f"Who is {n}?", "articles": [], "answers": []} for n in range(count))
    return "".join(json.dumps(row) + "\n" for row in (many if count else ROWS)).encode()


def open_tab(open_page: OpenPage, **options: Any) -> "Page":
    """A fresh browser with the tab open."""
    page = open_page(**options)
    page.click(".pc-view[data-view=evaluate]")
    page.wait_for_selector(".pc-ev-upload")
    return page


def run(page: "Page", runs: int) -> None:
    """Runs ROWS, as the ``runs``-th evaluation of this browser."""
    upload(page, questions())
    page.wait_for_function("n => document.querySelectorAll('.pc-ev-pick').length === n", arg=runs)
    page.wait_for_selector(".pc-ev-result")


def test_questions_are_run_and_a_failure_opens_in_the_chat(open_page: OpenPage, site: Site) -> None:
    page = open_page()
    ask(page, "Who was first?")
    page.click(".pc-view[data-view=evaluate]")
    page.wait_for_selector(".pc-ev-run[data-source=seeds]")
    assert page.locator("#pc-composer").is_hidden()
    run(page, 1)
    assert page.locator(".pc-ev-big").inner_text() == "50.0 %"
    assert page.locator(".pc-ev-plots svg").count() == 4
    assert SPITE in page.locator(".pc-ev-result").inner_text()
    assert page.locator(".pc-ev img, .pc-ev script").count() == 0
    assert page.evaluate("window.__pwned") is None
    page.locator(".pc-ev-question:text('What gifts else?')").evaluate("e => e.closest('details').open = true")
    page.locator(".pc-ev-question:text('What gifts else?')").click()
    turn = page.locator(".pc-turn").nth(1)
    turn.locator(".pc-chip").first.click()
    page.wait_for_selector("#pc-panel mark")
    assert site.last_asked() == ("What gifts else?", ()), "asked as the evaluation asked it, not as a follow-up"
    page.go_back()
    page.wait_for_selector(".pc-ev-result")
    assert page.locator("#pc-panel").is_hidden()


def test_two_runs_are_compared_and_a_report_is_downloaded(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_tab(open_page)
    run(page, 1)
    run(page, 2)
    for name, begin in (("report", "<!DOCTYPE html>"), ("answers", '{"id": "won"')):
        with page.expect_download() as waiting:
            page.locator(f".pc-ev-files a:has-text('{name}')").click()
        waiting.value.save_as(tmp_path / name)
        assert (tmp_path / name).read_text("utf-8").startswith(begin)
    assert page.locator(".pc-ev-compare").is_disabled()
    for place in (0, 1):
        page.locator(".pc-ev-pick").nth(place).check()
    page.click(".pc-ev-compare")
    page.wait_for_selector(".pc-ev-comparison")
    assert re.search(r"Dealt with rightly\s+50.0 %\s+50.0 %", page.locator(".pc-ev-comparison").inner_text(), re.I)
    page.locator(".pc-ev-open").last.click()
    page.wait_for_selector(".pc-ev-result")
    assert page.locator(".pc-ev-comparison").count() == 0


def test_a_run_is_watched_cancelled_and_gone_on_with(
    open_page: OpenPage, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_tab(open_page)
    monkeypatch.setattr(site.engine, "delay", 0.1)
    upload(page, questions(60))
    page.wait_for_function("document.querySelector('.pc-ev-running progress')?.value > 2")
    assert page.locator(".pc-ev-upload input").is_disabled()
    assert re.fullmatch(r"\d+ of 60", page.locator(".pc-ev-position").inner_text())
    page.click(".pc-view[data-view=ask]")
    ask(page, GIFTS)
    assert page.locator(".pc-quote").count() > 0, "the chat answers meanwhile"
    settle(page)
    page.reload()
    page.click(".pc-view[data-view=evaluate]")
    page.click(".pc-ev-cancel")
    page.wait_for_selector(".pc-ev-state:has-text('Cancelled.')")
    monkeypatch.setattr(site.engine, "delay", 0.0)
    page.click(".pc-ev-resume")
    page.wait_for_selector(".pc-ev-big:has-text('100.0 %')")
    page.wait_for_selector(".pc-ev-result:has-text('None: every question was dealt with rightly.')")


def test_a_faulty_file_is_said(browser: "Browser", site: Site) -> None:
    # Not of open_page, which minds what a browser notes in its console: a request that was refused.
    page = browser.new_page(locale="en-US")
    page.goto(f"{site.address}/#evaluate")
    page.wait_for_selector(".pc-ev-upload")
    upload(page, b'{"id": "1"}\n', "<b>.jsonl")
    page.wait_for_selector(".pc-ev-fault:visible")
    assert page.locator(".pc-ev-fault").inner_text() == '<b>.jsonl, line 1: "question" is missing: add "question"'
    upload(page, b"x" * 10_000_001)
    page.wait_for_selector(".pc-ev-fault:text('This file is larger than 10 MB.')")
    upload(page, questions())
    page.wait_for_selector(".pc-ev-result")
    assert page.locator(".pc-ev-fault").is_hidden()
    page.close()


def test_an_answer_becomes_a_test_question(open_page: OpenPage, site: Site, tmp_path: Path) -> None:
    page = open_page()
    turn = ask(page, GIFTS)
    turn.locator(".pc-thumb-right").click()
    turn.locator(".pc-thumb-right[aria-pressed=true]").wait_for()
    wait_until(lambda: bool(page.evaluate("document.activeElement.matches('.pc-thumb-right')")))
    turn.locator(".pc-keep-question").click()
    turn.locator(".pc-rate-kept").wait_for()
    other = ask(page, "What gifts more?")
    other.locator(".pc-thumb-wrong").click()
    other.locator(".pc-choice").select_option("3")
    other.locator(".pc-keep-question").click()
    other.locator(".pc-rate-kept").wait_for()
    with page.expect_download() as waiting:
        other.locator(".pc-rate a").click()
    waiting.value.save_as(tmp_path / "feedback.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "feedback.jsonl").read_text("utf-8").splitlines()]
    citations = site.ask(GIFTS)["citations"]
    for row, asked, cited in zip(rows, (GIFTS, "What gifts more?"), (citations[0], citations[2]), strict=True):
        start, end = cited["highlight"]
        text = site.engine.articles[cited["article"]].text
        assert (row["question"], row["language"]) == (asked, "en")
        assert (row["articles"], row["answers"]) == ([cited["article"]], [text[start:end]])
    page.click(".pc-view[data-view=evaluate]")
    page.click(".pc-ev-run:has-text('(2)')")
    page.wait_for_selector(".pc-ev-big:has-text('100.0 %')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_is_legible_and_named(open_page: OpenPage, scheme: str) -> None:
    page = open_tab(open_page, color_scheme=scheme)
    run(page, 1)
    page.locator(".pc-ev details").evaluate_all("all => all.forEach(e => { e.open = true })")
    assert page.evaluate(_CONTRAST) == []
    assert page.evaluate(_NAMELESS) == []


def test_phone_and_arabic(open_page: OpenPage) -> None:
    page = open_tab(open_page, viewport=PHONE, locale="ar")
    page.wait_for_selector(".pc-ev[lang=ar][dir=rtl]")
    run(page, 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.select_option(".pc-language", "sl")
    page.wait_for_selector(".pc-ev[lang=sl] .pc-ev-result:has-text('Pravi članek prvi')")
