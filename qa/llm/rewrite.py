"""Follow-ups by the model: "And what did he give back?" becomes a question that stands by itself.

The rewrite is used for finding and answering, and shown. Where the model gives nothing usable, the way of
``qa.dialogue`` stays.
"""

import re
from collections.abc import Sequence

from qa.llm.client import Cancel, Client
from qa.llm.faults import LLMFault
from qa.llm.numbers import values_of
from qa.llm.prompt import REWRITE_TOKENS, compose_rewrite

_LONGEST = 400  # characters
_LABEL = re.compile(r"^[\w ]{0,30}(?:question|pyetja|vprašanje|frage|вопрос)\s*:\s*", re.IGNORECASE)
_QUOTES = " \t\"'“”„«»`*"
_THOUGHT = re.compile(r"<think>.*?</think>", re.DOTALL)


def rewrite(
    client: Client, question: str, history: Sequence[str], language: str, cancel: Cancel | None = None
) -> str | None:
    """The question so that it stands by itself; None where the model gives nothing that can be used.

    Raises StoppedError soon after ``cancel`` is set.
    """
    prompt = compose_rewrite(question, history, language, client.settings.context)
    try:
        said = client.complete(prompt, REWRITE_TOKENS, cancel)
    except LLMFault:
        return None
    return usable(said, question, history, language)


def usable(said: str, question: str, history: Sequence[str], language: str) -> str | None:
    """What the model said as one question; None where it is none, too long, or names numbers nobody spoke of."""
    lines = [line.strip() for line in _THOUGHT.sub("", said).splitlines() if line.strip()]
    if len(lines) != 1:
        return None
    text = " ".join(_LABEL.sub("", lines[0].strip(_QUOTES)).strip(_QUOTES).split())
    if not any(character.isalpha() for character in text) or len(text) > _LONGEST:
        return None
    spoken = {value for each in (*history, question) for value in values_of(each, language)}
    return text if values_of(text, language) <= spoken else None
