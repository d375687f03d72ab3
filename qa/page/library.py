"""The articles as the page manages them: files put in, taken out and put back, and the collection brought after them.

A thread looks at the folder again and again, so that what others change in it is asked about without a restart too.
"""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from index.errors import UserError
from index.folder import LeftOut, Scan, scan
from index.sync import SyncReport
from qa.page.browsers import corpus_key
from qa.page.opening import Opening, Progress
from qa.page.trash import Deleted, Trash
from qa.page.uploads import check_content, file_name, write_whole

_SHORTEST_PAUSE = 2.0  # seconds between two looks at the folder
_SHARE = 30  # a look takes at most this part of the time
_LOG = logging.getLogger(__name__)


@runtime_checkable
class Indexed(Protocol):
    """An engine whose collection can be brought in line with its folder."""

    @property
    def report(self) -> SyncReport:
        """What the last synchronisation did."""

    @property
    def sentence_counts(self) -> Mapping[str, int]:
        """Sentences by name of article."""

    def refresh(self, progress: Progress | None = None, *, allow_empty: bool = False) -> SyncReport:
        """Bring the collection in line with the folder. Raises UserError."""


@dataclass(frozen=True)
class LibraryStatus:
    """What is being done about the folder."""

    version: int = 0  # goes up whenever the articles may have changed
    busy: bool = False
    stage: str = ""
    done: int = 0
    total: int = 0
    error: str = ""  # why the last change could not be taken over, in words for the reader

    def as_json(self) -> dict[str, Any]:
        """The object that the page's script asks for again and again."""
        return dict(vars(self))


@dataclass(frozen=True)
class Kept:
    """A file that was put among the articles."""

    name: str
    replaced: Deleted | None  # what bore the name before
    same: bool = False  # whether it was there already, byte for byte


class Library:
    """The folder of articles. Safe from several threads."""

    def __init__(self, opening: Opening) -> None:
        settings = opening.settings
        self.status = LibraryStatus()
        self.folder = settings.corpus
        self.trash = Trash(settings.data_folder / "trash" / corpus_key(settings), self.folder)
        self._opening = opening
        self._changing = threading.Lock()  # held while files move
        self._wanted = threading.Event()  # set by whoever has changed something
        self._emptied = False  # whether the last article was deleted here, and so on purpose
        self._seen = _look(self.folder)  # the folder as the collection has it, or is about to

    def start(self) -> None:
        """Begin to follow the folder."""
        threading.Thread(target=self._follow, name="polycite-library", daemon=True).start()

    @property
    def present(self) -> frozenset[str]:
        """Names of the files of the folder, as far as it is believed."""
        engine = self._opening.engine
        if engine is not None and (self._seen is None or self.status.error):
            return frozenset(engine.articles)
        return frozenset(found.name for found in self._seen.files) if self._seen else frozenset()

    @property
    def sentence_counts(self) -> Mapping[str, int]:
        """Sentences by name of article."""
        engine = indexed(self._opening.engine)
        return engine.sentence_counts if engine else {}

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Files that are no articles."""
        engine = indexed(self._opening.engine)
        return engine.report.left_out if engine else ()

    def save(self, asked: str, content: bytes) -> Kept:
        """Put a file among the articles; one of the same name goes to the trash. Raises UserError with its name."""
        name = file_name(asked)
        check_content(name, content)
        path = self.folder / name
        replaced: list[Deleted] = []

        def make_way() -> None:
            if path.is_file():
                replaced.append(self.trash.put(name))

        with self._changing:
            try:
                self._check_case(name)
                if path.is_file() and path.read_bytes() == content:
                    return Kept(name, None, same=True)
                write_whole(path, content, make_way)
            except OSError as error:
                raise UserError(f"{name}: cannot be kept ({error.strerror}): make room or mend the rights") from error
        self._wanted.set()
        return Kept(name, replaced[0] if replaced else None)

    def delete(self, name: str) -> Deleted:
        """Move an article to the trash. Raises UserError."""
        with self._changing:
            now = scan(self.folder)
            if name not in {found.name for found in now.files}:
                raise UserError(f"{name}: is not there any more")
            try:
                deleted = self.trash.put(name)
            except OSError as error:
                raise UserError(f"{name}: cannot be deleted ({error.strerror}): mend the rights") from error
            self._emptied = len(now.files) == 1
        self._wanted.set()
        return deleted

    def restore(self, key: str) -> Deleted:
        """Put a deleted article back. Raises UserError."""
        with self._changing:
            try:
                deleted = self.trash.restore(key)
            except OSError as error:
                raise UserError(f"it cannot be put back ({error.strerror}): make room or mend the rights") from error
        self._wanted.set()
        return deleted

    def _check_case(self, name: str) -> None:
        """Refuse a name that some file systems would take for another one's."""
        others = {path.name for path in self.folder.iterdir() if path.name.casefold() == name.casefold()}
        if others - {name}:
            other = min(others - {name})
            raise UserError(f"{name}: differs from {other!r} by capitals alone: rename it")

    def _follow(self) -> None:
        self.trash.empty_old()
        before = self._seen  # what another program is changing is taken over once it stays as it is
        pause = _SHORTEST_PAUSE
        while not self._opening.closed:
            asked = self._wanted.wait(pause)
            self._wanted.clear()
            engine = indexed(self._opening.engine)
            if engine is None:
                if asked:
                    self._wanted.set()
                    time.sleep(0.1)
                continue
            started = time.monotonic()
            now = _look(self.folder)
            pause = max(_SHORTEST_PAUSE, _SHARE * (time.monotonic() - started))
            if asked or (now != self._seen and now == before):
                self._seen = now
                self._emptied = self._emptied and not (now and now.files)
                self._refresh(engine)
            before = now

    def _refresh(self, engine: Indexed) -> None:
        self.status = replace(self.status, busy=True, stage="reading", done=0, total=0)

        def report(stage: str, done: int, total: int) -> None:
            self.status = replace(self.status, stage=stage, done=done, total=total)

        error = ""
        try:
            engine.refresh(report, allow_empty=self._emptied)
        except UserError as wrong:
            error = str(wrong)
        except Exception:  # noqa: BLE001 - the log keeps it, the page gets one line
            _LOG.exception("the articles could not be brought up to date")
            error = "the articles could not be brought up to date: the log of the server says why"
        self.status = LibraryStatus(self.status.version + 1, error=error)


def indexed(engine: object) -> Indexed | None:
    """The engine, where it is open and follows a folder."""
    return engine if isinstance(engine, Indexed) else None


def _look(folder: Path) -> Scan | None:
    """The folder as it is now; None where there is none."""
    try:
        return scan(folder)
    except UserError:
        return None
