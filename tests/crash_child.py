"""Runs syncs in processes of their own and kills them: a process that has everything imported, forked for each run.

Jobs come as lines of JSON on standard input; each is answered by one line: "killed", "done" or what went wrong.
"""

import importlib
import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import chromadb  # noqa: F401 - before the fork, so that no run pays for it
from toy_encoder import ToyEncoder

from index.languages import detect_language
from index.settings import Settings
from index.sync import sync


def die() -> NoReturn:
    """What neither Python nor SQLite nor Chroma can do anything about."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)
    raise AssertionError("unreachable")


def aim(point: str, nth: int, seconds: float) -> None:
    """Have the process die at the ``nth`` call of a function: ``before``, ``after`` or so long ``during`` it."""
    when, _, place = point.partition(" ")
    module, _, path = place.partition(":")
    *owners, name = path.split(".")
    owner: Any = importlib.import_module(module)
    for each in owners:
        owner = getattr(owner, each)
    function: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def dying(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == nth and when == "before":
            die()
        if calls == nth and when == "during":
            threading.Timer(seconds, die).start()
        found = function(*given, **named)
        if calls == nth and when == "after":
            die()
        return found

    setattr(owner, name, dying)


def run(job: dict[str, Any]) -> None:
    """One sync, in this process."""
    random.seed()
    if job["point"]:
        aim(job["point"], job["nth"], job["seconds"])
    elif job["seconds"]:
        threading.Timer(job["seconds"], die).start()
    sync(Settings(corpus=Path(job["corpus"]), store=job["store"]), ToyEncoder())


def answer(job: dict[str, Any]) -> str:
    """How a run in a forked process ended."""
    child = os.fork()
    if child == 0:
        try:
            run(job)
        except BaseException as error:  # noqa: BLE001 - told to whoever started this
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return "killed" if os.WTERMSIG(status) == signal.SIGKILL else f"signal {os.WTERMSIG(status)}"
    return "done" if os.WEXITSTATUS(status) == 0 else "failed"


def main() -> None:
    """Answer jobs until there are no more."""
    detect_language("Loads what it needs.")
    for line in sys.stdin:
        sys.stdout.write(answer(json.loads(line)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
