"""Logins that outlive a restart: cookies signed with a key of this installation, void when the password changes."""

import base64
import hashlib
import hmac
import os
import secrets
import time
from pathlib import Path

from index.errors import UserError
from qa.doors.users import Users

COOKIE = "polycite_login"
LASTS = 14 * 24 * 3600  # seconds
_KEY_BYTES = 32


def read_key(folder: Path) -> bytes:
    """The key of this installation, made at its first use; nobody else may read it. Raises UserError."""
    path = folder / "login.key"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".login.key.{secrets.token_hex(4)}")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
        try:
            if not path.exists() or path.stat().st_size != _KEY_BYTES:
                part.replace(path)  # whole or not at all; a damaged key costs no more than logging in again
        finally:
            part.unlink(missing_ok=True)
        return path.read_bytes()
    except OSError as error:
        raise UserError(
            f"the key of logins {str(path)!r} cannot be kept ({error.strerror}): give another --data"
        ) from None


class Sessions:
    """Issues and reads the cookies of logins."""

    def __init__(self, key: bytes, users: Users | None, tokens: tuple[str, ...]) -> None:
        self._key = key
        self._users = users
        self._tokens = hashlib.sha256("\n".join(sorted(tokens)).encode()).hexdigest()

    def issue(self, name: str, now: float | None = None) -> str:
        """The value of the cookie of a user who has just logged in; "" is whoever had the token."""
        until = str(int((time.time() if now is None else now) + LASTS))
        return ".".join((_text(name.encode()), until, self._sign(name, until)))

    def name_of(self, cookie: str, now: float | None = None) -> str | None:
        """Whose cookie it is; None where it is forged, too old, or from before the password was changed."""
        parts = cookie.split(".")
        if len(parts) != 3 or not parts[1].isascii() or not parts[1].isdigit() or len(parts[1]) > 12:
            return None
        try:
            name = base64.urlsafe_b64decode(parts[0] + "==").decode()
        except ValueError:
            return None
        if not self._known(name) or not hmac.compare_digest(self._sign(name, parts[1]).encode(), parts[2].encode()):
            return None
        return name if int(parts[1]) > (time.time() if now is None else now) else None

    def own_token(self, name: str) -> str:
        """What stands for a user's browser in everything that is kept by browser: it is the same in all of them."""
        return hmac.new(self._key, f"browser\n{name}".encode(), hashlib.sha256).hexdigest()[:32]

    def _known(self, name: str) -> bool:
        return name in self._users.entries if self._users else name == ""

    def _sign(self, name: str, until: str) -> str:
        secret = self._users.entries[name] if self._users else self._tokens
        return hmac.new(self._key, f"login\n{name}\n{until}\n{secret}".encode(), hashlib.sha256).hexdigest()


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
