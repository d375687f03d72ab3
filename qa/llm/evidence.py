"""What can be seen of whether quotes support a sentence: nearness in the centred space, word by word matches, facts.

Words are compared twice: as strings, which sees names through scripts and endings, and as token vectors with the
language taken out, which sees that *betejë* is a battle. A word has support where either does.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from index.centres import normalise
from index.collection import Collection
from index.encoder import Encoder, FloatMatrix
from index.languages import language_posterior, reweigh
from qa.answer import Citation
from qa.llm.names import likeness, stands_in
from qa.llm.numbers import LETTER, find_numbers, knows_words, values_of
from qa.llm.places import fold, places

_WORD = re.compile(rf"(?:{LETTER}|\d)+(?:['’](?:{LETTER}|\d)+)*")
_NO_SPACES = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_CAPITAL = ("Lu", "Lt")
_IN_WORDS = 21  # a smaller number may stand in words
_MONTH_NUMBERS = frozenset(range(1, 13))
_FIGURE = re.compile(r"\d")
_BESIDE = 6  # characters between a month and a figure
_SHORT_NAME, _SHORTEST_STEM = 6, 4  # letters
_COMMONEST = 4.0  # -log probability of pieces that say nothing
_SAME_TEXT = 0.85  # cosine from which on two sentences tell the same
_ELSEWHERE = 6  # passages that a sentence is compared with beside the cited ones


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
    numbers: tuple[str, ...]  # numbers and months that the quotes lack
    countries: tuple[str, ...]  # countries that they lack
    words: tuple[Word, ...]
    nearness: float  # cosine to the nearest sentence of the quotes
    margin: float  # the same less that to the nearest sentence elsewhere
    interaction: float  # mean best token match within the quotes
    interaction_margin: float  # the same less that within the best passage elsewhere


@dataclass(frozen=True)
class Encoded:
    """A sentence in the collection's centred space."""

    vector: FloatMatrix  # [dimension]
    tokens: FloatMatrix  # [tokens, dimension]
    starts: NDArray[np.int32]
    weights: FloatMatrix  # [tokens], adding up to 1


def gather(
    sentence: str, language: str, citations: Sequence[Citation], encoder: Encoder, collection: Collection
) -> Evidence:
    """The evidence about a sentence; ``citations`` are those that it names, at least one."""
    encoded = encode(sentence, language, encoder, collection)
    inside = rows_of(citations, collection)
    near = collection.nearness(encoded.vector)
    outside = _others(inside, collection)
    quoted = _tokens_of(inside, collection)
    best = _best(encoded, quoted)
    elsewhere = max((_mean(encoded, tokens) for tokens in _rivals(near, outside, collection)), default=0.0)
    return Evidence(
        language=language,
        numbers=missing_numbers(sentence, language, citations),
        countries=missing_countries(sentence, language, citations),
        words=_words(sentence, encoded, best, citations, collection),
        nearness=float(near[inside].max(initial=-1.0)),
        margin=float(near[inside].max(initial=-1.0) - near[outside].max(initial=-1.0)),
        interaction=float(encoded.weights @ best) if len(best) else 0.0,
        interaction_margin=(float(encoded.weights @ best) if len(best) else 0.0) - elsewhere,
    )


def encode(sentence: str, language: str, encoder: Encoder, collection: Collection) -> Encoded:
    """Encode a sentence as articles are, and take its language out."""
    table = collection.table
    (vector,), (tokens,) = encoder.encode_passages([sentence])
    guessed = reweigh(language_posterior(sentence), table.nearness(vector), collection.centres.means)
    languages = {language: 1.0} if guessed.get(language, 0.0) > 0 or not guessed else guessed
    stored = normalise(vector - table.passage_centre(languages))
    raw = tokens.vectors if table.has_tokens else tokens.vectors[:0]
    vectors = normalise(raw - table.token_centre(languages) - collection.token_centres.of(languages))
    weights = (tokens.weights[: len(vectors)] - _COMMONEST).clip(0.5)
    return Encoded(
        vector=normalise(stored - collection.centres.of(languages)),
        tokens=vectors,
        starts=tokens.starts[: len(vectors)],
        weights=(weights / max(float(weights.sum()), 1e-9)).astype(np.float32),
    )


def rows_of(citations: Sequence[Citation], collection: Collection) -> NDArray[np.int64]:
    """The rows of the collection's sentences that the citations hold, at least in part."""
    held = np.zeros(len(collection.spans), np.bool_)
    for citation in citations:
        if citation.article in collection.names:
            own = collection.article_of == collection.names.index(citation.article)
            held |= own & (collection.spans[:, 0] < citation.end) & (collection.spans[:, 1] > citation.start)
    return np.flatnonzero(held)


def missing_numbers(sentence: str, language: str, citations: Sequence[Citation]) -> tuple[str, ...]:
    """Numbers and months that a sentence names and neither its quotes nor their dates do."""
    known: set[float] = set()
    months: set[int] = set()
    for citation in citations:
        year, month = _date(citation)
        known |= values_of(citation.text, citation.language) | {year, month}
        months |= {month, *_months(citation.text, citation.language)}
        # In Chinese, Korean and many figures a month is its number.
        months |= {int(value) for value in values_of(citation.text, citation.language) if value in _MONTH_NUMBERS}
    known |= months
    named = sorted(_months(sentence, language) - months) if all(_month_names(c.language) for c in citations) else []
    sure = all(knows_words(citation.language) for citation in citations)
    lacking = [
        "/".join(f"{value:.10g}" for value in sorted(number.values))
        for number in find_numbers(sentence, language)
        if number.required and (sure or max(number.values) >= _IN_WORDS) and not number.among(known)
    ]
    return (*lacking, *(f"month {month}" for month in named))


def missing_countries(sentence: str, language: str, citations: Sequence[Citation]) -> tuple[str, ...]:
    """Countries that a sentence names and its quotes do not."""
    named = places(sentence, language, lenient=False)
    if not named:
        return ()
    held: set[str] = set()
    for citation in citations:
        held |= places(f"{citation.title}\n{citation.text}", citation.language, lenient=True)
    return tuple(sorted(named - held))


def _date(citation: Citation) -> tuple[int, int]:
    """Year and month of an article, 0 where it has none."""
    parts = [int(part) for part in (citation.date or "").split("-")[:2] if part.isdigit()]
    year, month, *_ = [*parts, 0, 0]
    return year, month


def _months(text: str, language: str) -> set[int]:
    """The months that a text names in words."""
    folded = fold(text)
    return {
        month
        for match in _WORD.finditer(folded)
        for name, month in _month_names(language)
        if _is_month(
            name, match[0], bool(_FIGURE.search(folded[max(0, match.start() - _BESIDE) : match.end() + _BESIDE]))
        )
    }


def _is_month(name: str, word: str, dated: bool) -> bool:
    """Whether a word is a month's name, inflected; a short name only beside a figure: "may" is also another word."""
    if len(name) < _SHORT_NAME and not dated:
        return False
    return word == name or (len(name) > _SHORTEST_STEM and word.startswith(name[:-1]) and len(word) <= len(name) + 2)


@cache
def _month_names(language: str) -> tuple[tuple[str, int], ...]:
    from babel import UnknownLocaleError
    from babel.dates import get_month_names

    try:
        forms = [get_month_names("wide", context, language) for context in ("format", "stand-alone")]
    except (UnknownLocaleError, ValueError):
        return ()
    return tuple({(fold(name), number) for form in forms for number, name in form.items() if fold(name).isalpha()})


def _others(inside: NDArray[np.int64], collection: Collection) -> NDArray[np.int64]:
    """The rows beside the cited ones, without those that tell the same: agencies' news stands in many articles."""
    other = np.ones(len(collection.spans), np.bool_)
    if len(inside):
        cited = collection.centred(inside.astype(np.int32))
        other = np.max([collection.nearness(vector) for vector in cited], axis=0) < _SAME_TEXT
        other[inside] = False
    return np.flatnonzero(other)


def _tokens_of(rows: NDArray[np.int64], collection: Collection) -> FloatMatrix:
    """[tokens, dimension]: the tokens of some sentences."""
    if not collection.table.has_tokens or not len(rows):
        return np.zeros((0, collection.stored.shape[1]), np.float32)
    found = collection.passage_tokens(collection.passage_of[rows])
    return found.vectors[np.isin(found.sentences, rows)]


def _rivals(near: FloatMatrix, outside: NDArray[np.int64], collection: Collection) -> list[FloatMatrix]:
    """The tokens of the sentences nearest among those that are not cited."""
    nearest = outside[np.argsort(-near[outside], kind="stable")[:_ELSEWHERE]]
    return [_tokens_of(np.array([row]), collection) for row in nearest.tolist()]


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
    quoted = {word for citation in citations for word in _WORD.findall(f"{citation.title} {citation.text}")}
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
    return frozenset(word for word in _WORD.findall(text) if unicodedata.category(word[0]) in _CAPITAL)


def _spans(sentence: str, encoded: Encoded) -> list[tuple[int, int]]:
    """Start and end of each word; of each token where a script puts no spaces."""
    if not _NO_SPACES.search(sentence):
        return [match.span() for match in _WORD.finditer(sentence)]
    edges = sorted({*encoded.starts.tolist(), len(sentence)})
    spans = list(pairwise(edges))
    return [(start, end) for start, end in spans if any(c.isalnum() for c in sentence[start:end])]
