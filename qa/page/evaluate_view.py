"""The Evaluate tab around a result: what can be run, what is running, and the runs that are kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from qa.page.evaluating import Progress
from qa.page.marks import attribute, escape
from qa.page.results import figure, moment
from qa.page.runs import MOST_BYTES, Run
from qa.page.words import Words

MOST_LISTED = 30
_ACCEPTED = ".jsonl,.csv,.tsv,.json"


@dataclass(frozen=True)
class Sources:
    """Question files that need no upload."""

    seeds: bool  # the project's own, about the seeds
    kept: int  # questions made in the chat


def render_tab(
    sources: Sources, progress: Progress | None, runs: Sequence[Run], accuracies: dict[str, str], chosen: str,
    shown: str, words: Words,
) -> str:  # fmt: skip
    """The whole tab. ``accuracies`` are the headline figures of finished runs, ``shown`` a result or comparison."""
    running = progress is not None and progress.state == "running"
    scope = attribute("lang", words.language) + attribute("dir", words.direction)
    title = f"<h2>{escape(words.say('ev_title'))}</h2><p>{escape(words.say('ev_text'))}</p>"
    return (
        f'<div class="pc-ev"{scope}{attribute("data-failed", words.say("ev_failed"))}>'
        f'<div class="pc-ev-head">{title}</div>{_start(sources, words, running=running)}'
        f'<p class="pc-ev-fault pc-error" role="alert" dir="auto" hidden></p>{_state(progress, words)}'
        f"{_runs(runs, progress, accuracies, chosen, words)}{shown}</div>"
    )


def render_fault(said: str) -> str:
    """What went wrong, in one line."""
    return f'<p class="pc-ev-state pc-error" role="alert" dir="auto">{escape(said)}</p>'


def _start(sources: Sources, words: Words, *, running: bool) -> str:
    off = " disabled" if running else ""
    buttons = ""
    if sources.seeds:
        buttons += (
            f'<button type="button" class="pc-ev-run" data-source="seeds"{off}>{escape(words.say("ev_seeds"))}</button>'
        )
    if sources.kept:
        said = escape(words.say("ev_kept", n=sources.kept))
        buttons += f'<button type="button" class="pc-ev-run" data-source="kept"{off}>{said}</button>'
    upload = (
        f'<label class="pc-ev-upload"><span>{escape(words.say("ev_upload"))}</span>'
        f'<input type="file" class="pc-hidden" accept="{_ACCEPTED}"{attribute("data-most", MOST_BYTES)}'
        f"{attribute('data-large', words.say('ev_large', megabytes=MOST_BYTES // 1_000_000))}{off}></label>"
    )
    note = escape(words.say("ev_formats", megabytes=MOST_BYTES // 1_000_000))
    return f'<div class="pc-ev-start">{buttons}{upload}</div><p class="pc-ev-note pc-ev-formats">{note}</p>'


def _state(progress: Progress | None, words: Words) -> str:
    """How far the run has come; nothing once it is done, since its result says so."""
    if progress is None or progress.state == "done":
        return ""
    if progress.state == "failed":
        said = progress.error or words.say("ev_failed")
        return render_fault(said)
    count = words.say("position", n=progress.done, total=progress.total)
    if progress.state == "cancelled":
        return (
            f'<p class="pc-ev-state pc-ev-note" role="status">{escape(words.say("ev_cancelled"))} {escape(count)}</p>'
        )
    template = attribute("data-position", words.say("position", n="{n}", total="{total}"))
    said = escape(words.say("ev_running"))
    bar = f'<progress max="{progress.total}" value="{progress.done}"{attribute("aria-label", words.say("ev_running"))}>'
    return (
        f'<div class="pc-ev-state pc-ev-running"{template}{attribute("data-counting", words.say("ev_counting"))}>'
        f'<p class="pc-busy" role="status">{said}</p><span class="pc-ev-position">{escape(count)}</span>'
        f"{bar}</progress>"
        f'<button type="button" class="pc-ev-cancel">{escape(words.say("ev_cancel"))}</button></div>'
    )


def _runs(runs: Sequence[Run], progress: Progress | None, accuracies: dict[str, str], chosen: str, words: Words) -> str:
    under_way = progress.run if progress and progress.state == "running" else ""
    listed = [run for run in runs if run.key != under_way][:MOST_LISTED]
    if not listed:
        return ""
    items = "".join(_run(run, accuracies.get(run.key), words, chosen=run.key == chosen) for run in listed)
    comparing = (
        f'<button type="button" class="pc-ev-compare" disabled>{escape(words.say("ev_compare"))}</button>'
        if len(accuracies) > 1
        else ""
    )
    head = f'<div class="pc-ev-runs-head"><h3 class="pc-label">{escape(words.say("ev_runs"))}</h3>{comparing}</div>'
    return f'<section class="pc-ev-runs">{head}<ul>{items}</ul></section>'


def _run(run: Run, accuracy: str | None, words: Words, *, chosen: bool) -> str:
    name = f'<bdi class="pc-ev-name">{escape(run.name)}</bdi><span class="pc-ev-note">{moment(run.begun)}</span>'
    count = escape(words.say("ev_questions", n=run.total))
    if accuracy is None:
        count = escape(words.say("position", n=run.asked, total=run.total))
        resume = escape(words.say("ev_resume"))
        act = f'<button type="button" class="pc-link pc-ev-resume" data-run="{run.key}">{resume}</button>'
        return f'<li><span class="pc-ev-open">{name}<span class="pc-ev-note">{count}</span></span>{act}</li>'
    label = attribute("aria-label", f"{words.say('ev_compare')}: {run.name}")
    current = ' aria-current="true"' if chosen else ""
    return (
        f'<li><input type="checkbox" class="pc-ev-pick" value="{run.key}"{label}>'
        f'<button type="button" class="pc-ev-open" data-run="{run.key}"{current}>{name}'
        f'<span class="pc-ev-note">{count}</span><b>{figure(accuracy)}</b></button></li>'
    )
