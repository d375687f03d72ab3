"""Asks every question, keeps each answer at once, and writes metrics and report when all are there."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import UserError
from qa.answer import Answer
from qa.evaluation import files
from qa.evaluation.metrics import measure
from qa.evaluation.outcomes import Outcome, Row, score
from qa.evaluation.questions import Question, build_question
from qa.evaluation.report import render_report

Ask = Callable[..., Answer]  # a question, and where it has one its ``history``
Progress = Callable[[int, int], None]  # questions done, questions in all
_VERSION = 1
_ANSWER_TYPES: dict[str, type | tuple[type, ...]] = {
    "id": str,
    "question": str,
    "language": str,
    "answered": bool,
    "answer": str,
    "confidence": (int, float),
    "citations": list,
    "seconds": (int, float),
}


@dataclass(frozen=True)
class Evaluation:
    """An evaluation and the folder it stands in. Rows and outcomes are in the order of the questions."""

    folder: Path
    complete: bool  # whether all questions were asked; only then the folder holds metrics and report
    rows: tuple[Row, ...]
    outcomes: tuple[Outcome, ...]
    metrics: dict[str, Any]  # of the questions asked so far

    @property
    def report(self) -> Path:
        """The page to open."""
        return self.folder / files.REPORT


def evaluate(
    questions: Sequence[Question],
    ask: Ask,
    out: Path,
    *,
    state: str = "",
    texts: Mapping[str, str] | None = None,
    languages: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
    fresh: bool = False,
) -> Evaluation:
    """Ask the questions and write ``out`` (see ``files``).

    Answers that stand in ``out`` from an interrupted run are kept if ``state`` (whatever decides the answers: corpus,
    encoder, settings) is the same and the question's text is; those that raised an error are asked again, and
    ``fresh`` asks all again. ``texts`` (decoded) and ``languages`` are by article name. ``should_stop`` is looked at
    before each question; where it stops, or at KeyboardInterrupt, which passes through, the answers stay. An exception
    from ``ask`` is recorded with its question. Raises UserError where ``out`` cannot be written.
    """
    try:
        answers = {} if fresh else _kept(questions, out, state)
        _begin(questions, answers, out, state)
        complete = _ask_all(questions, answers, ask, out, progress, should_stop)
        rows = tuple((question, answers[question.id]) for question in questions if question.id in answers)
        outcomes = tuple(score(question, answer, texts, languages) for question, answer in rows)
        evaluation = Evaluation(out, complete, rows, outcomes, measure(outcomes))
        if complete:
            _finish(evaluation, state)
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error.strerror}): name a folder you may write to") from error
    return evaluation


def load(folder: Path) -> Evaluation:
    """A finished evaluation from its folder; raises UserError where it is not finished or damaged."""
    metrics = files.read_object(folder / files.METRICS_FILE)
    answers = {row["id"]: row for row in files.read_lines(folder / files.PREDICTIONS) if _is_answer(row)}
    kept = files.read_lines(folder / files.OUTCOMES)
    try:
        questions = [build_question(f"{folder / files.OUTCOMES}", row) for row in kept]
        rows = tuple((question, answers[question.id]) for question in questions)
        outcomes = tuple(Outcome.from_json(row["outcome"]) for row in kept)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{folder}: is damaged: evaluate again into this folder") from error
    return Evaluation(folder, True, rows, outcomes, metrics)


def _kept(questions: Sequence[Question], out: Path, state: str) -> dict[str, dict[str, Any]]:
    """Answers of an earlier run by id; none where it was a run of another state."""
    path = out / files.RUN
    if not path.exists():
        return {}
    try:
        run = files.read_object(path)
    except UserError:
        return {}
    if (run.get("version"), run.get("state")) != (_VERSION, state):
        return {}
    asked = {question.id: (question.question, list(question.history)) for question in questions}
    return {
        row["id"]: row
        for row in files.read_lines(out / files.PREDICTIONS)
        if _is_answer(row) and "error" not in row and asked.get(row["id"]) == (row["question"], row.get("history", []))
    }


def _is_answer(row: Mapping[str, Any]) -> bool:
    return all(isinstance(row.get(key), kind) for key, kind in _ANSWER_TYPES.items())


def _begin(questions: Sequence[Question], answers: Mapping[str, Any], out: Path, state: str) -> None:
    """Leave in the folder only what still holds."""
    out.mkdir(parents=True, exist_ok=True)
    for name in (files.METRICS_FILE, files.REPORT, files.OUTCOMES):
        (out / name).unlink(missing_ok=True)
    # The answers go before the state that vouches for them, and come after it.
    if not answers:
        (out / files.PREDICTIONS).unlink(missing_ok=True)
    files.write_whole(out / files.RUN, json.dumps({"version": _VERSION, "state": state}, ensure_ascii=False) + "\n")
    _write_answers(questions, answers, out)


def _write_answers(questions: Sequence[Question], answers: Mapping[str, Any], out: Path) -> None:
    kept = (answers[question.id] for question in questions if question.id in answers)
    files.write_whole(out / files.PREDICTIONS, files.to_lines(kept))


def _ask_all(
    questions: Sequence[Question],
    answers: dict[str, dict[str, Any]],
    ask: Ask,
    out: Path,
    progress: Progress | None,
    should_stop: Callable[[], bool] | None,
) -> bool:
    """Ask what is not in ``answers`` yet and add it, there and in the file; whether all are asked."""
    if progress:
        progress(len(answers), len(questions))
    with (out / files.PREDICTIONS).open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        for question in questions:
            if question.id in answers:
                continue
            if should_stop and should_stop():
                return False
            answer = _ask_one(question, ask)
            file.write(files.to_line(answer))
            file.flush()
            answers[question.id] = answer
            if progress:
                progress(len(answers), len(questions))
    return True


def _ask_one(question: Question, ask: Ask) -> dict[str, Any]:
    begun = time.perf_counter()
    try:
        options = {"history": question.history} if question.history else {}
        row = {"id": question.id} | ask(question.question, **options).as_json() | {"question": question.question}
        row |= {"history": list(question.history)} if question.history else {}
        files.to_line(row)
    # Whatever it is, it must not cost the other answers.
    except Exception as error:  # noqa: BLE001
        return {
            "id": question.id,
            "question": question.question,
            "language": question.language or "",
            "answered": False,
            "answer": "",
            "confidence": 0.0,
            "citations": [],
            "seconds": round(time.perf_counter() - begun, 4),
            "error": " ".join(f"{type(error).__name__}: {error}".split()),
        }
    return row


def _finish(evaluation: Evaluation, state: str) -> None:
    out, rows = evaluation.folder, evaluation.rows
    _write_answers([question for question, _ in rows], {question.id: answer for question, answer in rows}, out)
    outcomes = (
        question.as_json() | {"outcome": outcome.as_json()}
        for (question, _), outcome in zip(rows, evaluation.outcomes, strict=True)
    )
    files.write_whole(out / files.OUTCOMES, files.to_lines(outcomes))
    files.write_whole(out / files.REPORT, render_report(rows, evaluation.outcomes, evaluation.metrics, state))
    metrics = json.dumps(evaluation.metrics, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    files.write_whole(out / files.METRICS_FILE, metrics)
