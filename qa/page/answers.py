"""An answer as HTML: its quotations with numbered citations, and a card for each citation."""

import re
from collections.abc import Container, Iterable, Sequence

from qa.answer import Answer, Citation
from qa.cldr import date_name
from qa.page.facts import date_shown, language_name
from qa.page.marks import attribute, escape, marked
from qa.page.statements import in_prose, is_writing, render_remarks, render_statements
from qa.page.words import Words, fixed

_NUMBER = re.compile(r"\s*\[(\d{1,2})\]")
_NUMBERS_AT_END = re.compile(r"(?:\s*\[\d{1,2}\])+$")
_LONGEST_KEPT = 30  # characters
_QUOTES = " \t\"'“”„«»‹›‘’「」『』…"


def render_answer(answer: Answer, words: Words, stale: Container[int] = ()) -> str:
    """An answer, or the plain word that there is none with the nearest passages folded below it.

    ``stale``: the numbers of citations whose article has changed since, or is gone.
    """
    if answer.kind in ("chat", "about"):
        return _told(answer, words, stale)
    if answer.answered:
        head = render_statements(answer, words, _chips) if in_prose(answer) else _quotations(answer, words)
        label = words.say("sources")
    else:
        head = _declined(answer)
        label = fixed(answer.language, "nearest_passages")
    sure = "" if is_writing(answer) or answer.kind == "summary" else _confidence(answer, words)
    return f"{render_remarks(answer, words)}{head}{sure}{_cards(answer, label, words, stale)}"


def _told(answer: Answer, words: Words, stale: Container[int]) -> str:
    """What is said to a greeting, or of the collection: no quotes, nothing that one could be more or less sure of."""
    lines = "".join(_prose(line, answer.citations, words) for line in answer.answer.splitlines() if line.strip())
    cards = _cards(answer, fixed(words.language, "articles"), words, stale)
    return f'<div class="pc-told"{attribute("lang", answer.language)}>{lines}</div>{cards}'


def _quotations(answer: Answer, words: Words) -> str:
    """The lines of the answer, each quote with the numbers of the citations that hold it."""
    lines = [line.strip() for line in answer.answer.splitlines() if line.strip()]
    paragraphs = [_line(line, answer.citations, words) for line in lines]
    if not any("pc-chip" in paragraph for paragraph in paragraphs):
        paragraphs.append(f'<p class="pc-prose">{_chips(answer.citations, words)}</p>')
    return f'<div class="pc-quotes">{"".join(paragraphs)}</div>'


def _line(line: str, citations: Sequence[Citation], words: Words) -> str:
    """A quote where the line stands in the citations that it names or, naming none, in any; else prose."""
    numbers = _NUMBERS_AT_END.search(line)
    text = line[: numbers.start()] if numbers else line
    named = _NUMBER.findall(numbers[0]) if numbers else []
    sources = [citation for citation in citations if str(citation.n) in named]
    if sources and all(holds(citation, text) for citation in sources):
        return _quote(text, sources, words)
    if not named:
        holders = [citation for citation in citations if holds(citation, text)][:1]
        return _quote(text, holders, words) if holders else _prose(line, citations, words)
    return _prose(line, citations, words)


def holds(citation: Citation, line: str) -> bool:
    """Whether a line, quotation marks and spacing aside, stands in an excerpt."""
    said = " ".join(line.strip(_QUOTES).split())
    return bool(said) and said in " ".join(citation.text.split())


def _quote(text: str, sources: Sequence[Citation], words: Words) -> str:
    # The last word and the numbers stay on one line, unless that word is long: Chinese puts no spaces between words.
    body, space, last = text.rpartition(" ")
    if len(last) > _LONGEST_KEPT:
        body, space, last = text, "", ""
    kept = f'<span class="pc-keep">{escape(last)}{_chips(sources, words)}</span>'
    language = attribute("lang", sources[0].language)
    return f'<p class="pc-quote" dir="auto"{language}>{escape(body + space)}{kept}</p>'


def _prose(line: str, citations: Sequence[Citation], words: Words) -> str:
    """Text that is no quote, with a citation wherever it names one as [n]."""
    by_number = {str(citation.n): citation for citation in citations}
    shown, at = "", 0
    for named in _NUMBER.finditer(line):
        if named[1] in by_number:
            shown += escape(line[at : named.start()]) + _chip(by_number[named[1]], words)
            at = named.end()
    return f'<p class="pc-prose" dir="auto">{shown}{escape(line[at:])}</p>'


def _declined(answer: Answer) -> str:
    """The fixed sentence, in the question's language, and whatever else the answerer said."""
    sentence = fixed(answer.language, "not_answered")
    said = answer.answer.strip()
    rest = f'<p class="pc-prose" dir="auto">{escape(said)}</p>' if said and said != sentence else ""
    icon = '<span class="pc-none" aria-hidden="true"></span>'
    return f'<p class="pc-declined" dir="auto"{attribute("lang", answer.language)}>{icon}{escape(sentence)}</p>{rest}'


def _confidence(answer: Answer, words: Words) -> str:
    """A bar and a word for the probability that the citations answer the question, and the time it took."""
    percent = round(100 * min(max(answer.confidence, 0.0), 1.0))
    said = words.say("sure" if answer.answered else "chance", percent=percent)
    bar = f'<span class="pc-bar" aria-hidden="true"><span style="inline-size:{percent}%"></span></span>'
    seconds = words.say("seconds", seconds=words.number(answer.seconds, 2))
    shown = f'<span>{escape(said)}</span><span class="pc-seconds">{escape(seconds)}</span>'
    return f'<p class="pc-confidence">{bar}{shown}</p>'


def _cards(answer: Answer, label: str, words: Words, stale: Container[int]) -> str:
    if not answer.citations:
        return ""
    language = attribute("lang", words.language if answer.answered else answer.language)
    cards = "".join(
        _card(
            citation,
            words,
            folded=not answer.answered or answer.kind == "about" or place > 0,
            stale=citation.n in stale,
        )
        for place, citation in enumerate(answer.citations)
    )
    return f'<h3 class="pc-label" dir="auto"{language}>{escape(label)}</h3><ol class="pc-cards">{cards}</ol>'


def _card(citation: Citation, words: Words, folded: bool, stale: bool) -> str:
    """The card of a citation. Folded, it shows the sentence that answers; open, the whole excerpt."""
    mark = (citation.highlight[0] - citation.start, citation.highlight[1] - citation.start)
    language = attribute("lang", citation.language)
    title = f"{attribute('aria-label', _opening(citation, words))}>{escape(citation.title)}"
    changed = f'<p class="pc-stale">{escape(words.say("stale"))}</p>' if stale else ""
    return (
        f'<li class="pc-card{" pc-folded" if folded else ""}"{_place(citation, stale, words)}>'
        f'<div class="pc-card-head"><span class="pc-n" aria-hidden="true">{citation.n}</span>'
        f'<button type="button" class="pc-title pc-open" dir="auto"{language}{title}</button>'
        f'<span class="pc-facts">{_facts(citation, words)}</span></div>'
        f'{changed}<blockquote class="pc-excerpt" dir="auto"{language}>'
        f"{marked(citation.text, mark, 'pc-around')}</blockquote>"
        f'<div class="pc-actions">{_actions(citation, words, folded)}</div></li>'
    )


def _facts(citation: Citation, words: Words) -> str:
    page = f" · {escape(words.say('page', n=citation.page))}" if citation.page else ""
    return f"{date_shown(citation.date, words)} · {language_name(citation.language, words)}{page}"


def _actions(citation: Citation, words: Words, folded: bool) -> str:
    more, less = words.say("more"), words.say("less")
    expanded = "false" if folded else "true"
    name = attribute("aria-label", words.say("copy_quote", n=citation.n))
    fold = (
        f'<button type="button" class="pc-link pc-fold" aria-expanded="{expanded}"'
        f"{attribute('data-more', more)}{attribute('data-less', less)}>{escape(more if folded else less)}</button>"
    )
    read = f'<button type="button" class="pc-link pc-open">{escape(words.say("read"))}</button>'
    copied = attribute("data-copied", words.say("copied"))
    copy = f'<button type="button" class="pc-link pc-copy"{name}{copied}>{escape(words.say("copy"))}</button>'
    return f"{read}{copy}{fold}"


def _place(citation: Citation, stale: bool, words: Words) -> str:
    """What the script of the page needs to open the article, and to copy the quote with its source.

    In an article that has changed the offsets would mark other words: it is opened without any.
    """
    date = date_name(citation.date, words.language) if citation.date else ""
    page = words.say("page", n=citation.page) if citation.page else ""
    source = " · ".join(part for part in (citation.title, date, citation.article, page) if part)
    start, end, first, last = (0, 0, 0, 0) if stale else (citation.start, citation.end, *citation.highlight)
    values = {
        "n": citation.n, "article": citation.article, "start": start, "end": end, "from": first, "to": last,
        "source": source,
    }  # fmt: skip
    return "".join(attribute(f"data-{name}", value) for name, value in values.items())


def _chips(citations: Iterable[Citation], words: Words) -> str:
    return "".join(_chip(citation, words) for citation in citations)


def _chip(citation: Citation, words: Words) -> str:
    name = attribute("aria-label", _opening(citation, words))
    return f'<button type="button" class="pc-chip" data-cite="{citation.n}"{name}>{citation.n}</button>'


def _opening(citation: Citation, words: Words) -> str:
    return words.say("open_citation", n=citation.n, title=citation.title)
