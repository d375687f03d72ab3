"""Takes what is whole out of a damaged file of vectors, so that only the rest is encoded again."""

import itertools
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import numpy as np

from index.damage import remove, remove_journal, tolerant
from index.vectors import EncodedArticle, PackedTokens, VectorCache, token_sum, unpack_record

_Record = tuple[str, EncodedArticle, list[PackedTokens]]
_TOGETHER = 200  # records a commit
_MOST_TIMES = 100  # a head that says the file was so much longer is taken for damaged


def salvage(path: Path) -> int:
    """Put a new file in the place of the one at ``path``, with every record that is whole; the number of those.

    The new file knows nothing of the collection, which is written anew. Raises sqlite3.Error and OSError where there
    cannot be a new file; then the old one is where it was.
    """
    fresh = path.with_name(f"{path.name}.new")
    remove(fresh)
    kept = 0
    with closing(VectorCache(fresh)) as target:
        records = _whole(path)
        while batch := list(itertools.islice(records, _TOGETHER)):
            target.put(batch)
            kept += len(batch)
    remove_journal(path)
    fresh.replace(path)
    return kept


def find_damaged(path: Path) -> list[str]:
    """The keys of all records that are not whole. Raises sqlite3.Error where the file itself is damaged."""
    damaged = []
    with closing(tolerant(sqlite3.connect(path))) as connection:
        for number, key in connection.execute("SELECT number, key FROM articles NOT INDEXED").fetchall():
            try:
                whole = _record(connection, number) is not None
            except (TypeError, ValueError, OverflowError):
                whole = False
            if not whole:
                damaged.append(key)
    return damaged


def _whole(path: Path) -> Iterator[_Record]:
    if not path.is_file():
        return
    _lengthen(path)
    with closing(tolerant(sqlite3.connect(path))) as connection:
        for number in _numbers(connection):
            with suppress(sqlite3.Error, TypeError, ValueError, OverflowError):
                if record := _record(connection, number):
                    yield record


def _lengthen(path: Path) -> None:
    """Make up with zeros for what was cut off, for SQLite reads nothing at all of a file that is too short."""
    with path.open("rb") as file:
        head = file.read(100)
    if len(head) < 100 or not head.startswith(b"SQLite format 3\0"):
        return
    page = int.from_bytes(head[16:18], "big")
    size = (65_536 if page == 1 else page) * int.from_bytes(head[28:32], "big")
    if path.stat().st_size < size < _MOST_TIMES * path.stat().st_size:
        os.truncate(path, size)


def _numbers(connection: sqlite3.Connection) -> list[int]:
    """The rows that can be come by from either end of the table."""
    found: dict[int, None] = {}
    for order in ("ASC", "DESC"):
        with suppress(sqlite3.Error):
            for (number,) in connection.execute(f"SELECT number FROM articles NOT INDEXED ORDER BY number {order}"):  # noqa: S608 - a word of our own
                found[number] = None
    return list(found)


def _record(connection: sqlite3.Connection, number: int) -> _Record | None:
    key, raw = connection.execute("SELECT key, record FROM articles WHERE number = ?", (number,)).fetchone()
    record = unpack_record(key, raw)
    if record is None:
        return None
    rows = connection.execute(
        "SELECT passage, sum, starts, codes FROM tokens WHERE article = ? ORDER BY passage", (number,)
    ).fetchall()
    if [row[0] for row in rows] != list(range(len(record.passages))):
        return None
    if any(checksum != token_sum(key, passage, starts, codes) for passage, checksum, starts, codes in rows):
        return None
    width = (record.passage_vectors.shape[1] + 1) // 2
    return key, record, [
        PackedTokens(np.frombuffer(codes, np.uint8).reshape(-1, width), np.frombuffer(starts, np.int32))
        for _, _, starts, codes in rows
    ]  # fmt: skip
