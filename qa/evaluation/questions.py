"""Reads test questions: JSON lines, CSV or SQuAD. Any fault is a UserError of one line, and nothing runs half."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import UserError
from qa.answer import KINDS, SEARCHED, Kind

LONGEST_LINE = 1_000_000  # bytes
_LANGUAGE = re.compile(r"[A-Za-z]{2,20}(?:[-_][A-Za-z0-9]{1,8}){0,4}")
_SHOWN = 60  # characters of the user's own text in an error


@dataclass(frozen=True)
class Question:
    """A test question. ``articles`` and ``answers`` are both empty where the corpus does not hold the answer."""

    id: str
    question: str
    language: str | None  # labels the report only
    articles: tuple[str, ...]  # names of articles, any of which answers
    answers: tuple[str, ...]  # accepted strings as they stand in the articles: any one counts
    pool: str | None = None  # language of the articles, where the file says so
    kind: Kind | None = None  # of the answer that is due, where the file says so
    history: tuple[str, ...] = ()  # earlier questions of the dialogue, oldest first

    @property
    def answerable(self) -> bool:
        """Whether the corpus holds the answer."""
        return bool(self.answers)

    @property
    def searched(self) -> bool:
        """Whether an answer is to be looked for: not for a summary, for what is there, or for a greeting."""
        return self.kind is None or self.kind in SEARCHED

    def as_json(self) -> dict[str, Any]:
        """The JSON object of one line of a question file; absent labels are left out."""
        row: dict[str, Any] = {"id": self.id, "question": self.question, "language": self.language, "pool": self.pool}
        row |= {"kind": self.kind, "history": list(self.history) or None}
        lists = {"articles": list(self.articles), "answers": list(self.answers)}
        return {key: value for key, value in row.items() if value is not None} | lists


def read_questions(path: Path, known_articles: Collection[str] | None = None) -> list[Question]:
    """The questions of a file: ``.csv`` and ``.tsv`` are tables, ``.json`` is SQuAD, all else one JSON object a line.

    Raises UserError, naming file, line, fault and mend, for the first fault found; also for an article that is not
    in ``known_articles``, where those are given.
    """
    from qa.evaluation.squad import read_squad
    from qa.evaluation.tables import read_table

    readers = {".csv": read_table, ".tsv": read_table, ".json": read_squad}
    seen: dict[str, str] = {}
    questions: list[Question] = []
    for place, question in readers.get(path.suffix.lower(), _read_lines)(path):
        if question.id in seen:
            raise fault(place, f"id {_short(question.id)} stands already in {seen[question.id]}", "give it another id")
        seen[question.id] = place.rsplit(", ", 1)[-1]
        _check_articles(place, question, known_articles)
        questions.append(question)
    if not questions:
        raise UserError(
            f"{path}: holds no question: write one JSON object a line, with id, question, articles, answers"
        )
    return questions


def unfindable(questions: Collection[Question], texts: Mapping[str, str]) -> list[str]:
    """Ids of the answerable questions none of whose accepted strings stands in a named article: they cannot be won."""
    return [
        question.id
        for question in questions
        if question.answerable
        and not any(answer in texts.get(name, "") for name in question.articles for answer in question.answers)
    ]


def fault(place: str, wrong: str, mend: str) -> UserError:
    """The error for one place in a question file, on one line whatever the file holds."""
    return UserError(" ".join(f"{place}: {wrong}: {mend}".split()))


def lines_of(path: Path) -> Iterator[tuple[str, str]]:
    """Place ("FILE, line N") and text of each line, a byte order mark dropped; line ends stay.

    Raises UserError where the file cannot be read, a line is longer than LONGEST_LINE bytes or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while raw := file.readline(LONGEST_LINE + 1):
                number += 1
                yield f"{path}, line {number}", _decode(f"{path}, line {number}", raw, first=number == 1)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}): name a file of questions") from error


def build_question(place: str, row: Mapping[str, Any]) -> Question:
    """The question in an object of a file, its keys and types checked; keys it does not know are passed over.

    Raises UserError, beginning with ``place``, for the first fault.
    """
    for key in ("id", "question", "articles", "answers"):
        if key not in row:
            raise fault(place, f'"{key}" is missing', f'add "{key}"')
    question = Question(
        id=_text(place, "id", row["id"]),
        question=_text(place, "question", row["question"]),
        language=_label(place, "language", row.get("language")),
        articles=_texts(place, "articles", row["articles"]),
        answers=_texts(place, "answers", row["answers"]),
        pool=_label(place, "pool", row.get("pool")),
        kind=_answer_kind(place, row.get("kind")),
        history=_texts(place, "history", row.get("history", [])),
    )
    if question.searched and bool(question.articles) != bool(question.answers):
        empty = "answers" if question.articles else "articles"
        raise fault(place, f'only "{empty}" is empty', "fill it, or empty both lists if the corpus holds no answer")
    return question


def parse_json(place: str, text: str, mend: str) -> Any:
    """The JSON value of ``text``; raises UserError where there is none."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise fault(place, f"not JSON ({error.msg}, line {error.lineno} column {error.colno} of it)", mend) from error
    except (ValueError, RecursionError) as error:
        raise fault(place, "JSON that cannot be read (nested too deep, or a number too long)", mend) from error


def _read_lines(path: Path) -> Iterator[tuple[str, Question]]:
    mend = 'write one object a line: {"id": "...", "question": "...", "articles": [...], "answers": [...]}'
    for place, line in lines_of(path):
        if not line.strip():
            continue
        row = parse_json(place, line, mend)
        if not isinstance(row, dict):
            raise fault(place, f"{_kind(row)} instead of an object", mend)
        yield place, build_question(place, row)


def _decode(place: str, raw: bytes, *, first: bool) -> str:
    if len(raw) > LONGEST_LINE:
        raise fault(place, f"longer than {LONGEST_LINE:,} bytes", "write one question a line, without whole articles")
    try:
        return raw.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError as error:
        raise fault(place, f"byte {error.start + 1} is not UTF-8", "save the file as UTF-8") from error


def _check_articles(place: str, question: Question, known: Collection[str] | None) -> None:
    for name in question.articles if known is not None else ():
        if known is not None and name not in known:
            mend = "name it by its path relative to the corpus folder, or give the right --corpus"
            raise fault(place, f"the corpus holds no article {_short(name)}", mend)


def _text(place: str, key: str, value: object) -> str:
    if not isinstance(value, str):
        raise fault(place, f'"{key}" is {_kind(value)}', "write a string")
    if not value.strip():
        raise fault(place, f'"{key}" is empty', "write something in it")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise fault(place, f'"{key}" holds half a character (a lone surrogate)', "write it as UTF-8") from error
    return value


def _texts(place: str, key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise fault(place, f'"{key}" is {_kind(value)}', "write a list of strings, [] for none")
    return tuple(_text(place, f"{key}[{i}]", item) for i, item in enumerate(value))


def _label(place: str, key: str, value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _LANGUAGE.fullmatch(value):
        wrong = _short(value) if isinstance(value, str) else _kind(value)
        raise fault(place, f'"{key}" is {wrong}, not a language code', 'write one like "en", or leave it out')
    return value


def _answer_kind(place: str, value: object) -> Kind | None:
    if value is not None and value not in KINDS:
        wrong = _short(value) if isinstance(value, str) else _kind(value)
        raise fault(place, f'"kind" is {wrong}', f"write one of {', '.join(KINDS)}, or leave it out")
    return value


def base_language(code: object) -> str | None:
    """The code without its region or script ("zh-CN" is "zh"), in lower case; None for what is not a code."""
    if not isinstance(code, str) or not _LANGUAGE.fullmatch(code):
        return None
    return re.split("[-_]", code.lower(), maxsplit=1)[0]


def _kind(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "true or false", int: "a number", float: "a number", str: "a string", list: "a list"}
    return names.get(type(value), "an object")


def _short(text: str) -> str:
    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return ascii(shown) if any("\ud800" <= c <= "\udfff" for c in shown) else repr(shown)
