"""Reading an answer in a real browser: its quotes, their translation, copying them, and keys."""

from typing import TYPE_CHECKING

import pytest
from test_browser import (
    CHROMIUM,
    DESKTOP,
    GIFTS,
    PHONE,
    OpenPage,
    Site,
    ask,
    browser,
    highlight,
    marked_text,
    open_page,
    site,
)

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH: the page is not tested in a browser"),
]
__all__ = ["browser", "open_page", "site"]  # fixtures
# A browser that translates out of Albanian, and only within itself.
TRANSLATOR = """window.Translator = {
  availability: async ({sourceLanguage}) => sourceLanguage === 'sq' ? 'downloadable' : 'unavailable',
  create: async ({targetLanguage, monitor}) => {
    monitor({addEventListener: (name, act) => act({loaded: 0.5})});
    return {translate: async text => `<i>${targetLanguage}</i> ` + text.toUpperCase()};
  },
};"""
FAILING = "window.Translator = {availability: async () => 'available', create: async () => { throw new Error('no'); }};"
SIZES = {"desktop": DESKTOP, "phone": PHONE}


@pytest.mark.parametrize(("locale", "size"), [("en-US", "phone"), ("ar", "desktop")])
def test_excerpt_is_translated_in_place_and_said_to_be(open_page: OpenPage, site: Site, locale: str, size: str) -> None:
    page = open_page(locale=locale, viewport=SIZES[size], script=TRANSLATOR)
    card = ask(page, GIFTS).locator(".pc-card").first
    citation = site.ask(GIFTS)["citations"][0]
    original = card.locator(".pc-excerpt").text_content()
    card.locator(".pc-translate").click()
    shown = card.locator(".pc-translated")
    shown.wait_for()
    language = locale[:2]
    assert shown.get_attribute("lang") == language
    assert shown.get_attribute("dir") == "auto"
    assert shown.locator("mark").text_content() == f"<i>{language}</i> {highlight(site, citation).upper()}"
    assert shown.locator("i").count() == 0
    assert card.locator(".pc-excerpt").is_hidden()
    note = card.locator(".pc-translation-note").inner_text()
    assert note == {"en": "Translated by your browser. Only the original is an exact quote.",
                    "ar": "ترجمة متصفحك. النص الأصلي وحده اقتباس حرفي."}[language]  # fmt: skip
    ask(page, "Wer ist das?")
    assert shown.locator("mark").count() == 1, "it stays when the chat is drawn anew"
    card.locator(".pc-translate").click()
    assert card.locator(".pc-translation").count() == 0
    assert card.locator(".pc-excerpt").text_content() == original
    slovenian = page.locator(".pc-turn").first.locator('.pc-card:has(.pc-excerpt[lang="sl"])')
    assert slovenian.count() == 1
    assert slovenian.locator(".pc-translate").count() == 0, "what the browser cannot translate is not offered"


def test_translation_that_fails_leaves_the_original(open_page: OpenPage) -> None:
    page = open_page(script=FAILING)
    card = ask(page, GIFTS).locator(".pc-card").first
    card.locator(".pc-translate").click()
    card.locator(".pc-translation-note:text('could not translate')").wait_for()
    assert card.locator(".pc-excerpt").is_visible()
    assert card.locator(".pc-translate").inner_text() == "Translate"


def select(page: "Page", selector: str, start: int = 0, end: int | None = None) -> None:
    """Selects characters of the first text inside an element, or all of it, and copies."""
    page.evaluate(
        """([selector, start, end]) => {
          const element = document.querySelector(selector), range = document.createRange();
          if (end === null) range.selectNodeContents(element);
          else { const text = element.firstChild; range.setStart(text, start); range.setEnd(text, end); }
          getSelection().removeAllRanges(); getSelection().addRange(range); }""",
        [selector, start, end],
    )
    page.keyboard.press("Control+c")


def test_whatever_is_copied_of_an_excerpt_takes_its_source_along(open_page: OpenPage, site: Site) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    ask(page, GIFTS)
    citation = site.ask(GIFTS)["citations"][0]
    source = f"\n— {citation['title']} · {citation['article']}"
    for selector in (".pc-quote", ".pc-excerpt mark"):
        select(page, selector)
        assert page.evaluate("navigator.clipboard.readText()") == highlight(site, citation) + source
    select(page, ".pc-excerpt mark", 0, 8)
    assert page.evaluate("navigator.clipboard.readText()") == "Dhuratat", "a word is no quotation"
    page.locator(".pc-chip").first.click()
    marked_text(page)
    select(page, "#pc-panel mark", 0, 60)
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == highlight(site, citation)[:60].rstrip() + source


def finger(chip: "Locator", name: str) -> None:
    chip.dispatch_event(name, {"pointerType": "touch", "bubbles": True})


def test_quote_stays_under_the_pointer_and_a_resting_finger_shows_it(open_page: OpenPage) -> None:
    page = open_page(has_touch=True)
    chip = ask(page, GIFTS).locator(".pc-chip").first
    chip.hover()
    page.wait_for_selector("#pc-tip")
    page.locator("#pc-tip .pc-tip-quote").hover()
    page.wait_for_timeout(400)
    assert page.locator("#pc-tip").is_visible(), "the pointer may go onto the quote"
    page.keyboard.press("Escape")
    assert page.locator("#pc-tip").is_hidden()
    page.mouse.move(5, 500)
    finger(chip, "pointerdown")
    page.wait_for_selector("#pc-tip")
    finger(chip, "pointerup")
    chip.dispatch_event("click")
    assert page.locator("#pc-panel").is_hidden(), "a finger that rested has asked for the quote only"
    assert page.locator("#pc-tip").is_visible()
    page.touchscreen.tap(200, 500)
    page.wait_for_selector("#pc-tip", state="hidden")
    chip.tap()
    marked_text(page)


@pytest.mark.parametrize(
    ("locale", "onward", "back"), [("en-US", "ArrowRight", "k"), ("ar", "ArrowLeft", "ArrowRight")]
)
def test_keys_are_shown_and_work_where_a_citation_has_the_focus(
    open_page: OpenPage, site: Site, locale: str, onward: str, back: str
) -> None:
    page = open_page(locale=locale)
    turn = ask(page, GIFTS)
    expected = [highlight(site, citation) for citation in site.ask(GIFTS)["citations"]]
    has_mark = "t => document.querySelector('#pc-panel mark')?.textContent === t"
    page.keyboard.type("jk?")
    assert page.input_value("#pc-question textarea") == "jk?", "in the question field they are letters"
    turn.locator(".pc-chip").first.focus()
    page.keyboard.press("j")
    page.wait_for_function(has_mark, arg=expected[1])
    page.keyboard.press(onward)
    page.wait_for_function(has_mark, arg=expected[2])
    page.evaluate(  # the key that bears J on a Russian keyboard
        "document.querySelector('.pc-panel-body').dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'о', code: 'KeyJ', bubbles: true}))"
    )
    page.wait_for_function(has_mark, arg=expected[3])
    page.keyboard.press(back)
    page.wait_for_function(has_mark, arg=expected[2])
    page.keyboard.press(back)
    page.wait_for_function(has_mark, arg=expected[1])
    assert page.locator("#pc-keys").is_hidden()
    page.keyboard.press("?")
    assert page.locator("#pc-keys kbd").all_inner_texts()[:2] == ["J", "→" if locale == "en-US" else "←"]
    assert page.locator(".pc-help").get_attribute("aria-expanded") == "true"
    page.locator(".pc-help").click()
    assert page.locator("#pc-keys").is_hidden()
    page.keyboard.press("Escape")
    page.wait_for_selector("#pc-panel", state="hidden")
