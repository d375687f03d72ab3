"""Checks what comes in over HTTP."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from index.errors import UserError
from qa.answer import LONGEST_QUESTION, MOST_CITATIONS
from qa.page.articles import Place
from qa.page.opening import Options
from qa.page.schema import MOST_HISTORY, Asked

_FIELDS = ("question", "history", "language", "from", "to", "top")
_WANTED = {
    "question": f"a string of 1 to {LONGEST_QUESTION} characters",
    "history": f"a list of at most {MOST_HISTORY} strings, each of 1 to {LONGEST_QUESTION} characters",
    "language": 'a language code such as "sq"',
    "from": 'a date such as "2024-06"',
    "to": 'a date such as "2024-06"',
    "since": 'a date such as "2024-06"',
    "until": 'a date such as "2024-06"',
    "top": f"a whole number from 1 to {MOST_CITATIONS}",
}


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
    return check_ask(found)


def check_ask(found: Mapping[str, Any], *, by_name: bool = False) -> AskRequest:
    """The request in a JSON object. Raises UserError for anything that is not as it should be.

    ``by_name``: the dates are called ``since`` and ``until``, for callers to whom ``from`` is no name.
    """
    try:
        cleaned = {clean(name): _cleaned(value) for name, value in found.items()}
        asked = Asked.model_validate(cleaned, by_name=by_name, by_alias=not by_name)
    except ValidationError as error:
        raise _fault(error) from None
    return AskRequest(
        asked.question,
        Options(
            history=tuple(asked.history), language=asked.language, since=asked.since, until=asked.until,
            top=asked.top or MOST_CITATIONS,
        ),
    )  # fmt: skip


def clean(question: str) -> str:
    """A question without surrounding space and without halves of surrogate pairs, which no encoding can write."""
    return question.encode("utf-8", "replace").decode("utf-8").strip()


def parse_place(query: Mapping[str, str]) -> Place:
    """The offsets in the query of an article of the panel. Raises UserError where one is no whole number."""
    start, end, first, last = (whole_number(query, name, 0) for name in ("start", "end", "from", "to"))
    return Place(excerpt=(start, end), highlight=(first, last))


def whole_number(query: Mapping[str, str], name: str, default: int) -> int:
    """A number in a query. Raises UserError where it is none, or a negative one."""
    value = query.get(name)
    if value is None:
        return default
    if not re.fullmatch(r"\d{1,12}", value, re.ASCII):
        raise UserError(f'"{name}" must be a whole number')
    return int(value)


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)  # JSON has one kind of numbers: 5.0 is 5
    return [clean(item) if isinstance(item, str) else item for item in value] if isinstance(value, list) else value


def _fault(error: ValidationError) -> UserError:
    """The first thing that is wrong, in one line."""
    first = error.errors(include_url=False, include_input=False)[0]
    name = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        return UserError(f"there is no field {name!r}: the fields are {', '.join(_FIELDS)}")
    if name == "question" and first["type"] in ("missing", "string_too_short"):
        return UserError('"question" is missing or empty: give it the text of a question')
    if name == "question" and first["type"] == "string_too_long":
        return UserError(f'"question" is too long: the most is {LONGEST_QUESTION} characters')
    return UserError(f'"{name}" must be {_WANTED[name]}')
