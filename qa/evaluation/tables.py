"""Reads test questions from CSV: the columns of the JSON lines, in any order, separated by commas, semicolons or tabs.

A list stands in one cell: either JSON (``["1815", "year 1815"]``), or strings with ``|`` between them. A string that
itself holds ``|`` needs the JSON form. Without a column ``id`` a question is called by its line, ``line-2``.
"""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from index.errors import UserError
from qa.evaluation.questions import Question, build_question, fault, lines_of

_NEEDED = ("question", "articles", "answers")


def read_table(path: Path) -> Iterator[tuple[str, Question]]:
    """Place and question of each row. Raises UserError for the first fault."""
    lines = (line for _, line in lines_of(path))
    head = next(lines, None)
    if head is None:
        raise UserError(f"{path}: holds no question: write a header line and one question a row")
    separator = max(",;\t", key=head.count)
    columns = [cell.strip().lower().strip('"') for cell in head.split(separator)]
    _check_columns(f"{path}, line 1", columns)
    yield from _rows(path, columns, csv.reader(lines, delimiter=separator, strict=True))


def _check_columns(place: str, columns: list[str]) -> None:
    for name in _NEEDED:
        if name not in columns:
            raise fault(
                place, f'there is no column "{name}"', "head the columns id, question, language, articles, answers"
            )
    for name in columns:
        if name and columns.count(name) > 1:
            raise fault(place, f'the column "{name}" stands twice', "keep one")


def _rows(path: Path, columns: list[str], reader: Any) -> Iterator[tuple[str, Question]]:
    line = 2
    while True:
        place = f"{path}, line {line}"
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise fault(place, f"not a row of CSV ({error})", "look for a quotation mark that is not closed") from error
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield place, _question(place, columns, cells, line)
        line = reader.line_num + 2  # the header was read before the reader began to count


def _question(place: str, columns: list[str], cells: list[str], line: int) -> Question:
    if len(cells) != len(columns):
        mend = "put quotation marks around a cell that holds the separator"
        raise fault(place, f"{len(cells)} cells under {len(columns)} columns", mend)
    row: dict[str, Any] = dict(zip(columns, cells, strict=True))
    row.setdefault("id", f"line-{line}")
    for key in ("language", "pool", "kind"):
        row[key] = (row.get(key) or "").strip() or None
    for key in ("articles", "answers", "history"):
        row[key] = _list(row.get(key) or "")
    return build_question(place, row)


def _list(cell: str) -> list[Any]:
    if cell.lstrip().startswith("["):
        try:
            found = json.loads(cell)
        except (ValueError, RecursionError):
            found = None  # an ordinary string may begin with a bracket
        if isinstance(found, list):
            return found
    return [part.strip() for part in cell.split("|")] if cell.strip() else []
