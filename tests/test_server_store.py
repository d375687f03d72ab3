"""A Chroma server as the store: several processes share it, one writes at a time, and a missing one gets one line."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from toy_encoder import ToyEncoder

from index import lease
from index.errors import UserError
from index.settings import Settings
from index.sync import sync

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(folder), "--port", str(port)]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*command, "--host", "127.0.0.1"], stdout=log, stderr=log)
    for _ in range(600):
        with socket.socket() as trying:
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "a.txt").write_text("The ship left the harbour. It carried grain.")
    (folder / "b.txt").write_text("The museum opened its doors.")
    return folder


def settings(corpus: Path, server: str, process: str) -> Settings:
    """Those of a process with a data folder of its own."""
    return Settings(corpus=corpus, store=server, data=corpus.parent / process)


def held(server: str) -> set[str]:
    """The sentences on the server, as any other program reads them."""
    import chromadb

    port = int(server.rsplit(":", 1)[1])
    collection = chromadb.HttpClient("127.0.0.1", port).get_collection("polycite", embedding_function=None)
    return set(collection.get(include=["documents"])["documents"] or [])


def test_processes_share_what_one_has_written(corpus: Path, server: str) -> None:
    first, one = sync(settings(corpus, server, "one"), ToyEncoder())
    second, two = sync(settings(corpus, server, "two"), ToyEncoder())
    assert (first.added, second.added, second.unchanged) == (2, 0, 2)
    assert {one.text(i) for i in range(len(one.spans))} == held(server) and (one.stored == two.stored).all()
    (corpus / "b.txt").unlink()
    (corpus / "c.txt").write_text("A bridge was built.")
    third, _ = sync(settings(corpus, server, "two"), ToyEncoder())
    assert (third.added, third.removed) == (1, 1)
    fourth, four = sync(settings(corpus, server, "one"), ToyEncoder())
    assert (fourth.added, fourth.removed, fourth.unchanged) == (0, 0, 2)
    assert {four.text(i) for i in range(len(four.spans))} == held(server)


def test_one_writes_at_a_time(corpus: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import index.store

    inside, most = 0, 0
    real = index.store.Store.digests

    def watched(store: index.store.Store) -> dict[str, set[str]]:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.3)
        found = real(store)
        inside -= 1
        return found

    monkeypatch.setattr(index.store.Store, "digests", watched)
    threads = [
        threading.Thread(target=sync, args=(settings(corpus, server, f"process-{n}"), ToyEncoder())) for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1 and len(held(server)) == 3


def test_a_writer_that_died_is_waited_for_no_longer_than_its_note_says(
    corpus: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import chromadb

    client = chromadb.HttpClient("127.0.0.1", int(server.rsplit(":", 1)[1]))
    monkeypatch.setattr(lease, "_LASTS", 1.0)
    died = lease.Lease(client, server)
    monkeypatch.setattr(lease, "_PATIENCE", 0.0)
    with pytest.raises(UserError, match=r"process \d+ on .* has been writing to http"):
        sync(settings(corpus, server, "one"), ToyEncoder())
    monkeypatch.setattr(lease, "_PATIENCE", 30.0)
    sync(settings(corpus, server, "one"), ToyEncoder())
    assert died is not None


def test_no_server_gets_one_line(corpus: Path) -> None:
    with pytest.raises(UserError, match="no Chroma server answers at"):
        sync(settings(corpus, "http://127.0.0.1:9", "one"), ToyEncoder())
