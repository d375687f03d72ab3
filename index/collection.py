"""The collection in memory: immutable, exact to search, centred for this corpus."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.articles import Article
from index.centres import LanguageTable, ResidualCentres, normalise, residual_centres
from index.encoder import FloatMatrix
from index.store import Row
from index.vectors import EncodedArticle, unpack_tokens

# Counted as so many vectors at the corpus's overall mean; chosen over six corpora of 5 to 48 articles.
_SENTENCE_SHRINKAGE = 30.0
_TOKEN_SHRINKAGE = 300.0


@dataclass(frozen=True)
class Collection:
    """Sentences of all articles, ordered by article name and place; row i of every array is sentence i."""

    articles: Mapping[str, Article]
    names: tuple[str, ...]  # article names, sorted
    table: LanguageTable
    article_of: NDArray[np.int32]  # [sentences], index into names
    passage_of: NDArray[np.int32]  # [sentences], counted over all articles
    spans: NDArray[np.int32]  # [sentences, 2], characters of the article
    languages: NDArray[np.str_]  # [sentences]
    dates: NDArray[np.int32]  # [sentences], YYYYMM; 0 where the article has none
    stored: FloatMatrix  # [sentences, dimension], unit vectors as the collection has them
    centred: FloatMatrix  # the same, centred for this corpus
    centres: ResidualCentres
    token_centres: ResidualCentres
    records: Mapping[str, EncodedArticle]
    first_passage: Mapping[str, int]  # the number of each article's first passage

    def text(self, sentence: int) -> str:
        """The text of a sentence."""
        start, end = self.spans[sentence]
        return self.articles[self.names[self.article_of[sentence]]].text[start:end]

    def passage_tokens(self, passage: int) -> tuple[FloatMatrix, NDArray[np.int32]]:
        """Unit vectors [tokens, dimension] of a passage's tokens, centred for this corpus, and the sentence of each."""
        sentences = np.searchsorted(self.passage_of, [passage, passage + 1])
        name = self.names[self.article_of[sentences[0]]]
        record = self.records[name]
        begin, end = record.token_rows[passage - self.first_passage[name] :][:2]
        vectors = unpack_tokens(record.token_codes[begin:end], self.table.token_scale)
        centre = self.token_centres.of({self.articles[name].language: 1.0})
        starts = self.spans[sentences[0] : sentences[1], 0]
        # A piece may begin with the space in front of its sentence.
        places = np.searchsorted(starts, record.token_starts[begin:end] + 1, side="right") - 1
        return normalise(vectors - centre), (sentences[0] + np.maximum(places, 0)).astype(np.int32)


def load_collection(
    articles: Sequence[Article], rows: Sequence[Row], records: Mapping[str, EncodedArticle], table: LanguageTable
) -> Collection:
    """Order the rows and centre them for this corpus."""
    by_name = {article.name: article for article in articles}
    names = tuple(sorted(by_name))
    place = {name: i for i, name in enumerate(names)}
    ordered = sorted(rows, key=lambda row: (row.metadata["article"], row.metadata["sentence"]))
    article_of = np.array([place[str(row.metadata["article"])] for row in ordered], np.int32)
    languages = np.array([row.metadata["language"] for row in ordered], np.str_)
    stored = np.stack([row.vector for row in ordered]).astype(np.float32)
    groups = ((str(code), stored[languages == code]) for code in np.unique(languages))
    centres = residual_centres(groups, stored.shape[1], _SENTENCE_SHRINKAGE)
    counts = [len(records[name].passages) for name in names]
    first_passage = dict(zip(names, np.cumsum([0, *counts[:-1]]).tolist(), strict=True))
    return Collection(
        articles=by_name,
        names=names,
        table=table,
        article_of=article_of,
        passage_of=_passage_numbers(names, records),
        spans=np.array([(row.metadata["start"], row.metadata["end"]) for row in ordered], np.int32),
        languages=languages,
        dates=np.array([row.metadata["date"] for row in ordered], np.int32),
        stored=stored,
        centred=normalise(stored - _centre_rows(centres, languages)),
        centres=centres,
        token_centres=_token_centres(by_name, records, table),
        records=records,
        first_passage=first_passage,
    )


def _centre_rows(centres: ResidualCentres, languages: NDArray[np.str_]) -> FloatMatrix:
    codes, inverse = np.unique(languages, return_inverse=True)
    rows: FloatMatrix = np.stack([centres.of({str(code): 1.0}) for code in codes])[inverse]
    return rows


def _passage_numbers(names: Sequence[str], records: Mapping[str, EncodedArticle]) -> NDArray[np.int32]:
    """The passage of every sentence, counted over all articles."""
    sizes = [records[name].passages[:, 3] - records[name].passages[:, 2] for name in names]
    return np.repeat(np.arange(sum(map(len, sizes)), dtype=np.int32), np.concatenate(sizes))


def _token_centres(
    articles: Mapping[str, Article], records: Mapping[str, EncodedArticle], table: LanguageTable
) -> ResidualCentres:
    """What the fixed table leaves of the mean token, by language."""
    if not table.has_tokens:
        return ResidualCentres(table.token_base, {})
    groups = (
        (article.language, unpack_tokens(records[name].token_codes, table.token_scale))
        for name, article in articles.items()
    )
    return residual_centres(groups, len(table.token_base), _TOKEN_SHRINKAGE)
