"""The files of an output folder: written whole or line by line, read back with the damage of an interruption dropped.

``predictions.jsonl`` answers, one a line, with their question's ``id``; ``outcomes.jsonl`` the questions with what was
scored (itself a question file); ``metrics.json``; ``report.html``; ``run.json`` the state that was evaluated.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from index.errors import UserError

PREDICTIONS, OUTCOMES, METRICS_FILE, REPORT, RUN = (
    "predictions.jsonl",
    "outcomes.jsonl",
    "metrics.json",
    "report.html",
    "run.json",
)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is either the old one or the new one, never half of it."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(text.encode("utf-8", "backslashreplace"))
    part.replace(path)


def to_line(row: Mapping[str, Any]) -> str:
    """A row as one line of JSON; raises ValueError for a number that JSON does not have."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"


def to_lines(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as lines of JSON."""
    return "".join(map(to_line, rows))


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects in a file of JSON lines, lines that are torn or hold something else left out; [] without the file."""
    if not path.exists():
        return []
    found = []
    for line in path.read_bytes().split(b"\n")[:-1]:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            found.append(row)
    return found


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file of an output folder; raises UserError where there is none."""
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        mend = "name a folder in which an evaluation has finished"
        raise UserError(f"{path}: cannot be read ({error.strerror}): {mend}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: is damaged: evaluate again into this folder") from error
    if not isinstance(found, dict):
        raise UserError(f"{path}: is damaged: evaluate again into this folder")
    return found
