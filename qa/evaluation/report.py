"""``report.html``: one page that needs nothing else, in light and dark, readable on a phone; all text is escaped."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from qa.cldr import language_name
from qa.evaluation.failures import CAUSES, highlight_in_excerpt
from qa.evaluation.metrics import LATENCIES, METRICS
from qa.evaluation.outcomes import Outcome, Row
from qa.evaluation.plots import draw_plots
from qa.evaluation.questions import Question
from qa.evaluation.table import describe, in_order, show, show_interval

_CARDS = ("accuracy", "a1", "highlight", "quotes", "hallucination", "error")
_BY_KIND = ("accuracy", "kind", "hit@1", "a1", "hallucination")
_BY_LANGUAGE = ("accuracy", "hit@1", "a1", "a5", "highlight", "f1", "error", "hallucination")
_STYLE = """
:root{color-scheme:light dark;--ink:#1c2733;--soft:#5b6875;--page:#f6f7f9;--card:#fff;--line:#dfe3e8;--mark:#ffe69a}
@media(prefers-color-scheme:dark){
:root{--ink:#e4e9ee;--soft:#9aa7b4;--page:#12171c;--card:#1b2229;--line:#323c46;--mark:#6b5510}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
main{max-width:74rem;margin:auto;padding:1rem}
h1{font-size:1.6rem;margin:.5rem 0 0}h2{font-size:1.2rem;margin:2rem 0 .6rem}h3{font-size:1rem;margin:.2rem 0 .4rem}
p{margin:.3rem 0}.soft,dt,figcaption,th{color:var(--soft);font-weight:400}
.grid{display:grid;gap:.8rem;align-items:start;margin:.8rem 0;
grid-template-columns:repeat(auto-fit,minmax(min(9.5rem,100%),1fr))}
.plots{grid-template-columns:repeat(auto-fit,minmax(min(24rem,100%),1fr))}
.card,figure,.failure{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.8rem;margin:0}
.card b{display:block;font-size:1.5rem}.failure{margin:.8rem 0}
figure svg{width:100%;height:auto;display:block}
.wide{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:.6rem}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
td,th{padding:.3rem .55rem;text-align:end;white-space:nowrap;border-top:1px solid var(--line)}
tr:first-child th{border-top:0}
td:first-child,th:first-child{text-align:start;position:sticky;left:0;background:var(--card)}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.1rem .8rem;margin:.3rem 0}dd{margin:0}
details{margin:.3rem 0}summary{cursor:pointer}section>details>summary{font-weight:600;padding:.3rem 0}
blockquote{margin:.3rem 0;padding:.2rem .8rem;border-inline-start:3px solid var(--line);white-space:pre-wrap}
mark{background:var(--mark);color:inherit;border-radius:.2rem}
"""
# The policy makes the browser itself refuse any request, whatever the articles hold.
_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Polycite evaluation</title>
"""


def render_report(rows: Sequence[Row], outcomes: Sequence[Outcome], metrics: Mapping[str, Any], state: str = "") -> str:
    """The page. ``rows`` and ``outcomes`` are in the same order; ``state`` says what was evaluated."""
    seconds = [outcome.seconds for outcome in outcomes if outcome.seconds is not None]
    plots = draw_plots(metrics, seconds)
    figures = "".join(f"<figure><figcaption>{escape(name)}</figcaption>{svg}</figure>" for name, svg in plots.items())
    return "\n".join(
        (
            f"{_HEAD}<style>{_STYLE}</style>\n</head>\n<body>\n<main>",
            f"<h1>Polycite evaluation</h1>\n<p>{escape(describe(metrics))}</p>",
            f'<p class="soft">{escape(state)}</p>' if state else "",
            f'<div class="grid">{"".join(_card(name, metrics["all"][name]) for name in _CARDS)}</div>',
            f"<h2>Metrics</h2>\n{_headline(metrics)}\n{_meanings()}",
            f'<h2>Plots</h2>\n<div class="grid plots">{figures}</div>',
            f"<h2>By language of the question</h2>\n{_by_language(metrics)}",
            f"<h2>By kind of the answer that was due</h2>\n{_by_kind(metrics)}" if metrics.get("by_kind") else "",
            f"<h2>Failures</h2>\n{render_failures(rows, outcomes)}",
            "</main>\n</body>\n</html>\n",
        )
    )


def render_failures(rows: Sequence[Row], outcomes: Sequence[Outcome]) -> str:
    """Every failure under its cause: question, expected, cited excerpts with the highlight marked."""
    parts = []
    for cause, meaning in CAUSES.items():
        chosen = [row for row, outcome in zip(rows, outcomes, strict=True) if outcome.cause == cause]
        if chosen:
            title = f"{cause}: {len(chosen)}"
            body = "".join(_failure(question, answer, cause) for question, answer in chosen)
            parts.append(
                f'<details open><summary>{title} <span class="soft">({meaning})</span></summary>{body}</details>'
            )
    return f"<section>{''.join(parts) or '<p>None.</p>'}</section>"


def _failure(question: Question, answer: Mapping[str, Any], cause: str) -> str:
    language = _lang(question.language or answer["language"])
    expected = " | ".join(f"<bdi>{escape(text)}</bdi>" for text in question.answers) or "no answer"
    facts = {
        "expected": expected,
        "in": ", ".join(f"<bdi>{escape(name)}</bdi>" for name in question.articles) or "no article",
        "given": "an answer" if answer["answered"] else "declined",
        "confidence": escape(f"{answer['confidence']:.2f}"),
        "cause": escape(cause),
    }
    if "error" in answer:
        facts["error"] = escape(str(answer["error"]))
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts.items())
    cited = "".join(_citation(citation, first=not i) for i, citation in enumerate(answer["citations"]))
    return (
        f'<article class="failure"><p class="soft"><bdi>{escape(question.id)}</bdi></p>'
        f'<h3 dir="auto"{language}>{escape(question.question)}</h3><dl>{listed}</dl>{cited}</article>'
    )


def _citation(citation: Mapping[str, Any], *, first: bool) -> str:
    text = citation["text"]
    start, end = highlight_in_excerpt(citation)
    parts = (escape(text[:start]), escape(text[start:end]), escape(text[end:]))
    where = f"[{escape(str(citation['n']))}] <bdi>{escape(citation['article'])}</bdi>"
    span = f"{escape(str(citation['start']))} to {escape(str(citation['end']))}"
    return (
        f'<details{" open" if first else ""}><summary>{where} <span class="soft">{span}</span></summary>'
        f'<blockquote dir="auto"{_lang(citation["language"])}>{parts[0]}<mark>{parts[1]}</mark>{parts[2]}</blockquote>'
        "</details>"
    )


def _lang(code: object) -> str:
    return f' lang="{escape(str(code))}"' if code else ""


def _card(name: str, entry: Mapping[str, Any]) -> str:
    interval = show_interval(name, entry["low"], entry["high"])
    detail = f"{interval}, n = {entry['n']}" if interval else "not measured"
    label = escape(METRICS[name].label)
    return f'<div class="card">{label}<b>{show(name, entry["value"])}</b><span class="soft">{detail}</span></div>'


def _headline(metrics: Mapping[str, Any]) -> str:
    directions = in_order(metrics["by_direction"])
    head = ["", "all", "95 % interval", "n"]
    for name in directions:
        head += [f"{name} language", "95 % interval", "n"]
    rows = []
    for name, metric in METRICS.items():
        parts = [metrics["latency"]["all"]] if name in LATENCIES else [metrics["all"], *directions.values()]
        if not parts[0][name]["n"]:
            continue
        cells = [metric.label]
        for part in parts:
            entry = part[name]
            cells += [show(name, entry["value"]), show_interval(name, entry["low"], entry["high"]), str(entry["n"])]
        rows.append(cells + [""] * (len(head) - len(cells)))
    return _table([head, *rows])


def _by_language(metrics: Mapping[str, Any]) -> str:
    named = {language_name(code, "en"): part for code, part in metrics["by_language"].items()}
    return _parts(named, _BY_LANGUAGE)


def _by_kind(metrics: Mapping[str, Any]) -> str:
    return _parts(metrics["by_kind"], _BY_KIND)


def _parts(parts: Mapping[str, Any], names: Sequence[str]) -> str:
    head = ["", "questions", *(METRICS[name].label for name in names)]
    rows = [
        [part, str(found["accuracy"]["n"]), *(_brief(name, found[name]) for name in names)]
        for part, found in parts.items()
    ]
    return _table([head, *rows])


def _brief(name: str, entry: Mapping[str, Any]) -> str:
    interval = show_interval(name, entry["low"], entry["high"])
    return f"{show(name, entry['value'])} ({interval})" if interval else "-"


def _meanings() -> str:
    listed = "".join(f"<dt>{escape(m.label)}</dt><dd>{escape(m.meaning)}</dd>" for m in METRICS.values())
    return f"<details><summary>What the metrics mean</summary><dl>{listed}</dl></details>"


def _table(rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows[1:])
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'
