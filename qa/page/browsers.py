"""Tells browsers apart by a random cookie, so that each keeps runs and test questions of its own."""

import hashlib
import re
import secrets
from collections.abc import Mapping

from index.settings import Settings

COOKIE = "polycite_browser"
_TOKEN = re.compile(r"[0-9a-f]{32}")
_YEAR = 31_536_000  # seconds


def is_known(cookies: Mapping[str, str]) -> bool:
    """Whether a browser has the cookie that the page gives it."""
    return bool(_TOKEN.fullmatch(cookies.get(COOKIE, "")))


def shelf_name(cookies: Mapping[str, str], settings: Settings) -> str | None:
    """The name under which a browser's things about this corpus are kept; None without its cookie."""
    if not is_known(cookies):
        return None
    token = cookies[COOKIE]
    # Not the token itself: whoever can list the folders must not be able to pass for the browser.
    return f"{_digest(token, 16)}-{corpus_key(settings)}"


def corpus_key(settings: Settings) -> str:
    """What tells the folders of articles apart in names of files."""
    return _digest(str(settings.corpus.resolve()), 8)


def fresh_cookie(cookies: Mapping[str, str]) -> str | None:
    """The Set-Cookie header for a browser that has no token yet."""
    if is_known(cookies):
        return None
    return f"{COOKIE}={secrets.token_hex(16)}; Path=/; Max-Age={_YEAR}; HttpOnly; SameSite=Lax"


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:length]
