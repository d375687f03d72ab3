"""The strings of the page in its languages, and the fixed sentences of answers in many more."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from qa import cldr

LANGUAGES = ("en", "sq", "sl", "de", "fr", "it", "es", "tr", "ru", "zh", "ja", "ar")
DEFAULT = "en"
_RIGHT_TO_LEFT = {"ar", "fa", "he", "ur", "ps", "sd", "ug", "yi", "dv", "ckb"}
_PREFERENCE = re.compile(r"\s*(?P<tag>[A-Za-z]{2,3})(?:-[^;,\s]*)?\s*(?:;\s*q=(?P<weight>[\d.]+))?\s*")


@dataclass(frozen=True)
class Words:
    """The strings of the page in one language."""

    language: str
    strings: Mapping[str, str | Mapping[str, str]]

    @property
    def direction(self) -> str:
        """``rtl`` or ``ltr``."""
        return direction(self.language)

    def say(self, key: str, **values: object) -> str:
        """The string of ``key`` with its placeholders filled in; not escaped. Raises KeyError for an unknown key."""
        template = self.strings[key]
        if not isinstance(template, str):
            raise KeyError(f"{key!r} has plural forms: use count")
        return template.format(**{name: self._shown(value) for name, value in values.items()})

    def count(self, key: str, n: int) -> str:
        """The string of ``key`` in the plural form that ``n`` takes."""
        forms = self.strings[key]
        if isinstance(forms, str):
            return self.say(key, n=n)
        return forms.get(cldr.plural_form(n, self.language), forms["other"]).format(n=self._shown(n))

    def number(self, value: float, digits: int = 0) -> str:
        """A number with so many decimals, as it is written in the language."""
        return cldr.number(value, digits, self.language)

    def _shown(self, value: object) -> object:
        return self.number(value) if isinstance(value, int) else value


@cache
def words(language: str) -> Words:
    """The strings in ``language``, in English where the page does not speak it."""
    known = language if language in LANGUAGES else DEFAULT
    return Words(known, _read(f"strings/{known}.json"))


def fixed(language: str, key: str) -> str:
    """A fixed sentence of answers in the question's language, in English where it is not known.

    Raises KeyError for a key that ``fixed.json`` lacks.
    """
    table = fixed_sentences()
    return table.get(language, table[DEFAULT])[key]


@cache
def fixed_sentences() -> Mapping[str, Mapping[str, str]]:
    """Every fixed sentence by language and key."""
    table: Mapping[str, Mapping[str, str]] = _read("fixed.json")
    return table


def direction(language: str) -> str:
    """The direction in which a language is written: ``rtl`` or ``ltr``."""
    return "rtl" if language in _RIGHT_TO_LEFT else "ltr"


def choose_language(chosen: str | None, accepted: str | None) -> str:
    """The language of the page: what the reader chose, else the best of an Accept-Language header, else English."""
    if chosen in LANGUAGES:
        return str(chosen)
    return next((tag for tag in _by_preference(accepted or "") if tag in LANGUAGES), DEFAULT)


def _by_preference(accepted: str) -> list[str]:
    """The primary tags of an Accept-Language header, most wanted first."""
    ranked = []
    for place, item in enumerate(accepted.split(",")):
        match = _PREFERENCE.fullmatch(item)
        if match:
            ranked.append((-_weight(match["weight"]), place, match["tag"].lower()))
    return [tag for weight, _, tag in sorted(ranked) if weight]


def _weight(digits: str | None) -> float:
    """The value of a q= parameter, 1 where there is none, 0 where it is no number."""
    try:
        return 1.0 if digits is None else float(digits)
    except ValueError:
        return 0.0


@cache
def _read(name: str) -> Any:
    """A JSON file of this package."""
    return json.loads(files("qa.page").joinpath(name).read_text(encoding="utf-8"))
