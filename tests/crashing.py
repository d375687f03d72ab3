"""A corpus that changes, syncs that are killed, and what must hold after each restart."""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from toy_encoder import ToyEncoder

from index.collection import Collection
from index.settings import PROJECT, Settings
from index.store import Store
from index.sync import SyncReport, fingerprint, sync
from qa.engine import Engine

WORDS = "ship grain river museum painting bridge harbour storm treaty letter engine garden winter captain bread".split()


class Corpus:
    """Some short articles, of which a few change with every step."""

    def __init__(self, folder: Path, seed: int, articles: int = 8, sentences: int = 6) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        self.articles = articles
        self.sentences = sentences
        self.steps = 0
        folder.mkdir()
        for n in range(articles):
            self._write(f"{n}.txt")

    def _write(self, name: str) -> None:
        lines = [
            f"The {' '.join(self.random.choices(WORDS, k=5))} of step {self.steps}, number {n}."
            for n in range(self.random.randint(1, 2 * self.sentences))
        ]
        (self.folder / name).write_text("\n\n".join([" ".join(lines[:4]), " ".join(lines[4:])]).strip())

    def step(self) -> None:
        """Add, change, rename and remove; one change of each kind at least where there is anything to change."""
        self.steps += 1
        self._write(f"new-{self.steps}.txt")
        names = sorted(path.name for path in self.folder.iterdir())
        changed, moved, *gone = self.random.sample(names, min(len(names), 3 + (len(names) > self.articles)))
        self._write(changed)
        (self.folder / moved).rename(self.folder / f"moved-{self.steps}.txt")
        for name in gone:
            (self.folder / name).unlink()


class Runs:
    """Syncs in processes of their own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __call__(self, corpus: Path, store: Path, point: str = "", nth: int = 1, seconds: float = 0.0) -> str:
        """One sync, killed as asked: whether it ended "killed" or "done"."""
        job = {"corpus": str(corpus), "store": str(store), "point": point, "nth": nth, "seconds": seconds}
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


@contextmanager
def runs() -> Iterator[Runs]:
    """What runs syncs and kills them."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(PROJECT), str(PROJECT / "tests")])}
    command = [sys.executable, str(PROJECT / "tests" / "crash_child.py")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT, env=environment
    ) as process:
        try:
            yield Runs(process)
        finally:
            process.kill()


def encoded_keys(store: Path) -> set[str]:
    """The keys of all records of a store, as SQLite itself reads them."""
    path = store / "vectors.sqlite"
    if not path.exists():
        return set()
    with closing(sqlite3.connect(path)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'articles'").fetchone():
            return set()
        return {key for (key,) in connection.execute("SELECT key FROM articles")}


def was_writing(store: Path) -> bool:
    """Whether a run began to write and has not come to its end."""
    with closing(sqlite3.connect(store / "vectors.sqlite")) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'facts'").fetchone():
            return False
        return bool(connection.execute("SELECT 1 FROM facts WHERE name = 'run' AND value = 'begun'").fetchone())


def settle(corpus: Path, store: Path) -> tuple[SyncReport, Collection]:
    """A sync that nobody disturbs."""
    return sync(Settings(corpus=corpus, store=str(store)), ToyEncoder())


def rows(store: Path, scratch: Path) -> dict[str, tuple[Any, ...]]:
    """All that Chroma holds, by id, read from a copy: opening it changes its files. Every row must find itself."""
    copy = scratch / f"copy-{store.name}"
    shutil.copytree(store / "chroma", copy)
    encoder = ToyEncoder()
    with Store(copy, fingerprint(encoder)) as opened:
        assert opened.was_rebuilt_from is None
        found: Any = opened._collection.get(include=["documents", "metadatas", "embeddings"])
        assert len(found["ids"]) == len(set(found["ids"]))
        vectors = np.array(found["embeddings"], np.float32)
        hits: Any = opened._collection.query(query_embeddings=vectors, n_results=1, include=["distances"])
    assert np.allclose([each[0] for each in hits["distances"]], 0, atol=1e-5)
    shutil.rmtree(copy)
    kept = zip(found["ids"], found["documents"], found["metadatas"], vectors, strict=True)
    return {row_id: (text, metadata, vector.tobytes()) for row_id, text, metadata, vector in kept}


def assert_like_fresh(corpus: Path, store: Path, report: SyncReport, collection: Collection, scratch: Path) -> None:
    """The same articles, sentences, rows and citations as an index that was never disturbed."""
    fresh_store = scratch / "fresh"
    fresh_report, fresh = settle(corpus, fresh_store)
    assert collection.names == fresh.names == tuple(sorted(path.name for path in corpus.iterdir()))
    for name in ("stored", "spans", "passage_of", "article_of"):
        assert np.array_equal(getattr(collection, name), getattr(fresh, name)), name
    assert rows(store, scratch) == rows(fresh_store, scratch)
    settings = Settings(corpus=corpus)
    ours, theirs = (
        Engine(settings, ToyEncoder(), each, said) for each, said in ((collection, report), (fresh, fresh_report))
    )
    for question in ("Which ship left the harbour?", "The bread of step 1, number 3"):
        assert ours.ask(question).citations == theirs.ask(question).citations
    shutil.rmtree(fresh_store)
