"""Walks a folder of articles. Links are not followed, so that nothing outside the folder is ever read."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from index.errors import UserError

State = tuple[int, int, int, int]


@dataclass(frozen=True)
class LeftOut:
    """A file that is not an article, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Found:
    """A regular file under the folder."""

    name: str  # relative to the folder, with forward slashes
    path: Path
    state: State  # size in bytes, times of change of content and of anything in ns, number of the file: see state_of


@dataclass(frozen=True)
class Scan:
    """What a folder holds, sorted by name."""

    files: tuple[Found, ...]
    left_out: tuple[LeftOut, ...]


def scan(folder: Path) -> Scan:
    """Every regular file under ``folder``; what is neither that nor hidden is named as left out.

    Raises UserError where the folder does not exist or cannot be read.
    """
    files: list[Found] = []
    left_out: list[LeftOut] = []
    waiting = [("", folder)]
    while waiting:
        prefix, place = waiting.pop()
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    if not entry.name.startswith("."):
                        _sort_out(entry, prefix + entry.name, files, left_out, waiting)
        except OSError as error:
            if not prefix:
                raise UserError(_why_not(folder, error)) from error
            left_out.append(LeftOut(shown(prefix), f"cannot be read ({error.strerror})"))
    return Scan(tuple(sorted(files, key=lambda found: found.name)), tuple(sorted(left_out, key=lambda each: each.name)))


def _why_not(folder: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return f"there is no folder {shown(str(folder))!r}: give --corpus a folder of articles"
    return f"the folder {shown(str(folder))!r} cannot be read ({error.strerror}): mend that, or give another --corpus"


def _sort_out(
    entry: os.DirEntry[str], name: str, files: list[Found], left_out: list[LeftOut], waiting: list[tuple[str, Path]]
) -> None:
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:  # gone since
        return
    except OSError as error:
        left_out.append(LeftOut(shown(name), f"cannot be read ({error.strerror})"))
        return
    if stat.S_ISDIR(status.st_mode):
        waiting.append((f"{name}/", Path(entry.path)))
    elif stat.S_ISLNK(status.st_mode):
        left_out.append(LeftOut(shown(name), "is a link, and links are not followed: put the file itself there"))
    elif not stat.S_ISREG(status.st_mode):
        left_out.append(LeftOut(shown(name), "is no regular file"))
    elif shown(name) != name:
        left_out.append(LeftOut(shown(name), "has a name that is no Unicode text: rename it"))
    else:
        files.append(Found(name, Path(entry.path), state_of(status)))


def state_of(status: os.stat_result) -> State:
    """What changes whenever the file does, unless somebody sets the clock back."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def shown(name: str) -> str:
    """A name with the bytes that are no Unicode text, if any, spelled out."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
