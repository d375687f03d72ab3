"""A chat as Markdown, with every citation, to be kept or passed on."""

import re
from collections.abc import Sequence

from qa.answer import Answer, Citation
from qa.cldr import date_name
from qa.page.chat import Turn
from qa.page.words import Words, fixed

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&])")
_LINE_START = re.compile(r"^(\s*)([-=:]|\d+(?=[.)]))", re.MULTILINE)


def as_markdown(turns: Sequence[Turn], words: Words) -> str:
    """The chat: each question as a heading, its answer, and its sources with article, date and place."""
    return "\n".join(["# Polycite", "", *(line for turn in turns for line in _turn(turn, words))])


def plain(text: str) -> str:
    """Text that Markdown shows as it stands, on one line."""
    return _LINE_START.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", " ".join(text.split())))


def _turn(turn: Turn, words: Words) -> list[str]:
    head = [f"## {plain(turn.question)}", ""]
    if turn.at:
        head += [turn.at.replace("T", " ").replace("Z", " UTC"), ""]
    if turn.answer:
        return head + _answer(turn.answer, words)
    said = turn.error if turn.state == "failed" and turn.error else words.say(turn.state)
    return [*head, plain(said), ""]


def _answer(answer: Answer, words: Words) -> list[str]:
    percent = round(100 * min(max(answer.confidence, 0.0), 1.0))
    said = [line.strip() for line in answer.answer.splitlines() if line.strip()]
    if answer.kind in ("chat", "about"):
        quotes, label, chance = [line for text in said for line in (_numbered(text), "")][:-1], words.say("sources"), ""
    elif answer.answered:
        quotes = [line for text in said for line in (f"> {_numbered(text)}", ">")][:-1]
        label, chance = words.say("sources"), words.say("sure", percent=percent) if answer.kind == "answer" else ""
    else:
        quotes = [f"**{plain(text)}**" for text in said] or [f"**{plain(fixed(answer.language, 'not_answered'))}**"]
        label, chance = fixed(answer.language, "nearest_passages"), words.say("chance", percent=percent)
    sources = [line for citation in answer.citations for line in _source(citation, words)]
    sure = [plain(chance), ""] if chance else []
    return [*quotes, "", *sure, *([f"### {plain(label)}", "", *sources] if sources else [])]


def _numbered(text: str) -> str:
    """A line of an answer, the numbers of its citations left as they are."""
    return re.sub(r"\\\[(\d{1,2})\\\]", r"[\1]", plain(text))


def _source(citation: Citation, words: Words) -> list[str]:
    """One citation: its words, the answering sentence in bold, and where they stand."""
    first, last = (at - citation.start for at in citation.highlight)
    before, best, after = (plain(part) for part in _parts(citation.text, first, last))
    quote = " ".join(part for part in (before, f"**{best}**" if best else "", after) if part)
    date = date_name(citation.date, words.language) if citation.date else words.say("undated")
    place = f"{plain(citation.article)}, {citation.start}–{citation.end}"
    return [f"{citation.n}. {quote}", "", f"   — {plain(citation.title)} · {plain(date)} · {place}", ""]


def _parts(text: str, first: int, last: int) -> tuple[str, str, str]:
    first = min(max(first, 0), len(text))
    last = min(max(last, first), len(text))
    return text[:first], text[first:last], text[last:]
