"""Takes a question with several parts apart.

In "Who signed, and what does it say about aggression?" a part begins where a word for "and" (CLDR's), or in some
languages a comma, is followed by a word that asks (``interrogatives.json``), and what stands before it asks too. Commas
alone part nothing where the words that ask also begin relative clauses ("the man, who signed").
"""

import json
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources

import regex

from qa.cldr import locale
from qa.relative_dates import WORD

MOST = 3
_ASKING_MARKS = "?？؟՞"
_GREEK = regex.compile(r"\p{Greek};")  # whose semicolon asks
_ALSO = {
    "en": ("&",), "ru": ("а",), "uk": ("та", "й", "а"), "be": ("а",), "bg": ("а",), "sl": ("ter",), "hr": ("te",),
    "sr": ("i", "a", "а"), "bs": ("a",), "sq": ("e",), "pl": ("oraz", "a"), "lt": ("o",), "hu": ("meg",), "es": ("e",),
    "it": ("ed",), "ja": ("そして", "また"), "zh": ("以及", "并且", "而", "又"), "ko": ("그리고",), "hi": ("तथा", "व"),
    "bn": ("আর", "ও"), "fa": ("و",), "cy": ("a", "ac"), "tr": ("ile",),
}  # fmt: skip
_ANYWHERE = frozenset(
    "zh ja ko tr az kk uz hi ur mr bn ta te th vi id ms fa sw ka hy".split()
)  # words that ask stay put
_UNSPACED = frozenset("zh ja th ko".split())
_COMMA_PARTS = _ANYWHERE - frozenset("fa ka hy".split())
_JOINED = frozenset("ar he".split())  # "and" is written together with the next word
_COMMAS = regex.compile(r"\s*[,，、;；،]\s*")
_FIRST = regex.compile(r"\s*(?:\p{Ll}[\p{L}\p{M}]*\s+)?([\p{L}\p{M}]+)")  # with a preposition: "in which year"
_BARE = 16  # characters
_SHORTEST = 2  # words of a part in front


def parts_of(text: str, languages: Iterable[str]) -> list[str]:
    """The parts of a question in one of some languages (ISO 639-1), at most MOST; one where it has no parts."""
    questions = _questions(text)
    if len(questions) > 1:
        return questions if len(questions) <= MOST else [text]
    for language in languages:
        found = _parts(text, language)
        if 1 < len(found) <= MOST:
            return found
    return [text]


def is_bare(part: str) -> bool:
    """Whether a part says so little ("and when?") that it means nothing without the one before it."""
    return len(WORD.findall(part)) <= 2 and len(part) < _BARE


def _questions(text: str) -> list[str]:
    """The sentences of a text, where each of them has a question mark."""
    marks = regex.escape(_ASKING_MARKS + ";" * bool(_GREEK.search(text)))
    found = [each.strip() for each in regex.findall(rf"[^{marks}]+[{marks}]+", text)]
    rest = regex.sub(rf"[^{marks}]+[{marks}]+", "", text).strip()
    return found if not rest and all(WORD.search(each) for each in found) else []


def _parts(text: str, language: str) -> list[str]:
    asking = _interrogatives(language)
    if asking is None:
        return [text]
    parts, begin = [], 0
    for end, start, comma in _breaks(text, language):
        left, right = text[begin:end], text[start:]
        first = _asked(left, asking, language, anywhere=True)
        second = _asked(right, asking, language, anywhere=language in _ANYWHERE)
        # "Which states and which banks signed?" asks one thing.
        if (
            first
            and second
            and not _ends_asking(left, asking, language)
            and _length(left, language) >= _SHORTEST + (first == second and not comma)
        ):
            parts.append(left.strip())
            begin = start
    return [*parts, text[begin:].strip()]


def _breaks(text: str, language: str) -> Iterator[tuple[int, int, bool]]:
    """Where a part may end and the next one begin, and whether a comma stands there."""
    ands = "|".join(map(regex.escape, sorted(_and(language), key=len, reverse=True)))
    if language in _JOINED:
        for match in regex.finditer(rf"([,،])?\s+(?:{ands})(?=\p{{L}})", text):
            yield match.start(), match.end(), bool(match[1])
        return
    if language in _UNSPACED:
        for match in regex.finditer(rf"\s*(?:([,，、;；،])\s*(?:{ands})?|(?:{ands}))\s*", text):
            yield match.start(), match.end(), bool(match[1])
        return
    comma = rf"|{_COMMAS.pattern}" if language in _COMMA_PARTS else ""
    for match in regex.finditer(rf"(?i)(\s*[,，;；،])?\s+(?:{ands})\s+{comma}", text):
        yield match.start(), match.end(), any(mark in match.group() for mark in ",，、;；،")


def _length(text: str, language: str) -> int:
    """Its words, or what comes to about as much."""
    return len(text.strip()) // 2 if language in _UNSPACED else len(WORD.findall(text))


def _asked(text: str, asking: "regex.Pattern[str]", language: str, *, anywhere: bool) -> str:
    """The first word that asks, at the beginning or anywhere; empty where there is none."""
    if language in _UNSPACED:
        match = asking.search(text)
        return str(match.group()) if match else ""
    if anywhere:
        return next((word for word in WORD.findall(text.casefold()) if asking.fullmatch(word)), "")
    words = WORD.match(text), None if language in _JOINED else _FIRST.match(text)
    found = [match.group(match.re.groups).casefold() for match in words if match]
    return next((word for word in found if asking.fullmatch(word)), "")


def _ends_asking(text: str, asking: "regex.Pattern[str]", language: str) -> bool:
    """Whether it asks with its last word: "it matters where and how"."""
    words = WORD.findall(text.casefold())
    return language not in _UNSPACED and asking.fullmatch(words[-1]) is not None


@cache
def _interrogatives(language: str) -> "regex.Pattern[str] | None":
    """The words that ask in a language; None where they are not known."""
    words = _table().get(language)
    if words is None:
        return None
    return regex.compile("|".join(regex.escape(word).replace(r"\*", r"\p{L}*") for word in words.split()))


@cache
def _table() -> dict[str, str]:
    table: dict[str, str] = json.loads(resources.files("qa").joinpath("interrogatives.json").read_text("utf-8"))
    return table


@cache
def _and(language: str) -> frozenset[str]:
    """The words that join two things in a language."""
    pattern = str(locale(language).list_patterns["standard"]["2"])
    between = WORD.findall(pattern.replace("{0}", " ").replace("{1}", " "))
    return frozenset([*(word.casefold() for word in between[:1]), *_ALSO.get(language, ())])
