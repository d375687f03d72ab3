"""What of a sentence can be looked up in its quotes as it is: its words, numbers, dates and countries."""

import re
from collections.abc import Sequence
from functools import cache

from qa.answer import Citation
from qa.llm.numbers import LETTER, find_numbers, knows_words, values_of
from qa.llm.places import fold, places

WORD = re.compile(rf"(?:{LETTER}|\d)+(?:['’](?:{LETTER}|\d)+)*")
_QUOTED = 3  # words from which on a quotation is no chance
_IN_WORDS = 21  # a smaller number may stand in words
_MONTH_NUMBERS = frozenset(range(1, 13))
_FIGURE = re.compile(r"\d")
_BESIDE = 6  # characters between a month and a figure
_SHORT_NAME, _SHORTEST_STEM = 6, 4  # letters


def is_verbatim(sentence: str, citations: Sequence[Citation]) -> bool:
    """Whether the words of a sentence, three at least, follow each other in a quote."""
    words = WORD.findall(sentence.casefold())
    said = f" {' '.join(words)} "
    return len(words) >= _QUOTED and any(
        said in f" {' '.join(WORD.findall(citation.text.casefold()))} " for citation in citations
    )


def missing_numbers(sentence: str, language: str, citations: Sequence[Citation]) -> tuple[str, ...]:
    """Numbers and months that a sentence names and neither its quotes nor their dates do."""
    known: set[float] = set()
    months: set[int] = set()
    for citation in citations:
        year, month = _date(citation)
        known |= values_of(citation.text, citation.language) | {year, month}
        months |= {month, *_months(citation.text, citation.language)}
        # In Chinese, Korean and many figures a month is its number.
        months |= {int(value) for value in values_of(citation.text, citation.language) if value in _MONTH_NUMBERS}
    known |= months
    named = sorted(_months(sentence, language) - months) if all(_month_names(c.language) for c in citations) else []
    sure = all(knows_words(citation.language) for citation in citations)
    lacking = [
        "/".join(f"{value:.10g}" for value in sorted(number.values))
        for number in find_numbers(sentence, language)
        if number.required and (sure or max(number.values) >= _IN_WORDS) and not number.among(known)
    ]
    return (*lacking, *(f"month {month}" for month in named))


def missing_countries(sentence: str, language: str, citations: Sequence[Citation]) -> tuple[str, ...]:
    """Countries that a sentence names and its quotes do not."""
    named = places(sentence, language, lenient=False)
    if not named:
        return ()
    held: set[str] = set()
    for citation in citations:
        held |= places(f"{citation.title}\n{citation.text}", citation.language, lenient=True)
    return tuple(sorted(named - held))


def _date(citation: Citation) -> tuple[int, int]:
    """Year and month of an article, 0 where it has none."""
    parts = [int(part) for part in (citation.date or "").split("-")[:2] if part.isdigit()]
    year, month, *_ = [*parts, 0, 0]
    return year, month


def _months(text: str, language: str) -> set[int]:
    """The months that a text names in words."""
    folded = fold(text)
    return {
        month
        for match in WORD.finditer(folded)
        for name, month in _month_names(language)
        if _is_month(
            name, match[0], bool(_FIGURE.search(folded[max(0, match.start() - _BESIDE) : match.end() + _BESIDE]))
        )
    }


def _is_month(name: str, word: str, dated: bool) -> bool:
    """Whether a word is a month's name, inflected; a short name only beside a figure: "may" is also another word."""
    if len(name) < _SHORT_NAME and not dated:
        return False
    return word == name or (len(name) > _SHORTEST_STEM and word.startswith(name[:-1]) and len(word) <= len(name) + 2)


@cache
def _month_names(language: str) -> tuple[tuple[str, int], ...]:
    from babel import UnknownLocaleError
    from babel.dates import get_month_names

    try:
        forms = [get_month_names("wide", context, language) for context in ("format", "stand-alone")]
    except (UnknownLocaleError, ValueError):
        return ()
    return tuple({(fold(name), number) for form in forms for number, name in form.items() if fold(name).isalpha()})
