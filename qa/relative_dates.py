"""Finds times told by their distance from today ("last month", "lani", "3年前"), in any language.

The phrases are CLDR's and dateparser's own, out of dateparser's tables. Its search is not used: it wants the exact form
("muajin e kaluar") where a sentence inflects it ("muajit të kaluar"), and takes "may" for a month.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import import_module

import regex

WORD = regex.compile(r"[\p{L}\p{M}]+")
_UNITS = ("day", "week", "month", "year")
_DISTANCE = regex.compile(rf"(\\1|\d+) ({'|'.join(_UNITS)}) ago")
_SCRIPTS = ("", "-Latn", "-Cyrl", "-Hant")
_UNSPACED = ("zh", "ja", "th", "lo", "km", "my", "yue")
_FILLING = 2  # letters of a preposition or an article, which changes with its case
_LAST_OF_EUROPE = "\u0590"  # Latin, Greek, Cyrillic and Armenian letters come before it
_NUMBER = r"(\d++[.,]?\d*+)"  # as the tables write one
_MOST = {"day": 60, "week": 60, "month": 60, "year": 200}  # beyond which it is some other number


@dataclass(frozen=True)
class Relative:
    """A time so many units ago, and where in the text it is named."""

    start: int
    end: int
    ago: int
    unit: str  # day, week, month or year

    def months(self, today: date) -> tuple[int, int]:
        """Its first and last month, as YYYYMM."""
        if self.unit == "year":
            return (today.year - self.ago) * 100 + 1, (today.year - self.ago) * 100 + 12
        if self.unit == "month":
            year, month = divmod(today.year * 12 + today.month - 1 - self.ago, 12)
            return year * 100 + month + 1, year * 100 + month + 1
        first = last = today - timedelta(days=self.ago * (7 if self.unit == "week" else 1))
        if self.unit == "week":
            first -= timedelta(days=first.weekday())
            last = first + timedelta(days=6)
        return first.year * 100 + first.month, last.year * 100 + last.month


def relative_dates(text: str, languages: Iterable[str]) -> list[Relative]:
    """What a text in one of the languages (ISO 639-1) names so; where phrases overlap, the longest."""
    folded = text.casefold()
    if len(folded) != len(text):  # "ß" and its like: places would shift
        folded = text.lower() if len(text.lower()) == len(text) else text
    found = [each for language in languages for each in _found(folded, language)]
    chosen: list[Relative] = []
    for each in sorted(found, key=lambda each: each.start - each.end):
        if all(each.end <= other.start or each.start >= other.end for other in chosen):
            chosen.append(each)
    return sorted(chosen, key=lambda each: each.start)


def _found(text: str, language: str) -> Iterator[Relative]:
    phrases, counted = _phrases(language)
    for pattern, unit in counted:
        for match in pattern.finditer(text):
            number = regex.search(r"\d+", match.group())
            if number and int(number.group()) <= _MOST[unit]:
                yield Relative(match.start(), match.end(), int(number.group()), unit)
    if language in _UNSPACED:
        for words, ago, unit in phrases:
            place = text.find("".join(words))
            if place >= 0:
                yield Relative(place, place + len("".join(words)), ago, unit)
        return
    matches = list(WORD.finditer(text))
    for words, ago, unit in phrases:
        for i in range(len(matches) - len(words) + 1):
            there = matches[i : i + len(words)]
            if all(_is_form(match.group(), word, len(words)) for match, word in zip(there, words, strict=True)):
                yield Relative(there[0].start(), there[-1].end(), ago, unit)


def _is_form(word: str, phrase: str, words: int) -> bool:
    """Whether a word may be a form of a word of a phrase, which has so many ``words``."""
    if len(phrase) <= _FILLING and phrase < _LAST_OF_EUROPE:
        return len(word) <= _FILLING + 1
    if phrase >= "가":  # Hangul: what is joined to a word stands behind it
        return word.startswith(phrase) and len(word) <= len(phrase) + 2
    if len(phrase) < 4 or (words == 1 and len(phrase) < 5):
        return word == phrase
    if len(phrase) == 4:
        return word.startswith(phrase[:-1]) and len(word) <= len(phrase) + 1
    return word.startswith(phrase[:-2]) and len(word) <= len(phrase) + 3


@cache
def _phrases(language: str) -> "tuple[list[tuple[tuple[str, ...], int, str]], list[tuple[regex.Pattern[str], str]]]":
    """Words, distance and unit of each fixed phrase; pattern and unit of each that holds a number."""
    fixed: dict[tuple[str, ...], tuple[int, str]] = {}
    counted: list[tuple[regex.Pattern[str], str]] = []
    ambiguous: set[tuple[str, ...]] = set()
    for script in _SCRIPTS:
        try:
            table = import_module(f"dateparser.data.date_translation_data.{language}{script}").info
        except ModuleNotFoundError:
            continue
        # "vjet" is last year and years in Albanian, "कल" yesterday and tomorrow in Hindi: neither tells a time.
        ambiguous |= {_words(name) for unit in _UNITS for name in table.get(unit, ())}
        for meant, names in table.get("relative-type", {}).items():
            distance = _DISTANCE.fullmatch(meant)
            if distance is None:
                ambiguous |= {_words(name) for name in names if meant.startswith("in ")}
                continue
            fixed |= {_words(name): (int(distance[1]), distance[2]) for name in names}
        for meant, patterns in table.get("relative-type-regex", {}).items():
            distance = _DISTANCE.fullmatch(meant)
            if distance is not None:
                ambiguous |= {_words(pattern.replace(_NUMBER, ""))[:1] for pattern in patterns}
                # A number and one letter ("3 d", "5 m") is more often a measure than a time.
                told = [each for each in patterns if len(each.replace(_NUMBER, "").split()[-1]) > 1]
                whole = "{}" if language in _UNSPACED else r"(?<!\w){}(?!\w)"
                counted += [(regex.compile(whole.format(each.casefold())), distance[2]) for each in told]
    kept = [(words, *told) for words, told in fixed.items() if words and words not in ambiguous]
    return kept, counted


def _words(phrase: str) -> tuple[str, ...]:
    """Its words without the prepositions in front."""
    words = WORD.findall(phrase.casefold())
    while len(words) > 1 and len(words[0]) <= _FILLING and words[0] < _LAST_OF_EUROPE:
        words.pop(0)
    return tuple(words)
