"""How far a question lies from a passage of the same language, by language.

Behind the prompt of questions a language has another centre than behind that of passages, and the difference is not the
same for every language. ``benchmarks/make_tables.py`` measures it on single sentences of the Declaration of Human
Rights. Only questions are moved by it, so nothing stored depends on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from index.centres import mixed
from index.encoder import FloatMatrix
from qa.trained import read_trained

_VECTOR_SHARE = 0.5  # of the shift that a question's vector gets; its tokens get all of it


@dataclass(frozen=True)
class QuestionShifts:
    """Added to the centres of ``index.centres.LanguageTable`` where a question is centred."""

    rows: Mapping[str, int]
    vectors: FloatMatrix  # [languages, dimension]
    tokens: FloatMatrix  # [languages, dimension]

    def vector(self, languages: Mapping[str, float]) -> FloatMatrix:
        """Shift [dimension] of a question's vector, weighted by the probability of its languages."""
        shift: FloatMatrix = np.float32(_VECTOR_SHARE) * mixed(self.vectors, self.rows, languages)
        return shift

    def token(self, languages: Mapping[str, float]) -> FloatMatrix:
        """The same for its tokens."""
        return mixed(self.tokens, self.rows, languages)


@cache
def load_shifts(model: str, dimension: int) -> QuestionShifts:
    """The shifts of an encoder, by its name; none where they were not measured."""
    found = read_trained("shifts", model)
    if found is None:
        return unshifted(dimension)
    rows = {str(code): i for i, code in enumerate(found["languages"])}
    return QuestionShifts(rows, found["vectors"].astype(np.float32), found["tokens"].astype(np.float32))


def unshifted(dimension: int) -> QuestionShifts:
    """Questions centred as passages are."""
    none = np.zeros((0, dimension), np.float32)
    return QuestionShifts({}, none, none)
