"""Tells who sends a request: by the cookie of a login, by name and password, or by a token."""

import asyncio
import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass

from starlette.datastructures import Headers

from qa.doors.doors import Doors
from qa.doors.rates import Rates
from qa.doors.sessions import COOKIE, Sessions
from qa.page.delivery import cookies

_ATTEMPTS = 10  # wrong passwords a minute and address
_REMEMBERED = 600  # seconds for which a password that was right need not be hashed again
_MOST_REMEMBERED = 1000


@dataclass(frozen=True)
class Visitor:
    """Who sends a request; ``wait`` is after how many seconds a password may be tried again, 0 = at once."""

    name: str | None  # None = nobody that is known, "" = whoever has the token
    wait: int = 0


class Keeper:
    """Looks at the credentials of requests."""

    def __init__(self, doors: Doors, sessions: Sessions) -> None:
        self._doors = doors
        self._sessions = sessions
        self._attempts = Rates(_ATTEMPTS)
        self._secret = secrets.token_bytes(32)
        self._right: dict[bytes, float] = {}

    async def visitor(self, headers: Headers, address: str) -> Visitor:
        """Whoever sends these headers. Wrong passwords make the address wait."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return Visitor("" if self._is_token(given.strip()) else None)
        if scheme.lower() == "basic":
            name, password = _basic(given)
            return await self.log_in(name, password, address)
        cookie = cookies(headers).get(COOKIE)
        return Visitor(self._sessions.name_of(cookie) if cookie else None)

    async def log_in(self, name: str, password: str, address: str) -> Visitor:
        """The user, where the password is right. Where there are no users, the token is everybody's password."""
        if self._doors.users is None:
            right = self._is_token(password)
            return Visitor("") if right else Visitor(None, self._attempts.wait(address))
        mark = hmac.new(self._secret, f"{name}\n{password}".encode("utf-8", "replace"), hashlib.sha256).digest()
        if self._right.get(mark, 0) > time.monotonic():
            return Visitor(name)
        wait = self._attempts.wait(address)
        if wait:
            return Visitor(None, wait)
        if not await asyncio.to_thread(self._doors.users.check, name, password):
            return Visitor(None)
        if len(self._right) >= _MOST_REMEMBERED:
            self._right.clear()
        self._right[mark] = time.monotonic() + _REMEMBERED
        return Visitor(name)

    def _is_token(self, given: str) -> bool:
        known = [hmac.compare_digest(given.encode("utf-8", "replace"), token.encode()) for token in self._doors.tokens]
        return any(known)


def _basic(given: str) -> tuple[str, str]:
    try:
        name, _, password = base64.b64decode(given.strip(), validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return name, password
