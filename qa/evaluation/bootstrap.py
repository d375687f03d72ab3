"""Statistics of weighted questions and their 95 % percentile bootstrap intervals (Efron 1979), seeded and vectorised.

A statistic takes weights of shape (resamples, questions), the number of times each question was drawn, and gives one
value a resample, NaN where it is undefined. The plain value is that of weights all one. An interval at 0 or 1 has no
width however few the questions: read it together with n. That of a
calibration error lies somewhat high, as such an error itself does over few questions.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]

RESAMPLES = 1000
_SEED = 20160616
_AT_ONCE = 2_000_000  # weights held at once
BINS = 10


def estimate(statistics: Mapping[str, Statistic], size: int) -> dict[str, tuple[float, float, float]]:
    """Value, low and high end of each statistic over ``size`` questions; NaN where undefined."""
    if not size:
        return {name: (np.nan, np.nan, np.nan) for name in statistics}
    values = {name: float(statistic(np.ones((1, size)))[0]) for name, statistic in statistics.items()}
    drawn: dict[str, list[Floats]] = {name: [] for name in statistics}
    for weights in draw_weights(size):
        for name, statistic in statistics.items():
            drawn[name].append(statistic(weights))
    return {name: (value, *_interval(np.concatenate(drawn[name]))) for name, value in values.items()}


def draw_weights(size: int) -> Iterator[Floats]:
    """RESAMPLES rows of weights, some at a time; always the same for the same size."""
    generator = np.random.default_rng(_SEED)
    rows = max(1, min(RESAMPLES, _AT_ONCE // size))
    for begun in range(0, RESAMPLES, rows):
        count = min(rows, RESAMPLES - begun)
        picked = generator.integers(0, size, (count, size)) + size * np.arange(count)[:, None]
        yield np.bincount(picked.ravel(), minlength=count * size).reshape(count, size).astype(np.float64)


def ratio(over: Sequence[float], under: Sequence[float]) -> Statistic:
    """Sum of ``over`` divided by the sum of ``under``: a mean where ``under`` is one for each that counts."""
    above, below = np.asarray(over, float), np.asarray(under, float)
    return lambda weights: _divide(weights @ above, weights @ below)


def calibration_error(confidence: Floats, correct: Floats, bins: NDArray[np.int64]) -> Statistic:
    """Expected calibration error (Naeini et al. 2015; Guo et al. 2017): |mean confidence - share correct| over bins."""
    known = ~np.isnan(confidence)
    gaps = np.zeros((len(confidence), BINS))
    gaps[np.flatnonzero(known), bins[known]] = (confidence - correct)[known]
    return lambda weights: _divide(np.abs(weights @ gaps).sum(axis=1), weights @ known.astype(float))


def equal_width(confidence: Floats) -> NDArray[np.int64]:
    """The bin of each confidence, [0, 0.1), [0.1, 0.2) ... [0.9, 1]."""
    return np.minimum(np.nan_to_num(confidence) * BINS, BINS - 1).astype(np.int64)


def equal_mass(confidence: Floats) -> NDArray[np.int64]:
    """The bin of each confidence between the deciles of them all; equal confidences share a bin."""
    known = confidence[~np.isnan(confidence)]
    edges = np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]) if known.size else np.zeros(BINS - 1)
    return np.searchsorted(edges, np.nan_to_num(confidence), side="right").astype(np.int64)


def risk_area(confidence: Floats, correct: Floats) -> Statistic:
    """Area under the risk-coverage curve (Geifman & El-Yaniv 2017): the share wrong among the most confident.

    Averaged over all coverages; 0 is best. Equally confident answers come in together, as a threshold lets them.
    """
    order = np.argsort(-np.nan_to_num(confidence, nan=-1.0), kind="stable")
    order = order[: int((~np.isnan(confidence)).sum())]
    ranked, wrong = confidence[order], 1.0 - correct[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)) if ranked.size else np.zeros(0, int)

    def area(weights: Floats) -> Floats:
        mass = np.cumsum(weights[:, order], axis=1)[:, ends]
        errors = np.cumsum(weights[:, order] * wrong, axis=1)[:, ends]
        steps = np.diff(mass, axis=1, prepend=0.0)
        risks = np.divide(errors, mass, out=np.zeros_like(mass), where=mass > 0)
        return _divide((risks * steps).sum(axis=1), steps.sum(axis=1))

    return area


def percentile(values: Floats, share: float) -> Statistic:
    """The smallest value that at least ``share`` of the values do not exceed (nearest rank), NaN left out."""
    order = np.argsort(values, kind="stable")[: int((~np.isnan(values)).sum())]
    ranked = values[order]

    def find(weights: Floats) -> Floats:
        mass = np.cumsum(weights[:, order], axis=1)
        if not ranked.size:
            return np.full(len(weights), np.nan)
        below = (mass < share * mass[:, -1:] - 1e-9).sum(axis=1)
        return np.where(mass[:, -1] > 0, ranked[np.minimum(below, ranked.size - 1)], np.nan)

    return find


def _divide(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _interval(drawn: Floats) -> tuple[float, float]:
    known = drawn[~np.isnan(drawn)]
    if not known.size:
        return np.nan, np.nan
    low, high = np.quantile(known, (0.025, 0.975))
    return float(low), float(high)
