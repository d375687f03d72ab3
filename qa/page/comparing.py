"""Two evaluations against each other as HTML."""

from collections.abc import Sequence

from qa.evaluation import Comparison, Difference, Question, compare, load
from qa.evaluation.metrics import METRICS
from qa.evaluation.table import show, show_interval
from qa.page.marks import escape
from qa.page.results import MAIN, figure, metric_name, moment, question_button, table
from qa.page.runs import Run
from qa.page.words import Words

_MOST_SHOWN = 100  # questions won or lost
_CLOSE = 1e-9


def render_comparison(before: Run, after: Run, words: Words) -> str:
    """Differences with their intervals, and the questions won and lost. Raises UserError where nothing is shared."""
    found = compare(after.folder, before.folder)
    asked = {question.id: question for question, _ in load(after.folder).rows}
    heads = [
        "",
        words.say("ev_before"),
        words.say("ev_after"),
        words.say("ev_difference"),
        words.say("ev_interval"),
        "",
    ]
    whole = [d for d in found.differences if d.part == "all"]
    rows = [_row(d, words) for d in whole if d.metric in ("accuracy", *MAIN)]
    rest = [_row(d, words) for d in whole if d.metric not in ("accuracy", *MAIN)]
    others = f"<details><summary>{escape(words.say('ev_others'))}</summary>{table(heads, rest)}</details>"
    return (
        f'<section class="pc-ev-comparison"><h3 class="pc-label">{escape(words.say("ev_comparison"))}</h3>'
        f'<p class="pc-ev-note">{_side(before)} → {_side(after)} · {_counts(found, words)}</p>'
        f"{table(heads, rows)}{others}{_listed('ev_lost', found.lost, asked, words)}"
        f"{_listed('ev_won', found.won, asked, words)}</section>"
    )


def _side(run: Run) -> str:
    return f"<bdi>{escape(run.name)}</bdi> ({moment(run.begun)})"


def _counts(found: Comparison, words: Words) -> str:
    return escape(words.say("ev_questions", n=found.questions))


def _row(difference: Difference, words: Words) -> str:
    name = difference.metric
    sign = "+" if difference.difference > 0 else ""
    cells = [
        show(name, difference.before, words.language),
        show(name, difference.after, words.language),
        sign + show(name, difference.difference, words.language),
        show_interval(name, difference.low, difference.high, words.language),
    ]
    shown = "".join(f"<td>{figure(cell)}</td>" for cell in cells)
    return f'<th scope="row">{metric_name(name, words)}</th>{shown}<td>{_verdict(difference, words)}</td>'


def _verdict(difference: Difference, words: Words) -> str:
    """A word where the whole interval lies on one side of zero."""
    crosses = difference.low <= _CLOSE and difference.high >= -_CLOSE
    if crosses or METRICS[difference.metric].better == 0:
        return ""
    key = "worse" if difference.is_loss else "better"
    return f'<span class="pc-ev-{key}">{escape(words.say(f"ev_{key}"))}</span>'


def _listed(key: str, ids: Sequence[str], asked: dict[str, Question], words: Words) -> str:
    buttons = [question_button(asked[name].question, asked[name].language) for name in ids[:_MOST_SHOWN]]
    rest = len(ids) - _MOST_SHOWN
    items = "".join(f"<li>{button}</li>" for button in buttons)
    more = f'<li class="pc-ev-note">+{rest}</li>' if rest > 0 else ""
    summary = f'<summary>{escape(words.say(key))} <span class="pc-ev-count">{len(ids)}</span></summary>'
    return f'<details class="pc-ev-cause"{" open" if ids else ""}>{summary}<ol>{items}{more}</ol></details>'
