"""Scores sentences against a question: nearness of vectors, then of their tokens.

The second stage is the late interaction of ColBERT (Khattab & Zaharia 2020, arXiv 2004.12832): for every token of the
question its best match among a sentence's tokens, averaged by how much each token counts (``qa.interaction``).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.collection import Collection
from index.encoder import FloatMatrix
from qa.question import Question

PASSAGES = 24  # candidates whose tokens are compared
_DATED = 0.05  # what an article gains whose date the question names


@dataclass(frozen=True)
class Filters:
    """Which articles may be cited: from and to, inclusive, as YYYYMM; one language."""

    since: int | None = None
    until: int | None = None
    language: str | None = None


@dataclass(frozen=True)
class Ranking:
    """Sentences that may answer, best first."""

    sentences: NDArray[np.int32]  # [candidates], rows of the collection
    scores: FloatMatrix  # [candidates]
    nearness: FloatMatrix  # [candidates], cosine in the centred space
    interaction: FloatMatrix  # [candidates], mean token match


def rank(question: Question, collection: Collection, filters: Filters | None = None) -> Ranking:
    """The sentences of the passages nearest to the question, ordered by both stages; empty where filters leave none."""
    allowed = _allowed(collection, filters or Filters())
    nearness = collection.centred @ question.centred
    dated = _DATED * _in_period(question, collection)
    candidates = _candidates(nearness + dated, allowed, collection)
    interaction = _interact(question, collection, candidates)
    scores = nearness[candidates] + question.interaction_weight * interaction + dated[candidates]
    order = np.argsort(-scores, kind="stable")
    chosen = candidates[order]
    return Ranking(chosen, scores[order], nearness[chosen], interaction[order])


def _in_period(question: Question, collection: Collection) -> NDArray[np.bool_]:
    """[sentences]: whether the article's date is one that the question names."""
    dated = np.zeros(len(collection.dates), np.bool_)
    for period in question.periods:
        dated |= (collection.dates >= period.since) & (collection.dates <= period.until)
    return dated


def _allowed(collection: Collection, filters: Filters) -> NDArray[np.bool_]:
    allowed = np.ones(len(collection.dates), np.bool_)
    if filters.since is not None:
        allowed &= collection.dates >= filters.since
    if filters.until is not None:
        allowed &= (collection.dates <= filters.until) & (collection.dates > 0)
    if filters.language is not None:
        allowed &= collection.languages == filters.language
    return allowed


def _candidates(nearness: FloatMatrix, allowed: NDArray[np.bool_], collection: Collection) -> NDArray[np.int32]:
    """All sentences of the passages that hold the nearest ones."""
    order = np.argsort(np.where(allowed, -nearness, np.inf), kind="stable")[: int(allowed.sum())]
    passages = list(dict.fromkeys(collection.passage_of[order[: 20 * PASSAGES]].tolist()))[:PASSAGES]
    members: NDArray[np.int32] = np.flatnonzero(np.isin(collection.passage_of, passages)).astype(np.int32)
    return members


def _interact(question: Question, collection: Collection, candidates: NDArray[np.int32]) -> FloatMatrix:
    """The token score of each candidate; zeros where the encoder's tokens are not used."""
    if not collection.table.has_tokens or not len(question.tokens):
        return np.zeros(len(candidates), np.float32)
    matches = token_matches(question, collection, candidates)
    interaction: FloatMatrix = question.weights @ matches
    return interaction


def token_matches(question: Question, collection: Collection, sentences: NDArray[np.int32]) -> FloatMatrix:
    """[question tokens, sentences]: the best cosine of each token of the question within each sentence.

    ``sentences`` must hold whole passages, in order.
    """
    best = np.full((len(question.tokens), len(sentences)), -1.0, np.float32)
    for passage in np.unique(collection.passage_of[sentences]).tolist():
        tokens, owner = collection.passage_tokens(passage)
        similarity = question.tokens @ tokens.T
        for sentence in np.unique(owner).tolist():
            column = int(np.searchsorted(sentences, sentence))
            best[:, column] = similarity[:, owner == sentence].max(axis=1)
    return best
