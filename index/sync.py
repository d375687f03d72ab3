"""Brings the collection in line with the folder of articles: a diff over content, so that twice is once.

Order matters: vectors are cached before rows are written, new rows are written before old ones go, and every id names
its content. A sync that was killed is finished by the next one without encoding anything again. A collection that is
not as Polycite left it is not even opened, but written anew from the vectors: Chroma may crash over a damaged one.
"""

import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from index.articles import Article
from index.collection import Collection, load_collection
from index.damage import is_damage, remove
from index.encoder import Encoder
from index.errors import UserError
from index.folder import LeftOut, scan, shown
from index.lock import locked
from index.passages import LONGEST, SHORTEST
from index.reading import Reading, read_folder
from index.records import Records
from index.salvage import find_damaged, salvage
from index.settings import Settings
from index.store import DamagedStoreError, Row, Store, files_state, row_ids, rows_of
from index.texts import TextCache
from index.vectors import TokenReader, VectorCache

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]  # stage, done, total
LAYOUT = 4  # raised whenever the same text would give other sentences, passages or records
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
    with _faults_named(settings.store_folder), locked(settings.store_folder):
        read = _read(settings, rebuild, progress)
        job = _Sync(settings, encoder, progress, previous)
        counts, collection = job.run(read.articles, rebuild, damaged)
    for note in job.notes:
        log.warning("%s", note)
    report = SyncReport(
        **counts,
        sentences_encoded=job.records.sentences_encoded,
        seconds=time.perf_counter() - started,
        left_out=tuple(read.left_out),
        notes=tuple(job.notes),
    )
    return report, collection


def fingerprint(encoder: Encoder) -> str:
    """Names all that changes what is stored: layout, size of passages, model, weights and prompts."""
    return f"layout={LAYOUT} passages={SHORTEST}-{LONGEST} {encoder.fingerprint}"


class _Sync:
    """One run: what it shares between its steps."""

    def __init__(
        self, settings: Settings, encoder: Encoder, progress: Progress | None, previous: Collection | None
    ) -> None:
        self.dimension = encoder.dimension
        self.fingerprint = fingerprint(encoder)
        self.progress = progress or (lambda stage, done, total: None)
        self.path = settings.store_folder / "vectors.sqlite"
        self.where: str | Path = settings.store if settings.is_remote else settings.store_folder / "chroma"
        self.notes: list[str] = []
        # Questions may still be answered from the collection before this one.
        self.before = list(previous.loaded.values()) if previous else []
        self.records = Records(encoder, self.fingerprint, self.before)

    def run(
        self, articles: Sequence[Article], rebuild: bool, damaged: Sequence[str]
    ) -> tuple[dict[str, int], Collection]:
        """Numbers of articles added, changed, removed and unchanged; the collection, loaded."""
        try:
            with closing(VectorCache(self.path)) as cache:
                if set(damaged) & set(cache.sizes()):
                    cache.forget(find_damaged(self.path))
                return self._run(cache, articles, rebuild)
        except sqlite3.DatabaseError as error:
            if not is_damage(error, self.path):
                raise
            kept = salvage(self.path)
            self.notes.append(f"{self.path.name} was damaged ({error}): {kept} of its records are whole and were kept")
        with closing(VectorCache(self.path)) as cache:
            return self._run(cache, articles, rebuild)

    def _run(self, cache: VectorCache, articles: Sequence[Article], rebuild: bool) -> tuple[dict[str, int], Collection]:
        self.records.use(cache)
        wanted = {article.name: article for article in articles}
        held = cache.written()
        if rebuild or self._files_state() != cache.written_state() or held != self._sizes(wanted):
            counts = self._write(cache, articles, rebuild)
            now = self._sizes(wanted)
            changed = {name: each for name, each in now.items() if held.get(name) != each}
            cache.set_written(changed, [name for name in held if name not in wanted], self._files_state())
        else:
            self.records.load(articles)
            counts = dict.fromkeys(("added", "changed", "removed"), 0) | {"unchanged": len(articles)}
        cache.keep_only([*(part.key for part in self.before), *(self.records.key(article) for article in articles)])
        if self.records.damaged:
            self.notes.append(f"vectors were damaged, of {_some(self.records.damaged)}: encoded again")
        loaded = {article.name: self.records.loaded[self.records.key(article)] for article in articles}
        return counts, load_collection(articles, loaded, self.dimension, TokenReader(self.path))

    def _sizes(self, articles: Mapping[str, Article]) -> dict[str, tuple[str, int]]:
        """What the collection holds where it holds just these articles: digest and number of sentences by name."""
        return {name: (article.digest, self.records.size(article)) for name, article in articles.items()}

    def _files_state(self) -> str:
        """Changes whenever the collection may have: never equal for a server's, which others may write."""
        state = files_state(self.where)
        return f"{self.fingerprint} {state}" if state else f"unknown {time.time_ns()}"

    def _write(self, cache: VectorCache, articles: Sequence[Article], rebuild: bool) -> dict[str, int]:
        """Bring the collection in line, or write it anew; counts."""
        left = cache.written_state()
        if cache.begin():
            known = sum(map(self.records.has, articles))
            self.notes.append(
                f"the last run was stopped before its end: taken up again, {known} of {len(articles)} articles "
                "are encoded already, and the collection is brought in line"
            )
        if isinstance(self.where, str):
            return self._write_server(self.where, articles, rebuild)
        if not self._is_ours(self.where, left, rebuild):
            shutil.rmtree(self.where, ignore_errors=True)
        try:
            return self._diff(articles)
        except DamagedStoreError as error:
            self.notes.append(f"the collection was damaged ({error}): written anew, nothing is encoded for it")
        shutil.rmtree(self.where)
        return self._diff(articles)

    def _is_ours(self, where: Path, left: str, rebuild: bool) -> bool:
        """Whether the collection is as it was left; why not is noted."""
        if rebuild or not where.exists() or left == self._files_state():
            return not rebuild
        known, _, _ = left.rpartition(" ")
        if known and known != self.fingerprint:
            self.notes.append(f"settings changed ({known} -> {self.fingerprint}): rebuilt")
        elif left != "open":  # else it has been said that a run was stopped
            self.notes.append("the files of the collection are not as they were left: it is written anew")
        return False

    def _write_server(self, where: str, articles: Sequence[Article], rebuild: bool) -> dict[str, int]:
        try:
            return self._diff(articles, empty=rebuild)
        except DamagedStoreError as error:
            raise UserError(
                f"the Chroma server at {where} fails ({error}): look at its log; polycite index --rebuild writes the "
                "collection anew"
            ) from error

    def _diff(self, articles: Sequence[Article], *, empty: bool = False) -> dict[str, int]:
        """Encode what has no record, write missing rows, delete stale ones."""
        counts = dict.fromkeys(("added", "changed", "removed", "unchanged"), 0)
        with Store(self.where, self.fingerprint) as store:
            if store.was_rebuilt_from is not None:
                self.notes.append(f"settings changed ({store.was_rebuilt_from} -> {self.fingerprint}): rebuilt")
            if empty:
                store.clear()
            stored = store.digests()
            stale: list[str] = []
            done = 0
            for group in _groups(articles):
                self.progress("indexing", done, len(articles))
                self.records.load(group)
                rows: list[Row] = []
                for article in group:
                    wanted = set(row_ids(article, self.records.size(article)))
                    present = stored.pop(article.name, set())
                    if wanted == present:
                        counts["unchanged"] += 1
                        continue
                    counts["changed" if present else "added"] += 1
                    rows.extend(rows_of(article, self.records.record(article)))
                    stale.extend(present - wanted)
                store.upsert(rows)
                done += len(group)
            for ids in stored.values():
                counts["removed"] += 1
                stale.extend(ids)
            store.delete(stale)
        self.progress("indexing", len(articles), len(articles))
        return counts


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(repr(name) for name in names[:3]) + more


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
    path = settings.store_folder / "texts.sqlite"

    def read() -> Reading:
        with closing(TextCache(path)) as cache:
            return read_folder(settings.corpus, cache, progress, anew=anew, allow_empty=settings.allow_empty)

    try:
        return read()
    except sqlite3.DatabaseError as error:
        if not is_damage(error, path):
            raise
    remove(path)
    return read()


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
