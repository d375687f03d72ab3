"""Whether the quotes that a sentence cites support it.

Four questions, in this order: does it cite anything that there is; do its quotes hold its numbers and dates; its
countries and names; and do they say what it says. Names and meaning have a learned bound each over what
``qa.llm.evidence`` gathers, fitted by ``benchmarks/verification.py`` on sentences over other articles than those it is
measured on.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from statistics import fmean
from typing import Literal, Protocol

from index.collection import Collection
from index.encoder import Encoder
from qa.answer import Citation
from qa.llm.evidence import Evidence, Word, gather

Reason = Literal["", "citation", "number", "name", "meaning"]

_NOUNS_WITH_CAPITALS = ("de", "lb", "nds")
_FAR = 4.0  # standard deviations beyond which a feature says no more
_ALIKE, _MEANT = 0.8, 0.5  # support by spelling and by tokens from which on a name is not doubted
_CHANCE = 0.15  # so much any name is like another
_SHORTEST_NAME = 3  # letters
_SAME_NAME = 0.75  # likeness from which on two spellings may be one name


@dataclass(frozen=True)
class Verdict:
    """Whether a sentence is supported, and if not, what its quotes lack."""

    supported: bool
    reason: Reason = ""


class Checker(Protocol):
    """What an answer needs of a verifier."""

    def check(self, sentence: str, language: str, citations: Sequence[Citation], *, stray: bool = False) -> Verdict:
        """The verdict on a sentence."""


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

    def passes(self, features: Mapping[str, float]) -> bool:
        """Whether that is probable enough."""
        return self.probability(features) >= self.threshold


def judge(evidence: Evidence) -> Verdict:
    """What the evidence says."""
    if evidence.verbatim:
        return Verdict(True)
    if evidence.numbers:
        return Verdict(False, "number")
    if evidence.countries:
        return Verdict(False, "name")
    if not load_bound("name").passes(name_features(evidence)):
        return Verdict(False, "name")
    if not load_bound("meaning").passes(meaning_features(evidence)):
        return Verdict(False, "meaning")
    return Verdict(True)


def meaning_features(evidence: Evidence) -> dict[str, float]:
    """What is seen of whether the quotes say the same."""
    return {
        "nearness": evidence.nearness,
        "margin": evidence.margin,
        "interaction": evidence.interaction,
        "interaction_margin": evidence.interaction_margin,
    }


def name_features(evidence: Evidence) -> dict[str, float]:
    """What is seen of the name that is least supported, by spelling and by meaning, and of names from elsewhere."""
    names = name_groups(evidence)
    support = min((fmean(max(word.tokens, word.spelling) for word in name) for name in names), default=1.0)
    tokens = min((fmean(word.tokens for word in name) for name in names), default=1.0)
    return {
        "unlike": max(0.0, _ALIKE - support),
        "unmeant": max(0.0, _MEANT - tokens) if support < _ALIKE else 0.0,
        "elsewhere": max(0.0, max(map(_from_elsewhere, evidence.words), default=0.0) - _CHANCE),
    }


def name_groups(evidence: Evidence) -> list[list[Word]]:
    """The names of a sentence: runs of words with a capital.

    The first word of a sentence is left out, and in German, whose nouns all have capitals, every single one.
    """
    runs: list[list[Word]] = [[]]
    for word in evidence.words:
        if word.capital and not word.first:
            runs[-1].append(word)
        elif runs[-1]:
            runs.append([])
    nouns = evidence.language in _NOUNS_WITH_CAPITALS
    return [run for run in runs if len(run) > 1 or (run and not nouns)]


def _from_elsewhere(word: Word) -> float:
    """How much a word looks like a name of the articles that the quotes do not hold."""
    if len(word.text) < _SHORTEST_NAME or word.elsewhere < _SAME_NAME:
        return 0.0
    return (word.elsewhere - word.spelling) * (1 - word.tokens)


@cache
def load_bound(name: str) -> Bound:
    """A fitted bound out of ``verification.json`` of this package: for names or for meaning."""
    return Bound(**json.loads(files("qa.llm").joinpath("verification.json").read_text(encoding="utf-8"))[name])
