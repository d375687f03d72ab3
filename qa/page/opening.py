"""Opens the articles in the background while the page is already up, and lets questions wait for them."""

import asyncio
import os
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, Protocol, TypedDict, Unpack

from index.articles import Article
from index.errors import UserError
from index.settings import Settings
from qa.answer import Answer

Progress = Callable[[str, int, int], None]
_POLL = 0.1  # seconds
_MOST_WRITERS = 32  # answers that language models write at the same time


class Options(TypedDict, total=False):
    """What a question may be narrowed down with."""

    history: Sequence[str]
    language: str | None
    since: str | None
    until: str | None
    top: int
    plain: bool  # it is searched for, whatever it looks like


class NotOpenedError(UserError):
    """The articles could not be opened, so that nothing can be asked."""


class Answerer(Protocol):
    """The engine, as far as the page knows it."""

    @property
    def articles(self) -> Mapping[str, Article]:
        """The articles by name."""

    def ask(self, question: str, **options: Unpack[Options]) -> Answer:
        """Answers a question. Raises UserError on bad input."""

    def stream(
        self, question: str, *, cancel: threading.Event | None = None, **options: Unpack[Options]
    ) -> Iterator[Answer]:
        """The same as it grows; what takes a language model's time comes after the first."""


@dataclass(frozen=True)
class Status:
    """How far the opening has come; ``stage``, ``done`` and ``total`` are as the engine reports them."""

    state: Literal["starting", "ready", "failed"] = "starting"
    stage: str = ""
    done: int = 0
    total: int = 0
    reason: str = ""


class Opening:
    """An engine that is being opened in a thread.

    Questions begin in the order they came, one for each processor at a time, since each takes one thread; what a
    language model writes runs beside them.
    """

    def __init__(self, settings: Settings, open_engine: Callable[[Settings, Progress], Answerer]) -> None:
        self.settings = settings
        self.status = Status()
        self.error: Exception | None = None
        self.closed = False  # whether the program ends and takes no more questions
        self._open_engine = open_engine
        self._engine: Answerer | None = None
        self._worker = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="polycite-ask")
        self._writers = ThreadPoolExecutor(max_workers=_MOST_WRITERS, thread_name_prefix="polycite-write")

    def start(self, failed: Callable[[], None] = lambda: None) -> None:
        """Begins to open the engine; ``failed`` is called, in that thread, should it not open."""
        threading.Thread(target=self._open, args=(failed,), name="polycite-open", daemon=True).start()

    @property
    def engine(self) -> Answerer | None:
        """The engine, once it is open."""
        return self._engine

    async def ready(self) -> Answerer:
        """The engine, when it is open. Raises NotOpenedError where it does not open."""
        while self._engine is None:
            if self.error:
                raise NotOpenedError(f"the articles could not be opened: {self.error}")
            await asyncio.sleep(_POLL)
        return self._engine

    async def ask(self, question: str, **options: Unpack[Options]) -> Answer:
        """The answer, when the engine is open and done with earlier questions. Raises UserError, NotOpenedError."""
        answers = [answer async for answer in self.stream(question, **options)]
        return answers[-1]

    async def stream(self, question: str, **options: Unpack[Options]) -> AsyncGenerator[Answer]:
        """The answer as it grows, at least once. Given up, it stops a language model too. Raises as ``ask`` does."""
        engine = await self.ready()
        loop = asyncio.get_running_loop()
        cancel = threading.Event()
        growing = engine.stream(question, cancel=cancel, **options)
        worker = self._worker
        try:
            while True:
                answer = await loop.run_in_executor(worker, next, growing, None)
                if answer is None:
                    return
                yield answer
                worker = self._writers
        finally:
            cancel.set()

    def ask_from_thread(self, question: str, **options: Unpack[Options]) -> Answer:
        """The same for threads, which wait their turn as the chat's questions do. The engine must be open.

        Whoever asks one question after the other lets everything in between that came meanwhile. Raises UserError.
        """
        if self._engine is None:
            raise NotOpenedError("the articles are not open yet")
        growing = self._engine.stream(question, **options)
        try:
            waiting = self._worker.submit(next, growing)
        except RuntimeError:  # the program ends
            self.closed = True
            raise
        first = waiting.result()
        return next(iter(deque(growing, maxlen=1)), first)

    def _open(self, failed: Callable[[], None]) -> None:
        try:
            self._engine = self._open_engine(self.settings, self._report)
        except Exception as error:  # noqa: BLE001 - run() and whoever waits raise it again
            self.error = error
            self.status = Status("failed", reason=str(error))
            failed()
        else:
            self.status = Status("ready")

    def _report(self, stage: str, done: int, total: int) -> None:
        self.status = Status("starting", stage, done, total)
