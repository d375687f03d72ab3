"""Cuts excerpts out of articles around the best sentences: exact spans, short enough to read, none told twice."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.collection import Collection
from index.encoder import FloatMatrix
from qa.answer import LONGEST_EXCERPT, Citation
from qa.ranking import Ranking

_SAME_PASSAGE = 0.3  # what a neighbour of the same passage is preferred by when an excerpt grows
_ONWARDS = 0.02  # and one that follows
_ALIKE = 0.15  # difference of scores below which two neighbouring sentences are both highlighted


@dataclass(frozen=True)
class Excerpt:
    """Sentences ``first`` to ``last`` (inclusive) of the collection; ``best`` is the one that answers.

    ``marked`` are the first and the last sentence of what is highlighted: the best one, and its neighbour where the two
    can hardly be told apart.
    """

    first: int
    last: int
    best: int
    marked: tuple[int, int]
    score: float


def of_sentence(sentence: int) -> Excerpt:
    """The excerpt of one sentence, of which nothing is set off and which is as good as any other."""
    return Excerpt(sentence, sentence, sentence, (sentence, sentence), 1.0)


def cut_excerpts(ranking: Ranking, collection: Collection, most: int) -> list[Excerpt]:
    """Up to ``most`` excerpts of at most LONGEST_EXCERPT characters, best first, no sentence in two of them."""
    scores = np.full(len(collection.spans), -np.inf, np.float32)
    scores[ranking.sentences] = ranking.scores
    taken = np.zeros(len(scores), np.bool_)
    excerpts: list[Excerpt] = []
    for sentence, score in zip(ranking.sentences.tolist(), ranking.scores.tolist(), strict=True):
        if len(excerpts) == most:
            break
        if not taken[sentence]:
            first, last = _grow(sentence, scores, taken, collection)
            taken[first : last + 1] = True
            marked = _mark(sentence, first, last, scores)
            excerpts.append(Excerpt(first, last, sentence, marked, score))
    return excerpts


def _mark(best: int, first: int, last: int, scores: FloatMatrix) -> tuple[int, int]:
    """The best sentence, and its better neighbour within the excerpt where that scores nearly as high."""
    neighbours = [i for i in (best - 1, best + 1) if first <= i <= last and scores[best] - scores[i] < _ALIKE]
    if not neighbours:
        return best, best
    other = max(neighbours, key=lambda i: float(scores[i]))
    return min(best, other), max(best, other)


def _grow(sentence: int, scores: FloatMatrix, taken: NDArray[np.bool_], collection: Collection) -> tuple[int, int]:
    """The excerpt around a sentence: the better neighbour is taken in for as long as there is room."""
    first = last = sentence
    spans, passages = collection.spans, collection.passage_of

    def worth(neighbour: int) -> float:
        """How good it is to take a neighbour in; -inf where it cannot be."""
        if not 0 <= neighbour < len(taken) or taken[neighbour]:
            return -np.inf
        if collection.article_of[neighbour] != collection.article_of[sentence]:
            return -np.inf
        begin, end = spans[min(first, neighbour), 0], spans[max(last, neighbour), 1]
        if end - begin > LONGEST_EXCERPT:
            return -np.inf
        own = _SAME_PASSAGE if passages[neighbour] == passages[sentence] else 0.0
        onwards = _ONWARDS if neighbour > sentence else 0.0
        # Beyond the candidates nothing is known but that it stands next to the answer.
        return (float(scores[neighbour]) if np.isfinite(scores[neighbour]) else -9.0) + own + onwards

    while True:
        before, after = worth(first - 1), worth(last + 1)
        if max(before, after) == -np.inf:
            return first, last
        if before > after:
            first -= 1
        else:
            last += 1


def cite(excerpts: list[Excerpt], collection: Collection) -> tuple[Citation, ...]:
    """The citations of excerpts, numbered from 1."""
    citations = []
    for n, excerpt in enumerate(excerpts, start=1):
        name = collection.names[collection.article_of[excerpt.best]]
        article = collection.articles[name]
        start, end = int(collection.spans[excerpt.first, 0]), int(collection.spans[excerpt.last, 1])
        begin, stop = int(collection.spans[excerpt.marked[0], 0]), int(collection.spans[excerpt.marked[1], 1])
        end, stop = min(end, start + LONGEST_EXCERPT), min(stop, start + LONGEST_EXCERPT)
        citations.append(
            Citation(
                n=n,
                article=name,
                title=article.title,
                date=article.date,
                language=article.language,
                start=start,
                end=end,
                text=article.text[start:end],
                highlight=(begin, stop),
                score=excerpt.score,
                page=article.page_at(begin),
            )
        )
    return tuple(citations)
