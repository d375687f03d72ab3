"""Reads the nearest passages with the question, and orders sentences by what retrieval and reader find together.

Reading is what an answer costs most, so it is done in two goes: the second only where the first leaves doubt and
nobody else is at it.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from index.collection import Collection
from index.encoder import FloatMatrix
from qa.question import Question
from qa.ranking import Ranking
from qa.reader import Passage, PassageReader, Reading

MOST_READ = 8  # windows
_FIRST_GO = 4
_LEAST = 2  # however many ask
_LARGEST = 140  # pieces of a window, counted with those of its sentences
_PLAIN = 2.0  # logit of answering from which on the first go is enough
ANSWERS, SENTENCE = (
    0.03,
    0.02,
)  # weights of the reader's scores beside retrieval's; doubled or halved, a1 is much the same
_SURE = 8.0  # logits beyond which the reader's word gains no weight


@dataclass(frozen=True)
class Window:
    """Sentences ``first`` to ``last`` (inclusive) of the collection, of one passage."""

    first: int
    last: int


@dataclass(frozen=True)
class Read:
    """A window and what the reader said of it."""

    window: Window
    reading: Reading

    @property
    def shares(self) -> FloatMatrix:
        """[sentences of the window], log-probability that each answers, and not another or none."""
        odds = self.reading.sentences
        shares: FloatMatrix = (odds - np.logaddexp.reduce(np.append(odds, 0))).astype(np.float32)
        return shares


class Reranker:
    """A reader at work for any number of threads: the more of them, the less is read for each."""

    def __init__(self, reader: PassageReader, answers: float = ANSWERS, sentence: float = SENTENCE) -> None:
        """``answers``, ``sentence``: weights of what the reader says of a window and of a sentence of it."""
        self._reader = reader
        self._weights = answers, sentence
        self._lock = threading.Lock()
        self._at_work = 0

    def rerank(self, question: Question, ranking: Ranking, collection: Collection) -> tuple[Ranking, list[Read]]:
        """The ranking in the order of both, and what was read, best first as retrieval has it."""
        with self._working() as others:
            windows = choose_windows(ranking, collection, max(_LEAST, MOST_READ // (1 + others)))
            done = self._read(question, windows[:_FIRST_GO], collection)
            if windows[_FIRST_GO:] and max(each.reading.answers for each in done) < _PLAIN:
                done += self._read(question, windows[_FIRST_GO:], collection)
        return reorder(ranking, done, *self._weights), done

    def _read(self, question: Question, windows: list[Window], collection: Collection) -> list[Read]:
        readings = self._reader.read(question.text, [passage_of(window, collection) for window in windows])
        return [Read(window, reading) for window, reading in zip(windows, readings, strict=True)]

    @contextmanager
    def _working(self) -> Iterator[int]:
        """How many others are at it."""
        with self._lock:
            others = self._at_work
            self._at_work += 1
        try:
            yield others
        finally:
            with self._lock:
                self._at_work -= 1


def choose_windows(ranking: Ranking, collection: Collection, most: int) -> list[Window]:
    """Windows around the best sentences, each within its passage, none in two of them."""
    pieces = dict(zip(ranking.sentences.tolist(), ranking.pieces.tolist(), strict=True))
    scores = dict(zip(ranking.sentences.tolist(), ranking.scores.tolist(), strict=True))
    taken: set[int] = set()
    windows: list[Window] = []
    for sentence in ranking.sentences.tolist():
        if len(windows) == most:
            break
        if sentence in taken:
            continue
        first = last = sentence
        size = pieces[sentence]
        while True:
            sides = [
                side
                for side in (first - 1, last + 1)
                if side in scores
                and side not in taken
                and collection.passage_of[side] == collection.passage_of[sentence]
                and size + pieces[side] <= _LARGEST
            ]
            if not sides:
                break
            better = max(sides, key=lambda side: scores[side])
            first, last, size = min(first, better), max(last, better), size + pieces[better]
        taken.update(range(first, last + 1))
        windows.append(Window(first, last))
    return windows


def passage_of(window: Window, collection: Collection) -> Passage:
    """The text of a window, exactly as the article has it."""
    article = collection.articles[collection.names[collection.article_of[window.first]]]
    spans = collection.spans[window.first : window.last + 1]
    start, end = int(spans[0, 0]), int(spans[-1, 1])
    return Passage(article.text[start:end], (spans[:, 0] - start).tolist())


def reorder(ranking: Ranking, done: list[Read], answers: float = ANSWERS, sentence: float = SENTENCE) -> Ranking:
    """Scores of both together; what was not read counts as the worst of what was."""
    if not done:
        return ranking
    gains: NDArray[np.float32] = np.full(len(ranking.sentences), np.nan, np.float32)
    place = {row: i for i, row in enumerate(ranking.sentences.tolist())}
    for each in done:
        whole = answers * float(np.clip(each.reading.answers, -_SURE, _SURE))
        for row, share in zip(range(each.window.first, each.window.last + 1), each.shares.tolist(), strict=True):
            gains[place[row]] = whole + sentence * max(share, -_SURE)
    gains = np.where(np.isnan(gains), np.nanmin(gains), gains)
    scores = ranking.scores + gains
    order = np.argsort(-scores, kind="stable")
    parts = {
        name: getattr(ranking, name)[order]
        for name in ("sentences", "nearness", "interaction", "passage_interaction", "pieces")
    }
    return replace(ranking, scores=scores[order].astype(np.float32), **parts)
