"""Many users of a server whose articles come and go: every quote is checked; then the server is killed."""

import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from crashing import WORDS, assert_like_fresh, settle
from tally import TALLY

from index.encoder import Encoder
from index.settings import PROJECT, SEEDS
from qa.page.browsers import COOKIE

USERS = 32
QUESTIONS = (
    "Which ship left the harbour?",
    "Who signed the treaty in winter?",
    "What gifts did Putin give to Kim?",
    "Kdaj je bil podpisan sporazum?",
    "Wer öffnete das Museum?",
    "The captain and the bread?",
)


@dataclass
class Library:
    """The folder as its users know it: every text that any of its files ever held."""

    folder: Path
    texts: dict[str, set[str]] = field(default_factory=dict)
    present: dict[str, str] = field(default_factory=dict)
    dice: random.Random = field(default_factory=lambda: random.Random(8))
    changes: int = 0

    def draft(self, name: str) -> bytes:
        """A new text for a file."""
        lines = [f"The {' '.join(self.dice.choices(WORDS, k=6))} of change {self.changes}." for _ in range(12)]
        text = " ".join(lines[:6]) + "\n\n" + " ".join(lines[6:]) + "\n"
        self.texts.setdefault(name, set()).add(text)
        self.present[name] = text
        return text.encode()

    def begin(self, articles: int) -> None:
        """Files that are there from the start, the seeds among them."""
        self.folder.mkdir()
        for path in SEEDS.iterdir():
            shutil.copy(path, self.folder)
            text = path.read_text(encoding="utf-8")
            self.texts[path.name], self.present[path.name] = {text}, text
        for n in range(articles):
            (self.folder / f"{n}.txt").write_bytes(self.draft(f"{n}.txt"))

    def change(self, port: int) -> None:
        """Add, replace or delete one article through the server."""
        self.changes += 1
        kind = self.dice.choice(["add", "replace", "delete"])
        old = self.dice.choice([name for name in sorted(self.present) if name[0] != "0"])
        if kind == "delete" and len(self.present) > 8:
            said = ask(port, "POST", f"/page/corpus/delete?name={quote(old)}")
            del self.present[old]
        else:
            name = old if kind == "replace" else f"added-{self.changes}.txt"
            said = ask(port, "POST", f"/page/corpus/upload?name={quote(name)}", self.draft(name))
        assert "error" not in said, said


def ask(port: int, method: str, path: str, body: bytes | None = None) -> Any:
    """The JSON that the server answers with, which must be a success."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        page = {"Origin": f"http://127.0.0.1:{port}", "Cookie": f"{COOKIE}={'0' * 32}"}
        connection.request(method, path, body, page if path.startswith("/page/") else {})
        answered = connection.getresponse()
        content = answered.read()
        assert answered.status == 200, (path, answered.status, content[:300])
        return json.loads(content)
    finally:
        connection.close()


@contextmanager
def served(corpus: Path, store: Path, *, toy: bool) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """A server that is ready: its port and process. It is killed in the end, and had nothing to complain of."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = [str(PROJECT / "tests" / "toy_server.py")] if toy else ["-m", "qa.cli"]
    options = ["--corpus", str(corpus), "--store", str(store), "--port", str(port), "--rate-limit", "0"]
    path = os.pathsep.join([str(PROJECT), str(PROJECT / "tests")])
    log = store.with_name("log")
    with (
        log.open("w") as out,
        subprocess.Popen(
            [sys.executable, *program, "serve", *options], cwd=PROJECT, stdout=out, stderr=out, text=True,
            env=os.environ | {"PYTHONPATH": path},
        ) as process,
    ):  # fmt: skip
        try:
            for _ in range(1200):
                time.sleep(0.1)
                assert process.poll() is None, log.read_text()
                try:
                    if ask(port, "GET", "/healthz").get("status") == "ready":
                        break
                except OSError:
                    continue
            yield port, process
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert "Traceback" not in log.read_text(), log.read_text()


def resident(process: "subprocess.Popen[str]") -> int:
    """Megabytes of memory that a process holds."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) // 1024


def use(port: int, library: Library, process: "subprocess.Popen[str]", seconds: float, pause: float) -> list[int]:
    """Have the users ask while articles change; megabytes held after a third of the time and at its end."""
    stop, faults = threading.Event(), []

    def user(number: int) -> None:
        dice = random.Random(number)
        while not stop.is_set():
            question = dice.choice(QUESTIONS)
            try:
                answer = ask(port, "POST", "/api/ask", json.dumps({"question": question}).encode())
                for each in answer["citations"]:
                    known = library.texts[each["article"]]
                    assert any(text[each["start"] : each["end"]] == each["text"] for text in known), each
                    TALLY["quotes checked"] += 1
                TALLY["answers under load"] += 1
            except Exception as error:  # noqa: BLE001 - told by the test, with the question
                faults.append(f"{question}: {error!r}")
                return

    users = [threading.Thread(target=user, args=(number,)) for number in range(USERS)]
    for each in users:
        each.start()
    sizes: list[int] = []
    started = time.monotonic()
    while (spent := time.monotonic() - started) < seconds and not faults:
        library.change(port)
        time.sleep(pause)
        if spent > seconds / 3 and not sizes:
            sizes.append(resident(process))
    sizes.append(resident(process))
    stop.set()
    for each in users:
        each.join()
    assert not faults, faults
    return sizes


def load(tmp_path: Path, *, toy: bool, seconds: float, pause: float) -> tuple[Library, list[int]]:
    """Load, kill, and come back with everything."""
    library, store = Library(tmp_path / "corpus"), tmp_path / "store"
    library.begin(20)
    with served(library.folder, store, toy=toy) as (port, process):
        sizes = use(port, library, process, seconds, pause)
    assert library.changes > 2
    with served(library.folder, store, toy=toy) as (port, _):
        for name, text in library.present.items():
            assert ask(port, "GET", f"/api/articles/{quote(name)}")["text"] == text
        listed = ask(port, "GET", "/api/articles")["articles"]
        assert sorted(each["article"] for each in listed) == sorted(library.present)
        assert ask(port, "POST", "/api/ask", json.dumps({"question": QUESTIONS[0]}).encode())["citations"]
    TALLY["users held"] = max(TALLY["users held"], USERS)
    TALLY["articles changed under load"] += library.changes
    return library, sizes


def test_users_are_served_while_articles_change_and_the_server_is_killed(tmp_path: Path) -> None:
    library, _ = load(tmp_path, toy=True, seconds=4, pause=0.3)
    report, collection = settle(library.folder, tmp_path / "store")
    assert report.sentences_encoded == 0
    assert_like_fresh(library.folder, tmp_path / "store", report, collection, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_five_minutes_of_load(tmp_path: Path, encoder: Encoder) -> None:
    assert encoder.dimension == 384  # it has been built, so that the server need not
    _, (early, late) = load(tmp_path, toy=False, seconds=300, pause=1.0)
    TALLY["megabytes under load after a third of the time"], TALLY["megabytes under load in the end"] = early, late
    assert late < 1.25 * early
