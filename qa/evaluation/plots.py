"""The four plots of a report as SVG elements that stand inside a page, in the colour of its text."""

import io
import re
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from qa.cldr import language_name

_INK = "#123456"  # replaced by the page's text colour
_MAIN, _OTHER = "#3b82c4", "#d9822b"  # readable on light and on dark
_MOST_LANGUAGES = 40
_DRAWING = threading.Lock()  # the look is set for the whole process
Draw = Callable[[Any], None]  # draws into a matplotlib Axes


def draw_plots(metrics: Mapping[str, Any], seconds: Sequence[float], language: str = "en") -> dict[str, str]:
    """Title and SVG of each plot that there is anything to show in; its languages are named in ``language``.

    ``seconds`` are the single answers' times.
    """
    languages = _largest(metrics["by_language"])
    plots: dict[str, tuple[Draw, float]] = {}
    if languages:
        plots["Accuracy by language of the question"] = (
            lambda axes: _languages(axes, languages, language),
            _height(languages),
        )
    if metrics["risk_coverage"]:
        plots["Risk and coverage"] = (lambda axes: _risk(axes, metrics), 3.2)
    if metrics["calibration"]["equal_width"]:
        plots["Calibration"] = (lambda axes: _calibration(axes, metrics), 3.2)
    if seconds:
        plots["Seconds an answer took"] = (lambda axes: _latency(axes, seconds), 3.2)
    return {title: _svg(title, draw, height) for title, (draw, height) in plots.items()}


def _svg(title: str, draw: Draw, height: float) -> str:
    # The object interface: pyplot keeps global state, and a report may be drawn in any thread of the app.
    import matplotlib
    from matplotlib.figure import Figure

    ink: dict[Any, Any] = dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _INK
    )
    look: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": title,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with _DRAWING, matplotlib.rc_context(ink | look | {"font.size": 10}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # the browser has the letters that matplotlib's font lacks
        figure = Figure(figsize=(5.2, height), layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Type")))
    return _for_page(file.getvalue(), title)


def _for_page(svg: str, title: str) -> str:
    """Only the <svg> element, without what names a web address (namespaces, metadata), scaling with the page."""
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", svg).replace("xlink:href", "href")
    svg = re.sub(r'<g id="[\w.]+">', "<g>", svg).replace(_INK, "currentColor")
    svg = re.sub(r"font: ([\d.]+px) [^;\"]+", r"font: \1 system-ui, sans-serif", svg)
    return re.sub(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', rf'<svg \1 role="img" aria-label="{title}">', svg, count=1)


def _largest(parts: Mapping[str, Any]) -> dict[str, Any]:
    chosen = sorted(parts, key=lambda name: (-parts[name]["accuracy"]["n"], name))[:_MOST_LANGUAGES]
    return {name: parts[name]["accuracy"] for name in sorted(chosen)}


def _height(languages: Mapping[str, Any]) -> float:
    return 1.0 + 0.28 * max(len(languages), 3)


def _languages(axes: Any, languages: Mapping[str, Any], reader: str) -> None:
    names = list(languages)[::-1]
    values = [languages[name]["value"] for name in names]
    low = [max(value - languages[name]["low"], 0) for value, name in zip(values, names, strict=True)]
    high = [max(languages[name]["high"] - value, 0) for value, name in zip(values, names, strict=True)]
    axes.barh(range(len(names)), values, color=_MAIN, height=0.65)
    axes.errorbar(values, range(len(names)), xerr=[low, high], fmt="none", ecolor=_INK, elinewidth=1, capsize=2)
    labels = [f"{language_name(name, reader)} ({languages[name]['n']})" for name in names]
    axes.set_yticks(range(len(names)), labels, parse_math=False)
    axes.set(xlim=(0, 1.01), xlabel="dealt with rightly, 95 % interval (number of questions)")


def _risk(axes: Any, metrics: Mapping[str, Any]) -> None:
    points = metrics["risk_coverage"]
    coverage = [point["coverage"] for point in points]
    axes.step(coverage, [point["risk"] for point in points], where="post", color=_MAIN, label="wrong among answered")
    if points[0]["hallucination"] is not None:
        rates = [point["hallucination"] for point in points]
        axes.step(coverage, rates, where="post", color=_OTHER, linestyle="--", label="hallucination")
    now = metrics["all"]["coverage"]["value"]
    axes.axvline(now, color=_INK, linewidth=0.8, linestyle=":", label="as answered now")
    axes.set(xlim=(0, 1.01), ylim=(-0.01, 1.02), xlabel="share of questions answered", ylabel="risk")
    axes.legend(frameon=False)


def _calibration(axes: Any, metrics: Mapping[str, Any]) -> None:
    axes.plot((0, 1), (0, 1), color=_INK, linewidth=0.8, linestyle=":")
    for name, color, marker in (("equal_width", _MAIN, "o"), ("equal_mass", _OTHER, "s")):
        bins = metrics["calibration"][name]
        x, y = [part["confidence"] for part in bins], [part["correct"] for part in bins]
        axes.plot(x, y, color=color, marker=marker, markersize=4, label=f"bins of {name.replace('_', ' ')}")
    axes.set(xlim=(-0.01, 1.02), ylim=(-0.01, 1.02), xlabel="confidence", ylabel="share with the answer in an excerpt")
    axes.legend(frameon=False)


def _latency(axes: Any, seconds: Sequence[float]) -> None:
    ranked = sorted(seconds)
    axes.step(ranked, [(i + 1) / len(ranked) for i in range(len(ranked))], where="post", color=_MAIN)
    for share in (0.5, 0.95):
        axes.axhline(share, color=_INK, linewidth=0.6, linestyle=":")
    axes.set(xlim=(0, None), ylim=(0, 1.02), xlabel="seconds", ylabel="share of answers at most as long")
    axes.locator_params(axis="x", nbins=6)
