"""One writer at a time: the lock of a store."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import UserError
from index.folder import shown

if TYPE_CHECKING:
    from filelock import BaseFileLock

log = logging.getLogger(__name__)

_SILENT_SECONDS = 1.0  # a wait as short as this is not worth a word
_LOCK_SECONDS = 600.0


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the store alone; whoever has to wait is told for whom. The system frees the lock of a process that died.

    Raises UserError where another process holds it for too long, and OSError.
    """
    from filelock import FileLock

    folder.mkdir(parents=True, exist_ok=True)
    lock, holder = FileLock(folder / "lock"), folder / "lock.holder"
    _acquire(lock, holder, folder)
    try:
        holder.write_text(f"process {os.getpid()}", encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _acquire(lock: "BaseFileLock", holder: Path, folder: Path) -> None:
    from filelock import Timeout

    try:
        lock.acquire(timeout=_SILENT_SECONDS)
    except Timeout:
        log.warning("%s is writing %r: waiting for it", _who(holder), shown(str(folder)))
        try:
            lock.acquire(timeout=_LOCK_SECONDS)
        except Timeout:
            raise UserError(
                f"{_who(holder)} has been writing {shown(str(folder))!r} for {_LOCK_SECONDS:.0f} s: wait, or stop it"
            ) from None


def _who(holder: Path) -> str:
    try:
        name = holder.read_text(encoding="utf-8", errors="replace")
    except OSError:
        name = ""
    return name if name.isprintable() and name else "another process"
