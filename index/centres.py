"""Where each language lies in the encoder's space, and how to take that out.

Multilingual encoders place a text by its language before its meaning, so that a question finds passages in its own
language whatever they say. Subtracting each language's mean vector mends it (Libovický et al. 2020, "On the Language
Neutrality of Pre-trained Multilingual Representations", arXiv 2004.05160). It is done in two steps:

1. a fixed table (computed once from the Declaration of Human Rights, ``benchmarks/make_tables.py``) gives every
   language its centre, also those that a corpus does not hold. It is applied before vectors are stored, so that what
   is stored never depends on the other articles;
2. what remains in a corpus, its own mean for each language, is subtracted when a collection is loaded
   (``ResidualCentres``), shrunk towards the mean over all its languages where a language has few sentences.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.encoder import FloatMatrix

_TABLES = Path(__file__).parent / "tables"


@dataclass(frozen=True)
class LanguageTable:
    """The fixed centres of one encoder. A language outside the table lies at the base, the mean of all."""

    rows: Mapping[str, int]
    passage_base: FloatMatrix  # [dimension]
    passage_offsets: FloatMatrix  # [languages, dimension]
    token_base: FloatMatrix
    token_offsets: FloatMatrix
    token_scale: FloatMatrix  # [dimension], standard deviation of centred tokens

    @property
    def digest(self) -> str:
        """Short hash of every number in the table."""
        content = hashlib.sha256(" ".join(self.rows).encode())
        for array in (self.passage_base, self.passage_offsets, self.token_base, self.token_offsets, self.token_scale):
            content.update(array.tobytes())
        return content.hexdigest()[:12]

    @property
    def has_tokens(self) -> bool:
        """Whether token vectors of this encoder can be centred and packed."""
        return len(self.rows) > 0

    def passage_centre(self, languages: Mapping[str, float]) -> FloatMatrix:
        """Centre [dimension] of texts in these languages, weighted."""
        return self.passage_base + mixed(self.passage_offsets, self.rows, languages)

    def token_centre(self, languages: Mapping[str, float]) -> FloatMatrix:
        """The same for token vectors."""
        return self.token_base + mixed(self.token_offsets, self.rows, languages)

    def nearness(self, vector: FloatMatrix) -> dict[str, float]:
        """Cosine between a raw vector [dimension] and each language's offset: where the encoder places the text."""
        if not self.rows:
            return {}
        cosines = normalise(self.passage_offsets) @ normalise(vector - self.passage_base)
        return {code: float(cosines[row]) for code, row in self.rows.items()}


@dataclass(frozen=True)
class ResidualCentres:
    """The mean vectors by language that a corpus has left after the fixed table."""

    overall: FloatMatrix  # [dimension]
    means: Mapping[str, FloatMatrix]

    def of(self, languages: Mapping[str, float]) -> FloatMatrix:
        """Centre [dimension] of texts in these languages, weighted; its overall mean for one that it lacks."""
        if not languages:
            return self.overall
        total = sum(languages.values())
        weighted = [weight / total * self.means.get(code, self.overall) for code, weight in languages.items()]
        centre: FloatMatrix = np.sum(weighted, axis=0, dtype=np.float32)
        return centre


def load_table(model: str, dimension: int) -> LanguageTable:
    """The table of an encoder, by its name; zeros, so that nothing is shifted, where there is none."""
    path = _TABLES / f"{Path(model).name}.npz"
    if not path.exists():
        none, zeros = np.zeros((0, dimension), np.float32), np.zeros(dimension, np.float32)
        return LanguageTable({}, zeros, none, zeros, none, zeros)
    with np.load(path) as file:
        names = [field.name for field in fields(LanguageTable) if field.name != "rows"]
        arrays = {name: file[name].astype(np.float32) for name in names}
        return LanguageTable({str(code): i for i, code in enumerate(file["languages"])}, **arrays)


def residual_centres(
    groups: Iterable[tuple[str, NDArray[np.float64], int]], dimension: int, shrinkage: float
) -> ResidualCentres:
    """Mean vectors by language of ``groups``: a language, the sum [dimension] of vectors in it, and their number.

    ``shrinkage`` counts as that many vectors at the overall mean.
    """
    sums: dict[str, NDArray[np.float64]] = {}
    counts: dict[str, int] = {}
    for code, part, count in groups:
        sums[code] = sums.get(code, np.zeros(dimension)) + part
        counts[code] = counts.get(code, 0) + count
    overall = sum(sums.values(), np.zeros(dimension)) / max(1, sum(counts.values()))
    means = {
        code: ((total + shrinkage * overall) / (counts[code] + shrinkage)).astype(np.float32)
        for code, total in sums.items()
    }
    return ResidualCentres(overall.astype(np.float32), means)


def mixed(offsets: FloatMatrix, rows: Mapping[str, int], languages: Mapping[str, float]) -> FloatMatrix:
    """Weighted mean [dimension] of the rows of ``offsets`` that languages have; zeros where none has one."""
    known = {code: weight for code, weight in languages.items() if code in rows}
    mean = np.zeros(offsets.shape[1], np.float32)
    for code, weight in known.items():
        mean += weight / sum(known.values()) * offsets[rows[code]]
    return mean


def normalise(vectors: FloatMatrix) -> FloatMatrix:
    """Vectors [..., dimension] of length 1; a zero vector stays zero."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: FloatMatrix = (vectors / np.maximum(norms, 1e-9)).astype(np.float32)
    return unit
