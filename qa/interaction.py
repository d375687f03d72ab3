"""The learned part of late interaction: how a question's tokens are turned and weighed before they are matched.

Two square matrices and a vector, trained by ``benchmarks/train_interaction.py`` on 1 706 questions of our own writing
in 45 languages (``benchmarks/training``), together with the encoder's layers that read questions, and kept in
``interaction-NAME.npz``. Only the question's side is changed, so nothing stored depends on them. An encoder
without such a file is used as it is.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from index.centres import normalise
from index.encoder import FloatMatrix
from qa.trained import read_trained

_COMMONEST = 4.0  # -log probability of pieces that say nothing ("▁", ",")


@dataclass(frozen=True)
class Interaction:
    """Maps are added to what they map: zeros change nothing."""

    vector_map: FloatMatrix  # [dimension, dimension], for the question's vector
    token_map: FloatMatrix  # [dimension, dimension], for its tokens
    importance: FloatMatrix  # [dimension], logit of a token's weight
    weight: float  # of the tokens' score beside the vectors'

    def vector(self, vector: FloatMatrix) -> FloatMatrix:
        """The centred unit vector [dimension] of a question, turned."""
        return normalise(vector + vector @ self.vector_map)

    def tokens(self, tokens: FloatMatrix) -> FloatMatrix:
        """The centred unit vectors [tokens, dimension] of its tokens, turned."""
        return normalise(tokens + tokens @ self.token_map)

    def weights(self, tokens: FloatMatrix, rarity: FloatMatrix) -> FloatMatrix:
        """[tokens], adding up to 1: rare pieces count more, and those that training found to matter."""
        weights = (rarity - _COMMONEST).clip(0.5) * np.exp(tokens @ self.importance)
        shares: FloatMatrix = (weights / max(float(weights.sum()), 1e-9)).astype(np.float32)
        return shares


@cache
def load_interaction(model: str, dimension: int) -> Interaction:
    """What was trained for an encoder, by its name; the identity where nothing was."""
    found = read_trained("interaction", model)
    if found is None:
        return untrained(dimension)
    arrays = {name: found[name].astype(np.float32) for name in ("vector_map", "token_map", "importance")}
    return Interaction(**arrays, weight=float(found["weight"]))


def untrained(dimension: int) -> Interaction:
    """Matching as it is without training."""
    square = np.zeros((dimension, dimension), np.float32)
    return Interaction(square, square, np.zeros(dimension, np.float32), 1.0)
