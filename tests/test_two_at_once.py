"""Several processes on one data folder, and many readers while it changes."""

import fcntl
import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from crashing import Corpus, assert_like_fresh, settle
from tally import TALLY
from toy_encoder import ToyEncoder

from index.errors import UserError
from index.settings import PROJECT, Settings
from index.sync import sync
from qa.engine import Engine

CHILD = """
import json, sys
from pathlib import Path
from toy_encoder import ToyEncoder
from index.settings import Settings
from index.sync import sync
for _ in range(int(sys.argv[3])):
    report, collection = sync(Settings(corpus=Path(sys.argv[1]), store=sys.argv[2]), ToyEncoder())
    print(json.dumps([len(collection.names), report.sentences_encoded]), flush=True)
"""


def start(corpus: Path, store: Path, times: int = 1) -> "subprocess.Popen[str]":
    path = os.pathsep.join([str(PROJECT), str(PROJECT / "tests")])
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(corpus), str(store), str(times)],
        env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_the_second_waits_and_says_for_whom(tmp_path: Path) -> None:
    """The lock is held as another process would hold it; when that one dies, the waiting one goes on by itself."""
    corpus, store = Corpus(tmp_path / "corpus", 1), tmp_path / "store"
    store.mkdir()
    (store / "lock.holder").write_text("process 4711")
    with (store / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with start(corpus.folder, store) as waiting:
            assert waiting.stderr is not None
            said = waiting.stderr.readline()
            assert said == f"process 4711 is writing {str(store)!r}: waiting for it\n"
            assert waiting.poll() is None and not (store / "vectors.sqlite").exists()
            fcntl.flock(held, fcntl.LOCK_UN)
            out, _ = waiting.communicate(timeout=120)
    assert json.loads(out)[0] == len(list(corpus.folder.iterdir()))
    assert not (store / "lock.holder").exists()


def test_who_waits_too_long_is_told_who_holds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus, store = Corpus(tmp_path / "corpus", 1), tmp_path / "store"
    store.mkdir()
    monkeypatch.setattr("index.lock._SILENT_SECONDS", 0.01)
    monkeypatch.setattr("index.lock._LOCK_SECONDS", 0.05)
    for holder, named in ((b"process 4711", "process 4711"), (b"\xff\x00\n", "another process")):
        (store / "lock.holder").write_bytes(holder)
        with (store / "lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            with pytest.raises(UserError, match=f"^{named} has been writing"):
                settle(corpus.folder, store)


def test_two_processes_that_index_at_once(tmp_path: Path) -> None:
    """Both follow a folder that changes meanwhile; in the end the store is as if one alone had written it."""
    corpus, store = Corpus(tmp_path / "corpus", 2), tmp_path / "store"
    both = [start(corpus.folder, store, times=3) for _ in range(2)]
    for _ in range(4):
        time.sleep(0.2)
        corpus.step()
    for process in both:
        out, said = process.communicate(timeout=200)
        assert process.returncode == 0 and "Traceback" not in said, said
        assert out.count("\n") == 3
    report, collection = settle(corpus.folder, store)
    assert_like_fresh(corpus.folder, store, report, collection, tmp_path)


def test_readers_see_the_old_state_or_the_new_never_both(tmp_path: Path) -> None:
    """All articles change together, version by version; no answer may quote two versions, or go back to an older."""
    corpus, store = tmp_path / "corpus", tmp_path / "store"
    corpus.mkdir()

    def write(version: int) -> None:
        for n in range(6):
            text = f"The ship of article {n} left the harbour in version {version}. It carried grain."
            (corpus / f"{n}.txt").write_text(text)

    settings = Settings(corpus=corpus, store=str(store))
    write(0)
    report, collection = sync(settings, ToyEncoder())
    engine = Engine(settings, ToyEncoder(), collection, report)
    stop, mixed, asked = threading.Event(), [], 0

    def read() -> None:
        nonlocal asked
        latest = 0
        while not stop.is_set():
            citations = engine.ask("Which ship left the harbour?").citations
            versions = {int(number) for each in citations for number in re.findall(r"version (\d+)", each.text)}
            asked += 1
            if len(versions) != 1 or min(versions) < latest:
                mixed.append(versions)
            latest = max(versions, default=0)
            time.sleep(0.02)  # leaves the processor to the refresh

    readers = [threading.Thread(target=read) for _ in range(8)]
    for reader in readers:
        reader.start()
    try:
        for version in range(1, 7):
            write(version)
            engine.refresh()
            assert all(f"version {version}." in each.text for each in engine.ask("Which ship left?").citations)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert not mixed and asked > 8
    TALLY["answers during a refresh, mixed 0"] += asked


def test_a_server_whose_records_another_process_removed_catches_up(tmp_path: Path) -> None:
    """Two engines on one store: the one that was left behind answers, from the new state."""
    corpus, store = Corpus(tmp_path / "corpus", 3), tmp_path / "store"
    settings = Settings(corpus=corpus.folder, store=str(store))
    report, collection = settle(corpus.folder, store)
    behind = Engine(settings, ToyEncoder(), collection, report)
    corpus.step()
    settle(corpus.folder, store)
    assert behind.ask("Which ship left the harbour?").citations
    behind.refresh()
    assert_like_fresh(corpus.folder, store, behind.report, behind.collection, tmp_path)
