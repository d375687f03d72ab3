"""The collection in memory: immutable, exact to search. Only one matrix is held, of vectors as they are stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.articles import Article
from index.encoder import FloatMatrix
from index.store import blend
from index.vectors import EncodedArticle, TokenReader, unpack_tokens


@dataclass(frozen=True)
class LoadedArticle:
    """What is held of one article. Spans count characters of its text."""

    key: str  # of its record
    spans: NDArray[np.int32]  # [sentences, 2]
    passages: NDArray[np.int32]  # [sentences], the passage of each, counted within the article
    vectors: FloatMatrix  # [sentences, dimension], unit vectors as the collection has them


@dataclass(frozen=True)
class PassageTokens:
    """The tokens of some passages, in order."""

    vectors: FloatMatrix  # [tokens, dimension], unit vectors
    sentences: NDArray[np.int32]  # [tokens], the sentence of each, ascending


@dataclass(frozen=True)
class Collection:
    """Sentences of all articles, ordered by article name and place; row i of every array is sentence i."""

    articles: Mapping[str, Article]
    names: tuple[str, ...]  # article names, sorted
    loaded: Mapping[str, LoadedArticle]  # their arrays are views of those below
    article_of: NDArray[np.int32]  # [sentences], index into names
    passage_of: NDArray[np.int32]  # [sentences], counted over all articles, ascending
    spans: NDArray[np.int32]  # [sentences, 2], characters of the article
    stored: FloatMatrix  # [sentences, dimension], unit vectors as the collection has them
    languages: tuple[str, ...]  # the languages of all articles, sorted
    article_languages: NDArray[np.int32]  # [articles], index into languages
    article_dates: NDArray[np.int32]  # [articles], YYYYMM; 0 where the article has none
    tokens: TokenReader

    def text(self, sentence: int) -> str:
        """The text of a sentence."""
        start, end = self.spans[sentence]
        return self.articles[self.names[self.article_of[sentence]]].text[start:end]

    def nearness(self, vector: FloatMatrix) -> FloatMatrix:
        """[sentences]: cosines to a unit vector."""
        nearness: FloatMatrix = self.stored @ vector
        return nearness

    def members(self, passages: NDArray[np.int32]) -> NDArray[np.int32]:
        """All sentences of some passages, in order."""
        passages = np.unique(passages)
        first, last = np.searchsorted(self.passage_of, passages), np.searchsorted(self.passage_of, passages + 1)
        ranges = [np.arange(*each, dtype=np.int32) for each in zip(first.tolist(), last.tolist(), strict=True)]
        return np.concatenate([np.zeros(0, np.int32), *ranges])

    def passage_tokens(self, passages: NDArray[np.int32]) -> PassageTokens:
        """The tokens of passages."""
        parts = [self._packed(passage) for passage in np.unique(passages).tolist()]
        codes = np.concatenate([np.zeros((0, self.stored.shape[1] // 2), np.uint8), *(codes for codes, _ in parts)])
        sentences = np.concatenate([np.zeros(0, np.int32), *(sentences for _, sentences in parts)])
        return PassageTokens(unpack_tokens(codes), sentences)

    def _packed(self, passage: int) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
        """Codes and sentences of the tokens of a passage."""
        first, last = np.searchsorted(self.passage_of, [passage, passage + 1])
        article = self.article_of[first]
        loaded = self.loaded[self.names[article]]
        number = int(loaded.passages[first - np.searchsorted(self.article_of, article)])
        packed = self.tokens.read(loaded.key, number, self.stored.shape[1] // 2)
        # A piece may begin with the space in front of its sentence.
        places = np.searchsorted(self.spans[first:last, 0], packed.starts + 1, side="right") - 1
        return packed.codes, (first + np.maximum(places, 0)).astype(np.int32)


def load_article(key: str, record: EncodedArticle) -> LoadedArticle:
    """What is held of an article, out of its record."""
    sizes = record.passages[:, 3] - record.passages[:, 2]
    return LoadedArticle(
        key=key,
        spans=record.sentences,
        passages=np.repeat(np.arange(len(sizes), dtype=np.int32), sizes),
        vectors=blend(record),
    )


def load_collection(
    articles: Sequence[Article], loaded: Mapping[str, LoadedArticle], dimension: int, tokens: TokenReader
) -> Collection:
    """Put articles together; ``loaded`` holds each by name."""
    by_name = {article.name: article for article in articles}
    names = tuple(sorted(by_name))
    parts = [loaded[name] for name in names]
    stored = np.concatenate([np.zeros((0, dimension), np.float32), *(part.vectors for part in parts)])
    spans = np.concatenate([np.zeros((0, 2), np.int32), *(part.spans for part in parts)])
    counts = [len(part.spans) for part in parts]
    ends = np.cumsum([0, *counts]).tolist()
    first_passages = np.cumsum([0, *(part.passages.max(initial=-1) + 1 for part in parts)])[:-1]
    passage_of = [part.passages + first for part, first in zip(parts, first_passages, strict=True)]
    languages = [by_name[name].language for name in names]
    codes = tuple(sorted(set(languages)))
    # Views, so that the vectors of an article are not held twice.
    views = {
        name: LoadedArticle(part.key, spans[begin:end], part.passages, stored[begin:end])
        for name, part, begin, end in zip(names, parts, ends[:-1], ends[1:], strict=True)
    }
    return Collection(
        articles=by_name,
        names=names,
        loaded=views,
        article_of=np.repeat(np.arange(len(names), dtype=np.int32), counts),
        passage_of=np.concatenate([np.zeros(0, np.int32), *passage_of]).astype(np.int32),
        spans=spans,
        stored=stored,
        languages=codes,
        article_languages=np.array([codes.index(code) for code in languages], np.int32),
        article_dates=np.array([_month(by_name[name].date) for name in names], np.int32),
        tokens=tokens,
    )


def _month(date: str | None) -> int:
    return int((date or "0000-00")[:7].replace("-", ""))
