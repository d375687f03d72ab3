"""Checks what comes in over HTTP."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from index.errors import UserError
from qa.answer import MOST_CITATIONS
from qa.page.articles import Place
from qa.page.opening import Options

_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])(-\d{2})?")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_FIELDS = ("question", "language", "from", "to", "top")


@dataclass(frozen=True)
class AskRequest:
    """The body of POST /api/ask."""

    question: str
    options: Options


def parse_ask(body: bytes) -> AskRequest:
    """The request in a body. Raises UserError for anything that is not as it should be."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise UserError('the body is no JSON: send an object such as {"question": "..."}') from None
    if not isinstance(found, dict):
        raise UserError('the body is no JSON object: send one such as {"question": "..."}')
    unknown = sorted(set(found) - set(_FIELDS))
    if unknown:
        raise UserError(f"there is no field {unknown[0]!r}: the fields are {', '.join(_FIELDS)}")
    question = clean(_text(found, "question") or "")
    if not question:
        raise UserError('"question" is missing or empty: give it the text of a question')
    return AskRequest(question, _options(found))


def clean(question: str) -> str:
    """A question without surrounding space and without halves of surrogate pairs, which no encoding can write."""
    return question.encode("utf-8", "replace").decode("utf-8").strip()


def parse_place(query: Mapping[str, str]) -> Place:
    """The offsets in the query of an article of the panel. Raises UserError where one is no whole number."""
    start, end, first, last = (_offset(query, name) for name in ("start", "end", "from", "to"))
    return Place(excerpt=(start, end), highlight=(first, last))


def _options(found: Mapping[str, Any]) -> Options:
    top = found.get("top")
    if top is None:
        top = MOST_CITATIONS
    if not isinstance(top, int) or isinstance(top, bool) or not 1 <= top <= MOST_CITATIONS:
        raise UserError(f'"top" must be a whole number from 1 to {MOST_CITATIONS}')
    return Options(
        language=_matching(found, "language", _LANGUAGE, 'a language code such as "sq"'),
        since=_matching(found, "from", _DATE, 'a date such as "2024-06"'),
        until=_matching(found, "to", _DATE, 'a date such as "2024-06"'),
        top=top,
    )


def _matching(found: Mapping[str, Any], name: str, pattern: re.Pattern[str], wanted: str) -> str | None:
    value = _text(found, name)
    if value is not None and not pattern.fullmatch(value):
        raise UserError(f'"{name}" must be {wanted}')
    return value


def _text(found: Mapping[str, Any], name: str) -> str | None:
    value = found.get(name)
    if value is not None and not isinstance(value, str):
        raise UserError(f'"{name}" must be a string')
    return value


def _offset(query: Mapping[str, str], name: str) -> int:
    value = query.get(name, "0")
    if not re.fullmatch(r"\d{1,12}", value, re.ASCII):
        raise UserError(f'"{name}" must be a whole number')
    return int(value)
