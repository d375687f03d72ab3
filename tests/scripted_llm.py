"""An OpenAI-compatible server on loopback that does as a test tells it, faults among it."""

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_CODE = re.compile(r"^\[(\w{4})\] \(", re.MULTILINE)
KEY = "sk-test-0123456789abcdef"


@dataclass(frozen=True)
class Reply:
    """One answer of the server: its status and headers, what it streams, and how it ends."""

    text: str = ""  # with {1}, {2} ... for the codes of the excerpts
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None  # sent as it is, in place of a stream
    first_after: float = 0.0  # seconds
    pause: float = 0.0  # seconds between pieces
    cut_after: int | None = None  # pieces, after which the connection is torn
    finish: str | None = "stop"
    endless: bool = False  # the text again and again
    piece: int = 6  # characters


Script = Callable[[dict[str, Any]], Reply]


@dataclass
class ScriptedLLM:
    """A running server; ``requests`` are the bodies it was sent, ``given_up`` counts streams whose reader went away."""

    url: str
    replies: list[Reply | Script]
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    given_up: int = 0
    active: int = 0
    most_active: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, body: dict[str, Any]) -> Reply:
        """The next reply; the last one goes on for ever."""
        with self.lock:
            self.requests.append(body)
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply(body) if callable(reply) else reply

    def wait_given_up(self, times: int = 1, patience: float = 10.0) -> bool:
        """Whether that many readers have gone away within some time."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if self.given_up >= times:
                return True
            time.sleep(0.02)
        return False


def codes_of(body: dict[str, Any]) -> list[str]:
    """The codes of the excerpts in a prompt, in order."""
    return _CODE.findall(body["messages"][-1]["content"])


@contextmanager
def scripted(*replies: Reply | Script) -> Iterator[ScriptedLLM]:
    """A server on a free port that gives these replies in turn."""
    server = _Server(("127.0.0.1", 0), _Handler)
    llm = ScriptedLLM(f"http://127.0.0.1:{server.server_address[1]}/v1", list(replies))
    server.llm = llm  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield llm
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of readers that go away."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def llm(self) -> ScriptedLLM:
        llm: ScriptedLLM = self.server.llm  # type: ignore[attr-defined]
        return llm

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        self._plain(200, json.dumps({"data": [{"id": "scripted"}, {"id": "other"}]}), {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.llm.lock:
            self.llm.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.llm.active += 1
            self.llm.most_active = max(self.llm.most_active, self.llm.active)
        try:
            self._answer(self.llm.answer(body), body)
        except OSError:  # the reader has gone away
            self.llm.given_up += 1
            self.close_connection = True
        finally:
            with self.llm.lock:
                self.llm.active -= 1

    def _answer(self, reply: Reply, body: dict[str, Any]) -> None:
        self._sleep(reply.first_after)
        if reply.status != 200 or reply.body is not None:
            self._plain(reply.status, reply.body or json.dumps({"error": {"message": "as asked"}}), reply.headers)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        text = _filled(reply.text, codes_of(body))
        pieces = [text[i : i + reply.piece] for i in range(0, len(text), reply.piece)]
        for n, piece in enumerate(_endlessly(pieces) if reply.endless else pieces):
            if reply.cut_after is not None and n >= reply.cut_after:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            self._event({"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]})
            self._sleep(reply.pause)
        if reply.finish:
            self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": reply.finish}]})
        self._chunk("data: [DONE]\n\n")
        self._chunk("")

    def _event(self, value: dict[str, Any]) -> None:
        whole = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "scripted", **value}
        self._chunk(f"data: {json.dumps(whole)}\n\n")

    def _chunk(self, text: str) -> None:
        raw = text.encode()
        self.wfile.write(f"{len(raw):x}\r\n".encode() + raw + b"\r\n")
        self.wfile.flush()

    def _plain(self, status: int, text: str, headers: dict[str, str]) -> None:
        raw = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _sleep(self, seconds: float) -> None:
        """Waits, and notices meanwhile when the reader goes away."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.connection.settimeout(min(left, 0.05))
            try:
                if self.connection.recv(1, socket.MSG_PEEK) == b"":
                    raise ConnectionResetError
            except TimeoutError:
                continue
            finally:
                self.connection.settimeout(None)


def _filled(text: str, codes: Sequence[str]) -> str:
    for n, code in enumerate(codes, start=1):
        text = text.replace(f"{{{n}}}", f"[{code}]")
    return text


def _endlessly(pieces: list[str]) -> Iterator[str]:
    while True:
        yield from pieces
