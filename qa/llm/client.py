"""Streams text out of an OpenAI-compatible server, through LlamaIndex's own class for them.

All streams of one client run in one event loop in a thread of its own, so that each can be given up at any moment:
cancelling its task closes the connection, and the server stops to compute. Waiting is bounded by the settings, not by
the server: the first word, and the whole answer.
"""

import asyncio
import queue
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Generator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from qa.llm.faults import LLMFault, StoppedError, fault_of
from qa.llm.prompt import Message
from qa.llm.settings import LLMSettings

if TYPE_CHECKING:
    import httpx
    from llama_index.llms.openai_like import OpenAILike

_LOOK = 0.05  # seconds between two looks at whether the reader still waits
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_RETRIED = (429, 503)  # with a Retry-After
_TEMPERATURE = 0.1
# What the OpenAI client would tell every server about this machine, or take out of the environment for OpenAI.
_UNWANTED = ("x-stainless", "openai-organization", "openai-project")
_NO_KEY = "none"  # without one, LlamaIndex would send a key for OpenAI that it finds in the environment


class Cancel(Protocol):
    """Tells whether the reader has given up; a ``threading.Event`` does."""

    def is_set(self) -> bool:
        """True once nobody waits any more."""


class Client:
    """A connection to one server. Safe to use from several threads."""

    def __init__(self, settings: LLMSettings) -> None:
        self.settings = settings
        self._starting = threading.Lock()
        self._running: asyncio.AbstractEventLoop | None = None

    def stream(self, messages: Sequence[Message], most: int, cancel: Cancel | None = None) -> Generator[str]:
        """The pieces of an answer of at most ``most`` tokens, as they come.

        Raises LLMFault where there is none or it breaks off, StoppedError soon after ``cancel`` is set. Closing the
        generator closes the connection.
        """
        model = self._ready()  # takes seconds at the first use, before any time is counted
        pieces: queue.SimpleQueue[str | LLMFault | None] = queue.SimpleQueue()
        task = asyncio.run_coroutine_threadsafe(self._fill(pieces, model, messages, most), self._loop())
        try:
            while True:
                try:
                    piece = pieces.get(timeout=_LOOK)
                except queue.Empty:
                    piece = ""
                if cancel is not None and cancel.is_set():
                    raise StoppedError
                if piece is None:
                    return
                if isinstance(piece, LLMFault):
                    raise piece
                if piece:
                    yield piece
        finally:
            task.cancel()

    def complete(self, messages: Sequence[Message], most: int, cancel: Cancel | None = None) -> str:
        """A whole short answer; raises as ``stream`` does."""
        return "".join(self.stream(messages, most, cancel)).strip()

    def models(self) -> list[str]:
        """The names of the server's models. Raises LLMFault."""
        found: list[str] = self._in_loop(self._models())
        return found

    async def _fill(
        self, pieces: "queue.SimpleQueue[str | LLMFault | None]", model: "OpenAILike", messages: Sequence[Message],
        most: int,
    ) -> None:  # fmt: skip
        """Puts what comes into a queue, and at the end None or the fault."""
        begun = False
        started = time.monotonic()
        try:
            async with asyncio.timeout(self.settings.timeout):
                async with asyncio.timeout(self.settings.first_word) as patience:
                    async for piece in self._patient(model, messages, most, started):
                        patience.reschedule(None)
                        begun = begun or bool(piece)
                        pieces.put(piece)
            pieces.put(None)
        except Exception as error:  # noqa: BLE001 - every fault of a server becomes one that is known by name
            pieces.put(fault_of(error, begun))

    async def _patient(
        self, model: "OpenAILike", messages: Sequence[Message], most: int, started: float
    ) -> AsyncIterator[str]:
        """The pieces; a server that asks to be tried later is, as long as the first word can still be in time."""
        import openai

        while True:
            try:
                async for piece in _pieces(model, messages, most):
                    yield piece
            except openai.APIStatusError as error:
                pause = _retry_after(error)
                left = started + self.settings.first_word - time.monotonic()
                if pause is None or pause >= left:
                    raise
                await asyncio.sleep(pause)
            else:
                return

    async def _models(self) -> list[str]:
        async with asyncio.timeout(self.settings.first_word):
            try:
                answer = await self._http.get(f"{self.settings.url}/models", headers=self._authorisation)
                if answer.status_code in (401, 403):
                    raise LLMFault("auth", f"HTTP {answer.status_code}")
                if answer.status_code != 200:
                    raise LLMFault("request", f"HTTP {answer.status_code}")
                return [str(each["id"]) for each in answer.json()["data"]]
            except LLMFault:
                raise
            except (KeyError, TypeError, ValueError) as error:
                raise LLMFault("malformed", f"{self.settings.url}/models is no list of models") from error
            except Exception as error:
                raise fault_of(error, begun=False) from error

    @property
    def _authorisation(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.settings.key}"} if self.settings.key else {}

    @cached_property
    def _http(self) -> "httpx.AsyncClient":
        import httpx

        async def strip(request: httpx.Request) -> None:
            for name in list(request.headers):
                if name.lower().startswith(_UNWANTED):
                    del request.headers[name]
            if not self.settings.key:
                request.headers.pop("Authorization", None)

        # A proxy of the environment is for the world outside; redirects are not followed, as they would take the key.
        outside = urlsplit(self.settings.url).hostname not in _LOOPBACK
        return httpx.AsyncClient(
            timeout=self.settings.timeout, trust_env=outside, event_hooks={"request": [strip]},
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )  # fmt: skip

    def _ready(self) -> "OpenAILike":
        """The model. Raises LLMFault where the package for it is missing."""
        with self._starting:
            return self._model

    @cached_property
    def _model(self) -> "OpenAILike":
        try:
            from llama_index.llms.openai_like import OpenAILike
        except ImportError as error:
            raise LLMFault("missing", "install polycite[llm]") from error
        return OpenAILike(
            model=self.settings.model, api_base=self.settings.url, api_key=self.settings.key or _NO_KEY,
            context_window=self.settings.context, is_chat_model=True, is_function_calling_model=False, max_retries=0,
            timeout=self.settings.timeout, temperature=_TEMPERATURE, async_http_client=self._http,
        )  # fmt: skip

    def _in_loop(self, work: Coroutine[Any, Any, Any]) -> Any:
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop()).result()
        except TimeoutError as error:
            raise LLMFault("slow") from error

    def _loop(self) -> asyncio.AbstractEventLoop:
        """The loop of this client, whose thread starts at the first use."""
        with self._starting:
            if self._running is None:
                self._running = asyncio.new_event_loop()
                threading.Thread(target=self._running.run_forever, name="polycite-llm", daemon=True).start()
            return self._running


async def _pieces(model: "OpenAILike", messages: Sequence[Message], most: int) -> AsyncIterator[str]:
    from llama_index.core.llms import ChatMessage, MessageRole

    told = [ChatMessage(role=MessageRole(message.role), content=message.text) for message in messages]
    finished, said = "", False
    async for part in await model.astream_chat(told, max_tokens=most):
        choices = getattr(part.raw, "choices", None) or []
        finished = next((choice.finish_reason for choice in choices if choice.finish_reason), finished)
        said = said or bool(part.delta)
        if part.delta or part.additional_kwargs.get("thinking_delta"):  # a thought is a sign of life
            yield part.delta or ""
    if said and finished in (
        "",
        "length",
    ):  # the server ended the connection, or its tokens ended, before the answer did
        raise LLMFault("cut", f"finish_reason {finished!r}")


def _retry_after(error: Any) -> float | None:
    """Seconds that a server asks to wait; None where it says nothing of the kind."""
    if error.status_code not in _RETRIED:
        return None
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "")))
    except ValueError:
        return None
