"""Reads the articles of a folder: text, date, title and language of each file."""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from index.errors import UserError

_HEAD = re.compile(r"\s*date\s+(?P<date>\d{4}-(?:0[1-9]|1[0-2])(?:-\d{2})?)\s+")
_TITLE_LENGTH = 90
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Article:
    """One article. Every offset anywhere in Polycite counts characters of ``text``, the decoded file."""

    name: str  # path relative to the corpus folder, with forward slashes
    text: str
    digest: str  # SHA-256 of the file's bytes, hexadecimal
    date: str | None  # YYYY-MM or YYYY-MM-DD
    title: str
    language: str  # ISO 639-1 where there is one, else 639-3
    body: int  # where the text starts behind the head


@dataclass(frozen=True)
class LeftOut:
    """A file that is not an article, and why."""

    name: str
    reason: str


def list_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name and path of every regular file under ``folder``, sorted by name; hidden ones and links are passed over.

    Raises UserError where the folder does not exist.
    """
    if not folder.is_dir():
        raise UserError(f"there is no folder {str(folder)!r}: give --corpus a folder of articles")
    found: list[tuple[str, Path]] = []
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for file in files:
            path = Path(root) / file
            if not file.startswith(".") and path.is_file() and not path.is_symlink():
                found.append((path.relative_to(folder).as_posix(), path))
    return iter(sorted(found))


def read_article(name: str, path: Path, detect_language: Callable[[str], str]) -> Article | LeftOut:
    """The article in a file, or the reason why there is none."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        return LeftOut(name, f"cannot be read ({error.strerror})")
    return parse_article(name, raw, detect_language)


def parse_article(name: str, raw: bytes, detect_language: Callable[[str], str]) -> Article | LeftOut:
    """The article in the bytes of a file, or the reason why there is none."""
    text = decode(raw)
    if text is None:
        return LeftOut(name, "is not text")
    head = _HEAD.match(text)
    body = head.end() if head else 0
    if not any(character.isalnum() for character in text[body:]):
        return LeftOut(name, "holds no text")
    return Article(
        name=name,
        text=text,
        digest=hashlib.sha256(raw).hexdigest(),
        date=head["date"] if head else None,
        title=title_of(text[body:]),
        language=detect_language(text[body:]),
        body=body,
    )


def decode(raw: bytes) -> str | None:
    """The text of a file: UTF-8 (a byte order mark is dropped), else the most likely encoding; None for binary."""
    if not raw.startswith(_WIDE_BOMS):
        if b"\0" in raw:
            return None
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            pass
    from charset_normalizer import from_bytes

    best = from_bytes(raw).best()
    return None if best is None else str(best)


def title_of(text: str) -> str:
    """The first line, or as much of its first words as a title may hold."""
    line = " ".join(text.lstrip().split("\n", 1)[0].split()).lstrip("#*= ")
    if len(line) <= _TITLE_LENGTH:
        return line
    cut = line[: _TITLE_LENGTH + 1].rfind(" ")
    return line[: cut if cut > _TITLE_LENGTH // 2 else _TITLE_LENGTH].rstrip(" ,;:،、") + "…"
