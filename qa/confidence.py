"""How probable it is that the cited excerpts answer the question, and so whether to answer at all.

A logistic model over a few signals, fitted over several corpora by ``benchmarks/fit_confidence.py``; its weights stand
in ``confidence.json`` beside this module, and for retrieval without the reader in ``confidence-without-reader.json``.
Similarity alone does not do: in a corpus of one subject everything is near. What the reader said counts most, where
there is one. Few signals on purpose: with eighteen the fit knew its own corpora better and every other one worse.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from index.collection import Collection
from index.encoder import FloatMatrix
from qa.excerpts import Excerpt
from qa.question import Question
from qa.ranking import Ranking, token_matches
from qa.reranking import Read

WITH_READER, WITHOUT_READER = "confidence.json", "confidence-without-reader.json"
JUDGED = ("nearness", "least_covered")  # what the model looks at
JUDGED_OF_READING = ("read_best", "read_cited")  # and with a reader also at


@dataclass(frozen=True)
class Model:
    """Weights of a logistic model over standardised signals, and the least probability that counts as yes."""

    names: Sequence[str]
    means: NDArray[np.float64]
    scales: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: float
    threshold: float

    def probability(self, signals: Mapping[str, float]) -> float:
        """The probability of a yes."""
        values = (np.array([signals[name] for name in self.names]) - self.means) / self.scales
        return float(1 / (1 + math.exp(-(float(values.clip(-4, 4) @ self.weights) + self.bias))))


@cache
def load_model(file: str) -> Model:
    """A fitted model out of a file of this package."""
    data = json.loads(resources.files("qa").joinpath(file).read_text(encoding="utf-8"))
    arrays = {name: np.array(data[name]) for name in ("means", "scales", "weights")}
    return Model(names=data["names"], bias=data["bias"], threshold=data["threshold"], **arrays)


def signals(
    question: Question, ranking: Ranking, excerpts: Sequence[Excerpt], collection: Collection,
    read: Sequence[Read] | None = None,
) -> dict[str, float]:  # fmt: skip
    """The signals of one question; ``excerpts`` must not be empty; ``read``: what the reader said, if there is one."""
    best = excerpts[0]
    inside = ranking.sentences[(ranking.sentences >= best.first) & (ranking.sentences <= best.last)]
    coverage = _coverage(question, collection, np.sort(inside))
    values = {
        "nearness": float(ranking.nearness[0]),
        "interaction": float(ranking.interaction[0]),
        "covered": float(question.weights @ coverage) if len(coverage) else 0.0,
        "least_covered": _weighted_quantile(coverage, question.weights, 0.15),
    }
    return values | (_read_signals(read, best) if read else {})


def _read_signals(read: Sequence[Read], best: Excerpt) -> dict[str, float]:
    """How sure the reader is that any window answers, and that the one does which is cited first."""
    answers = [each.reading.answers for each in read]
    cited = [each.reading.answers for each in read if each.window.first <= best.best <= each.window.last]
    return {"read_best": max(answers), "read_cited": cited[0] if cited else min(answers)}


def _coverage(question: Question, collection: Collection, sentences: NDArray[np.int32]) -> FloatMatrix:
    """[question tokens]: how well each finds a match within the excerpt."""
    if not len(question.tokens) or not len(sentences):
        return np.zeros(0, np.float32)
    whole = collection.members(collection.passage_of[sentences])
    matches = token_matches(question, collection, whole)
    covered: FloatMatrix = matches[:, np.isin(whole, sentences)].max(axis=1)
    return covered


def _weighted_quantile(values: FloatMatrix, weights: FloatMatrix, share: float) -> float:
    """The value below which the given share of the weight lies."""
    if not len(values):
        return 0.0
    order = np.argsort(values)
    reached = np.searchsorted(np.cumsum(weights[order]), share)
    return float(values[order[min(int(reached), len(values) - 1)]])
