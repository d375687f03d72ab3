"""What a turn of a chat is: a question, or something else that people type, told before anything is searched.

A linear model over the encoder's vector of the turn, in any of its languages (``training/turns.py`` fits and measures
it). Retrieval is the default: where the model is not sure, and with an encoder that nothing was fitted for, a turn is a
question.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal, get_args

import numpy as np

from index.encoder import Encoder, FloatMatrix, normalise
from index.sentences import split_sentences
from qa.fitted import fitted

TurnKind = Literal[
    "question",
    "greeting",
    "thanks",
    "acknowledgement",
    "farewell",
    "capabilities",
    "about",  # what the collection holds
    "summary",  # of one article
    "overview",  # of what the articles tell of a subject, of a time, or altogether
    "correction",
]
KINDS: tuple[TurnKind, ...] = get_args(TurnKind)
SMALL_TALK: frozenset[TurnKind] = frozenset({"greeting", "thanks", "acknowledgement", "farewell", "capabilities"})
_LEAST_PASTED, _LONGEST_ASKED = 80, 300  # characters
_QUESTION_MARKS = ("?", "？", "؟", ";", "՞")


@dataclass(frozen=True)
class TurnModel:
    """Multinomial logistic regression over the vectors of turns."""

    weights: FloatMatrix  # [dimension, kinds]
    bias: FloatMatrix  # [kinds]
    templates: FloatMatrix  # [kinds, dimension], mean vector of each kind
    threshold: float  # a turn is no question where all other kinds together are as probable as this

    def probabilities(self, vectors: FloatMatrix) -> FloatMatrix:
        """[turns, kinds] of vectors [turns, dimension]."""
        logits = vectors @ self.weights + self.bias
        shares: FloatMatrix = np.exp(logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True))
        return shares

    def kinds(self, vectors: FloatMatrix) -> list[TurnKind]:
        """The kind of each turn."""
        return [self._kind(each) for each in self.probabilities(vectors)]

    def subject(self, vector: FloatMatrix, kind: TurnKind) -> FloatMatrix:
        """What is left of a turn's unit vector without that which all of its kind have in common, as a unit vector.

        "What do the articles say about sanctions?" is nearer to whatever is said than to sanctions, as it stands.
        """
        left: FloatMatrix = normalise((vector - self.templates[KINDS.index(kind)])[None])[0]
        return left

    def _kind(self, shares: FloatMatrix) -> TurnKind:
        others = shares[1:]  # the first is that of questions
        return "question" if others.sum() < self.threshold else KINDS[1 + int(others.argmax())]


@cache
def load_model(encoder: str) -> TurnModel | None:
    """What was fitted for an encoder, by its name; None where nothing was."""
    found = fitted("turns", encoder)
    if found is None:
        return None
    if tuple(found["kinds"].tolist()) != KINDS:
        raise ValueError(f"turns-{encoder}.npz was fitted for other kinds of turns: fit it again")
    weights, bias, templates = (found[name].astype(np.float32) for name in ("weights", "bias", "templates"))
    return TurnModel(weights, bias, templates, float(found["threshold"]))


def tell(texts: Sequence[str], encoder: Encoder) -> list[TurnKind]:
    """The kind of each text."""
    model = load_model(encoder.name)
    if model is None or not texts:
        return ["question" for _ in texts]
    return model.kinds(np.stack([encoder.encode_question(text)[0] for text in texts]))


def subject(vector: FloatMatrix, kind: TurnKind, encoder: Encoder) -> FloatMatrix:
    """See ``TurnModel.subject``; the vector as it is where nothing was fitted."""
    model = load_model(encoder.name)
    return model.subject(vector, kind) if model else vector


@dataclass(frozen=True)
class Turn:
    """What was typed, taken apart."""

    kind: TurnKind
    text: str  # without the greetings and thanks around it
    given: str = ""  # a text put before the question, to which that may refer


def _pasted(text: str, encoder: Encoder) -> tuple[str, str]:
    """A text pasted on lines of its own, and the line before or after it that asks; nothing, and all, where none is."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    ends = {i: lines[i] for i in (0, -1) if len(lines) > 2 and len(lines[i]) < _LEAST_PASTED}
    talk = [i for i, kind in zip(ends, tell(list(ends.values()), encoder), strict=True) if kind in SMALL_TALK]
    first, *rest = lines = lines[(0 in talk) : -1 if -1 in talk else None]
    if not rest:
        return "", text
    if len(" ".join(lines[:-1])) >= _LEAST_PASTED and len(lines[-1]) <= _LONGEST_ASKED:
        return " ".join(lines[:-1]), lines[-1]
    asks = first.endswith(_QUESTION_MARKS) and not any(line.endswith(_QUESTION_MARKS) for line in rest)
    return (" ".join(rest), first) if asks and len(" ".join(rest)) >= _LEAST_PASTED else ("", text)


def take_apart(text: str, encoder: Encoder) -> Turn:
    """What a turn is, and what of it is to be searched for.

    "Hi! ... Thanks" goes from around a question; of a pasted text with a question before or after it the question is
    asked.
    """
    given, asked = _pasted(text, encoder)
    if given:
        turn = take_apart(asked, encoder)
        return replace(turn, given=" ".join(filter(None, (given, turn.given))))
    parts = [text[span.start : span.end] for span in split_sentences(text)]
    outer = sorted({*range(len(parts))[:2], *range(len(parts))[-2:]})  # talk stands around a question
    kinds = dict(zip(outer, tell([parts[i] for i in outer], encoder), strict=True))
    if len(parts) < 2:
        return Turn(kinds.get(0, "question"), text)
    first, last = 0, len(parts)
    while first < last and kinds.get(first) in SMALL_TALK:
        first += 1
    while last > first and kinds.get(last - 1) in SMALL_TALK:
        last -= 1
    if first == last:
        return Turn(kinds[0], text)
    rest = parts[first:last]
    if len(rest) == 1:
        return Turn(kinds[first], rest[0])
    asks = [part.rstrip().endswith(_QUESTION_MARKS) for part in rest]
    if asks[-1] and not any(asks[:-1]):
        return Turn(kinds[last - 1], rest[-1], " ".join(rest[:-1]))
    whole = " ".join(rest)
    return Turn(tell([whole], encoder)[0], whole)
