"""Whoever cannot see the page, or holds no mouse, and whoever is offline: the page in a real browser."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from axe import violations
from test_browser import CHROMIUM, DESKTOP, GIFTS, PHONE, OpenPage, Site, ask, browser, open_page, site
from test_browser_reading import TRANSLATOR

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH: the page is not tested in a browser"),
]
__all__ = ["browser", "open_page", "site"]  # fixtures
MOST_BYTES = 300_000  # of the page's own files, as they come at its first load
_FOCUSABLE = """() => [...document.querySelectorAll('a[href], button, select, textarea, input, [tabindex="0"]')]
  .filter(e => !e.disabled && e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length
    && !e.closest('[inert]'))"""
_SEEN = """() => { const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
  return {place: window.order.indexOf(e), name: e.className || e.id || e.tagName,
    ring: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0 || s.boxShadow !== 'none',
    there: r.bottom > 0 && r.top < innerHeight && r.right > 0 && r.left < innerWidth}; }"""


@pytest.mark.parametrize(
    ("locale", "scheme", "phone"),
    [("en-US", "light", False), ("ar", "dark", False), ("en-US", "dark", True), ("ar", "light", True)],
)
def test_axe_finds_nothing_serious_in_any_state(open_page: OpenPage, locale: str, scheme: str, phone: bool) -> None:
    size = PHONE if phone else DESKTOP
    page = open_page(locale=locale, color_scheme=scheme, viewport=size, has_touch=phone, script=TRANSLATOR)
    page.wait_for_selector(".pc-chat[data-opened]")
    assert violations(page) == [], "welcome"
    fill_chat(page)
    assert violations(page) == [], "chat"
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.click(".pc-show-chats")
    assert violations(page) == [], "chats"
    page.keyboard.press("Escape")
    page.locator(".pc-chip").first.click()
    page.wait_for_selector("#pc-panel mark")
    page.keyboard.press("?")
    assert violations(page) == [], "article"
    page.keyboard.press("Escape")
    for view, part in (("corpus", "table"), ("evaluate", ".pc-ev-start")):
        page.click(f".pc-view[data-view={view}]")
        page.wait_for_selector(f"#pc-{view}-part {part}")
        assert violations(page) == [], view


def fill_chat(page: "Page") -> None:
    """Every kind of turn at once, a translation, a question that is being edited, a thumb, and a quote pointed at."""
    for question in ("explode", "Wer ist das?", GIFTS):
        ask(page, question)
    page.wait_for_selector(".pc-follow")
    turn = page.locator(".pc-turn").nth(2)
    turn.locator(".pc-translate").first.click()
    turn.locator(".pc-translated").first.wait_for()
    turn.locator(".pc-thumb-wrong").click()
    turn.locator(".pc-choice").wait_for()
    page.locator(".pc-edit").first.click()
    turn.locator(".pc-chip").first.scroll_into_view_if_needed()
    turn.locator(".pc-chip").first.hover()
    page.wait_for_selector("#pc-tip")


def test_axe_would_find_something(open_page: OpenPage) -> None:
    page = open_page()
    page.wait_for_selector(".pc-chat[data-opened]")
    page.evaluate(
        "document.querySelector('.pc-welcome').insertAdjacentHTML('beforeend',"
        " '<button></button><p style=\"color:#aaa;background:#fff\">pale</p>')"
    )
    found = violations(page)
    assert any(rule.startswith("button-name") for rule in found)
    assert any(rule.startswith("color-contrast") for rule in found)


@pytest.mark.parametrize(("locale", "phone"), [("en-US", False), ("ar", True)])
def test_tab_goes_through_everything_in_order_and_is_seen(open_page: OpenPage, locale: str, phone: bool) -> None:
    page = open_page(locale=locale, viewport=PHONE if phone else DESKTOP)
    ask(page, GIFTS)
    page.wait_for_selector(".pc-follow")
    walk(page, ".pc-view")
    page.locator(".pc-show-chats").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#pc-drawer[open]")
    for _ in range(12):
        page.keyboard.press("Tab")
        inside = "document.activeElement === document.body || document.activeElement.closest('#pc-drawer') !== null"
        assert page.evaluate(inside), "an open drawer keeps the focus"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.classList.contains('pc-show-chats')")
    page.locator(".pc-chip").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#pc-panel mark")
    assert page.evaluate("document.activeElement.className") == "pc-panel-body"


def walk(page: "Page", first: str) -> None:
    """Presses Tab from the first link on; every control must be reached, in the order of the page, and be seen."""
    page.locator(first).first.focus()
    count = page.evaluate(f"() => (window.order = ({_FOCUSABLE})()).length")
    assert count > 20
    reached = [page.evaluate(_SEEN)]
    for _ in range(count - 1):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(_SEEN))
    assert [step["place"] for step in reached] == list(range(count)), [step["name"] for step in reached]
    assert [step["name"] for step in reached[1:] if not step["ring"]] == []
    assert [step["name"] for step in reached if not step["there"]] == []


def test_a_question_can_be_asked_and_read_without_a_mouse(open_page: OpenPage) -> None:
    page = open_page()
    page.wait_for_function("document.activeElement.tagName === 'TEXTAREA'")
    page.keyboard.type(GIFTS)
    page.keyboard.press("Enter")
    page.wait_for_selector(".pc-is-answered .pc-quote")
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.matches('.pc-chip[data-cite=\"1\"]')"):
            break
    page.keyboard.press("Enter")
    page.wait_for_selector("#pc-panel mark")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.dataset.cite") == "1"


def test_first_load_is_small_and_stays_on_this_machine(browser: "Browser", site: Site) -> None:
    page = browser.new_page()
    own: dict[str, int] = {}
    hosts = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    page.on("requestfinished", lambda request: own.update({request.url: request.sizes()["responseBodySize"]}))
    page.goto(site.address)
    page.wait_for_selector(".pc-chat[data-opened]")
    ask(page, GIFTS)
    page.wait_for_selector(".pc-more")
    page.close()
    sizes = {urlsplit(url).path: size for url, size in own.items()}
    ours = {path: size for path, size in sizes.items() if path == "/" or path.startswith(("/page/", "/favicon"))}
    assert {"/", "/page/page.css", "/page/page.js", "/page/history.js"} <= set(ours)
    assert 20_000 < sum(ours.values()) < MOST_BYTES, ours
    assert hosts <= {"127.0.0.1", None}


def test_no_script_runs_but_those_that_are_meant(browser: "Browser", site: Site) -> None:
    page = browser.new_page()
    answered = page.goto(site.address)
    assert answered
    scripts = next(part for part in answered.headers["content-security-policy"].split("; ") if "script-src" in part)
    assert "unsafe-inline" not in scripts
    page.wait_for_selector(".pc-chat[data-opened]")
    page.evaluate("""() => {
      const script = document.createElement('script'); script.textContent = 'window.__pwned = 1';
      document.body.append(script);
      document.body.insertAdjacentHTML('beforeend', '<img src="/none" onerror="window.__pwned = 2">'); }""")
    page.wait_for_timeout(300)
    assert page.evaluate("window.__pwned") is None
    again = page.reload()
    assert again
    assert again.headers["content-security-policy"] != answered.headers["content-security-policy"]
    page.close()
