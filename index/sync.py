"""Brings the collection in line with the folder of articles: a diff over content, so that twice is once.

Order matters: vectors are cached before rows are written, new rows are written before old ones go, and every id names
its content. A sync that was killed is finished by the next one without encoding anything again.
"""

import hashlib
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from index.articles import Article
from index.centres import LanguageTable, load_table
from index.collection import Collection, load_article, load_collection
from index.encoder import Encoder
from index.encoding import encode
from index.errors import UserError
from index.folder import LeftOut, scan, shown
from index.passages import LONGEST, SHORTEST
from index.reading import Reading, read_folder
from index.settings import Settings
from index.store import DamagedStoreError, Row, Store, files_state, row_ids, rows_of
from index.texts import TextCache
from index.vectors import EncodedArticle, TokenReader, VectorCache

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]  # stage, done, total
LAYOUT = 2  # raised whenever the same text would give other sentences, passages or records
_LOCK_SECONDS = 600.0
_GROUP = 16_000  # characters: enough for full batches, few enough to show progress


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
    settings: Settings,
    encoder: Encoder,
    *,
    rebuild: bool = False,
    progress: Progress | None = None,
    previous: Collection | None = None,
    damaged: Sequence[str] = (),
) -> tuple[SyncReport, Collection]:
    """Update the collection and load it.

    ``previous`` is what this process loaded before; ``damaged`` are keys of records to be made again.

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
            cache.forget(damaged)
            counts = job.run(read.articles, rebuild, previous)
            collection = job.load(read.articles, previous)
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
        self.sizes: dict[str, int] = {}  # numbers of sentences by key of the record

    def run(self, articles: Sequence[Article], rebuild: bool, previous: Collection | None) -> dict[str, int]:
        """Write what is missing, delete what is stale; numbers of articles added, changed, removed, unchanged."""
        self.sizes = self.cache.sizes()
        wanted = {article.name: article for article in articles}
        held = self.cache.written()
        if rebuild or self._files_state() != self.cache.written_state() or not self._all_written(wanted, held):
            with self._store() as store:
                counts = self._update(store, wanted, rebuild)
            gone = [name for name in held if name not in wanted]
            now = {name: (article.digest, self.sizes[self.key(article)]) for name, article in wanted.items()}
            changed = {name: each for name, each in now.items() if held.get(name) != each}
            self.cache.set_written(changed, gone, self._files_state())
        else:
            counts = dict.fromkeys(("added", "changed", "removed"), 0) | {"unchanged": len(articles)}
        # Questions may still be answered from the collection before this one.
        kept = [part.key for part in previous.loaded.values()] if previous else []
        self.cache.keep_only([*kept, *(self.key(article) for article in articles)])
        return counts

    def _all_written(self, wanted: Mapping[str, Article], held: Mapping[str, tuple[str, int]]) -> bool:
        """Whether the collection, untouched since it was closed, holds just these articles."""
        return held == {
            name: (article.digest, self.sizes.get(self.key(article), -1)) for name, article in wanted.items()
        }

    def _files_state(self) -> str:
        """Changes whenever the collection may have: never equal for a server's, which others may write."""
        state = files_state(self._where)
        return f"{self.fingerprint} {state}" if state else f"unknown {time.time_ns()}"

    def _update(self, store: Store, wanted: Mapping[str, Article], rebuild: bool) -> dict[str, int]:
        if store.was_rebuilt_from is not None:
            self.notes.append(f"settings changed ({store.was_rebuilt_from} -> {self.fingerprint}): rebuilt")
        try:
            stored = store.digests()
            if rebuild:
                store.clear()
                stored = {}
        except DamagedStoreError as error:
            self.notes.append(f"the collection was damaged ({error}): rebuilt from the vector cache")
            store.clear()
            stored = {}
        return self._diff(store, list(wanted.values()), stored)

    @property
    def _where(self) -> str | Path:
        return self.settings.store if self.settings.is_remote else self.settings.store_folder / "chroma"

    def _store(self) -> Store:
        """The open store; a folder so damaged that Chroma cannot open it is moved aside."""
        where = self._where
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
        done = 0
        for group in _groups(articles):
            self.progress("indexing", done, len(articles))
            self._encode(group)
            rows: list[Row] = []
            for article in group:
                wanted = set(row_ids(article, self.sizes[self.key(article)]))
                present = stored.pop(article.name, set())
                if wanted == present:
                    counts["unchanged"] += 1
                    continue
                counts["changed" if present else "added"] += 1
                rows.extend(rows_of(article, self.record(article), self.table))
                stale.extend(present - wanted)
            store.upsert(rows)
            done += len(group)
        for ids in stored.values():
            counts["removed"] += 1
            stale.extend(ids)
        store.delete(stale)
        self.progress("indexing", len(articles), len(articles))
        return counts

    def _encode(self, articles: Sequence[Article]) -> None:
        """Encode those of some articles that have no record."""
        missing = {self.key(article): article for article in articles if self.key(article) not in self.sizes}
        records = encode(list(missing.values()), self.encoder, self.table) if missing else []
        self.cache.put([(key, *each) for key, each in zip(missing, records, strict=True)])
        for key, (record, _) in zip(missing, records, strict=True):
            self.sizes[key] = len(record.sentences)
            self.sentences_encoded += len(record.sentences)

    def record(self, article: Article) -> EncodedArticle:
        """The record of an article; made again where it is damaged."""
        key = self.key(article)
        record = self.cache.get(key)
        if record is None or len(record.sentences) != self.sizes[key]:
            self.notes.append(f"the vectors of {article.name!r} were damaged: encoded again")
            del self.sizes[key]
            self._encode([article])
            record = self.cache.get(key)
        if record is None:
            raise sqlite3.DatabaseError(f"{self.cache.path.name} does not keep what is written to it")
        return record

    def key(self, article: Article) -> str:
        """What an article's vectors depend on."""
        return hashlib.sha256(f"{article.digest} {article.language} {self.fingerprint}".encode()).hexdigest()

    def load(self, articles: Sequence[Article], previous: Collection | None) -> Collection:
        """The collection in memory; what ``previous`` holds already is taken from there."""
        before = {part.key: part for part in previous.loaded.values()} if previous else {}
        loaded = {}
        for article in articles:
            key = self.key(article)
            loaded[article.name] = before.get(key) or load_article(
                key, self.record(article), article.language, self.table
            )
        return load_collection(articles, loaded, self.table, TokenReader(self.cache.path))


def _groups(articles: Sequence[Article]) -> Iterator[list[Article]]:
    """Articles whose texts are encoded together."""
    group: list[Article] = []
    for article in articles:
        group.append(article)
        if sum(len(each.text) for each in group) >= _GROUP:
            yield group
            group = []
    if group:
        yield group


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
