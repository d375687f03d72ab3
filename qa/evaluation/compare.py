"""Compares two evaluations question by question, and turns metrics into checks for a build."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from index.errors import UserError
from qa.evaluation.bootstrap import Floats, Statistic, estimate
from qa.evaluation.metrics import LATENCIES, METRICS, statistics
from qa.evaluation.outcomes import Outcome
from qa.evaluation.run import Evaluation, load
from qa.evaluation.table import align, show, show_interval

_CLOSE = 1e-9  # sums of floats in another order differ by less
_SHOWN = 10  # questions named in the table


@dataclass(frozen=True)
class Difference:
    """One metric over the questions that both evaluations asked: ``after`` - ``before``, with its 95 % interval."""

    part: str  # "all", "same" or "cross"
    metric: str
    before: float
    after: float
    difference: float
    low: float
    high: float
    questions: int

    @property
    def is_loss(self) -> bool:
        """Whether the whole interval lies on the worse side of zero."""
        better = METRICS[self.metric].better
        return self.high < -_CLOSE if better > 0 else better < 0 and self.low > _CLOSE


@dataclass(frozen=True)
class Comparison:
    """Two evaluations over the ``questions`` that both asked in the same words; ``unpaired`` were left out."""

    differences: tuple[Difference, ...]
    won: tuple[str, ...]  # ids dealt with rightly only after
    lost: tuple[str, ...]  # ids dealt with rightly only before
    questions: int
    unpaired: int


@dataclass(frozen=True)
class Check:
    """A bound on a metric of one part: a floor where higher is better, else a ceiling."""

    part: str  # "all", "same", "cross", "answerable", "unanswerable" or a language
    metric: str
    bound: float


def compare(out: Path, other: Path) -> Comparison:
    """Compare the evaluation in ``out`` (after) with that in ``other`` (before), paired by question.

    Intervals are of a bootstrap over the paired questions, the same draws for both. Raises UserError where a folder
    holds no finished evaluation or no question is in both.
    """
    after, before = load(out), load(other)
    shared = _pairs(before, after)
    if not shared:
        raise UserError(f"{out} and {other}: have no question in common: compare runs of the same question file")
    right = [(a.id, a.right, b.right) for b, a in shared]
    return Comparison(
        differences=tuple(
            difference
            for part in ("all", "same", "cross")
            for difference in _differences(part, [p for p in shared if part in ("all", p[0].direction, p[1].direction)])
        ),
        won=tuple(name for name, now, then in right if now and not then),
        lost=tuple(name for name, now, then in right if then and not now),
        questions=len(shared),
        unpaired=len(before.rows) + len(after.rows) - 2 * len(shared),
    )


def regressions(comparison: Comparison, parts: Sequence[str] = ("all",)) -> list[Difference]:
    """The metrics that have become worse beyond their 95 % interval, latency apart, which is the machine's.

    Among some twenty metrics, chance alone puts one there now and then; more ``parts`` make that more frequent.
    """
    return [d for d in comparison.differences if d.part in parts and d.is_loss and d.metric not in LATENCIES]


def parse_checks(arguments: Iterable[str]) -> list[Check]:
    """Checks out of ``METRIC=VALUE`` or ``PART:METRIC=VALUE``, as in ``hit@1=0.9``, ``cross:a1=0.7``, ``error=0.1``.

    Raises UserError for anything else.
    """
    checks = []
    for argument in arguments:
        name, _, value = argument.rpartition("=")
        part, _, metric = name.strip().rpartition(":")
        try:
            bound = float(value)
        except ValueError:
            bound = math.nan
        if not math.isfinite(bound) or not name:
            raise UserError(f"--fail-under {argument!r}: is no bound: write METRIC=VALUE, as in hit@1=0.9")
        if metric not in METRICS:
            raise UserError(f"--fail-under {argument!r}: there is no metric {metric!r}: choose of {', '.join(METRICS)}")
        checks.append(Check(part or "all", metric, bound))
    return checks


def failing(metrics: Mapping[str, Any], checks: Iterable[Check]) -> list[str]:
    """One line for each check that ``metrics`` do not meet; a metric that was not measured does not meet any."""
    lines = []
    for check in checks:
        value = _value(metrics, check)
        name = check.metric if check.part == "all" else f"{check.part}:{check.metric}"
        better = METRICS[check.metric].better
        if value is None:
            lines.append(f"{name} was not measured, wanted {check.bound:g}")
        elif (value - check.bound) * (better or 1) < -_CLOSE:
            lines.append(f"{name} is {value:.4g}, wanted at {'most' if better < 0 else 'least'} {check.bound:g}")
    return lines


def comparison_table(comparison: Comparison) -> str:
    """The comparison as text for a terminal; a loss beyond the interval is marked "worse", a gain "better".

    Of the parts by direction only the differences that are marked are listed.
    """
    head = ["", "", "before", "after", "difference", "95 %", ""]
    rows = [
        [
            METRICS[d.metric].label,
            d.part,
            show(d.metric, d.before),
            show(d.metric, d.after),
            ("+" if d.difference > 0 else "") + show(d.metric, d.difference),
            show_interval(d.metric, d.low, d.high),
            _verdict(d),
        ]
        for d in comparison.differences
        if d.part == "all" or _verdict(d)
    ]
    unpaired = f", {comparison.unpaired} asked in one run only left out" if comparison.unpaired else ""
    lines = [f"{comparison.questions} questions in both{unpaired}", align([head, *rows])]
    lines += [_listed("won", comparison.won), _listed("lost", comparison.lost)]
    return "\n".join(lines)


def _pairs(before: Evaluation, after: Evaluation) -> list[tuple[Outcome, Outcome]]:
    """Outcomes before and after, by id, where question and expectation are the same."""
    then = {row[0].id: (row[0], outcome) for row, outcome in zip(before.rows, before.outcomes, strict=True)}
    found = []
    for (question, _), outcome in zip(after.rows, after.outcomes, strict=True):
        other = then.get(question.id)
        if other and (other[0].question, other[0].answers) == (question.question, question.answers):
            found.append((other[1], outcome))
    return sorted(found, key=lambda pair: pair[0].id)


def _differences(part: str, pairs: Sequence[tuple[Outcome, Outcome]]) -> list[Difference]:
    before, after = statistics([pair[0] for pair in pairs]), statistics([pair[1] for pair in pairs])
    paired = {name: _minus(after[name][0], before[name][0]) for name in METRICS}
    return [
        Difference(part, name, _plain(before[name][0], pairs), _plain(after[name][0], pairs), *values, len(pairs))
        for name, values in estimate(paired, len(pairs)).items()
        if not math.isnan(values[0])
    ]


def _plain(statistic: Statistic, pairs: Sequence[object]) -> float:
    return float(statistic(np.ones((1, len(pairs))))[0])


def _minus(after: Statistic, before: Statistic) -> Statistic:
    def difference(weights: Floats) -> Floats:
        return after(weights) - before(weights)

    return difference


def _value(metrics: Mapping[str, Any], check: Check) -> float | None:
    source: Mapping[str, Any] = metrics["latency"] if check.metric in LATENCIES else metrics
    for group in ("by_direction", "by_answerable", "by_language"):
        found = source["all"] if check.part == "all" else source.get(group, {}).get(check.part)
        if found:
            value: float | None = found[check.metric]["value"]
            return value
    return None


def _verdict(difference: Difference) -> str:
    if METRICS[difference.metric].better == 0 or (difference.low <= _CLOSE and difference.high >= -_CLOSE):
        return ""
    return "worse" if difference.is_loss else "better"


def _listed(name: str, ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return f"{name}: {len(ids)}" + (f" ({', '.join(ids[:_SHOWN])}{more})" if ids else "")
