"""Whether the quotes that a sentence cites support it.

Four questions, in this order: does it cite anything that there is; do its quotes hold its numbers and dates; its
countries and names; and do they say what it says. The last two are one learned bound over ``qa.llm.evidence``, fitted
by ``benchmarks/verification.py`` on sentences over other articles than those it is measured on.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from index.collection import Collection
from index.encoder import Encoder
from qa.answer import Citation
from qa.llm.evidence import Evidence, gather

Reason = Literal["", "citation", "number", "name", "meaning"]


@dataclass(frozen=True)
class Verdict:
    """Whether a sentence is supported, and if not, what its quotes lack."""

    supported: bool
    reason: Reason = ""


class Verifier:
    """Checks sentences against the articles of one collection. Safe to use from several threads."""

    def __init__(self, encoder: Encoder, collection: Collection) -> None:
        self._encoder = encoder
        self._collection = collection

    def check(self, sentence: str, language: str, citations: Sequence[Citation], *, stray: bool = False) -> Verdict:
        """The verdict on a sentence; ``citations``: those it names; ``stray``: it also names some that there are not.

        ``language`` is what the sentence should be in (ISO 639-1).
        """
        if stray or not citations:
            return Verdict(False, "citation")
        return judge(gather(sentence, language, citations, self._encoder, self._collection))


@dataclass(frozen=True)
class Bound:
    """A logistic model over standardised features, and the least probability of support that passes."""

    names: Sequence[str]
    means: Sequence[float]
    scales: Sequence[float]
    weights: Sequence[float]
    bias: float
    threshold: float

    def probability(self, features: Mapping[str, float]) -> float:
        """The probability that the quotes support the sentence."""
        total = self.bias
        for name, mean, scale, weight in zip(self.names, self.means, self.scales, self.weights, strict=True):
            total += weight * max(-_FAR, min(_FAR, (features[name] - mean) / scale))
        return 1 / (1 + math.exp(-total))


def judge(evidence: Evidence) -> Verdict:
    """What the evidence says."""
    if evidence.numbers:
        return Verdict(False, "number")
    if evidence.countries:
        return Verdict(False, "name")
    for bound, reason in ((load_bound("names"), _NAME), (load_bound("meaning"), _MEANING)):
        if bound.probability(features(evidence)) < bound.threshold:
            return Verdict(False, reason)
    return Verdict(True)


@cache
def load_bound(name: str) -> Bound:
    """A fitted bound out of ``verification.json`` of this package."""
    return Bound(**json.loads(files("qa.llm").joinpath("verification.json").read_text(encoding="utf-8"))[name])
