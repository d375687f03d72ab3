"""Follow-up questions without a language model.

"And what did he give back?" cannot stand by itself, and that shows in its vector, whatever its language: one direction
of the space tells questions full of pronouns and gaps from whole ones. With it goes how much less the articles have for
the question than they had for the one before. A question that leans on the dialogue is asked together with the question
before it; one that stands by itself is asked as it is, whatever was spoken of.
``benchmarks/fit_dialogue.py`` fits both parts and measures them on corpora left out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from index.collection import Collection
from index.encoder import Encoder, FloatMatrix
from qa.confidence import signals
from qa.excerpts import cut_excerpts
from qa.fitted import fitted
from qa.question import Question, understand
from qa.ranking import Filters, Ranking, narrowed, rank
from qa.turns import SMALL_TALK, tell

_FURTHEST = 2  # earlier questions that are taken in
_LOOKED_THROUGH = 5  # earlier turns among which they are looked for
COMPARED = ("nearness", "interaction", "covered")  # signals set against those of the question before


@dataclass(frozen=True)
class Resolved:
    """A question as it is to be understood, and what it finds."""

    question: Question
    ranking: Ranking
    filters: Filters  # that it was looked for with
    context: tuple[str, ...] = ()  # earlier questions that were taken in, oldest first


@dataclass(frozen=True)
class LeaningModel:
    """The probability that a question leans on the dialogue."""

    direction: FloatMatrix  # [dimension], of leaning questions
    offset: float
    means: NDArray[np.float64]  # [1 + compared]
    scales: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: float

    def probability(self, vector: FloatMatrix, changes: Sequence[float]) -> float:
        """``changes``: the compared signals less those of the question before."""
        values = np.array([float(vector @ self.direction) + self.offset, *changes])
        return 1 / (1 + math.exp(-(float((values - self.means) / self.scales @ self.weights) + self.bias)))


@cache
def load_model(encoder: str) -> LeaningModel | None:
    """What was fitted for an encoder, by its name; None where nothing was: then no question leans."""
    found = fitted("dialogue", encoder)
    if found is None:
        return None
    arrays = {name: found[name] for name in ("direction", "means", "scales", "weights")}
    return LeaningModel(**arrays, offset=float(found["offset"]), bias=float(found["bias"]))


def resolve(
    text: str,
    history: Sequence[str],
    encoder: Encoder,
    collection: Collection,
    filters: Filters,
    *,
    leans: bool = False,
) -> Resolved:
    """The question by itself, or together with the ones before it where it leans on them; ``history``: oldest first.

    ``leans``: it is known to.
    """
    alone = look(text, encoder, collection, filters)
    context: list[str] = []
    latest = alone
    for earlier in _asked(history, encoder):
        before = look(earlier, encoder, collection, filters)
        if not (leans and not context) and not _leans(latest, before, encoder, collection):
            break
        context.insert(0, earlier)
        latest = before
    if not context:
        return alone
    joined = look(" ".join([*context, text]), encoder, collection, filters)
    question = replace(joined.question, text=text, languages=alone.question.languages)
    return replace(joined, question=question, context=tuple(context))


def _asked(history: Sequence[str], encoder: Encoder) -> list[str]:
    """The latest turns that a question may lean on, latest first: thanks and their like are none."""
    latest = [each for each in history if each.strip()][-_LOOKED_THROUGH:]
    told = zip(latest, tell(latest, encoder), strict=True)
    return [text for text, kind in told if kind not in SMALL_TALK and kind != "about"][: -_FURTHEST - 1 : -1]


def look(text: str, encoder: Encoder, collection: Collection, filters: Filters) -> Resolved:
    """A question by itself, among articles of the time that it names where there are any."""
    question = understand(text, encoder, collection)
    within = narrowed(question, collection, filters)
    return Resolved(question, rank(question, collection, within), within)


def _leans(asked: Resolved, before: Resolved, encoder: Encoder, collection: Collection) -> bool:
    """Whether a question cannot stand without the one before it."""
    model = load_model(encoder.name)
    if model is None or not len(asked.ranking.sentences):
        return False
    return model.probability(asked.question.vector, compare(asked, before, collection)) >= 0.5


def compare(asked: Resolved, before: Resolved, collection: Collection) -> list[float]:
    """The compared signals of a question less those of the one before."""
    new, old = (
        signals(each.question, each.ranking, cut_excerpts(each.ranking, collection, 1), collection)
        for each in (asked, before)
    )
    return [new[name] - old[name] for name in COMPARED]
