"""The headline table as text for a terminal."""

from collections.abc import Mapping
from typing import Any

from qa.cldr import number
from qa.evaluation.metrics import LATENCIES, METRICS

_BY_KIND = ("accuracy", "kind", "hit@1")
_SECONDS = frozenset(LATENCIES)
_PLAIN = frozenset(("aurc", "ece", "ece_mass", "ece_a1", "ece_mass_a1", "brier", "mrr", "f1"))


def headline(metrics: Mapping[str, Any]) -> str:
    """Rows of metrics, columns for all questions (with interval and n) and for same and cross-language ones."""
    directions = in_order(metrics["by_direction"])
    head = ["", "all", "95 %", "n", *directions]
    rows = [
        [metric.label, *_cells(name, entry), *(show(name, part[name]["value"]) for part in directions.values())]
        for name, metric in METRICS.items()
        if name not in LATENCIES and (entry := metrics["all"][name])["n"]
    ]
    for name in LATENCIES:
        if metrics["latency"]["all"][name]["n"]:
            rows.append(
                [METRICS[name].label, *_cells(name, metrics["latency"]["all"][name]), *("" for _ in directions)]
            )
    kinds = [
        [kind, str(part["accuracy"]["n"]), *(show(name, part[name]["value"]) for name in _BY_KIND)]
        for kind, part in metrics.get("by_kind", {}).items()
    ]
    by_kind = f"\n\n{align([['kind', 'n', *_BY_KIND], *kinds])}" if kinds else ""
    return f"{describe(metrics)}\n{align([head, *rows])}{by_kind}"


def describe(metrics: Mapping[str, Any]) -> str:
    """How many questions of which kind there were, in one line."""
    counts = metrics["counts"]
    failed = f", {counts['failed']} raised an error" if counts["failed"] else ""
    kinds = f"{counts['answerable']} answerable, {counts['unanswerable']} unanswerable"
    others = counts["questions"] - counts["answerable"] - counts["unanswerable"]
    kinds += f", {others} not to be looked up" if others else ""
    return f"{counts['questions']} questions: {kinds}{failed}"


def in_order(directions: Mapping[str, Any]) -> dict[str, Any]:
    """The parts by direction as a reader expects them: same language first."""
    return {name: directions[name] for name in ("same", "cross") if name in directions}


def show(name: str, value: float | None, language: str = "en") -> str:
    """A metric's value for the reader: per cent, a plain number, or seconds; "-" where nothing was measured."""
    if value is None:
        return "-"
    if name in _SECONDS:
        return f"{number(value, 3, language)} s"
    return number(value, 3, language) if name in _PLAIN else f"{number(100 * value, 1, language)} %"


def show_interval(name: str, low: float | None, high: float | None, language: str = "en") -> str:
    """The interval of a metric, without unit."""
    if low is None or high is None:
        return ""
    scale, digits = (1, 3) if name in _SECONDS or name in _PLAIN else (100, 1)
    return f"{number(scale * low, digits, language)} to {number(scale * high, digits, language)}"


def align(rows: list[list[str]]) -> str:
    """The rows with their columns made even, the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _cells(name: str, entry: Mapping[str, Any]) -> list[str]:
    return [show(name, entry["value"]), show_interval(name, entry["low"], entry["high"]), str(entry["n"])]
