"""The records of a corpus: each article encoded once, loaded once, and made again where its record is damaged."""

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence

from index.articles import Article
from index.collection import LoadedArticle, load_article
from index.encoder import Encoder
from index.encoding import encode
from index.vectors import EncodedArticle, VectorCache


class Records:
    """What a run needs of articles, out of the cache where that has it."""

    def __init__(self, encoder: Encoder, fingerprint: str, held: Iterable[LoadedArticle]) -> None:
        self.encoder = encoder
        self.fingerprint = fingerprint
        self.loaded = {part.key: part for part in held}
        self.sentences_encoded = 0
        self.damaged: list[str] = []  # names of articles whose records had to be made again
        self._sizes: dict[str, int] = {}  # numbers of sentences by key

    def use(self, cache: VectorCache) -> None:
        """Take records from ``cache`` from now on, and put new ones there."""
        self.cache = cache
        self._sizes = cache.sizes()

    def key(self, article: Article) -> str:
        """What an article's vectors depend on."""
        return hashlib.sha256(f"{article.digest} {article.language} {self.fingerprint}".encode()).hexdigest()

    def has(self, article: Article) -> bool:
        """Whether an article need not be encoded."""
        return self.key(article) in self._sizes

    def size(self, article: Article) -> int:
        """The number of its sentences; -1 where it is not encoded. Only of a loaded article it is sure to be right."""
        return self._sizes.get(self.key(article), -1)

    def load(self, articles: Sequence[Article]) -> None:
        """Load articles that are not loaded; those without a record are encoded first, together."""
        self._encode([article for article in articles if not self.has(article)])
        for article in articles:
            key = self.key(article)
            if key not in self.loaded:
                self.loaded[key] = load_article(key, self.record(article))
            self._sizes[key] = len(self.loaded[key].spans)

    def record(self, article: Article) -> EncodedArticle:
        """The record of an article that has one; made again where it is damaged."""
        key = self.key(article)
        record = self.cache.get(key)
        if record is None or len(record.sentences) != self._sizes[key]:
            self.damaged.append(article.name)
            self._encode([article])
            record = self.cache.get(key)
        if record is None:
            raise sqlite3.DatabaseError(f"{self.cache.path.name} does not keep what is written to it")
        return record

    def _encode(self, articles: Sequence[Article]) -> None:
        missing = {self.key(article): article for article in articles}
        records = encode(list(missing.values()), self.encoder) if missing else []
        self.cache.put([(key, *each) for key, each in zip(missing, records, strict=True)])
        for key, (record, _) in zip(missing, records, strict=True):
            self._sizes[key] = len(record.sentences)
            self.sentences_encoded += len(record.sentences)
