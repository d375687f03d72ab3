"""An answer in prose by a language model, sentence by sentence, each checked before it counts.

Whatever goes wrong, the reader has an answer: what was written and is supported, or the quotes, with one line that says
why.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from qa.answer import Answer, LLMUse, Statement
from qa.llm.client import Cancel, Client
from qa.llm.faults import FaultKind, LLMFault
from qa.llm.prompt import ANSWER_TOKENS, Prompt, compose
from qa.llm.statements import Sentence, SentenceReader
from qa.llm.verify import Checker
from qa.page.words import fixed, words

UNSUPPORTED_MARK = "[?]"  # behind a sentence of the plain text that its quotes do not support
_UNSPACED = ("zh", "ja", "th", "lo", "km", "my")
_SILENCE_WEIGHT = 0.5  # what is left of the confidence where the model finds no answer
_BETWEEN = 0.2  # seconds between two drafts that are shown


def write(
    client: Client, verifier: Checker, quotes: Answer, history: Sequence[str], cancel: Cancel | None = None
) -> Iterator[Answer]:
    """The answer as it grows, and last as it stays; ``quotes`` is the extractive one, with its citations.

    Raises StoppedError soon after ``cancel`` is set. Closing the generator stops the server.
    """
    asked = quotes.rewritten or quotes.question
    prompt = compose(asked, quotes.citations, quotes.language, history, client.settings.context)
    reader = SentenceReader(prompt.codes, quotes.language)
    statements: list[Statement] = []
    fault: FaultKind | None = None
    model = client.settings.model
    yield begun(quotes, model)
    shown = time.monotonic()
    stream = client.stream(prompt.messages, ANSWER_TOKENS, cancel)
    try:
        for piece in stream:
            sentences = reader.feed(piece)
            statements += [_check(each, prompt, verifier, quotes, client) for each in sentences]
            if reader.repeating:
                fault = "repetition"
                break
            if sentences or time.monotonic() - shown >= _BETWEEN:
                shown = time.monotonic()
                yield _grown(quotes, statements, LLMUse(model, "writing", draft=client.settings.masked(reader.draft)))
    except LLMFault as error:
        fault = error.kind
    finally:
        stream.close()
    if fault is None:  # a sentence that breaks off is not told
        statements += [_check(each, prompt, verifier, quotes, client) for each in reader.finish()]
    yield _finished(quotes, statements, model, fault, silent=reader.silent)


def begun(quotes: Answer, model: str) -> Answer:
    """The quotes, while the model is still to write."""
    return replace(quotes, llm=LLMUse(model, "writing"))


def fallen_back(quotes: Answer, model: str, fault: FaultKind) -> Answer:
    """The quotes, with the line that says why."""
    return replace(quotes, llm=LLMUse(model, "fallen_back", fault, line(quotes.language, fault)))


def line(language: str, fault: FaultKind) -> str:
    """What happened, in one sentence in a language, in English where the page does not speak it."""
    return words(language).say(f"llm_{fault}")


def as_text(statements: Sequence[Statement], language: str) -> str:
    """The statements as one text, with the numbers of their citations."""
    parts = [
        "".join([each.text, *(f" [{n}]" for n in each.citations), "" if each.supported else f" {UNSUPPORTED_MARK}"])
        for each in statements
    ]
    return ("" if language in _UNSPACED else " ").join(parts)


def _check(sentence: Sentence, prompt: Prompt, verifier: Checker, quotes: Answer, client: Client) -> Statement:
    citations = [prompt.codes[code] for code in sentence.codes]
    verdict = verifier.check(sentence.text, quotes.language, citations, stray=sentence.stray)
    return Statement(
        text=client.settings.masked(sentence.text),
        citations=tuple(sorted(citation.n for citation in citations)),
        supported=verdict.supported,
        reason=verdict.reason,
    )


def _grown(quotes: Answer, statements: Sequence[Statement], use: LLMUse) -> Answer:
    """The answer with some statements; its confidence falls with the share that is not supported."""
    supported = sum(each.supported for each in statements)
    return replace(
        quotes,
        answer=as_text(statements, quotes.language) if statements else quotes.answer,
        confidence=quotes.confidence * (supported / len(statements) if statements else 1.0),
        statements=tuple(statements),
        llm=use,
    )


def _finished(
    quotes: Answer, statements: Sequence[Statement], model: str, fault: FaultKind | None, *, silent: bool
) -> Answer:
    """What stays: the statements if any is supported, else the quotes."""
    if any(each.supported for each in statements):
        return _grown(
            quotes, statements, LLMUse(model, "written", fault or "", line(quotes.language, fault) if fault else "")
        )
    if fault is not None:
        return fallen_back(quotes, model, fault)
    if statements:
        cited = any(each.citations for each in statements)
        return fallen_back(quotes, model, "unsupported" if cited else "uncited")
    if not silent:
        return fallen_back(quotes, model, "empty")
    return replace(
        quotes,
        answered=False,
        answer=fixed(quotes.language, "not_answered"),
        confidence=quotes.confidence * _SILENCE_WEIGHT,
        llm=LLMUse(model, "declined", "silent", line(quotes.language, "silent")),
    )
