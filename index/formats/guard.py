"""Reads files in a process of their own, with limits on time and memory, so that no file can take Polycite down."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from types import TracebackType
from typing import Any

from index.formats.extracted import MOST_SECONDS, Extracted, Kind, UnreadableError, check_length
from index.formats.plain import extract_text
from index.settings import PROJECT


class Extractor:
    """Text out of files of every format; use as a context manager. For several threads, one at a time."""

    def __init__(self, seconds: float = MOST_SECONDS) -> None:
        self.read = 0  # files that were read so far
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def extract(self, kind: Kind, raw: bytes) -> Extracted:
        """The text of a file. Raises UnreadableError."""
        self.read += 1
        if kind == "text":  # nothing is parsed, so nothing can be played on a parser
            extracted = extract_text(raw)
            check_length(extracted.text)
            return extracted
        with self._lock:
            answer = self._ask(kind, raw)
        if "error" in answer:
            raise UnreadableError(" ".join(str(answer["error"]).split()))
        return Extracted(**answer | {"pages": tuple(answer["pages"])})

    def _ask(self, kind: Kind, raw: bytes) -> dict[str, Any]:
        process = self._process = self._process or _start()
        late = threading.Event()

        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self._seconds, stop)
        timer.start()
        try:
            line = _exchange(process, json.dumps({"kind": kind, "size": len(raw)}).encode() + b"\n" + raw)
        except OSError:  # it is gone
            line = b""
        finally:
            timer.cancel()
        if line.endswith(b"\n") and not late.is_set():
            return dict(json.loads(line))
        self.close()
        if late.is_set():
            raise UnreadableError(f"takes longer than {self._seconds:.0f} s to be read")
        raise UnreadableError("cannot be read: it breaks the program that reads it")

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with contextlib.suppress(OSError):  # what had not been written yet
                    pipe.close()

    def __enter__(self) -> "Extractor":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _exchange(process: subprocess.Popen[bytes], message: bytes) -> bytes:
    """The line that answers a message; b"" where the process has ended. Raises OSError likewise."""
    if process.stdin is None or process.stdout is None:
        return b""
    process.stdin.write(message)
    process.stdin.flush()
    return process.stdout.readline()


def _start() -> subprocess.Popen[bytes]:
    path = os.pathsep.join(filter(None, (str(PROJECT), os.environ.get("PYTHONPATH", ""))))
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "index.formats.worker"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
