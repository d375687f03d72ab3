"""What comes out of a file of any format, and how much may go in."""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "markdown", "html", "docx", "pdf"]

VERSION = 1  # raised whenever the same file would give another text
MOST_BYTES = 50_000_000  # of a file
MOST_CHARACTERS = 5_000_000  # of its text
MOST_PAGES = 3_000
MOST_SECONDS = 60.0  # to read one file
MOST_MEMORY = 1_000_000_000  # bytes, of the process that reads it

_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")
_LINES = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile(r"[^\S\n]+")
_BREAKS = re.compile(r" ?\n ?(?:\n ?)+")


class UnreadableError(Exception):
    """Why a file is no article, in words that can follow its name."""


@dataclass(frozen=True)
class Extracted:
    """The text of a file. Every offset anywhere in Polycite counts characters of ``text``."""

    text: str
    pages: tuple[int, ...] = ()  # where each page begins; empty where the format has none
    title: str | None = None  # as the file itself says
    date: str | None = None  # YYYY-MM or YYYY-MM-DD, likewise


def tidy(text: str) -> str:
    """Text without control characters and halves of surrogate pairs; runs of spaces and of empty lines made one."""
    text = _CONTROLS.sub("", _LINES.sub("\n", text))
    return _BREAKS.sub("\n\n", _SPACES.sub(" ", text)).strip()


def date_in(text: str | None) -> str | None:
    """The ISO date that a file's own description begins with; None where there is none."""
    found = re.match(r"\s*[\"']?(\d{4}-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)(?!\d)", text or "")
    return found[1] if found else None


def check_length(text: str) -> None:
    """Raise UnreadableError where a text is longer than an article may be."""
    if len(text) > MOST_CHARACTERS:
        raise UnreadableError(f"holds {len(text):,} characters of text, more than {MOST_CHARACTERS:,}: split it")
