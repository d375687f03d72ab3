"""Brings the collection in line with the folder of articles: a diff over content, so that twice is once.

Order matters: vectors are cached before rows are written, new rows are written before old ones go, and every id names
its content. A sync that was killed is finished by the next one without encoding anything again.
"""

import hashlib
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from index.articles import Article
from index.centres import LanguageTable, load_table
from index.collection import Collection, load_collection
from index.empty import empty_collection
from index.encoder import Encoder
from index.encoding import encode, parse
from index.errors import UserError
from index.folder import LeftOut, scan, shown
from index.passages import LONGEST, SHORTEST
from index.reading import Reading, read_folder
from index.settings import Settings
from index.store import DamagedStoreError, Store, row_id, rows_of
from index.texts import TextCache
from index.vectors import EncodedArticle, VectorCache

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]  # stage, done, total
LAYOUT = 1  # raised whenever the same text would give other sentences, passages or records
_LOCK_SECONDS = 600.0


@dataclass(frozen=True)
class SyncReport:
    """What a sync did: numbers of articles, sentences encoded, seconds, files left out, and things worth saying."""

    added: int
    changed: int
    removed: int
    unchanged: int
    sentences_encoded: int
    seconds: float
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()


def sync(
    settings: Settings, encoder: Encoder, *, rebuild: bool = False, progress: Progress | None = None
) -> tuple[SyncReport, Collection]:
    """Update the collection and load it.

    Raises UserError where the corpus folder is missing or, unless ``settings.allow_empty``, holds no article; where
    another process holds the store; and where the store cannot be written.
    """
    started = time.perf_counter()
    scan(settings.corpus)  # says at once, and not after waiting for the lock, that there is no such folder
    with _faults_named(settings.store_folder), _locked(settings.store_folder):
        read = _read(settings, rebuild, progress)
        table = load_table(encoder.name, encoder.dimension)
        cache = VectorCache(settings.store_folder / "vectors.sqlite")
        try:
            job = _Sync(settings, encoder, cache, table, progress)
            counts = job.run(read.articles, rebuild)
            collection = job.load(read.articles)
        finally:
            cache.close()
    report = SyncReport(
        **counts,
        sentences_encoded=job.sentences_encoded,
        seconds=time.perf_counter() - started,
        left_out=tuple(read.left_out),
        notes=tuple(job.notes),
    )
    return report, collection


def fingerprint(encoder: Encoder, table: LanguageTable) -> str:
    """Names all that changes what is stored: layout, size of passages, fixed centres, model and prompts."""
    return f"layout={LAYOUT} passages={SHORTEST}-{LONGEST} centres={table.digest} {encoder.fingerprint}"


class _Sync:
    """One run: what it shares between its steps."""

    def __init__(
        self, settings: Settings, encoder: Encoder, cache: VectorCache, table: LanguageTable, progress: Progress | None
    ) -> None:
        self.settings = settings
        self.encoder = encoder
        self.cache = cache
        self.table = table
        self.fingerprint = fingerprint(encoder, table)
        self.progress = progress or (lambda stage, done, total: None)
        self.sentences_encoded = 0
        self.notes: list[str] = []

    def run(self, articles: Sequence[Article], rebuild: bool) -> dict[str, int]:
        """Write what is missing, delete what is stale; numbers of articles added, changed, removed, unchanged."""
        with self._store() as store:
            if store.was_rebuilt_from is not None:
                self.notes.append(f"settings changed ({store.was_rebuilt_from} -> {self.fingerprint}): rebuilt")
            try:
                stored = store.digests()
                if rebuild:
                    store.clear()
            except DamagedStoreError as error:
                self.notes.append(f"the collection was damaged ({error}): rebuilt from the vector cache")
                store.clear()
                stored = {}
            counts = self._diff(store, articles, {} if rebuild else stored)
            self.cache.keep_only(self.key(article) for article in articles)
        return counts

    def _store(self) -> Store:
        """The open store; a folder so damaged that Chroma cannot open it is moved aside."""
        where = self.settings.store if self.settings.is_remote else self.settings.store_folder / "chroma"
        try:
            return Store(where, self.fingerprint)
        except DamagedStoreError as error:
            if isinstance(where, str):
                raise UserError(f"the Chroma server at {where} fails ({error}): look at its log") from error
            aside = where.with_name(f"chroma-damaged-{int(time.time())}")
            where.rename(aside)
            self.notes.append(f"the collection could not be opened ({error}): rebuilt, the old one is {aside.name}")
            return Store(where, self.fingerprint)

    def _diff(self, store: Store, articles: Sequence[Article], stored: dict[str, set[str]]) -> dict[str, int]:
        counts = dict.fromkeys(("added", "changed", "removed", "unchanged"), 0)
        stale: list[str] = []
        for done, article in enumerate(articles):
            self.progress("indexing", done, len(articles))
            wanted = {row_id(article, i) for i in range(len(parse(article)[0]))}
            present = stored.pop(article.name, set())
            if wanted == present:
                counts["unchanged"] += 1
                continue
            counts["changed" if present else "added"] += 1
            store.upsert(rows_of(article, self.encoded(article), self.table))
            stale.extend(present - wanted)
        for ids in stored.values():
            counts["removed"] += 1
            stale.extend(ids)
        store.delete(stale)
        self.progress("indexing", len(articles), len(articles))
        return counts

    def encoded(self, article: Article) -> EncodedArticle:
        """Vectors of an article, from the cache or, once, from the encoder."""
        key = self.key(article)
        record = self.cache.get(key)
        if record is None:
            record = encode(article, self.encoder, self.table)
            self.sentences_encoded += len(record.sentences)
            self.cache.put([(key, record)])
        return record

    def key(self, article: Article) -> str:
        """What an article's vectors depend on."""
        return hashlib.sha256(f"{article.digest} {article.language} {self.fingerprint}".encode()).hexdigest()

    def load(self, articles: Sequence[Article]) -> Collection:
        """The collection in memory."""
        with self._store() as store:
            rows = list(store.rows())
        if not articles:
            return empty_collection(self.table, self.encoder.dimension)
        records = {article.name: self.encoded(article) for article in articles}
        return load_collection(articles, rows, records, self.table)


def _read(settings: Settings, anew: bool, progress: Progress | None) -> Reading:
    """The articles. A folder without any is taken for one that is not there, unless the user says otherwise."""
    cache = TextCache(settings.store_folder / "texts.sqlite")
    try:
        read = read_folder(settings.corpus, cache, progress, anew=anew, allow_empty=settings.allow_empty)
    finally:
        cache.close()
    return read


@contextmanager
def _faults_named(folder: Path) -> Iterator[None]:
    """Say in one line what the disk refuses."""
    try:
        yield
    except (OSError, sqlite3.Error, DamagedStoreError) as error:
        why = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise UserError(
            f"the folder {shown(str(folder))!r} cannot be written ({why}): make room or mend its rights, or "
            "give another --data or --store"
        ) from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the store alone. The system frees the lock of a process that died."""
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    holder = folder / "lock.holder"
    try:
        with FileLock(folder / "lock", timeout=_LOCK_SECONDS):
            holder.write_text(f"process {os.getpid()}", encoding="utf-8")
            yield
            holder.unlink(missing_ok=True)
    except Timeout:
        who = holder.read_text(encoding="utf-8") if holder.exists() else "another process"
        raise UserError(f"{who} has been writing {str(folder)!r} for {_LOCK_SECONDS:.0f} s: wait, or stop it") from None
