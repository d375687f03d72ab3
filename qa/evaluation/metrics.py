"""From scored questions to metrics: a plain nested dict, the same for the same rows in any order.

``{"counts": {...}, "all": SLICE, "by_language": {"en": SLICE}, "by_direction": {"same": SLICE, "cross": SLICE},
"by_answerable": {...}, "by_kind": {...}, "calibration": {...}, "risk_coverage": [...],
"latency": {"all": SLICE, "by_language": {...}}}`` where a SLICE maps a metric to
``{"value", "low", "high", "n"}``: ``low`` to ``high`` is the 95 % bootstrap interval
over questions, and all three are None where nothing was measured (n = 0). Times stand apart under ``latency``, since
two runs of the same state agree in everything else.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa.evaluation.bootstrap import (
    BINS,
    Floats,
    Statistic,
    calibration_error,
    equal_mass,
    equal_width,
    estimate,
    percentile,
    ratio,
    risk_area,
)
from qa.evaluation.outcomes import Outcome, Row, score

_POINTS = 200  # of the risk-coverage curve


@dataclass(frozen=True)
class Metric:
    """What a metric means, and which way is better: +1 higher, -1 lower, 0 neither."""

    label: str
    better: int
    meaning: str


METRICS = {
    "accuracy": Metric("dealt with rightly", 1, "answered with an accepted string in an excerpt, or rightly declined"),
    "kind": Metric("kind of answer right", 1, "questions whose kind is named in the file and that got such an answer"),
    "hit@1": Metric("article first (hit@1)", 1, "answerable questions whose first citation is of a named article"),
    "hit@5": Metric("article in five (hit@5)", 1, "answerable questions with a citation of a named article"),
    "mrr": Metric("reciprocal rank (MRR)", 1, "mean of 1/rank of the first citation of a named article, else 0"),
    "a1": Metric("answer in excerpt 1", 1, "answerable questions with an accepted string in the first excerpt"),
    "a5": Metric("answer in excerpts 1-5", 1, "answerable questions with an accepted string in any excerpt"),
    "highlight": Metric("answer in highlight", 1, "answerable questions with an accepted string in highlight 1"),
    "f1": Metric("token F1", 1, "SQuAD F1 of highlight 1 against the accepted strings, 0 where declined (1606.05250)"),
    "quotes": Metric("quotes exact", 1, "citations whose text stands in the article at their offsets"),
    "citation_precision": Metric(
        "citation precision", 1, "citations of answered questions that are of a named article (after ALCE, 2305.14627)"
    ),
    "citation_recall": Metric(
        "citation recall",
        1,
        "answered answerable questions that a citation supports: an excerpt of a named article that holds an accepted "
        "string (after ALCE, 2305.14627, whose entailment model this replaces)",
    ),
    "hallucination": Metric("hallucination", -1, "unanswerable questions that were answered (NoMIRACL, 2312.11361)"),
    "error": Metric("error", -1, "answerable questions that were declined (NoMIRACL, 2312.11361)"),
    "coverage": Metric("answered", 0, "questions that were answered"),
    "aurc": Metric("risk-coverage area", -1, "share wrong among the most confident, averaged over all coverages"),
    "ece": Metric("calibration error", -1, "ECE of the confidence, ten bins of equal width; correct as in a5"),
    "ece_mass": Metric("calibration error, equal mass", -1, "ECE, ten bins of equal mass; correct as in a5"),
    "ece_a1": Metric("calibration error to excerpt 1", -1, "ECE, ten bins of equal width; correct as in a1"),
    "ece_mass_a1": Metric("the same, equal mass", -1, "ECE, ten bins of equal mass; correct as in a1"),
    "brier": Metric("Brier score", -1, "mean squared difference of confidence and correctness as in a5"),
    "failed": Metric("asking failed", -1, "questions for which asking raised an error; they count as declined"),
    "latency_p50": Metric("seconds, median", -1, "seconds an answer took, nearest rank"),
    "latency_p95": Metric("seconds, 95th percentile", -1, "seconds an answer took, nearest rank"),
}
LATENCIES = ("latency_p50", "latency_p95")


def compute_metrics(
    rows: Iterable[Row], texts: Mapping[str, str] | None = None, languages: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The metrics of questions with their answers' JSON; ``texts`` and ``languages`` are by article."""
    return measure([score(question, answer, texts, languages) for question, answer in rows])


def measure(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """The metrics of scored questions."""
    ordered = sorted(outcomes, key=lambda outcome: outcome.id)
    parts = slices(ordered)
    counts = Counter("answerable" if outcome.answerable else "unanswerable" for outcome in ordered if outcome.searched)
    metrics: dict[str, Any] = {
        "counts": {
            "questions": len(ordered),
            "answerable": counts["answerable"],
            "unanswerable": counts["unanswerable"],
            "failed": sum(outcome.cause == "error" for outcome in ordered),
            "causes": dict(sorted(Counter(outcome.cause for outcome in ordered if outcome.cause).items())),
        },
        "all": _slice(ordered),
    }
    for group, members in parts.items():
        metrics[group] = {name: _slice(chosen) for name, chosen in members.items()}
    metrics["calibration"] = {"equal_width": _bins(ordered, equal_width), "equal_mass": _bins(ordered, equal_mass)}
    metrics["risk_coverage"] = risk_coverage(ordered)
    by_language = {name: _latency(chosen) for name, chosen in parts["by_language"].items()}
    metrics["latency"] = {"all": _latency(ordered), "by_language": by_language}
    return metrics


def slices(outcomes: Sequence[Outcome]) -> dict[str, dict[str, list[Outcome]]]:
    """The outcomes by language of the question, direction, whether there is an answer, and kind; none is empty."""
    groups: dict[str, dict[str, list[Outcome]]] = {
        "by_language": {}, "by_direction": {}, "by_answerable": {}, "by_kind": {},
    }  # fmt: skip
    for outcome in outcomes:
        groups["by_language"].setdefault(outcome.language, []).append(outcome)
        if outcome.kind:
            groups["by_kind"].setdefault(outcome.kind, []).append(outcome)
        if outcome.searched:
            answerable = "answerable" if outcome.answerable else "unanswerable"
            groups["by_answerable"].setdefault(answerable, []).append(outcome)
        if outcome.direction:
            groups["by_direction"].setdefault(outcome.direction, []).append(outcome)
    return {group: dict(sorted(members.items())) for group, members in groups.items()}


def statistics(outcomes: Sequence[Outcome]) -> dict[str, tuple[Statistic, int]]:
    """Each metric as a statistic over these outcomes, and how many cases (questions or citations) it counts."""
    found: dict[str, tuple[Statistic, int]] = {}
    for name in METRICS:
        pairs = [outcome.counts.get(name, (0.0, 0.0)) for outcome in outcomes]
        found[name] = (ratio([pair[0] for pair in pairs], [pair[1] for pair in pairs]), round(sum(p[1] for p in pairs)))
    confidence, correct, first, seconds = columns(outcomes)
    width, mass = equal_width(confidence), equal_mass(confidence)
    known = int((~np.isnan(confidence)).sum())
    squares = np.nan_to_num((confidence - correct) ** 2).tolist()
    for name, statistic in (
        ("aurc", risk_area(confidence, correct)),
        ("ece", calibration_error(confidence, correct, width)),
        ("ece_mass", calibration_error(confidence, correct, mass)),
        ("ece_a1", calibration_error(confidence, first, width)),
        ("ece_mass_a1", calibration_error(confidence, first, mass)),
        ("brier", ratio(squares, (~np.isnan(confidence)).tolist())),
        ("latency_p50", percentile(seconds, 0.50)),
        ("latency_p95", percentile(seconds, 0.95)),
    ):
        found[name] = (statistic, known)
    return found


def columns(outcomes: Sequence[Outcome]) -> tuple[Floats, Floats, Floats, Floats]:
    """Confidence, correct, first and seconds of each outcome; NaN for what a failed question lacks."""
    confidence = np.array([math.nan if o.confidence is None else o.confidence for o in outcomes], float)
    seconds = np.array([math.nan if o.seconds is None else o.seconds for o in outcomes], float)
    correct = np.array([o.correct for o in outcomes], float)
    return confidence, correct, np.array([o.first for o in outcomes], float), seconds


def risk_coverage(outcomes: Sequence[Outcome]) -> list[dict[str, float | None]]:
    """What answering only from a threshold of confidence on would give, at up to 200 of the confidences that occur.

    ``coverage`` is the share answered, ``risk`` the share of those without an accepted string in an excerpt,
    ``hallucination`` and ``error`` as in METRICS.
    """
    confidence, correct, _, _ = columns(outcomes)
    keep = ~np.isnan(confidence)
    confidence, correct = confidence[keep], correct[keep]
    answerable = np.array([o.answerable for o in outcomes], bool)[keep]
    levels = np.unique(confidence)[::-1]
    if levels.size > _POINTS:
        levels = levels[np.linspace(0, levels.size - 1, _POINTS).round().astype(int)]
    points = []
    for level in levels:
        shown = confidence >= level
        points.append(
            {
                "threshold": _round(float(level)),
                "coverage": _round(float(shown.mean())),
                "risk": _round(float(1 - correct[shown].mean())),
                "hallucination": _round(float(shown[~answerable].mean())) if (~answerable).any() else None,
                "error": _round(float((~shown[answerable]).mean())) if answerable.any() else None,
            }
        )
    return points


def _bins(
    outcomes: Sequence[Outcome], binning: Callable[[Floats], NDArray[np.int64]]
) -> list[dict[str, float | int | None]]:
    confidence, correct, first, _ = columns(outcomes)
    numbers = np.where(np.isnan(confidence), -1, binning(confidence))
    found: list[dict[str, float | int | None]] = []
    for number in range(BINS):
        inside = numbers == number
        if inside.any():
            means = {"confidence": confidence, "correct": correct, "correct_a1": first}
            found.append({"n": int(inside.sum())} | {k: _round(float(v[inside].mean())) for k, v in means.items()})
    return found


def _slice(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return _estimates(outcomes, [name for name in METRICS if name not in LATENCIES])


def _latency(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return _estimates(outcomes, LATENCIES)


def _estimates(outcomes: Sequence[Outcome], names: Sequence[str]) -> dict[str, Any]:
    found = {name: pair for name, pair in statistics(outcomes).items() if name in names}
    estimates = estimate({name: statistic for name, (statistic, _) in found.items()}, len(outcomes))
    return {
        name: dict(zip(("value", "low", "high"), map(_round, estimates[name]), strict=True)) | {"n": found[name][1]}
        for name in names
    }


def _round(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)
