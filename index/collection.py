"""The collection in memory: immutable, exact to search, centred for this corpus.

Only one matrix is held, of vectors as they are stored. What the corpus's own centres take away is taken away from the
scores: for a sentence s and a question q, cos(s - c, q) = (s q - c q) / |s - c|.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.articles import Article
from index.centres import LanguageTable, ResidualCentres, normalise, residual_centres
from index.encoder import FloatMatrix
from index.store import blend
from index.vectors import EncodedArticle, TokenReader, unpack_tokens

# Counted as so many vectors at the corpus's overall mean; chosen over six corpora of 5 to 48 articles.
_SENTENCE_SHRINKAGE = 30.0
_TOKEN_SHRINKAGE = 300.0


@dataclass(frozen=True)
class LoadedArticle:
    """What is held of one article. Spans count characters of its text."""

    key: str  # of its record
    spans: NDArray[np.int32]  # [sentences, 2]
    passages: NDArray[np.int32]  # [sentences], the passage of each, counted within the article
    vectors: FloatMatrix  # [sentences, dimension], unit vectors as the collection has them
    token_sum: NDArray[np.float64]  # [dimension]
    token_count: int


@dataclass(frozen=True)
class PassageTokens:
    """The tokens of some passages, in order."""

    vectors: FloatMatrix  # [tokens, dimension], unit vectors centred for this corpus
    sentences: NDArray[np.int32]  # [tokens], the sentence of each, ascending


@dataclass(frozen=True)
class Collection:
    """Sentences of all articles, ordered by article name and place; row i of every array is sentence i."""

    articles: Mapping[str, Article]
    names: tuple[str, ...]  # article names, sorted
    loaded: Mapping[str, LoadedArticle]  # their arrays are views of those below
    table: LanguageTable
    article_of: NDArray[np.int32]  # [sentences], index into names
    passage_of: NDArray[np.int32]  # [sentences], counted over all articles, ascending
    spans: NDArray[np.int32]  # [sentences, 2], characters of the article
    stored: FloatMatrix  # [sentences, dimension], unit vectors as the collection has them
    lengths: FloatMatrix  # [sentences], of the stored vectors less their language's centre
    languages: tuple[str, ...]  # the languages of all articles, sorted
    article_languages: NDArray[np.int32]  # [articles], index into languages
    article_dates: NDArray[np.int32]  # [articles], YYYYMM; 0 where the article has none
    centres: ResidualCentres
    token_centres: ResidualCentres
    tokens: TokenReader

    def text(self, sentence: int) -> str:
        """The text of a sentence."""
        start, end = self.spans[sentence]
        return self.articles[self.names[self.article_of[sentence]]].text[start:end]

    def similarities(self, centred: FloatMatrix, stored: FloatMatrix) -> tuple[FloatMatrix, FloatMatrix]:
        """[sentences] each: cosines to a question centred for this corpus, and to the same as it would be stored."""
        # One after the other: a product with two columns takes twice as long as two with one.
        similarity: FloatMatrix = self.stored @ stored
        return self.nearness(centred), similarity

    def nearness(self, centred: FloatMatrix) -> FloatMatrix:
        """[sentences]: cosines to a vector centred for this corpus."""
        products = self.stored @ centred
        shifts = np.array([self.centres.of({code: 1.0}) @ centred for code in self.languages], np.float32)
        nearness: FloatMatrix = (products - shifts[self.article_languages][self.article_of]) / self.lengths
        return nearness

    def centred(self, sentences: NDArray[np.int32]) -> FloatMatrix:
        """Unit vectors [sentences, dimension] of some sentences, centred for this corpus."""
        centres = np.stack([self.centres.of({code: 1.0}) for code in self.languages])
        return normalise(self.stored[sentences] - centres[self.article_languages[self.article_of[sentences]]])

    def members(self, passages: NDArray[np.int32]) -> NDArray[np.int32]:
        """All sentences of some passages, in order."""
        passages = np.unique(passages)
        first, last = np.searchsorted(self.passage_of, passages), np.searchsorted(self.passage_of, passages + 1)
        ranges = [np.arange(*each, dtype=np.int32) for each in zip(first.tolist(), last.tolist(), strict=True)]
        return np.concatenate([np.zeros(0, np.int32), *ranges])

    def passage_tokens(self, passages: NDArray[np.int32]) -> PassageTokens:
        """The tokens of passages."""
        parts = [self._packed(passage) for passage in np.unique(passages).tolist()]
        scale = self.table.token_scale
        codes = np.concatenate([np.zeros((0, len(scale) // 2), np.uint8), *(codes for codes, _, _ in parts)])
        centres = [self.token_centres.of({language: 1.0}) for _, _, language in parts]
        vectors = unpack_tokens(codes, scale)
        if parts:
            vectors -= np.repeat(np.stack(centres), [len(codes) for codes, _, _ in parts], axis=0)
        sentences = np.concatenate([np.zeros(0, np.int32), *(sentences for _, sentences, _ in parts)])
        return PassageTokens(normalise(vectors), sentences)

    def _packed(self, passage: int) -> tuple[NDArray[np.uint8], NDArray[np.int32], str]:
        """Codes and sentences of the tokens of a passage, and its language."""
        first, last = np.searchsorted(self.passage_of, [passage, passage + 1])
        article = self.article_of[first]
        name = self.names[article]
        loaded = self.loaded[name]
        number = int(loaded.passages[first - np.searchsorted(self.article_of, article)])
        packed = self.tokens.read(loaded.key, number, len(self.table.token_scale) // 2)
        # A piece may begin with the space in front of its sentence.
        places = np.searchsorted(self.spans[first:last, 0], packed.starts + 1, side="right") - 1
        return packed.codes, (first + np.maximum(places, 0)).astype(np.int32), self.articles[name].language


def load_article(key: str, record: EncodedArticle, language: str, table: LanguageTable) -> LoadedArticle:
    """What is held of an article, out of its record."""
    sizes = record.passages[:, 3] - record.passages[:, 2]
    return LoadedArticle(
        key=key,
        spans=record.sentences,
        passages=np.repeat(np.arange(len(sizes), dtype=np.int32), sizes),
        vectors=blend(record, language, table),
        token_sum=record.token_sum,
        token_count=int(record.token_count),
    )


def load_collection(
    articles: Sequence[Article], loaded: Mapping[str, LoadedArticle], table: LanguageTable, tokens: TokenReader
) -> Collection:
    """Put articles together and centre them for this corpus; ``loaded`` holds each by name."""
    by_name = {article.name: article for article in articles}
    names = tuple(sorted(by_name))
    parts = [loaded[name] for name in names]
    dimension = len(table.passage_base)
    stored = np.concatenate([np.zeros((0, dimension), np.float32), *(part.vectors for part in parts)])
    spans = np.concatenate([np.zeros((0, 2), np.int32), *(part.spans for part in parts)])
    counts = [len(part.spans) for part in parts]
    ends = np.cumsum([0, *counts])
    first_passages = np.cumsum([0, *(part.passages.max(initial=-1) + 1 for part in parts)])[:-1]
    passage_of = [part.passages + first for part, first in zip(parts, first_passages, strict=True)]
    languages = [by_name[name].language for name in names]
    codes = tuple(sorted(set(languages)))
    sums = (stored[begin:end].sum(axis=0, dtype=np.float64) for begin, end in itertools.pairwise(ends))
    centres = residual_centres(zip(languages, sums, counts, strict=True), dimension, _SENTENCE_SHRINKAGE)
    token_sums = ((language, p.token_sum, p.token_count) for language, p in zip(languages, parts, strict=True))
    token_centres = residual_centres(token_sums, dimension, _TOKEN_SHRINKAGE)
    if not table.has_tokens:
        token_centres = ResidualCentres(table.token_base, {})
    article_of = np.repeat(np.arange(len(names), dtype=np.int32), counts)
    # Views, so that the vectors of an article are not held twice.
    views = {
        name: LoadedArticle(
            part.key, spans[begin:end], part.passages, stored[begin:end], part.token_sum, part.token_count
        )
        for name, part, begin, end in zip(names, parts, ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    }
    return Collection(
        articles=by_name,
        names=names,
        loaded=views,
        table=table,
        article_of=article_of,
        passage_of=np.concatenate([np.zeros(0, np.int32), *passage_of]).astype(np.int32),
        spans=spans,
        stored=stored,
        lengths=np.concatenate([np.ones(0, np.float32), *_lengths(views, by_name, centres)]),
        languages=codes,
        article_languages=np.array([codes.index(code) for code in languages], np.int32),
        article_dates=np.array([_month(by_name[name].date) for name in names], np.int32),
        centres=centres,
        token_centres=token_centres,
        tokens=tokens,
    )


def _lengths(
    loaded: Mapping[str, LoadedArticle], articles: Mapping[str, Article], centres: ResidualCentres
) -> Iterator[FloatMatrix]:
    for name, part in loaded.items():
        lengths = np.linalg.norm(part.vectors - centres.of({articles[name].language: 1.0}), axis=1)
        yield np.maximum(lengths, 1e-9).astype(np.float32)


def _month(date: str | None) -> int:
    return int((date or "0000-00")[:7].replace("-", ""))
