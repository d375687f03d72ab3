"""Reads the articles of a folder: text, date, title and language of each file."""

import bisect
import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from index.folder import LeftOut, scan
from index.formats.extracted import MOST_BYTES, VERSION, Kind, UnreadableError
from index.formats.guard import Extractor
from index.formats.kinds import kind_of

_HEAD = re.compile(r"\s*date\s+(?P<date>\d{4}-(?:0[1-9]|1[0-2])(?:-\d{2})?)\s+")
_TITLE_LENGTH = 90


@dataclass(frozen=True)
class Article:
    """One article. Every offset anywhere in Polycite counts characters of ``text``.

    That is the decoded file, or what was extracted of one that is not plain text.
    """

    name: str  # path relative to the corpus folder, with forward slashes
    text: str
    digest: str  # SHA-256 of the file's bytes and of how they are read, hexadecimal
    date: str | None  # YYYY-MM or YYYY-MM-DD
    title: str
    language: str  # ISO 639-1 where there is one, else 639-3
    body: int  # where the text starts behind the head
    pages: tuple[int, ...] = ()  # where each page begins; empty where the format has no pages

    def page_at(self, place: int) -> int | None:
        """The number of the page, from 1, that holds a character; None where there are no pages."""
        return max(1, bisect.bisect_right(self.pages, place)) if self.pages else None


def list_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name and path of every regular file under ``folder``, sorted by name; hidden ones and links are passed over.

    Raises UserError where the folder does not exist or cannot be read.
    """
    return ((found.name, found.path) for found in scan(folder).files)


def read_article(
    name: str, path: Path, detect_language: Callable[[str], str], extractor: Extractor | None = None
) -> Article | LeftOut:
    """The article in a file, or the reason why there is none."""
    raw = read_bytes(name, path)
    return raw if isinstance(raw, LeftOut) else parse_article(name, raw, detect_language, extractor)


def read_bytes(name: str, path: Path) -> bytes | LeftOut:
    """The bytes of a file, or why they are not read."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            return LeftOut(name, f"has {size:,} bytes, more than {MOST_BYTES:,}: split it")
        return path.read_bytes()
    except OSError as error:
        return LeftOut(name, f"cannot be read ({error.strerror})")


def parse_article(
    name: str, raw: bytes, detect_language: Callable[[str], str], extractor: Extractor | None = None
) -> Article | LeftOut:
    """The article in the bytes of a file, or the reason why there is none.

    ``extractor`` reads formats that need parsing; without one, a process is begun for this file alone.
    """
    try:
        kind = kind_of(name, raw)
        with nullcontext(extractor) if extractor else Extractor() as reading:
            found = reading.extract(kind, raw)
    except UnreadableError as error:
        return LeftOut(name, str(error))
    head = _HEAD.match(found.text)
    body = head.end() if head else 0
    if not any(character.isalnum() for character in found.text[body:]):
        return LeftOut(name, "holds no text")
    return Article(
        name=name,
        text=found.text,
        digest=digest_of(kind, raw),
        date=head["date"] if head else found.date,
        title=title_of(found.title or "") or title_of(found.text[body:]),
        language=detect_language(found.text[body:]),
        body=body,
        pages=found.pages,
    )


def digest_of(kind: Kind, raw: bytes) -> str:
    """What an article's text depends on: the bytes, and how they are read where they are not the text itself."""
    reading = b"" if kind == "text" else f"{kind} {VERSION}\n".encode()
    return hashlib.sha256(reading + raw).hexdigest()


def title_of(text: str) -> str:
    """The first line, or as much of its first words as a title may hold."""
    line = " ".join(text.lstrip().split("\n", 1)[0].split()).lstrip("#*= ")
    if len(line) <= _TITLE_LENGTH:
        return line
    cut = line[: _TITLE_LENGTH + 1].rfind(" ")
    return line[: cut if cut > _TITLE_LENGTH // 2 else _TITLE_LENGTH].rstrip(" ,;:،、") + "…"
