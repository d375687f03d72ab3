"""A deterministic stand-in for the encoder, for tests of what surrounds it: vectors of hashed words."""

import hashlib
from collections.abc import Sequence

import numpy as np

from index.encoder import FloatMatrix, Progress, Tokens

DIMENSION = 64


class ToyEncoder:
    """Texts that share words lie near each other. Counts what it is asked to encode."""

    def __init__(self, name: str = "toy") -> None:
        self.name = name
        self.encoded: list[str] = []

    @property
    def fingerprint(self) -> str:
        """Its name."""
        return self.name

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return DIMENSION

    def encode_sentences(self, texts: Sequence[str], progress: Progress | None = None) -> FloatMatrix:
        """See Encoder."""
        self.encoded.extend(texts)
        return np.stack([self._vector(text) for text in texts])

    def encode_passages(
        self, texts: Sequence[str], progress: Progress | None = None
    ) -> tuple[FloatMatrix, list[Tokens]]:
        """See Encoder."""
        none = Tokens(np.zeros((0, DIMENSION), np.float32), np.zeros(0, np.int32), np.zeros(0, np.float32))
        return np.stack([self._vector(text) for text in texts]), [none] * len(texts)

    def encode_question(self, text: str) -> tuple[FloatMatrix, Tokens]:
        """See Encoder."""
        _, (none,) = self.encode_passages([text])
        return self._vector(text), none

    def language_scores(self, text: str) -> dict[str, float]:
        """See Encoder."""
        return {}

    @staticmethod
    def _vector(text: str) -> FloatMatrix:
        vector = np.full(DIMENSION, 1e-3, np.float32)
        for word in text.lower().split():
            vector[
                int(hashlib.md5(word.strip(".,?!").encode(), usedforsecurity=False).hexdigest(), 16) % DIMENSION
            ] += 1
        unit: FloatMatrix = vector / np.linalg.norm(vector)
        return unit
