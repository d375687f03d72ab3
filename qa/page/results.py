"""A finished evaluation as HTML: headline, plots, and failures that lead to their questions in the chat."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from qa.evaluation import CAUSES, METRICS, Evaluation, Outcome, Row, draw_plots, load
from qa.evaluation.metrics import LATENCIES
from qa.evaluation.table import in_order, show, show_interval
from qa.page.marks import attribute, escape
from qa.page.runs import Run
from qa.page.words import Words

MAIN = ("hit@1", "a1", "a5", "highlight", "quotes", "hallucination", "error", "latency_p50")
_PLOTS = {
    "Accuracy by language of the question": "ev_plot_language", "Risk and coverage": "ev_plot_risk",
    "Calibration": "ev_plot_calibration", "Seconds an answer took": "ev_plot_seconds",
}  # fmt: skip
_MOST_SHOWN = 200  # failures of one cause


def render_result(run: Run, words: Words) -> str:
    """The whole result. Raises UserError where the files of the run are damaged."""
    found = load(run.folder)
    return (
        f'<section class="pc-ev-result"{attribute("data-run", run.key)}>'
        f"{_summary(run, found.metrics, words)}{_table(found.metrics, MAIN, words)}{_others(found.metrics, words)}"
        f'<div class="pc-ev-plots">{_plots(run.folder, words)}</div>{_failures(found, words)}</section>'
    )


def metric_name(name: str, words: Words) -> str:
    """What a metric is called, as HTML; in English where the page has no words for it."""
    key = f"ev_m_{name.replace('@', '')}"
    if key in words.strings:
        return escape(words.say(key))
    return f'<span lang="en" dir="ltr">{escape(METRICS[name].label)}</span>'


def figure(text: str) -> str:
    """A number or an interval, which reads from left to right in every language."""
    return f'<bdi dir="ltr">{escape(text.replace(" to ", " – "))}</bdi>'


def question_button(question: str, language: str | None) -> str:
    """A question that a click asks in the chat."""
    known = attribute("lang", language) if language else ""
    shown = f' dir="auto"{known}{attribute("data-question", question)}>{escape(question)}'
    return f'<button type="button" class="pc-ev-question"{shown}</button>'


def _summary(run: Run, metrics: Mapping[str, Any], words: Words) -> str:
    entry = metrics["all"]["accuracy"]
    interval = show_interval("accuracy", entry["low"], entry["high"], words.language)
    links = "".join(
        f'<a class="pc-link" href="page/evaluate/runs/{run.key}/{file}" download>{escape(words.say(key))}</a>'
        for file, key in (("report.html", "ev_report"), ("predictions.jsonl", "ev_predictions"))
    )
    value = figure(show("accuracy", entry["value"], words.language))
    return (
        f'<div class="pc-ev-summary"><p class="pc-ev-big">{value}</p>'
        f'<div><p class="pc-ev-what">{metric_name("accuracy", words)}</p>'
        f'<p class="pc-ev-note">{escape(words.say("ev_questions", n=entry["n"]))} · '
        f"{escape(words.say('ev_interval'))} {figure(interval)}</p>"
        f'<p class="pc-ev-note"><bdi>{escape(run.name)}</bdi> · {moment(run.begun)}</p></div>'
        f'<p class="pc-ev-files">{links}</p></div>'
    )


def moment(when: str) -> str:
    """A day and time, put into the reader's language by the browser."""
    return f"<span{attribute('data-moment', when)}>{escape(when[:16].replace('T', ' '))}</span>"


def _table(metrics: Mapping[str, Any], names: Iterable[str], words: Words) -> str:
    directions = in_order(metrics["by_direction"])
    heads = ["", words.say("ev_all"), words.say("ev_interval"), *(words.say(f"ev_{name}") for name in directions)]
    rows = []
    for name in names:
        whole = metrics["latency"]["all"] if name in LATENCIES else metrics["all"]
        if name not in whole or not whole[name]["n"]:
            continue
        entry = whole[name]
        here = words.language
        cells = [show(name, entry["value"], here), show_interval(name, entry["low"], entry["high"], here)]
        cells += [show(name, part[name]["value"], here) if name in part else "" for part in directions.values()]
        rows.append(
            f'<th scope="row">{metric_name(name, words)}</th>' + "".join(f"<td>{figure(c)}</td>" for c in cells)
        )
    return table(heads, rows)


def table(heads: Iterable[str], rows: Iterable[str]) -> str:
    """A table that scrolls by itself where it is too wide; ``rows`` are the cells of each as HTML."""
    head = "".join(f'<th scope="col">{escape(text)}</th>' if text else "<td></td>" for text in heads)
    body = "".join(f"<tr>{cells}</tr>" for cells in rows)
    return f'<div class="pc-ev-wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _others(metrics: Mapping[str, Any], words: Words) -> str:
    rest = [name for name in METRICS if name not in (*MAIN, "accuracy")]
    return f"<details><summary>{escape(words.say('ev_others'))}</summary>{_table(metrics, rest, words)}</details>"


def _plots(folder: Path, words: Words) -> str:
    return "".join(
        f"<figure><figcaption>{escape(words.say(_PLOTS[title]) if title in _PLOTS else title)}</figcaption>"
        f'<div lang="en" dir="ltr">{svg}</div></figure>'
        for title, svg in _drawn(folder, words.language).items()
    )


@lru_cache(maxsize=16)
def _drawn(folder: Path, language: str) -> Mapping[str, str]:
    """The plots of a finished run, which does not change any more."""
    found = load(folder)
    seconds = [outcome.seconds for outcome in found.outcomes if outcome.seconds is not None]
    return draw_plots(found.metrics, seconds, language)


def _failures(found: Evaluation, words: Words) -> str:
    head = f'<h3 class="pc-label">{escape(words.say("ev_failures"))}</h3>'
    parts: list[str] = []
    for cause in CAUSES:
        pairs = zip(found.rows, found.outcomes, strict=True)
        failed = [(row, outcome) for row, outcome in pairs if outcome.cause == cause]
        if failed:
            parts.append(_cause(cause, failed, words, opened=not parts))
    if not parts:
        return f'{head}<p class="pc-ev-note">{escape(words.say("ev_no_failures"))}</p>'
    return f'{head}<p class="pc-ev-note pc-ev-label-note">{escape(words.say("ev_open"))}</p>{"".join(parts)}'


def _cause(cause: str, failed: list[tuple[Row, Outcome]], words: Words, *, opened: bool) -> str:
    name = escape(words.say(f"ev_c_{cause.replace(' ', '_')}"))
    listed = "".join(f"<li>{_failure(row, words)}</li>" for row, _ in failed[:_MOST_SHOWN])
    rest = len(failed) - _MOST_SHOWN
    more = f'<li class="pc-ev-note">+{rest}</li>' if rest > 0 else ""
    return (
        f'<details class="pc-ev-cause"{" open" if opened else ""}><summary>{name} '
        f'<span class="pc-ev-count">{len(failed)}</span></summary><ol>{listed}{more}</ol></details>'
    )


def _failure(row: Row, words: Words) -> str:
    question, answer = row
    wanted = " | ".join(f"<bdi>{escape(text)}</bdi>" for text in question.answers) or escape(words.say("ev_nothing"))
    error = f'<p class="pc-ev-note pc-error"><bdi>{escape(str(answer["error"]))}</bdi></p>' if "error" in answer else ""
    return (
        f"{question_button(question.question, question.language)}"
        f'<p class="pc-ev-note">{escape(words.say("ev_expected"))}: {wanted}</p>{error}'
    )
