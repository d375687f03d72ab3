"""Scores sentences against a question: nearness of vectors, then of their tokens.

The second stage is the late interaction of ColBERT (Khattab & Zaharia 2020, arXiv 2004.12832): for every token of the
question its best match among a sentence's tokens, averaged by how much each token counts; and the same among those of
the sentence's whole passage, for a question seldom has all its words in the sentence that answers it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from index.collection import Collection, PassageTokens
from index.encoder import FloatMatrix
from qa.dates import Period
from qa.question import Question

PASSAGES = 24  # candidates whose tokens are compared
_SENTENCE, _PASSAGE = 0.7, 0.6  # weights of the tokens' scores beside the vectors'; chosen over five corpora
_DATED = 0.05  # what an article gains whose date the question names


@dataclass(frozen=True)
class Filters:
    """Which articles may be cited: from and to, inclusive, as YYYYMM; one language; times that a question names."""

    since: int | None = None
    until: int | None = None
    language: str | None = None
    periods: tuple[Period, ...] = ()  # in one of them; none for any time

    def admits(self, collection: Collection) -> NDArray[np.bool_]:
        """[articles]: which may be cited."""
        dates = collection.article_dates
        allowed = np.ones(len(dates), np.bool_)
        if self.since is not None:
            allowed &= dates >= self.since
        if self.until is not None:
            allowed &= (dates <= self.until) & (dates > 0)
        if self.language is not None:
            wanted = [code == self.language for code in collection.languages]
            allowed &= np.array(wanted, np.bool_)[collection.article_languages]
        return allowed & in_periods(self.periods, collection) if self.periods else allowed


@dataclass(frozen=True)
class Ranking:
    """Sentences that may answer, best first."""

    sentences: NDArray[np.int32]  # [candidates], rows of the collection
    scores: FloatMatrix  # [candidates]
    nearness: FloatMatrix  # [candidates], cosine
    interaction: FloatMatrix  # [candidates], mean token match within the sentence
    passage_interaction: FloatMatrix  # [candidates], the same within its passage
    pieces: NDArray[np.int32]  # [candidates], tokens of each


def rank(question: Question, collection: Collection, filters: Filters | None = None) -> Ranking:
    """The sentences of the passages nearest to the question, ordered by both stages; empty where filters leave none."""
    allowed = _allowed(collection, filters or Filters())
    nearness = collection.nearness(question.vector)
    dated = _DATED * in_periods(question.periods, collection).astype(np.float32)[collection.article_of]
    candidates = _candidates(nearness + dated, allowed, collection)
    interaction, around, pieces = _interact(question, collection, candidates)
    scores = nearness[candidates] + _SENTENCE * interaction + _PASSAGE * around + dated[candidates]
    order = np.argsort(-scores, kind="stable")
    chosen = candidates[order]
    return Ranking(
        sentences=chosen,
        scores=scores[order].astype(np.float32),
        nearness=nearness[chosen],
        interaction=interaction[order],
        passage_interaction=around[order],
        pieces=pieces[order],
    )


def in_periods(periods: Sequence[Period], collection: Collection) -> NDArray[np.bool_]:
    """[articles]: whether the article's date lies in one of them."""
    dates = collection.article_dates
    dated = np.zeros(len(dates), np.bool_)
    for period in periods:
        dated |= (dates >= period.since) & (dates <= period.until)
    return dated


def narrowed(question: Question, collection: Collection, filters: Filters) -> Filters:
    """The filters, narrowed to the times that the question names where there are articles of them."""
    within = replace(filters, periods=question.periods)
    return within if question.periods and within.admits(collection).any() else filters


def admitted(question: Question, collection: Collection, filters: Filters) -> list[int]:
    """The articles, by their numbers, that may be cited and that have a sentence to show."""
    admits = narrowed(question, collection, filters).admits(collection)
    found: list[int] = np.intersect1d(np.flatnonzero(admits), collection.article_of).tolist()
    return found


def _allowed(collection: Collection, filters: Filters) -> NDArray[np.bool_] | None:
    """[sentences]: which may be cited; None for all."""
    return None if filters == Filters() else filters.admits(collection)[collection.article_of]


def _candidates(nearness: FloatMatrix, allowed: NDArray[np.bool_] | None, collection: Collection) -> NDArray[np.int32]:
    """All sentences of the passages that hold the nearest ones."""
    if allowed is not None:
        nearness = np.where(allowed, nearness, -np.inf)
    most = min(20 * PASSAGES, len(nearness) if allowed is None else int(allowed.sum()))
    nearest = np.argpartition(-nearness, most - 1)[:most] if 0 < most < len(nearness) else np.arange(len(nearness))
    order = nearest[np.lexsort((nearest, -nearness[nearest]))][:most]
    passages = list(dict.fromkeys(collection.passage_of[order].tolist()))[:PASSAGES]
    return collection.members(np.array(passages, np.int32))


def _interact(
    question: Question, collection: Collection, candidates: NDArray[np.int32]
) -> tuple[FloatMatrix, FloatMatrix, NDArray[np.int32]]:
    """The token scores of each candidate and of its passage, zeros where there are no tokens; how many each has."""
    if not len(candidates):
        return np.zeros(0, np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32)
    tokens = collection.passage_tokens(collection.passage_of[candidates])
    pieces = np.bincount(np.searchsorted(candidates, tokens.sentences), minlength=len(candidates)).astype(np.int32)
    if not len(question.tokens):
        return np.zeros(len(candidates), np.float32), np.zeros(len(candidates), np.float32), pieces
    matches = _matches(question, tokens, candidates)
    _, first, passage = np.unique(collection.passage_of[candidates], return_index=True, return_inverse=True)
    around: FloatMatrix = question.weights @ np.maximum.reduceat(matches, first, axis=1)
    return question.weights @ matches, around[passage], pieces


def token_matches(question: Question, collection: Collection, sentences: NDArray[np.int32]) -> FloatMatrix:
    """[question tokens, sentences]: the best cosine of each token of the question within each sentence.

    ``sentences`` must hold whole passages, in order.
    """
    return _matches(question, collection.passage_tokens(collection.passage_of[sentences]), sentences)


def _matches(question: Question, tokens: PassageTokens, sentences: NDArray[np.int32]) -> FloatMatrix:
    best = np.full((len(question.tokens), len(sentences)), -1.0, np.float32)
    if len(tokens.sentences):
        owners, first = np.unique(tokens.sentences, return_index=True)
        similarity = tokens.vectors @ question.tokens.T
        best[:, np.searchsorted(sentences, owners)] = np.maximum.reduceat(similarity, first, axis=0).T
    return best
