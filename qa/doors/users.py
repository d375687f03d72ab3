"""Names and passwords in a file, one a line as ``polycite password`` writes it; passwords only as scrypt hashes."""

import base64
import hashlib
import hmac
import os
import re
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from index.errors import UserError

SHORTEST_PASSWORD = 8  # characters
LONGEST_PASSWORD = 1024
_NAME = re.compile(r"[^\s:\x00-\x1f\x7f]{1,64}")
_COST, _BLOCK, _PARALLEL = 2**14, 8, 5  # 16 MB and some 0.2 s: what OWASP asks of scrypt where memory is shared
_MOST_COST, _MOST_BLOCK, _MOST_PARALLEL = 2**20, 32, 16
_ENTRY = re.compile(r"scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9+/=]{8,})\$([A-Za-z0-9+/=]{16,})")
_ONE_AT_A_TIME = threading.Lock()  # so that many attempts at once cannot fill the memory


@dataclass(frozen=True)
class Users:
    """Who may log in."""

    entries: Mapping[str, str] = field(repr=False)  # name -> hash

    def check(self, name: str, password: str) -> bool:
        """Whether the password is that of the name; takes as long for a name that there is not."""
        entry = self.entries.get(name)
        known = _matches(password, entry or _NOBODY)
        return known and entry is not None


def read_users(path: Path) -> Users:
    """The users in a file. Raises UserError, naming the line, for anything that is no entry."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        mend = "make it with polycite password NAME --auth FILE"
        raise UserError(f"the file of users {str(path)!r} cannot be read ({error.strerror}): {mend}") from None
    except UnicodeDecodeError:
        raise UserError(f"the file of users {str(path)!r} is not UTF-8: make it with polycite password") from None
    entries: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, entry = line.strip().partition(":")
        if not _NAME.fullmatch(name) or not _is_entry(entry):
            wrong = "is no entry of a user"  # and is not shown: it may hold a password
            raise UserError(f"{path}, line {number}: {wrong}: write what polycite password NAME prints")
        if name in entries:
            raise UserError(f"{path}, line {number}: there is a second entry for {name!r}: remove one")
        entries[name] = entry
    if not entries:
        raise UserError(f"{path}: holds no user: add one with polycite password NAME --auth FILE")
    return Users(entries)


def write_user(path: Path, name: str, password: str) -> None:
    """Adds a user to a file, or gives the user another password; nobody else may read the file. Raises UserError."""
    line = f"{name}:{make_entry(name, password)}"
    try:
        old = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        kept = [each for each in old if each.partition(":")[0] != name]
        part = path.with_name(f".{path.name}.part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write("\n".join([*kept, line]) + "\n")
        part.replace(path)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the file of users {str(path)!r} cannot be written ({error}): name another") from None


def make_entry(name: str, password: str) -> str:
    """What stands behind the name in the file. Raises UserError for a name or password that will not do."""
    if not _NAME.fullmatch(name):
        raise UserError(f"{name!r} is no name of a user: give 1 to 64 characters without spaces and colons")
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise UserError(f"the password must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    salt = secrets.token_bytes(16)
    found = _hash(password, salt, _COST, _BLOCK, _PARALLEL)
    return f"scrypt${_COST}${_BLOCK}${_PARALLEL}${_text(salt)}${_text(found)}"


def _is_entry(entry: str) -> bool:
    found = _ENTRY.fullmatch(entry)
    if found is None:
        return False
    cost, block, parallel = (int(found[n]) for n in (1, 2, 3))
    fits = 2 <= cost <= _MOST_COST and 1 <= block <= _MOST_BLOCK and 1 <= parallel <= _MOST_PARALLEL
    return fits and cost & (cost - 1) == 0 and all(_bytes(found[n]) is not None for n in (4, 5))


def _matches(password: str, entry: str) -> bool:
    _, cost, block, parallel, salt, expected = entry.split("$")
    if len(password) > LONGEST_PASSWORD:
        return False
    with _ONE_AT_A_TIME:
        found = _hash(password, base64.b64decode(salt), int(cost), int(block), int(parallel))
    return hmac.compare_digest(found, base64.b64decode(expected))


def _hash(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    most = 2 * 128 * cost * block + 2**20
    secret = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=cost, r=block, p=parallel, maxmem=most, dklen=32)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(value: str) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        return None


_NOBODY = f"scrypt${_COST}${_BLOCK}${_PARALLEL}${_text(bytes(16))}${_text(bytes(32))}"
