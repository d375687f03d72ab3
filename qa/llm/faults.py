"""What can go wrong with a language model, each under one word that page and programs know."""

import json
from typing import Literal

FaultKind = Literal[
    "missing", "unreachable", "slow", "timeout", "cut", "auth", "rate", "server", "request", "context", "malformed",
    "empty", "repetition", "uncited", "unsupported", "silent",
]  # fmt: skip
_CONTEXT_WORDS = ("context length", "context size", "context window", "maximum context", "exceed_context", "too long")


class LLMFault(Exception):  # noqa: N818 - a fault of the server, not of the program
    """A model that gave no answer, or not all of it. ``detail`` is for the doctor alone: it may quote the server."""

    def __init__(self, kind: FaultKind, detail: str = "") -> None:
        super().__init__(kind)
        self.kind: FaultKind = kind
        self.detail = detail


class StoppedError(Exception):
    """The reader wants no answer any more."""


def fault_of(error: Exception, begun: bool) -> LLMFault:
    """The fault behind an exception of the OpenAI client or of its HTTP layer.

    ``begun``: whether some text had come.
    """
    import httpx
    import openai

    detail = f"{type(error).__name__}: {error}"[:300]
    if isinstance(error, LLMFault):
        return error
    if isinstance(error, openai.APIStatusError):
        return LLMFault(_of_status(error.status_code, str(error)), detail)
    if isinstance(error, TimeoutError | openai.APITimeoutError | httpx.TimeoutException):
        return LLMFault("timeout" if begun else "slow", detail)
    if isinstance(error, openai.APIConnectionError | httpx.TransportError | OSError):
        return LLMFault("cut" if begun else "unreachable", detail)
    if isinstance(error, openai.APIResponseValidationError | json.JSONDecodeError):
        return LLMFault("malformed", detail)
    if isinstance(error, openai.APIError):  # an error that came inside the stream
        return LLMFault("context" if _is_context(str(error)) else "server", detail)
    return LLMFault("malformed", detail)


def _of_status(status: int, text: str) -> FaultKind:
    if status in (401, 403):
        return "auth"
    if status == 429:
        return "rate"
    if status >= 500:
        return "context" if _is_context(text) else "server"
    return "context" if status == 413 or _is_context(text) else "request"


def _is_context(text: str) -> bool:
    return any(word in text.lower() for word in _CONTEXT_WORDS)
