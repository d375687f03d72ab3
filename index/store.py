"""The Chroma collection: one row a sentence.

A row's vector is ``normalise(sentence + passage)``: the sentence, carrying its passage. Two processes on one embedded
Chroma lose data, so a collection is only opened under the store's lock and closed again.
"""

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from index.articles import Article
from index.encoder import FloatMatrix, normalise
from index.errors import UserError
from index.lease import Lease
from index.vectors import EncodedArticle

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

_Item = TypeVar("_Item")

COLLECTION = "polycite"
_BATCH = 2000  # rows a call; Chroma's limit is 5 461


class DamagedStoreError(Exception):
    """The collection cannot be read any more."""


@dataclass(frozen=True)
class Row:
    """One sentence as the collection holds it."""

    id: str
    vector: FloatMatrix
    text: str
    metadata: dict[str, str | int]


class Store:
    """One open collection; use as a context manager."""

    def __init__(self, where: str | Path, fingerprint: str) -> None:
        self._client = _connect(where)
        self.fingerprint = fingerprint
        self.was_rebuilt_from: str | None = None
        self._lease: Lease | None = None
        try:
            with _damage_named():
                self._lease = Lease(self._client, where) if isinstance(where, str) else None
            self._collection = self._open()
        except DamagedStoreError:
            self.__exit__()
            raise

    def _open(self) -> "Collection":
        with _damage_named():
            names = [collection.name for collection in self._client.list_collections()]
            if COLLECTION not in names:
                return self._create()
            collection = self._client.get_collection(COLLECTION, embedding_function=None)
            if collection.metadata and collection.metadata.get("fingerprint") == self.fingerprint:
                return collection
            self.was_rebuilt_from = str((collection.metadata or {}).get("fingerprint", "unknown settings"))
        return self.clear()

    def _create(self) -> "Collection":
        return self._client.create_collection(
            COLLECTION,
            configuration={"hnsw": {"space": "cosine"}},
            metadata={"fingerprint": self.fingerprint},
            embedding_function=None,
        )

    def clear(self) -> "Collection":
        """Empty the collection, whatever state it is in."""
        with _damage_named():
            self._client.delete_collection(COLLECTION)
            self._collection = self._create()
        return self._collection

    def digests(self) -> dict[str, set[str]]:
        """The ids of every article's rows, by article name."""
        ids: dict[str, set[str]] = {}
        with _damage_named():
            for row_id in self._collection.get(include=[])["ids"]:
                ids.setdefault(row_id.rsplit("@", 1)[0], set()).add(row_id)
        return ids

    def upsert(self, rows: Iterable[Row]) -> None:
        """Write rows, replacing those of the same id."""
        with _damage_named():
            for batch in _batches(rows):
                self._renew()
                self._collection.upsert(
                    ids=[row.id for row in batch],
                    embeddings=np.stack([row.vector for row in batch]),
                    documents=[row.text for row in batch],
                    metadatas=[row.metadata for row in batch],
                )

    def delete(self, ids: Sequence[str]) -> None:
        """Remove rows."""
        with _damage_named():
            for batch in _batches(ids):
                self._renew()
                self._collection.delete(ids=batch)

    def _renew(self) -> None:
        if self._lease:
            self._lease.renew()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        with _damage_named():
            if self._lease:
                self._lease.release()
            # Every client has it, but the interface that chromadb declares does not name it.
            self._client.close()  # type: ignore[attr-defined]


def rows_of(article: Article, encoded: EncodedArticle) -> list[Row]:
    """The rows of an article, one a sentence."""
    vectors = blend(encoded)
    ids = row_ids(article, len(encoded.sentences))
    rows = []
    for passage_start, passage_end, first, last in encoded.passages.tolist():
        for i in range(first, last):
            start, end = encoded.sentences[i].tolist()
            metadata: dict[str, str | int] = {
                "article": article.name,
                "digest": article.digest,
                "title": article.title,
                "language": article.language,
                "date": int((article.date or "0000-00")[:7].replace("-", "")),
                "sentence": i,
                "start": start,
                "end": end,
                "passage_start": passage_start,
                "passage_end": passage_end,
            }
            rows.append(Row(ids[i], vectors[i], article.text[start:end], metadata))
    return rows


def row_ids(article: Article, sentences: int) -> list[str]:
    """The ids of the rows of an article's sentences: they change with its content."""
    return [f"{article.name}@{article.digest[:16]}:{i}" for i in range(sentences)]


def files_state(where: str | Path) -> str:
    """Changes whenever a process wrote to the collection's files; "" for a server's, which only the server knows."""
    if isinstance(where, str) or not where.is_dir():
        return ""
    states = ((path, path.stat()) for path in sorted(where.rglob("*")) if path.is_file())
    listed = (f"{path.relative_to(where)} {state.st_size} {state.st_mtime_ns}" for path, state in states)
    return hashlib.sha256("\n".join(listed).encode()).hexdigest()


def blend(encoded: EncodedArticle) -> FloatMatrix:
    """Unit vectors [sentences, dimension]: each sentence with its passage."""
    sentences = encoded.sentence_vectors.astype(np.float32)
    passages = encoded.passage_vectors.astype(np.float32)
    counts = encoded.passages[:, 3] - encoded.passages[:, 2]
    return normalise(sentences + np.repeat(passages, counts, axis=0))


def _connect(where: str | Path) -> "ClientAPI":
    import chromadb
    from chromadb.api.shared_system_client import SharedSystemClient
    from chromadb.config import Settings as ChromaSettings

    settings = ChromaSettings(anonymized_telemetry=False)
    if isinstance(where, Path):
        where.mkdir(parents=True, exist_ok=True)
        _check_database(where / "chroma.sqlite3")
        try:
            with _damage_named():
                return chromadb.PersistentClient(str(where), settings=settings)
        except DamagedStoreError:
            # Chroma keeps what it could not open, and would give just that to the next who asks for this folder.
            SharedSystemClient.clear_system_cache()
            raise
    from urllib.parse import urlsplit

    address = urlsplit(where)
    try:
        secure = address.scheme == "https"
        return chromadb.HttpClient(address.hostname or "", address.port or 8000, ssl=secure, settings=settings)
    except Exception as error:  # the client raises many kinds for one cause: nobody answers there
        raise UserError(f"no Chroma server answers at {where}: start one (chroma run) or correct --store") from error


def _check_database(path: Path) -> None:
    """Raise DamagedStoreError where the file is no database: a client that fails to open one stays broken."""
    import sqlite3

    if not path.exists():
        return
    connection = sqlite3.connect(path)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        raise DamagedStoreError(str(error)) from error
    finally:
        connection.close()


@contextmanager
def _damage_named() -> Iterator[None]:
    """Turn what Chroma raises into DamagedStoreError: over broken files it raises nearly anything, panics too."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise DamagedStoreError(_in_short(error)) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise DamagedStoreError(_in_short(error)) from error


def _in_short(error: BaseException) -> str:
    return " ".join(str(error).split())[:160]


def _batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, _BATCH)):
        yield batch
