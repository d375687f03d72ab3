"""A chat as JSON: what a browser keeps of it, and what it may hand back. Nothing of that is trusted."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from index.errors import UserError
from qa.answer import KINDS, MOST_CITATIONS, Answer, Citation, Kind, LLMUse, Part, Statement
from qa.page.chat import Session, Turn
from qa.page.feedback import Rating
from qa.parts import MOST as MOST_PARTS

VERSION = 1
MOST_BYTES = 4_000_000  # of one chat
_MOST_TURNS = 500
_MOST_STATEMENTS = 200
_MOST_CONTEXT = 20  # questions
_LONGEST = 20_000  # characters of any one text
_CHAT = re.compile(r"[0-9a-f]{16}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_DATE = re.compile(r"\d{4}(-\d{2}){0,2}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|")
_FAULT = re.compile(r"[a-z_-]{0,40}")
_END = 10**12  # no text is longer


def as_stored(session: Session) -> dict[str, Any]:
    """The object that a browser keeps of a chat: its questions that wait no longer, and their answers."""
    turns = [_turn_as_json(turn) for turn in session.turns if turn.state != "waiting"]
    return {"version": VERSION, "id": session.chat, "turns": turns}


def from_stored(value: object) -> tuple[str, list[Turn]]:
    """Name and turns of a chat that a browser hands back. Raises UserError where it is no such chat."""
    if isinstance(value, str):
        value = _parsed(value)
    found = _object(value)
    if found.get("version") != VERSION:
        raise UserError("the chat was kept by another version: it cannot be read")
    turns = _list(found.get("turns"), _MOST_TURNS)
    name = _text(found, "id", _CHAT)
    return name, [_turn(key, _object(turn)) for key, turn in enumerate(turns, 1)]


def _parsed(text: str) -> object:
    if len(text) > MOST_BYTES:
        raise UserError(f"the chat is longer than {MOST_BYTES} bytes")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise UserError("the chat is no JSON") from None


def _turn_as_json(turn: Turn) -> dict[str, Any]:
    return {
        "question": turn.question, "asked": turn.at, "state": turn.state, "alone": turn.alone, "error": turn.error,
        "rating": vars(turn.rating), "answer": turn.answer.as_json() if turn.answer else None,
    }  # fmt: skip


def _turn(key: int, found: Mapping[str, Any]) -> Turn:
    state = _one_of(found, "state", ("answered", "stopped", "failed"))
    rating = _object(found.get("rating", {}))
    return Turn(
        key,
        _text(found, "question"),
        state=cast(Literal["answered", "stopped", "failed"], state),
        answer=_answer(_object(found.get("answer"))) if state == "answered" else None,
        error=_text(found, "error"),
        alone=found.get("alone") is True,
        rating=Rating(
            cast(Literal["", "right", "wrong"], _one_of(rating, "judged", ("", "right", "wrong"))),
            cast(Literal["", "kept"], _one_of(rating, "kept", ("", "kept"))),
        ),
        at=_text(found, "asked", _MOMENT),
    )


def _answer(found: Mapping[str, Any]) -> Answer:
    citations = tuple(_citation(_object(each)) for each in _list(found.get("citations"), MOST_CITATIONS))
    if [citation.n for citation in citations] != list(range(1, len(citations) + 1)):
        raise UserError("the citations of the chat are not numbered from 1")
    return Answer(
        question=_text(found, "question"),
        language=_text(found, "language", _LANGUAGE),
        answered=found.get("answered") is True,
        answer=_text(found, "answer"),
        confidence=_number(found, "confidence"),
        citations=citations,
        seconds=_number(found, "seconds"),
        statements=tuple(_statement(_object(each)) for each in _list(found.get("statements", []), _MOST_STATEMENTS)),
        llm=_llm(_object(found["llm"])) if found.get("llm") is not None else None,
        rewritten=_text(found, "rewritten") if found.get("rewritten") is not None else None,
        kind=cast(Kind, _one_of({"kind": "answer", **found}, "kind", KINDS)),  # version 0.1 kept none
        context=tuple(_text({"context": each}, "context") for each in _list(found.get("context", []), _MOST_CONTEXT)),
        parts=tuple(_part(_object(each)) for each in _list(found.get("parts", []), MOST_PARTS)),
    )


def _part(found: Mapping[str, Any]) -> Part:
    named = tuple(_whole(n) for n in _list(found.get("citations"), MOST_CITATIONS))
    return Part(_text(found, "question"), found.get("answered") is True, _number(found, "confidence"), named)


def _statement(found: Mapping[str, Any]) -> Statement:
    named = tuple(_whole(n) for n in _list(found.get("citations"), MOST_CITATIONS))
    return Statement(
        text=_text(found, "text"),
        citations=named,
        supported=found.get("supported") is True,
        reason=cast(Any, _one_of(found, "reason", ("", "citation", "number", "name", "meaning"))),
    )


def _llm(found: Mapping[str, Any]) -> LLMUse:
    state = _one_of(found, "state", ("written", "fallen_back", "declined"))
    return LLMUse(
        model=_text(found, "model"),
        state=cast(Any, state),
        fault=_text(found, "fault", _FAULT),
        line=_text(found, "line"),
    )


def _citation(found: Mapping[str, Any]) -> Citation:
    first, last = (_whole(at) for at in _list(found.get("highlight"), 2, 2))
    return Citation(
        n=_whole(found.get("n")),
        article=_text(found, "article"),
        title=_text(found, "title"),
        date=_text(found, "date", _DATE) if found.get("date") is not None else None,
        language=_text(found, "language", _LANGUAGE),
        start=_whole(found.get("start")),
        end=_whole(found.get("end")),
        text=_text(found, "text"),
        highlight=(first, last),
        score=_number(found, "score"),
        page=_whole(found["page"]) if found.get("page") is not None else None,
    )


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UserError("the chat is not as it was kept: an object is missing")
    return value


def _list(value: object, most: int, least: int = 0) -> Sequence[Any]:
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise UserError(f"the chat is not as it was kept: a list of {least} to {most} is missing")
    return value


def _text(found: Mapping[str, Any], name: str, pattern: re.Pattern[str] | None = None) -> str:
    """A string that can be written in any encoding."""
    value = found.get(name)
    if not isinstance(value, str) or len(value) > _LONGEST or (pattern and not pattern.fullmatch(value)):
        raise UserError(f"the chat is not as it was kept: {name!r} is no such text")
    return value.encode("utf-8", "replace").decode("utf-8")


def _one_of(found: Mapping[str, Any], name: str, values: Sequence[str]) -> str:
    value = found.get(name)
    if not isinstance(value, str) or value not in values:
        raise UserError(f"the chat is not as it was kept: {name!r} has no such value")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _END:
        raise UserError("the chat is not as it was kept: an offset is no whole number")
    return value


def _number(found: Mapping[str, Any], name: str) -> float:
    value = found.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise UserError(f"the chat is not as it was kept: {name!r} is no number")
    return float(value)
