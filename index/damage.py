"""SQLite files: telling one that is damaged from a disk that refuses, and putting one away with all its parts."""

import os
import sqlite3
from pathlib import Path

# What SQLite says of the disk, of rights and of other processes; whatever else it says is the fault of the file.
_NOT_THE_FILE = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)
_JOURNALS = ("-journal", "-wal", "-shm")


def is_damage(error: sqlite3.Error, path: Path) -> bool:
    """Whether an error is owed to what the file at ``path`` holds, so that it will not go away by itself."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # raised by Python's own module, over a value that is none of its type
        return isinstance(error, sqlite3.DatabaseError)
    if code == sqlite3.SQLITE_IOERR_SHORT_READ:
        return True
    primary = code & 255
    if primary == sqlite3.SQLITE_READONLY:  # also what a flipped bit in the file's head is taken for
        return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    return primary not in _NOT_THE_FILE


def remove(path: Path) -> None:
    """Delete a SQLite file and its journal."""
    remove_journal(path)
    path.unlink(missing_ok=True)


def remove_journal(path: Path) -> None:
    """Delete what would be played back into the next file of that name."""
    for part in _JOURNALS:
        path.with_name(path.name + part).unlink(missing_ok=True)


def tolerant(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Let a text that is no Unicode be read as some other text, which then is not found, and not as a fault."""
    connection.execute("PRAGMA cell_size_check = ON")
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return connection
