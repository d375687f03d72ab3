"""Finds the months and years that a question names, in any language and script.

Month names come from CLDR (babel) for the question's likeliest languages; inflected forms are matched by their stem.
A month without a year is the latest one that is not after the newest article; "last year" counts from today.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache

from qa.relative_dates import WORD, relative_dates

_NUMERIC = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)\s*(?:[-/.]|年|년)\s*(?P<month>0?[1-9]|1[0-2])(?!\d)"
    r"|(?<!\d)(?P<month2>0?[1-9]|1[0-2])\s*[-/.]\s*(?P<year2>(?:19|20)\d\d)(?!\d)"
)
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")
_CJK_MONTH = re.compile(r"(?<!\d)(1[0-2]|[1-9])\s*(?:月|월)")
_NEAR = 12  # characters between a month's name and its year
_SHORTEST_STEM = 3


@dataclass(frozen=True, order=True)
class Period:
    """Months from ``since`` to ``until``, inclusive, as YYYYMM."""

    since: int
    until: int

    def holds(self, month: int) -> bool:
        """Whether a month lies within."""
        return self.since <= month <= self.until


def periods(text: str, languages: Iterable[str], newest: int, today: date | None = None) -> list[Period]:
    """The periods that a question names; ``newest`` (YYYYMM) is the month of the newest article, 0 if unknown.

    ``today``: the day from which "last month" counts; by default that of the clock.
    """
    today, languages = today or date.today(), tuple(languages)
    text = _western_digits(text)
    found = [_month(int(m["year"] or m["year2"]), int(m["month"] or m["month2"])) for m in _NUMERIC.finditer(text)]
    if found:
        return sorted(set(found))
    relative = relative_dates(text, languages)
    years = [(match.start(), int(match[1])) for match in _YEAR.finditer(text)]
    years += [(each.start, today.year - each.ago) for each in relative if each.unit == "year"]
    named = list(_named_months(text, languages))
    if not named:
        told = {Period(year * 100 + 1, year * 100 + 12) for _, year in years}
        return sorted(told | {Period(*each.months(today)) for each in relative if each.unit != "year"})
    # "May" and its like are also other words: so short a name counts only beside a year.
    named = [each for each in named if years or each[1] - each[0] != _SHORTEST_STEM]
    return sorted({_with_year(start, end, month, years, newest) for start, end, month in named})


def _western_digits(text: str) -> str:
    return "".join(str(unicodedata.digit(c)) if c.isdigit() and not c.isascii() else c for c in text)


def _month(year: int, month: int) -> Period:
    return Period(year * 100 + month, year * 100 + month)


def _with_year(start: int, end: int, month: int, years: list[tuple[int, int]], newest: int) -> Period:
    """The month with the year that stands by it, or else with the latest year that the articles reach."""
    for place, year in years:
        if -_NEAR <= start - (place + 4) <= _NEAR or -_NEAR <= place - end <= _NEAR:
            return _month(year, month)
    year, last = divmod(newest, 100)
    return _month(year if month <= last else year - 1, month)


def _named_months(text: str, languages: tuple[str, ...]) -> Iterator[tuple[int, int, int]]:
    """Start, end and number of each month that is named."""
    for written in _CJK_MONTH.finditer(text):
        yield written.start(), written.end(), int(written[1])
    names = _month_names(languages)
    for match in WORD.finditer(text):
        word = match.group().casefold()
        for stem, longest, number in names:
            if word.startswith(stem) and len(word) <= longest:
                yield match.start(), match.end(), number
                break


@cache
def _month_names(languages: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """Stem, longest form and number of every month's name in some languages, without stems that two months share."""
    from babel.core import UnknownLocaleError
    from babel.dates import get_month_names

    stems: dict[str, tuple[int, int]] = {}
    for language in languages:
        for context in ("format", "stand-alone"):
            try:
                months = get_month_names("wide", context, language)
            except (UnknownLocaleError, ValueError):
                continue
            for number, name in months.items():
                folded = name.casefold()
                if not folded.isalpha() and not WORD.fullmatch(folded):
                    continue
                stem = folded[: max(_SHORTEST_STEM, len(folded) - 2)]
                other = stems.get(stem)
                stems[stem] = (0 if other and other[1] != number else len(folded) + 3, number)
    known = [(stem, longest, number) for stem, (longest, number) in stems.items() if longest]
    return sorted(known, key=lambda item: -len(item[0]))
