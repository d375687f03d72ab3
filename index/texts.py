"""What was read out of each file, kept in one SQLite file of our own, so that no file is parsed twice.

A record is keyed by the file's content and ending; a file whose size and times are those of its last reading is not
even opened. Records can always be made again from the files, so a damaged one is simply forgotten.
"""

import hashlib
import json
import sqlite3
import time
import zlib
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path, PurePosixPath

from index.articles import Article
from index.damage import is_damage, remove, tolerant
from index.folder import Found, LeftOut, State
from index.formats.extracted import VERSION

READING = 1  # raised whenever title, date, head or language of the same text would come out otherwise
_FRESH = 2_000_000_000  # ns: a file changed so shortly before its reading may change again without showing it
_BATCH = 1_000_000  # bytes of records
_TABLES = """
CREATE TABLE IF NOT EXISTS texts (key TEXT PRIMARY KEY, sum INTEGER NOT NULL, record BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS files (name TEXT PRIMARY KEY, state TEXT NOT NULL, key TEXT NOT NULL);
"""


class TextCache:
    """Records by content. Not for several threads or processes at once: whoever uses it holds the store's lock."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._connection = self._open()
        rows = self._connection.execute("SELECT name, state, key FROM files")
        self._files = {str(name): (str(state), str(key)) for name, state, key in rows}
        self._waiting = 0  # bytes put since the last commit
        self._new: dict[str, tuple[str, str]] = {}

    def _open(self) -> sqlite3.Connection:
        connection = tolerant(sqlite3.connect(self._path))
        try:
            connection.executescript(_TABLES)
            if connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise sqlite3.DatabaseError("damaged")
        except sqlite3.DatabaseError as error:
            connection.close()
            if not is_damage(error, self._path):
                raise
            remove(self._path)
            return self._open()
        return connection

    def known(self, found: Found) -> Article | LeftOut | None:
        """What the file held at its last reading, where it has not changed since; None where it must be read."""
        state, key = self._files.get(found.name, ("", ""))
        return self.get(found.name, key) if state == _spelled(found.state) else None

    def get(self, name: str, key: str) -> Article | LeftOut | None:
        """The record of a content as that of a file named ``name``; None where there is none, or a damaged one."""
        try:
            row = self._connection.execute("SELECT sum, record FROM texts WHERE key = ?", (key,)).fetchone()
            if row is None or row[0] != _sum(key, row[1]):
                return None
            fields = json.loads(row[1])
        except (sqlite3.DatabaseError, ValueError, TypeError):
            return None
        if "reason" in fields:
            return LeftOut(name, fields["reason"])
        return Article(name=name, **fields | {"pages": tuple(fields["pages"])})

    def put(self, key: str, read: Article | LeftOut) -> None:
        """Keep a record, with others: each time the disk is waited for costs more than reading some articles again."""
        fields = {field: value for field, value in asdict(read).items() if field != "name"}
        record = json.dumps(fields, ensure_ascii=False).encode("utf-8", "surrogatepass")
        self._connection.execute("INSERT OR REPLACE INTO texts VALUES (?, ?, ?)", (key, _sum(key, record), record))
        self._waiting += len(record)
        if self._waiting > _BATCH:
            self._connection.commit()
            self._waiting = 0

    def remember(self, found: Found, key: str) -> None:
        """Keep which content a file has, unless it changed so lately that it may be changing still."""
        if max(found.state[1:3]) < time.time_ns() - _FRESH:
            self._new[found.name] = (_spelled(found.state), key)

    def finish(self, present: Iterable[Found], keys: Iterable[str]) -> None:
        """Write what is to be remembered, and forget files and contents that are there no more."""
        names, kept = {found.name for found in present}, set(keys)
        gone = [(name,) for name in self._files if name not in names]
        stored = [key for (key,) in self._connection.execute("SELECT key FROM texts")]
        with self._connection:
            rows = [(name, state, key) for name, (state, key) in self._new.items()]
            self._connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", rows)
            self._connection.executemany("DELETE FROM files WHERE name = ?", gone)
            self._connection.executemany("DELETE FROM texts WHERE key = ?", [(k,) for k in stored if k not in kept])

    def key_of(self, found: Found) -> str:
        """The key that a file had at its last reading; "" where there is none."""
        return self._files.get(found.name, ("", ""))[1]

    def close(self) -> None:
        """Keep what was put, and close the file."""
        try:
            self._connection.commit()
        finally:
            self._connection.close()


def key_for(name: str, raw: bytes) -> str:
    """What the record of a file depends on: its bytes, its ending, and how files are read."""
    ending = PurePosixPath(name).suffix.lower()
    return hashlib.sha256(f"{READING} {VERSION} {ending}\n".encode() + raw).hexdigest()


def _spelled(state: State) -> str:
    return " ".join(map(str, state))


def _sum(key: str, record: bytes) -> int:
    return zlib.crc32(record, zlib.crc32(key.encode()))
