"""A folder of files that are written once: whether they are still what was written."""

import json
import zlib
from contextlib import suppress
from pathlib import Path

_SEAL = "sealed.json"
_PIECE = 1 << 20

_State = list[int]  # size in bytes, time of change in ns, CRC-32


def seal(folder: Path) -> None:
    """Note size, time and checksum of every file. Raises OSError."""
    states = {path.relative_to(folder).as_posix(): _state(path) for path in _files(folder)}
    (folder / _SEAL).write_text(json.dumps(states), encoding="utf-8")


def is_intact(folder: Path) -> bool:
    """Whether the folder is sealed and holds what it held then; files are read only where their times have changed."""
    try:
        states: dict[str, _State] = json.loads((folder / _SEAL).read_text(encoding="utf-8"))
        if sorted(states) != sorted(path.relative_to(folder).as_posix() for path in _files(folder)):
            return False
        touched = False
        for name, (size, changed, checksum) in states.items():
            status = (folder / name).stat()
            if status.st_size != size:
                return False
            if status.st_mtime_ns != changed:
                touched = True
                if _checksum(folder / name) != checksum:
                    return False
    except (OSError, ValueError, TypeError, AttributeError):
        return False
    if touched:
        with suppress(OSError):  # a folder that may not be written is read again the next time
            seal(folder)
    return True


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path != folder / _SEAL]


def _state(path: Path) -> _State:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, _checksum(path)]


def _checksum(path: Path) -> int:
    checksum = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            checksum = zlib.crc32(piece, checksum)
    return checksum
