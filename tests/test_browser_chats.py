"""What can be done with questions and chats, in a real browser."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from test_browser import (
    CHROMIUM,
    DESKTOP,
    GIFTS,
    LAVROV,
    PHONE,
    OpenPage,
    Site,
    ask,
    browser,
    open_page,
    running,
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


def kept(page: "Page") -> list[str]:
    """The questions of every chat that the browser keeps, one line each, oldest chat first."""
    chats = page.evaluate(
        "Object.keys(localStorage).filter(key => key.startsWith('polycite.chat.'))"
        ".map(key => JSON.parse(localStorage.getItem(key))).sort((a, b) => a.saved < b.saved ? -1 : 1)"
    )
    return [" / ".join(turn["question"] for turn in chat["chat"]["turns"]) for chat in chats]


def test_questions_are_asked_again_and_edited_without_loss(open_page: OpenPage, site: Site) -> None:
    page = open_page()
    for question in (GIFTS, "And who?", "explode"):
        ask(page, question)
    assert page.locator(".pc-is-failed .pc-answer .pc-again").inner_text() == "Ask again"
    before = len(site.engine.asked)
    page.locator(".pc-turn").nth(1).locator(".pc-again").click()
    wait_until(lambda: len(site.engine.asked) > before)
    assert site.last_asked() == ("And who?", (GIFTS,))
    page.wait_for_selector(".pc-turn:nth-of-type(2) .pc-confidence")
    assert page.evaluate("document.activeElement.className") == "pc-tool pc-again", "the focus stays where it was"
    page.locator(".pc-turn").nth(2).locator(".pc-edit").click()
    field = page.locator(".pc-edit-field")
    assert field.input_value() == "explode"
    field.press("Escape")
    assert field.count() == 0
    page.locator(".pc-turn").nth(2).locator(".pc-edit").click()
    field.fill("And what gifts else?")
    field.press("Enter")
    page.wait_for_selector(".pc-turn:nth-of-type(3) .pc-quote")
    assert site.last_asked() == ("And what gifts else?", (GIFTS, "And who?"))
    wait_until(lambda: kept(page) == [f"{GIFTS} / And who? / And what gifts else?"])
    page.locator(".pc-turn").nth(1).locator(".pc-edit").click()
    field.fill("And when?")
    page.locator(".pc-edit-form [type=submit]").click()
    page.wait_for_selector(".pc-turn:nth-of-type(2) .pc-question:has-text('And when?')")
    page.wait_for_selector(".pc-turn:nth-of-type(2) .pc-confidence")
    assert page.locator(".pc-turn").count() == 2
    wait_until(lambda: kept(page) == [f"{GIFTS} / And who? / And what gifts else?", f"{GIFTS} / And when?"])


def test_suggestions_are_answered_by_themselves(open_page: OpenPage, site: Site) -> None:
    page = open_page()
    ask(page, GIFTS)
    ask(page, "gifts again")
    page.wait_for_selector(".pc-follow")
    assert page.locator(".pc-more").count() == 1, "only the latest answer is followed up"
    first = page.locator(".pc-follow").first
    said = first.inner_text()
    assert first.get_attribute("lang") in ("sq", "sl")
    assert any(said in " ".join(article.text.split()) for article in site.engine.articles.values())
    first.click()
    page.wait_for_selector(".pc-turn:nth-of-type(3) .pc-quote")
    turn = page.locator(".pc-turn").nth(2)
    assert turn.locator(".pc-quote").inner_text().startswith(said)


def test_chat_survives_a_restart_of_the_server(browser: "Browser") -> None:
    """Under a tab that stays open: the next question follows the earlier ones, in the reader's language."""
    page = browser.new_context(locale="sl", viewport=DESKTOP, reduced_motion="reduce").new_page()
    with running() as first:
        page.goto(first.address)
        page.wait_for_selector(".pc-chat[data-opened]")
        ask(page, GIFTS)
        settle(page)
    with running(port=int(first.address.rsplit(":", 1)[1])) as second:
        wait_until(lambda: bool(second.engines))
        page.fill("#pc-question textarea", "And who?")
        page.press("#pc-question textarea", "Enter")
        page.wait_for_selector(".pc-turn:nth-of-type(2) .pc-confidence")
        assert page.locator(".pc-question > [dir]").all_inner_texts() == [GIFTS, "And who?"]
        assert second.last_asked() == ("And who?", (GIFTS,))
        assert GIFTS not in [question for question, _ in second.engine.asked], "the first was not asked again"
        assert "87 % zanesljivo" in page.locator(".pc-turn").first.inner_text()
        page.locator(".pc-chip").first.click()
        page.wait_for_selector("#pc-panel mark")
        wait_until(lambda: kept(page) == [f"{GIFTS} / And who?"])
        fresh = page.context.new_page()
        fresh.goto(second.address)
        fresh.wait_for_selector(".pc-welcome")
        fresh.click(".pc-show-chats")
        fresh.click(".pc-chat-open")
        fresh.wait_for_selector(".pc-turn:nth-of-type(2)")
        page.context.close()


@pytest.mark.parametrize(("locale", "phone"), [("en-US", False), ("ar", True)])
def test_chats_are_listed_opened_and_deleted(open_page: OpenPage, locale: str, phone: bool) -> None:
    page = open_page(locale=locale, viewport=PHONE if phone else None)
    for question in (GIFTS, LAVROV, "Who?"):
        ask(page, question)
        page.click(".pc-new")
        page.wait_for_selector(".pc-welcome")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")
    page.click(".pc-show-chats")
    titles = page.locator(".pc-chat-title")
    assert titles.all_inner_texts() == ["Who?", LAVROV, GIFTS]
    page.locator(".pc-delete").nth(0).click()
    assert titles.all_inner_texts() == [LAVROV, GIFTS]
    assert page.evaluate("document.activeElement.className") == "pc-link pc-undo"
    page.keyboard.press("Enter")
    assert titles.all_inner_texts() == ["Who?", LAVROV, GIFTS]
    page.locator(".pc-chat-open").nth(1).click()
    page.wait_for_selector(".pc-turn .pc-quote")
    assert page.locator(".pc-question > [dir]").all_inner_texts() == [LAVROV]
    page.click(".pc-show-chats")
    page.locator(".pc-chat-open[aria-current]").wait_for()
    page.click(".pc-delete-all")
    assert titles.count() == 0
    page.wait_for_selector(".pc-welcome")
    page.uncheck(".pc-keeping input")
    page.keyboard.press("Escape")
    ask(page, GIFTS)
    page.wait_for_selector(".pc-more")
    assert kept(page) == [], "nothing is kept where the reader does not want it"


def test_storage_that_was_tampered_with_does_no_harm(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, GIFTS)
    wait_until(lambda: len(kept(page)) == 1)
    page.evaluate("""() => {
      const spite = '<img src=x onerror="window.__pwned=1">${window.__pwned=2}{{window.__pwned=3}}';
      const key = Object.keys(localStorage).find(key => key.startsWith('polycite.chat.'));
      const kept = JSON.parse(localStorage.getItem(key));
      kept.title = spite; kept.chat.turns[0].question = spite;
      Object.assign(kept.chat.turns[0].answer.citations[0], {title: spite, text: spite, article: spite});
      localStorage.setItem(key, JSON.stringify(kept));
      localStorage.setItem('polycite.chat.0', 'no JSON'); localStorage.setItem('polycite.chat.1', '{"title": 3}');
      kept.title = 'broken'; kept.chat.turns = spite; kept.saved = '<b>';
      localStorage.setItem('polycite.chat.2', JSON.stringify(kept)); }""")
    page.click(".pc-show-chats")
    assert page.locator(".pc-chat-open").count() == 2
    page.locator(".pc-chat-open:has-text('broken')").click()
    page.wait_for_selector(".pc-error:text('This chat could not be opened.')")
    page.click(".pc-show-chats")
    page.locator(".pc-chat-open:has-text('img')").click()
    page.wait_for_selector(".pc-question:has-text('img')")
    page.wait_for_selector(".pc-stale")
    assert page.locator("#pc-chat-part :is(img, script, svg, iframe)").count() == 0
    assert page.evaluate("window.__pwned") is None


def test_citation_of_a_changed_article_is_said_to_be_one(open_page: OpenPage) -> None:
    with running() as changing:
        page = open_page(base=changing.address)
        cited = ask(page, GIFTS).locator(".pc-card").first.get_attribute("data-article")
        settle(page)
        article = changing.engine.articles[str(cited)]
        changed = {**changing.engine.articles, article.name: replace(article, text=article.text[:2] + article.text)}
        changing.engine.articles = changed
        page.select_option(".pc-language", "sl")
        page.wait_for_selector(".pc-stale:text('se je od takrat spremenil')")
        assert page.locator(".pc-stale").count() == 2
        page.locator(".pc-chip").first.click()
        page.wait_for_selector(".pc-article-text")
        assert page.locator("#pc-panel mark").count() == 0, "the old place would mark other words"


def test_chat_is_saved_as_markdown_and_json(open_page: OpenPage, site: Site, tmp_path: Path) -> None:
    page = open_page(locale="de-DE")
    ask(page, GIFTS)
    ask(page, "Wer ist das?")
    page.click(".pc-show-chats")
    for form, ending in (("markdown", ".md"), ("json", ".json")):
        with page.expect_download() as waiting:
            page.click(f".pc-save[data-format={form}]")
        waiting.value.save_as(tmp_path / form)
        assert waiting.value.suggested_filename.endswith(ending)
    expected = site.ask(GIFTS)
    chat = json.loads((tmp_path / "json").read_text(encoding="utf-8"))
    assert [turn["question"] for turn in chat["turns"]] == [GIFTS, "Wer ist das?"]
    assert chat["turns"][0]["answer"]["citations"] == expected["citations"]
    markdown = (tmp_path / "markdown").read_text(encoding="utf-8")
    assert f"## {GIFTS}" in markdown
    assert "### Quellen" in markdown
    assert "**Die Artikel beantworten das nicht.**" in markdown


def test_link_to_a_question_asks_it_once(open_page: OpenPage) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    turn = ask(page, LAVROV)
    settle(page)
    turn.locator(".pc-link-to").click()
    page.wait_for_selector("#pc-toast:text('Link copied')")
    address = page.evaluate("navigator.clipboard.readText()")
    assert address.endswith(f"?q={quote(LAVROV).replace('%20', '+')}")
    page.goto(address)
    page.wait_for_selector(".pc-is-answered .pc-quote")
    assert page.locator(".pc-question > [dir]").all_inner_texts() == [LAVROV]
    assert "?" not in page.url, "loading the page again does not ask once more"
    wait_until(lambda: kept(page) == [LAVROV, LAVROV])
    settle(page)
    page.reload()
    page.wait_for_selector(".pc-chat[data-opened] .pc-quote")
    assert page.locator(".pc-turn").count() == 1
