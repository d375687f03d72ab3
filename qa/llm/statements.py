"""Cuts the text that a model streams into sentences, each with the codes that it cites.

Everything here is text from outside: what is no code of ours is no citation, whatever it looks like.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise

from index.sentences import split_sentences
from qa.llm.prompt import SILENCE

LONGEST = 900  # characters of one sentence; a longer one is no sentence
_OPEN = "[【［"
_CLOSE = "]】］"
_CITATION = re.compile(rf"[ \t]*[{re.escape(_OPEN)}]\s*([\w^†:.,; \-]{{1,40}}?)\s*[{re.escape(_CLOSE)}]")
_UNFINISHED = re.compile(rf"[ \t]*[{re.escape(_OPEN)}][^{re.escape(_CLOSE)}\n]{{0,40}}$")
_PART = re.compile(r"[^\s,;]+")
_CODE_LIKE = re.compile(r"\^?\d{1,3}|[a-z]\d[a-z]\d|\w*\d\w*", re.IGNORECASE)
_THOUGHT = re.compile(r"^\s*<think>.*?(?:</think>\s*|$)", re.DOTALL)
_BULLET = re.compile(r"^\s*(?:[-*•#>]+|\d{1,2}[.)](?=\s))\s+")
_EMPHASIS = re.compile(r"\*\*|__|`+")
_INTERJECTION = 15  # characters; an uncited "Yes." belongs to what follows
_COPIES = 2  # a sentence that has come more often is endless repetition
_LOOP = re.compile(r"(.{4,60}?)\1{5,}", re.DOTALL)


@dataclass(frozen=True)
class Sentence:
    """A sentence of the model: its text without codes, the known codes in it, and whether it names unknown ones."""

    text: str
    codes: tuple[str, ...]
    stray: bool


class SentenceReader:
    """Takes in pieces of text; gives whole sentences as soon as it is certain where they end."""

    def __init__(self, codes: Collection[str], language: str) -> None:
        self._codes = {code.lower(): code for code in codes}
        self._language = language
        self._text = ""
        self._seen: dict[str, int] = {}
        self._leading = False  # whether the model puts its codes in front
        self.silent = False  # whether the model said that the excerpts do not answer
        self.repeating = False  # whether it goes on and on

    def feed(self, piece: str) -> list[Sentence]:
        """The sentences that a further piece completes."""
        self._text += piece
        return self._take(last=False)

    def finish(self) -> list[Sentence]:
        """What is left at the end."""
        return self._take(last=True)

    @property
    def draft(self) -> str:
        """The sentence that is being written, without codes."""
        text = _THOUGHT.sub("", self._text)
        shown = _tidy(_CITATION.sub("", _UNFINISHED.sub("", text)))
        return "" if SILENCE.startswith(shown[: len(SILENCE)]) else shown[:LONGEST]

    def _take(self, last: bool) -> list[Sentence]:
        self._text = _THOUGHT.sub("", self._text) if "</think>" in self._text or last else self._text
        if self._text.lstrip().startswith("<think>"):
            return []
        if _LOOP.search(self._text[-LONGEST:]) or len(self._text) > 3 * LONGEST:
            self.repeating = True
        done, self._text = self._cut(last)
        return [sentence for raw in done if (sentence := self._read(raw))]

    def _cut(self, last: bool) -> tuple[list[str], str]:
        """Whole sentences, codes and all, and what is not yet one."""
        text = self._text
        pending = "" if last else (match[0] if (match := _UNFINISHED.search(text)) else "")
        known = text[: len(text) - len(pending)]
        # Codes behind a full stop still belong to its sentence: sentences are found with the codes blanked out.
        blank = _CITATION.sub(lambda match: " " * len(match[0]), known)
        starts = [span.start for span in split_sentences(blank, self._language)]
        self._leading = self._leading or bool(_CITATION.match(known.lstrip()))
        cuts = [_begin(known, start) if self._leading else start for start in starts[1:]]
        edges = [0, *cuts, len(known)]
        parts = [known[begin:end] for begin, end in pairwise(edges)]
        parts = _joined(parts)
        if last:
            return parts, ""
        return parts[:-1], (parts[-1] if parts else "") + pending

    def _read(self, raw: str) -> Sentence | None:
        codes: list[str] = []
        stray = False
        for match in _CITATION.finditer(raw):
            for part in _PART.findall(match[1]):
                code = self._codes.get(part.lower().strip(".:^"))
                stray = stray or (code is None and bool(_CODE_LIKE.fullmatch(part)))
                if code and code not in codes:
                    codes.append(code)
        text = _tidy(_CITATION.sub(_unless_prose, raw))
        if SILENCE in text:
            self.silent = True
            text = _tidy(text.replace(SILENCE, ""))
        if not any(character.isalnum() for character in text):
            return None
        key = text.casefold()
        self._seen[key] = self._seen.get(key, 0) + 1
        if self._seen[key] > 1:
            self.repeating = self.repeating or self._seen[key] > _COPIES
            return None
        return Sentence(text[:LONGEST], tuple(codes), stray)


def _unless_prose(match: re.Match[str]) -> str:
    """Brackets that hold words are text; those that hold numbers or codes are citations and go."""
    parts = _PART.findall(match[1])
    return "" if any(_CODE_LIKE.fullmatch(part) for part in parts) else match[0]


def _begin(text: str, start: int) -> int:
    """Where a sentence begins, codes in front of it and all, for a model that puts them there."""
    for match in _CITATION.finditer(text):
        if match.end() <= start and not text[match.end() : start].strip():
            return match.start()
    return start


def _joined(parts: list[str]) -> list[str]:
    """The parts, an uncited interjection together with what follows it."""
    joined: list[str] = []
    for part in parts:
        if joined and len(joined[-1].strip()) <= _INTERJECTION and not _CITATION.search(joined[-1]):
            joined[-1] += part
        else:
            joined.append(part)
    return joined


def _tidy(text: str) -> str:
    """One line of plain text."""
    return " ".join(_EMPHASIS.sub("", _BULLET.sub("", text)).split())
