"""What can be seen of whether quotes support a sentence: nearness of vectors, word by word matches, facts.

Words are compared twice: as strings, which sees names through scripts and endings, and as token vectors, which
sees that *betejë* is a battle. A word has support where either does.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from index.collection import Collection
from index.encoder import Encoder, FloatMatrix
from qa.answer import Citation
from qa.llm.facts import WORD, is_verbatim, missing_countries, missing_numbers
from qa.llm.names import likeness, stands_in

_NO_SPACES = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_CAPITAL = ("Lu", "Lt")
_SAME_TEXT = 0.7  # share of common words from which on two sentences tell the same
_LOOKED_AT = 60  # sentences among which those that tell something else are sought
_ELSEWHERE = 6  # sentences that a sentence is compared with beside the cited ones


@dataclass(frozen=True)
class Word:
    """A word of a sentence and its support by the quotes."""

    text: str
    weight: float  # how much it says: the rarer the more
    tokens: float  # best cosines of its tokens among those of the quotes
    spelling: float  # likeness to the most similar word of the quotes
    elsewhere: float  # likeness to the most similar capitalised word of the articles beside their quotes
    capital: bool  # written with a capital
    first: bool  # begins the sentence, where every word has one


@dataclass(frozen=True)
class Evidence:
    """All that is known about one sentence and its quotes."""

    language: str  # of the sentence
    verbatim: bool  # its words stand in a quote as they are
    numbers: tuple[str, ...]  # numbers and months that the quotes lack
    countries: tuple[str, ...]  # countries that they lack
    words: tuple[Word, ...]
    nearness: float  # cosine to the nearest sentence of the quotes
    margin: float  # the same less that to the nearest sentence elsewhere
    interaction: float  # mean best token match within the quotes
    interaction_margin: float  # the same less that within the best passage elsewhere


@dataclass(frozen=True)
class Encoded:
    """A sentence as the encoder places it."""

    vector: FloatMatrix  # [dimension]
    tokens: FloatMatrix  # [tokens, dimension]
    starts: NDArray[np.int32]
    weights: FloatMatrix  # [tokens], adding up to 1


def gather(
    sentence: str, language: str, citations: Sequence[Citation], encoder: Encoder, collection: Collection
) -> Evidence:
    """The evidence about a sentence; ``citations`` are those that it names, at least one."""
    encoded = encode(sentence, encoder)
    inside = rows_of(citations, collection)
    near = collection.nearness(encoded.vector)
    rivals = _rivals(near, inside, collection)
    quoted = _tokens_of(inside, collection)
    best = _best(encoded, quoted)
    elsewhere = max((_mean(encoded, _tokens_of(np.array([row]), collection)) for row in rivals), default=0.0)
    return Evidence(
        language=language,
        verbatim=is_verbatim(sentence, citations),
        numbers=missing_numbers(sentence, language, citations),
        countries=missing_countries(sentence, language, citations),
        words=_words(sentence, encoded, best, citations, collection),
        nearness=float(near[inside].max(initial=-1.0)),
        margin=float(near[inside].max(initial=-1.0) - max((near[row] for row in rivals), default=-1.0)),
        interaction=float(encoded.weights @ best) if len(best) else 0.0,
        interaction_margin=(float(encoded.weights @ best) if len(best) else 0.0) - elsewhere,
    )


def encode(sentence: str, encoder: Encoder) -> Encoded:
    """Encode a sentence as articles are."""
    (vector,), (tokens,) = encoder.encode_passages([sentence])
    return Encoded(vector, tokens.vectors, tokens.starts, tokens.weights)


def rows_of(citations: Sequence[Citation], collection: Collection) -> NDArray[np.int64]:
    """The rows of the collection's sentences that the citations hold, at least in part."""
    held = np.zeros(len(collection.spans), np.bool_)
    for citation in citations:
        if citation.article in collection.names:
            own = collection.article_of == collection.names.index(citation.article)
            held |= own & (collection.spans[:, 0] < citation.end) & (collection.spans[:, 1] > citation.start)
    return np.flatnonzero(held)


def _rivals(near: FloatMatrix, inside: NDArray[np.int64], collection: Collection) -> list[int]:
    """The nearest rows beside the cited ones, without those that tell the same: news stands in many articles."""
    allowed = np.where(np.isin(np.arange(len(near)), inside), -np.inf, near)
    quoted = [collection.text(row) for row in inside.tolist()]
    rivals: list[int] = []
    for row in np.argsort(-allowed, kind="stable")[:_LOOKED_AT].tolist():
        if allowed[row] == -np.inf or len(rivals) == _ELSEWHERE:
            break
        text = collection.text(row)
        if not any(_same(text, other) for other in quoted):
            rivals.append(row)
    return rivals


def _same(one: str, other: str) -> bool:
    """Whether two sentences have nearly the same words."""
    words, others = set(WORD.findall(one)), set(WORD.findall(other))
    return len(words & others) >= _SAME_TEXT * max(len(words), len(others))


def _tokens_of(rows: NDArray[np.int64], collection: Collection) -> FloatMatrix:
    """[tokens, dimension]: the tokens of some sentences."""
    if not len(rows):
        return np.zeros((0, collection.stored.shape[1]), np.float32)
    found = collection.passage_tokens(collection.passage_of[rows])
    return found.vectors[np.isin(found.sentences, rows)]


def _best(encoded: Encoded, tokens: FloatMatrix) -> FloatMatrix:
    """[tokens of the sentence]: the best cosine of each; empty where there are none to compare with."""
    if not len(tokens) or not len(encoded.tokens):
        return np.zeros(0, np.float32)
    best: FloatMatrix = (encoded.tokens @ tokens.T).max(axis=1)
    return best


def _mean(encoded: Encoded, tokens: FloatMatrix) -> float:
    best = _best(encoded, tokens)
    return float(encoded.weights @ best) if len(best) else 0.0


def _words(
    sentence: str, encoded: Encoded, best: FloatMatrix, citations: Sequence[Citation], collection: Collection
) -> tuple[Word, ...]:
    quoted = {word for citation in citations for word in WORD.findall(f"{citation.title} {citation.text}")}
    # Where a script puts no spaces, a name can stand anywhere.
    runs = [citation.text for citation in citations if _NO_SPACES.search(citation.text)]
    others = {
        word
        for name in {citation.article for citation in citations}
        for word in _capitalised(collection.articles[name].text)
        if word not in quoted
    }
    found = []
    spans = _spans(sentence, encoded)
    for place, (start, end) in enumerate(spans):
        text = sentence[start:end]
        own = np.flatnonzero((encoded.starts + 1 >= start) & (encoded.starts < end))
        weight = float(encoded.weights[own].sum())
        tokens = float(encoded.weights[own] @ best[own] / max(weight, 1e-9)) if len(best) and len(own) else 0.0
        capital = unicodedata.category(text[0]) in _CAPITAL
        spelling = max(
            (likeness(text, other, by_sound=not (capital and other[0].islower())) for other in quoted), default=0.0
        )
        if any(text in run or stands_in(text, run) for run in runs):
            spelling = 1.0
        first = place == 0 or sentence[:start].rstrip()[-1:] in '.!?…:"“„«'
        elsewhere = max((likeness(text, other) for other in others), default=0.0)
        found.append(Word(text, weight, tokens, spelling, elsewhere, capital, first))
    return tuple(found)


@lru_cache(maxsize=64)
def _capitalised(text: str) -> frozenset[str]:
    """The words of an article that have a capital: names, and the first ones of sentences."""
    return frozenset(word for word in WORD.findall(text) if unicodedata.category(word[0]) in _CAPITAL)


def _spans(sentence: str, encoded: Encoded) -> list[tuple[int, int]]:
    """Start and end of each word; of each token where a script puts no spaces."""
    if not _NO_SPACES.search(sentence):
        return [match.span() for match in WORD.finditer(sentence)]
    edges = sorted({*encoded.starts.tolist(), len(sentence)})
    spans = list(pairwise(edges))
    return [(start, end) for start, end in spans if any(c.isalnum() for c in sentence[start:end])]
