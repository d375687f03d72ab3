"""Dates and languages as HTML: readable at once, and put into the reader's language by the browser."""

from qa import cldr
from qa.page.marks import attribute, escape
from qa.page.words import Words

_MONTHS = (
    "January February March April May June July August September October November December"
).split()  # fmt: skip


def language_name(code: str) -> str:
    """An element that names a language: in English until the browser, which knows them all, has put it right."""
    return f"<span{attribute('data-language', code)}>{escape(cldr.language_name(code, 'en'))}</span>"


def date_shown(date: str | None, words: Words) -> str:
    """An element that shows a date: YYYY, YYYY-MM or YYYY-MM-DD; "undated" where there is none."""
    if not date:
        return f'<span class="pc-undated">{escape(words.say("undated"))}</span>'
    return f"<time{attribute('datetime', date)}>{escape(english_date(date))}</time>"


def english_date(date: str) -> str:
    """``2024-06-18`` as ``18 June 2024``; anything that is no date as it stands."""
    year, *rest = date.split("-")
    if not rest or not rest[0].isdecimal() or not 1 <= int(rest[0]) <= 12:
        return date
    day = f"{int(rest[1])} " if len(rest) > 1 and rest[1].isdecimal() else ""
    return f"{day}{_MONTHS[int(rest[0]) - 1]} {year}"
