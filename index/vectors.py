"""What the encoder made of each article, kept in one SQLite file of our own.

An embedded Chroma can lose its index when it is killed, so it is treated as rebuildable: these records are the
originals. A record is keyed by the article's content and everything that changes its vectors, so it is never stale.
"""

import io
import sqlite3
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.encoder import FloatMatrix


@dataclass(frozen=True)
class EncodedArticle:
    """Spans and vectors of one article; all offsets are characters of its text."""

    sentences: NDArray[np.int32]  # [sentences, 2]: start, end
    passages: NDArray[np.int32]  # [passages, 4]: start, end, first sentence, last sentence (exclusive)
    sentence_vectors: NDArray[np.float16]  # [sentences, dimension], as the encoder gives them
    passage_vectors: NDArray[np.float16]  # [passages, dimension]
    token_codes: NDArray[np.uint8]  # [tokens, dimension / 2], see pack_tokens; no rows where tokens are not used
    token_starts: NDArray[np.int32]  # [tokens], first character
    token_rows: NDArray[np.int32]  # [passages + 1]: passage p has tokens token_rows[p] to token_rows[p + 1]


class VectorCache:
    """Records by key. Not for several threads at once; several processes may read."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, check_same_thread=False)
        try:
            connection.execute("CREATE TABLE IF NOT EXISTS articles (key TEXT PRIMARY KEY, record BLOB NOT NULL)")
            connection.execute("PRAGMA quick_check").fetchone()
        except sqlite3.DatabaseError:
            # A damaged cache costs time, not data: it is made again from the articles.
            connection.close()
            self._path.unlink()
            return self._open()
        return connection

    def get(self, key: str) -> EncodedArticle | None:
        """The record of a key; None where there is none, or where it is damaged."""
        try:
            row = self._connection.execute("SELECT record FROM articles WHERE key = ?", (key,)).fetchone()
            return _unpack(row[0]) if row else None
        except (sqlite3.DatabaseError, zipfile.BadZipFile, ValueError, KeyError, OSError):
            return None

    def put(self, records: Iterable[tuple[str, EncodedArticle]]) -> None:
        """Keep records, all or none."""
        with self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO articles VALUES (?, ?)", [(key, _pack(record)) for key, record in records]
            )

    def keep_only(self, keys: Iterable[str]) -> None:
        """Forget every record but these."""
        kept = set(keys)
        stored = [key for (key,) in self._connection.execute("SELECT key FROM articles")]
        with self._connection:
            self._connection.executemany("DELETE FROM articles WHERE key = ?", [(k,) for k in stored if k not in kept])

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _pack(record: EncodedArticle) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **vars(record))  # a zip: each array carries a checksum
    return buffer.getvalue()


def _unpack(raw: bytes) -> EncodedArticle:
    with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
        return EncodedArticle(**{field.name: arrays[field.name] for field in fields(EncodedArticle)})


_LEVELS = 16
_REACH = 2.5  # standard deviations that the levels span on either side


def pack_tokens(vectors: FloatMatrix, scale: FloatMatrix) -> NDArray[np.uint8]:
    """Centred token vectors [tokens, dimension] in 4 bits a number, two in a byte.

    ``scale`` [dimension] is the standard deviation of each number. Retrieval quality is that of full precision
    (README, "What was measured"); 2 bits lose a little.
    """
    levels = np.floor((vectors / (scale * _REACH) + 1) / 2 * _LEVELS)
    codes = np.clip(levels, 0, _LEVELS - 1).astype(np.uint8)
    return np.bitwise_or(codes[:, 0::2], np.left_shift(codes[:, 1::2], np.uint8(4)))


def unpack_tokens(codes: NDArray[np.uint8], scale: FloatMatrix) -> FloatMatrix:
    """The token vectors [tokens, dimension] that codes [tokens, dimension / 2] stand for."""
    levels = np.empty((len(codes), 2 * codes.shape[1]), np.float32)
    levels[:, 0::2], levels[:, 1::2] = codes & 15, codes >> 4
    vectors: FloatMatrix = ((levels + 0.5) / _LEVELS * 2 - 1) * (scale * _REACH)
    return vectors
