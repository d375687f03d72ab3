"""The collection of a folder without articles."""

import numpy as np

from index.centres import LanguageTable, ResidualCentres
from index.collection import Collection


def empty_collection(table: LanguageTable, dimension: int) -> Collection:
    """A collection in which nothing is found."""
    vectors = np.zeros((0, dimension), np.float32)
    none = np.zeros(0, np.int32)
    return Collection(
        articles={}, names=(), table=table, article_of=none, passage_of=none, spans=np.zeros((0, 2), np.int32),
        languages=np.zeros(0, np.str_), dates=none, stored=vectors, centred=vectors,
        centres=ResidualCentres(np.zeros(dimension, np.float32), {}),
        token_centres=ResidualCentres(table.token_base, {}), records={}, first_passage={},
    )  # fmt: skip
