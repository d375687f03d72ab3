"""Logging in and out in a real browser."""

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from fake_engine import opener
from serving import serving

from index.settings import Settings
from qa.doors.doors import Doors
from qa.doors.names import Names
from qa.doors.users import Users, make_entry
from qa.page.opening import Opening
from qa.page.server import create_app

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH: the login is not tested in a browser"),
]
PASSWORD = "correct horse"  # noqa: S105


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    opening = Opening(Settings(data=tmp_path_factory.mktemp("data")), opener([]))
    opening.start()
    users = Users({name: make_entry(name, PASSWORD) for name in ("ana", "ben")})
    with serving(create_app(opening, Doors(Names("127.0.0.1"), users))) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield launched
        launched.close()


def log_in(page: "Page", name: str, password: str) -> None:
    """By the keyboard alone."""
    page.locator("[name=username]").fill(name)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")


def test_one_logs_in_asks_and_logs_out(browser: "Browser", address: str) -> None:
    page = browser.new_context(locale="en-US").new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{address}/?q=What+gifts+did+he+give%3F")
    assert page.evaluate("document.activeElement.name") == "username"
    log_in(page, "ana", "wrong password")
    assert "wrong" in page.locator("[role=alert]").inner_text()
    assert page.locator("[name=username]").input_value() == "ana"
    log_in(page, "ana", PASSWORD)
    page.locator(".pc-quote").first.wait_for()  # the question of the address has survived the login
    assert page.locator(".pc-log-out").get_attribute("title") == "ana"
    page.evaluate("localStorage.setItem('kept', 'of ana')")
    page.locator(".pc-log-out").click()
    page.locator("[name=username]").wait_for()
    assert page.goto(f"{address}/api/articles").status == 401  # type: ignore[union-attr]
    page.goto(address)
    log_in(page, "ana", PASSWORD)
    page.locator(".pc-log-out").wait_for()
    assert page.evaluate("localStorage.getItem('kept')") == "of ana"
    page.locator(".pc-log-out").click()
    log_in(page, "ben", PASSWORD)
    page.locator(".pc-log-out").wait_for()
    assert page.locator(".pc-log-out").get_attribute("title") == "ben"
    assert page.evaluate("localStorage.getItem('kept')") is None
    assert errors == []


@pytest.mark.parametrize("locale", ["ar-EG", "sl-SI"])
def test_the_login_is_in_the_readers_language_on_a_phone(browser: "Browser", address: str, locale: str) -> None:
    page = browser.new_context(locale=locale, viewport={"width": 390, "height": 844}).new_page()
    page.goto(address)
    assert page.locator("html").get_attribute("dir") == ("rtl" if locale == "ar-EG" else "ltr")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    names = page.locator("label").all_inner_texts()
    assert all(name.strip() for name in names) and len(names) == 2
    for field in page.locator("input:not([type=hidden]), button").all():
        box = field.bounding_box()
        assert box and box["height"] >= 44
    log_in(page, "ana", PASSWORD)
    page.locator(".pc-log-out").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
