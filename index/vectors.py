"""What the encoder made of each article, kept in one SQLite file of our own.

An embedded Chroma can lose its index when it is killed, so it is treated as rebuildable: these records are the
originals. A record is keyed by the article's content and everything that changes its vectors, so it is never stale, and
carries a checksum over key and content. The tokens of a passage stand by themselves: a question reads those of a few
passages, so they stay on disk.
"""

import io
import math
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.damage import tolerant
from index.encoder import FloatMatrix, normalise
from index.errors import UserError

_TABLES = """
CREATE TABLE IF NOT EXISTS articles (
    number INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, sentences INTEGER NOT NULL, record BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (
    article INTEGER NOT NULL, passage INTEGER NOT NULL, sum INTEGER NOT NULL, starts BLOB NOT NULL,
    codes BLOB NOT NULL, PRIMARY KEY (article, passage)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS written (name TEXT PRIMARY KEY, digest TEXT NOT NULL, sentences INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_COLUMNS = 4  # of the table of articles
_BUSY_SECONDS = 60.0  # how long one process waits for another's commit
_ENDED = "ended"


_READ = """
SELECT sum, starts, codes FROM tokens
WHERE article = (SELECT number FROM articles WHERE key = ?) AND passage = ?
"""


class DamagedRecordError(UserError):
    """A record is damaged, or another process has removed it since."""

    def __init__(self, key: str) -> None:
        super().__init__("the stored vectors of an article are damaged: polycite index mends them")
        self.key = key


@dataclass(frozen=True)
class EncodedArticle:
    """Spans and vectors of one article; all offsets are characters of its text."""

    sentences: NDArray[np.int32]  # [sentences, 2]: start, end
    passages: NDArray[np.int32]  # [passages, 4]: start, end, first sentence, last sentence (exclusive)
    sentence_vectors: NDArray[np.float16]  # [sentences, dimension], as the encoder gives them
    passage_vectors: NDArray[np.float16]  # [passages, dimension]


@dataclass(frozen=True)
class PackedTokens:
    """The tokens of one passage."""

    codes: NDArray[np.uint8]  # [tokens, dimension / 2], see pack_tokens
    starts: NDArray[np.int32]  # [tokens], first character


class VectorCache:
    """Records by key. Not for several threads at once; one process writes, several may read."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        connection = tolerant(sqlite3.connect(self.path, timeout=_BUSY_SECONDS, check_same_thread=False))
        try:
            connection.executescript(_TABLES)
            if len(connection.execute("SELECT * FROM articles LIMIT 0").description) != _COLUMNS:
                raise sqlite3.DatabaseError("an older layout")
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection

    def sizes(self) -> dict[str, int]:
        """Numbers of sentences of all records, by key."""
        rows = self._connection.execute("SELECT key, sentences FROM articles")
        return {key: size for key, size in rows if isinstance(key, str) and isinstance(size, int)}

    def get(self, key: str) -> EncodedArticle | None:
        """The record of a key; None where there is none, or where it is damaged."""
        row = self._connection.execute("SELECT record FROM articles WHERE key = ?", (key,)).fetchone()
        return unpack_record(key, row[0]) if row else None

    def put(self, records: Iterable[tuple[str, EncodedArticle, Sequence[PackedTokens]]]) -> None:
        """Keep records, all or none."""
        with self._connection:
            for key, record, tokens in records:
                self._delete([key])
                cursor = self._connection.execute(
                    "INSERT INTO articles (key, sentences, record) VALUES (?, ?, ?)",
                    (key, len(record.sentences), _pack(key, record)),
                )
                rows = ((p, each.starts.tobytes(), each.codes.tobytes()) for p, each in enumerate(tokens))
                self._connection.executemany(
                    "INSERT INTO tokens VALUES (?, ?, ?, ?, ?)",
                    [
                        (cursor.lastrowid, p, token_sum(key, p, starts, codes), starts, codes)
                        for p, starts, codes in rows
                    ],
                )

    def keep_only(self, keys: Iterable[str]) -> None:
        """Forget every record but these."""
        kept = set(keys)
        stored = [key for (key,) in self._connection.execute("SELECT key FROM articles")]
        self.forget([key for key in stored if key not in kept])

    def forget(self, keys: Iterable[str]) -> None:
        """Forget records."""
        with self._connection:
            self._delete(keys)

    def _delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._connection.execute(
                "DELETE FROM tokens WHERE article = (SELECT number FROM articles WHERE key = ?)", (key,)
            )
            self._connection.execute("DELETE FROM articles WHERE key = ?", (key,))

    def written(self) -> dict[str, tuple[str, int]]:
        """What the collection held when it was last closed: digest and number of sentences by article name."""
        rows = self._connection.execute("SELECT name, digest, sentences FROM written")
        return {name: (digest, sentences) for name, digest, sentences in rows}

    def set_written(self, changed: Mapping[str, tuple[str, int]], gone: Iterable[str], state: str) -> None:
        """Keep what the collection holds now, and the state of its files: the run has ended."""
        with self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO written VALUES (?, ?, ?)", [(name, *each) for name, each in changed.items()]
            )
            self._connection.executemany("DELETE FROM written WHERE name = ?", [(name,) for name in gone])
            self._set("collection", state)
            self._set("run", _ENDED)

    def begin(self) -> bool:
        """Mark that a run writes the collection, whose state is unknown until ``set_written``.

        Whether the run before it did not come so far.
        """
        unfinished = self._fact("run") not in ("", _ENDED)
        with self._connection:
            self._set("run", "begun")
            self._set("collection", "open")
        return unfinished

    def written_state(self) -> str:
        """The state of the collection's files when it was last closed; "" where it never was, "open" where it was not.

        Where the run was killed meanwhile, that is.
        """
        return self._fact("collection")

    def _fact(self, name: str) -> str:
        row = self._connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def _set(self, name: str, value: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class TokenReader:
    """The tokens of passages, out of the file that VectorCache writes. For any number of threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._of_thread = threading.local()

    def read(self, key: str, passage: int, width: int) -> PackedTokens:
        """The tokens of a passage, ``width`` bytes each. Raises DamagedRecordError."""
        try:
            row = self._connection.execute(_READ, (key, passage)).fetchone()
            checksum, starts, codes = row or (None, b"", b"")
            if checksum != token_sum(key, passage, starts, codes):
                raise DamagedRecordError(key)
        except (sqlite3.DatabaseError, TypeError, OverflowError) as error:
            raise DamagedRecordError(key) from error
        return PackedTokens(np.frombuffer(codes, np.uint8).reshape(-1, width), np.frombuffer(starts, np.int32))

    @property
    def _connection(self) -> sqlite3.Connection:
        """This thread's own; a file that was made anew since is opened again."""
        status = self.path.stat() if self.path.exists() else None
        number = status.st_ino if status else 0
        if getattr(self._of_thread, "number", None) != number:
            self._of_thread.connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS)
            self._of_thread.number = number
        connection: sqlite3.Connection = self._of_thread.connection
        return connection


def token_sum(key: str, passage: int, starts: bytes, codes: bytes) -> int:
    """The checksum of the tokens of a passage; of whose they are, too."""
    return zlib.crc32(codes, zlib.crc32(starts, zlib.crc32(f"{key} {passage}".encode())))


def _pack(key: str, record: EncodedArticle) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **vars(record))
    content = buffer.getvalue()
    return zlib.crc32(content, zlib.crc32(key.encode())).to_bytes(4, "little") + content


def unpack_record(key: str, raw: object) -> EncodedArticle | None:
    """The record in a row of the table; None where it is not the one that was written there."""
    if not isinstance(raw, bytes) or zlib.crc32(raw[4:], zlib.crc32(key.encode())) != int.from_bytes(raw[:4], "little"):
        return None
    with np.load(io.BytesIO(raw[4:]), allow_pickle=False) as arrays:
        return EncodedArticle(**{field.name: arrays[field.name] for field in fields(EncodedArticle)})


_LEVELS = 16
_REACH = 2.5  # standard deviations that the levels span on either side


def pack_tokens(vectors: FloatMatrix) -> NDArray[np.uint8]:
    """Unit vectors [tokens, dimension] in 4 bits a number, two in a byte; retrieval loses nothing by it.

    The numbers of a unit vector have a standard deviation of 1 / sqrt(dimension).
    """
    reach = np.float32(_REACH / math.sqrt(vectors.shape[1]))
    codes = np.floor((vectors / reach + 1) / 2 * _LEVELS).clip(0, _LEVELS - 1).astype(np.uint8)
    return np.bitwise_or(codes[:, 0::2], np.left_shift(codes[:, 1::2], np.uint8(4)))


def unpack_tokens(codes: NDArray[np.uint8]) -> FloatMatrix:
    """The unit vectors [tokens, dimension] that codes [tokens, dimension / 2] stand for."""
    levels = np.empty((len(codes), 2 * codes.shape[1]), np.float32)
    levels[:, 0::2], levels[:, 1::2] = codes & 15, codes >> 4
    return normalise(levels - np.float32((_LEVELS - 1) / 2))
