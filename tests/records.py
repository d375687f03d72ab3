"""The records behind a collection."""

from index.collection import Collection
from index.vectors import EncodedArticle, VectorCache


def records_of(collection: Collection) -> list[EncodedArticle]:
    """What the encoder made of each article of a collection, in order."""
    cache = VectorCache(collection.tokens.path)
    records = [cache.get(collection.loaded[name].key) for name in collection.names]
    cache.close()
    return [record for record in records if record is not None]
