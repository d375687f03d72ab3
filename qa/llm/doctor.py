"""``polycite doctor``: tries the language model step by step and says what it finds, never with the key in it."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from qa.answer import Citation
from qa.llm.client import Client
from qa.llm.faults import FaultKind, LLMFault
from qa.llm.prompt import ANSWER_TOKENS, compose
from qa.llm.settings import LLMSettings
from qa.llm.statements import SentenceReader

_TEXT = "The bridge at Velmar was opened on 3 May 2019 by the engineer Ana Doda."
_PROBE = Citation(1, "probe.txt", "The bridge", "2019-05", "en", 0, len(_TEXT), _TEXT, (0, len(_TEXT)), 1.0)
_QUESTION = "Who opened the bridge at Velmar?"
_MENDS: dict[FaultKind, str] = {
    "missing": "pip install 'polycite[llm]'",
    "unreachable": "is the server running, and is --llm-url right?",
    "slow": "give a larger --llm-timeout, or a smaller or already loaded model",
    "timeout": "give a larger --llm-timeout, or a smaller model",
    "auth": "give a valid --llm-key (POLYCITE_LLM_KEY)",
    "rate": "try later, or ask the provider for more",
    "request": "is --llm-model one of the server's models, and does --llm-url end as it should (mostly /v1)?",
    "context": "give --llm-context what the server is run with",
    "malformed": "--llm-url must be an OpenAI-compatible one; it mostly ends in /v1",
}
_MOST_MODELS = 8  # that are listed


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's, and whether all is well with it."""

    text: str
    well: bool = True


def examine(settings: LLMSettings) -> Iterator[Finding]:
    """What is found out about a server and its model, one thing after the other; ends at the first that fails."""
    client = Client(settings)
    yield Finding(f"server: {settings.url}, model: {settings.model}, key: {'given' if settings.key else 'none'}")
    yield _models(client, settings)
    started = time.monotonic()
    prompt = compose(_QUESTION, [_PROBE], "en", [], settings.context)
    reader = SentenceReader(prompt.codes, "en")
    first, said, sentences = 0.0, "", []
    try:
        for piece in client.stream(prompt.messages, ANSWER_TOKENS):
            first = first or time.monotonic() - started
            said += piece
            sentences += reader.feed(piece)
    except LLMFault as fault:
        yield _failed("answer", fault, settings)
        return
    sentences += reader.finish()
    if not said.strip():
        yield Finding("answer: the model says nothing", well=False)
        return
    total = time.monotonic() - started
    yield Finding(
        f"answer: first word after {first:.1f} s, whole after {total:.1f} s of at most {settings.timeout:g} s"
    )
    if any(sentence.codes for sentence in sentences):
        yield Finding("citations: the model cites its sources as it is asked to")
    else:
        shown = settings.masked(" ".join(said.split()))[:120]
        yield Finding(f"citations: the model cites nothing, so that its answers will be replaced by quotes: {shown!r}",
                      well=False)  # fmt: skip


def _models(client: Client, settings: LLMSettings) -> Finding:
    """Whether the server lists the model; not every server lists any, so that no list is no fault."""
    try:
        models = client.models()
    except LLMFault as fault:
        if fault.kind in ("request", "malformed"):
            return Finding("models: the server lists none")
        return _failed("models", fault, settings)
    shown = ", ".join(models[:_MOST_MODELS]) + (" ..." if len(models) > _MOST_MODELS else "")
    if settings.model in models or f"{settings.model}:latest" in models:
        return Finding(f"models: {len(models)}, the chosen one among them")
    return Finding(f"models: {settings.model!r} is not listed; there are: {shown or 'none'}")


def _failed(step: str, fault: LLMFault, settings: LLMSettings) -> Finding:
    mend = _MENDS.get(fault.kind, "see the log of the server")
    return Finding(settings.masked(f"{step}: {fault.kind} ({fault.detail}): {mend}"), well=False)
