"""Dates and languages as HTML, named in the reader's language."""

from qa import cldr
from qa.page.marks import attribute, escape
from qa.page.words import Words


def language_name(code: str, words: Words) -> str:
    """The name of a language, escaped."""
    return escape(cldr.language_name(code, words.language))


def date_shown(date: str | None, words: Words) -> str:
    """An element that shows a date: YYYY, YYYY-MM or YYYY-MM-DD; "undated" where there is none."""
    if not date:
        return f'<span class="pc-undated">{escape(words.say("undated"))}</span>'
    return f"<time{attribute('datetime', date)}>{escape(cldr.date_name(date, words.language))}</time>"
