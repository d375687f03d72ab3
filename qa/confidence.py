"""How probable it is that the cited excerpts answer the question, and so whether to answer at all.

A logistic model over a few signals, fitted over several corpora by ``benchmarks/fit_confidence.py``; its weights stand
in ``confidence.json`` beside this module, and for retrieval without the reader in ``confidence-without-reader.json``.
Similarity alone does not do: in a corpus of one subject everything is near, so the model also looks at how far the best
stands out, at what part of the question finds a match, and at what the reader said, where there is one.
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
_RUNNERS_UP = (1, 4, 12)  # places, counted in passages, that the best is compared with


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
    scores = _best_by_passage(ranking, collection)
    inside = ranking.sentences[(ranking.sentences >= best.first) & (ranking.sentences <= best.last)]
    coverage = _coverage(question, collection, np.sort(inside))
    values = {
        "nearness": float(ranking.nearness[0]),
        "interaction": float(ranking.interaction[0]),
        "passage_interaction": float(ranking.passage_interaction[0]),
        "outstanding": (float(ranking.nearness[0]) - ranking.mean_nearness) / max(ranking.spread, 1e-6),
        "covered": float(question.weights @ coverage) if len(coverage) else 0.0,
        "least_covered": _weighted_quantile(coverage, question.weights, 0.15),
        "low_covered": _weighted_quantile(coverage, question.weights, 0.4),
        "length": math.log1p(len(question.tokens)),
        "own_language": float(collection.articles[collection.names[collection.article_of[best.best]]].language
                              == question.language),
        "size": math.log(len(collection.spans)),
    }  # fmt: skip
    for place in _RUNNERS_UP:
        values[f"gap_{place}"] = scores[0] - scores[min(place, len(scores) - 1)]
    return values | (_read_signals(read, best) if read else {})


def _read_signals(read: Sequence[Read], best: Excerpt) -> dict[str, float]:
    """What the reader said of the windows, and of the one that is cited first."""
    answers = sorted((each.reading.answers for each in read), reverse=True)
    shares = [float(each.shares.max()) for each in read]
    cited = next((i for i, each in enumerate(read) if each.window.first <= best.best <= each.window.last), None)
    return {
        "read_best": answers[0],
        "read_second": answers[min(1, len(answers) - 1)],
        "read_sentence": max(shares),
        "read_cited": read[cited].reading.answers if cited is not None else answers[-1],
        "read_cited_sentence": shares[cited] if cited is not None else min(shares),
    }


def _best_by_passage(ranking: Ranking, collection: Collection) -> list[float]:
    passages = collection.passage_of[ranking.sentences]
    _, first = np.unique(passages, return_index=True)
    best: list[float] = np.sort(ranking.scores[first])[::-1].tolist()
    return best


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
