"""Languages, dates, numbers and plural forms as the reader's language has them, out of CLDR (babel)."""

import re
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel import Locale

_DATE = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?")
_UNSPACED = ("zh", "ja", "th", "ar", "he", "fa", "ur", "ko")  # or words begin with what is written together with them
_SHORTEST = 4  # letters that a name and its inflected form share


@cache
def locale(language: str) -> "Locale":
    """The locale of a language (ISO 639), English where CLDR has none."""
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")


def language_name(code: str, language: str) -> str:
    """The name of a language in another one; the code where CLDR knows neither."""
    names = locale(language).languages
    return str(names.get(code) or locale("en").languages.get(code, code))


def date_name(date: str, language: str) -> str:
    """``2024``, ``2024-06`` or ``2024-06-18`` as it is written out in a language; anything else as it stands."""
    from datetime import date as day

    from babel.dates import format_date, format_skeleton

    match = _DATE.fullmatch(date)
    year, month, number = (int(part) if part else 0 for part in match.groups()) if match else (0, 0, 0)
    try:
        first = day(year, month or 1, number or 1)
    except ValueError:
        return date
    here = locale(language)
    if number:
        return format_date(first, "long", here)
    return format_skeleton("yMMMM" if month else "y", first, locale=here)


def number(value: float, digits: int, language: str) -> str:
    """A number with so many decimals."""
    from babel.numbers import format_decimal

    return format_decimal(value, "#,##0" + "." * bool(digits) + "0" * digits, locale(language))


def plural_form(n: int, language: str) -> str:
    """The plural category of a whole number: zero, one, two, few, many or other."""
    return str(locale(language).plural_form(n))


def named_languages(text: str, languages: Iterable[str], codes: Iterable[str]) -> list[str]:
    """Which of the languages ``codes`` a text in one of ``languages`` names, also inflected or as an adjective."""
    words = [word.casefold() for word in re.findall(r"[^\W\d_]+", text)]
    found = []
    for code in codes:
        names = ((spoken, language_name(code, spoken).casefold()) for spoken in languages)
        if any(_names(name, words, spoken) for spoken, name in names):
            found.append(code)
    return found


def _names(name: str, words: list[str], spoken: str) -> bool:
    if spoken in _UNSPACED:
        stem = name.removeprefix("ال")[:-1] if len(name) > 2 else name
        return any(stem in word for word in words)
    shared = name[: max(_SHORTEST, len(name) - 5)]
    return any(word.startswith(shared) for word in words)
