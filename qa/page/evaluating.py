"""Evaluations under way: one a browser, each in a thread of its own that queues up with the chat's questions."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Unpack

from index.errors import UserError
from qa.answer import Answer
from qa.evaluation import Question, evaluate
from qa.page.opening import Answerer, Opening, Options
from qa.page.runs import Run

_MOST_AT_ONCE = 4
_MOST_REMEMBERED = 500
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far an evaluation has come."""

    run: str
    state: Literal["running", "done", "cancelled", "failed"]
    done: int
    total: int
    error: str = ""  # in words for the reader

    def as_json(self) -> dict[str, Any]:
        """The object that the page's script asks for again and again."""
        return dict(vars(self))


@dataclass
class _Job:
    progress: Progress
    stop: threading.Event = field(default_factory=threading.Event)


class Evaluator:
    """Starts, watches and stops evaluations. Its methods never wait."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._jobs: dict[str, _Job] = {}
        self._lock = threading.Lock()

    def start(self, owner: str, run: Run, questions: Sequence[Question], engine: Answerer) -> None:
        """Begins a run, or goes on with one. Raises UserError where that has to wait."""
        job = _Job(Progress(run.key, "running", 0, len(questions)))
        with self._lock:
            self.check(owner)
            if len(self._jobs) >= _MOST_REMEMBERED:
                self._jobs = {name: old for name, old in self._jobs.items() if old.progress.state == "running"}
            self._jobs[owner] = job
        arguments = (job, run, questions, engine)
        threading.Thread(target=self._work, args=arguments, name="polycite-evaluate", daemon=True).start()

    def check(self, owner: str) -> None:
        """Raises UserError where ``owner`` cannot begin a run now."""
        running = [name for name, job in self._jobs.items() if job.progress.state == "running"]
        if owner in running:
            raise UserError("an evaluation is under way: wait for it or cancel it")
        if len(running) >= _MOST_AT_ONCE:
            raise UserError(f"{_MOST_AT_ONCE} evaluations of others are under way: try again later")

    def progress(self, owner: str) -> Progress | None:
        """The run that ``owner`` has under way, or had last; None since the server began."""
        job = self._jobs.get(owner)
        return job.progress if job else None

    def cancel(self, owner: str) -> None:
        """Lets the run end after the question that is being asked."""
        if job := self._jobs.get(owner):
            job.stop.set()

    def _work(self, job: _Job, run: Run, questions: Sequence[Question], engine: Answerer) -> None:
        def ask(question: str, **options: Unpack[Options]) -> Answer:
            try:
                return self._opening.ask_from_thread(question, **options)
            except RuntimeError as error:
                if self._opening.closed:  # the server ends: the rest is not to count as failed
                    job.stop.set()
                raise error

        def report(done: int, total: int) -> None:
            job.progress = replace(job.progress, done=done, total=total)

        articles = dict(engine.articles)
        try:
            result = evaluate(
                questions, ask, run.folder, progress=report, should_stop=job.stop.is_set,
                state=str(getattr(engine, "state", "")),
                texts={name: article.text for name, article in articles.items()},
                languages={name: article.language for name, article in articles.items()},
            )  # fmt: skip
        except UserError as error:
            job.progress = replace(job.progress, state="failed", error=run.explain(error))
        except Exception:  # noqa: BLE001 - the log keeps it, the reader gets one line
            _LOG.exception("an evaluation failed")
            job.progress = replace(job.progress, state="failed")
        else:
            job.progress = replace(job.progress, state="done" if result.complete else "cancelled")
