"""The evaluations that a browser keeps: a folder for each, with the question file and what ``evaluate`` writes."""

import json
import re
import secrets
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from index.errors import UserError
from qa.evaluation import Question, read_questions

MOST_BYTES = 10_000_000  # of a question file
MOST_QUESTIONS = 10_000
_KINDS = (".jsonl", ".csv", ".tsv", ".json")
_KEY = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
_LONGEST_NAME = 80  # characters
_ABOUT = "about.json"


@dataclass(frozen=True)
class Run:
    """An evaluation, finished or not."""

    key: str
    folder: Path
    name: str  # of the question file, as its owner calls it
    begun: str  # ISO 8601, UTC
    total: int  # questions

    @property
    def complete(self) -> bool:
        """Whether there is a result to show."""
        return (self.folder / "metrics.json").exists()

    @property
    def asked(self) -> int:
        """Questions that have been asked."""
        predictions = self.folder / "predictions.jsonl"
        return predictions.read_bytes().count(b"\n") if predictions.exists() else 0

    def explain(self, error: UserError | str) -> str:
        """What is wrong, with the name that the owner knows instead of the folder."""
        return " ".join(str(error).replace(str(self.folder), self.name).split())

    def questions(self, articles: Collection[str]) -> list[Question]:
        """The questions, checked against the articles that there are now. Raises UserError."""
        return _read(next(self.folder.glob("questions.*")), self.name, articles)


class Shelf:
    """The runs in one folder, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, name: str, content: bytes, articles: Collection[str]) -> Run:
        """A new run of a question file. Raises UserError where the file is faulty; then nothing is left of it."""
        name = _shown(name)
        now = datetime.now(UTC)
        key = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        folder = self._folder / key
        try:
            folder.mkdir(parents=True)
            file = folder / f"questions{_kind(name)}"
            file.write_bytes(content)
            total = len(_read(file, name, articles))
            begun = now.isoformat(timespec="seconds")
            about = {"name": name, "begun": begun, "total": total}
            (folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")
        except UserError:
            shutil.rmtree(folder)
            raise
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise UserError(f"the evaluation cannot be kept ({error.strerror}): make room for it") from error
        return Run(key, folder, name, begun, total)

    def find(self, key: str) -> Run | None:
        """A run by its key; None for anything that is no key of a run here."""
        return self._load(self._folder / key) if _KEY.fullmatch(key) else None

    def all(self) -> list[Run]:
        """The runs, newest first."""
        folders = sorted(self._folder.iterdir(), reverse=True) if self._folder.is_dir() else []
        return [run for folder in folders if (run := self.find(folder.name))]

    def _load(self, folder: Path) -> Run | None:
        try:
            about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
            return Run(folder.name, folder, str(about["name"]), str(about["begun"]), int(about["total"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _read(file: Path, name: str, articles: Collection[str]) -> list[Question]:
    """The questions of a file; what is wrong with it is said with the name that its owner knows."""
    try:
        questions = read_questions(file, articles)
    except UserError as error:
        path = " ".join(str(file).split())
        raise UserError(" ".join(str(error).split()).replace(path, name)) from None
    if len(questions) > MOST_QUESTIONS:
        wrong = f"{name}: holds {len(questions):,} questions, more than {MOST_QUESTIONS:,}"
        raise UserError(f"{wrong}: split it, or use polycite evaluate")
    return questions


def _shown(name: str) -> str:
    """The last part of a file name, printable and short."""
    last = re.split(r"[/\\]", name)[-1]
    clean = " ".join("".join(c if c.isprintable() else " " for c in last).split())
    stem, dot, kind = clean.rpartition(".")
    return f"{stem[: _LONGEST_NAME - len(kind)]}{dot}{kind[:8]}" or "questions.jsonl"


def _kind(name: str) -> str:
    """The ending of a question file. Raises UserError for a kind that cannot be read."""
    ending = Path(name).suffix.lower()
    if ending not in _KINDS:
        raise UserError(f"{name}: is no question file: give one that ends in {', '.join(_KINDS)}")
    return ending
