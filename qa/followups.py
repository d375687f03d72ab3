"""What else could be asked about the articles of an answer, without a language model.

A question cannot be made up honestly without one; but the articles' own sentences can be asked for. Those next to what
was quoted go on with its subject, and the first one of an article says what it is about. Each is put to the engine
first, and only one that it answers with that very sentence is suggested.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from index.articles import Article
from index.sentences import Span, split_sentences
from qa.answer import Answer

MOST = 3
_MOST_TRIED = 6  # each costs what a question costs
_NEAR = 3000  # characters around an excerpt that are looked at
_SHORTEST, _LONGEST = 30, 220  # characters of a sentence that says something, and that can be read at a glance


@dataclass(frozen=True)
class Place:
    """An excerpt that was shown: characters ``start`` to ``end`` of an article."""

    article: str
    start: int
    end: int


@dataclass(frozen=True)
class FollowUp:
    """A sentence that the articles hold, to be asked for."""

    text: str
    language: str


def follow_ups(
    shown: Sequence[Place], articles: Mapping[str, Article], ask: Callable[[str], Answer]
) -> tuple[FollowUp, ...]:
    """At most ``MOST`` sentences that were not shown, each of which the engine was seen to find when asked for it."""
    found: list[FollowUp] = []
    for tried, (article, span) in enumerate(_candidates(shown, articles)):
        if len(found) == MOST or tried == _MOST_TRIED:
            break
        text = " ".join(article.text[span.start : span.end].split())
        if _finds(ask(text), article, span):
            found.append(FollowUp(text, article.language))
    return tuple(found)


def _candidates(shown: Sequence[Place], articles: Mapping[str, Article]) -> Iterator[tuple[Article, Span]]:
    """The sentence after each excerpt, best excerpt first; then those before; then the first of each article."""
    known = [place for place in shown if place.article in articles]
    seen = set()
    for find in (_after, _before, _first):
        for place in known:
            article = articles[place.article]
            span = find(article, place)
            if span is None or (article.name, span) in seen or not _SHORTEST <= span.end - span.start <= _LONGEST:
                continue
            seen.add((article.name, span))
            if all(p.article != article.name or span.end <= p.start or span.start >= p.end for p in known):
                yield article, span


def _after(article: Article, place: Place) -> Span | None:
    sentences = _sentences(article, place.start, place.end + _NEAR)
    return next((span for span in sentences if span.start >= place.end), None)


def _before(article: Article, place: Place) -> Span | None:
    sentences = _sentences(article, place.start - _NEAR, place.end)
    return next((span for span in reversed(sentences) if span.end <= place.start), None)


def _first(article: Article, place: Place) -> Span | None:
    return next(iter(_sentences(article, article.body, article.body + _NEAR)), None)


def _sentences(article: Article, start: int, end: int) -> list[Span]:
    """The sentences of a stretch; but for the last one, where the article goes on after it."""
    start, end = max(start, article.body), min(end, len(article.text))
    found = split_sentences(article.text[:end], article.language, start) if start < end else []
    return found if end == len(article.text) else found[:-1]


def _finds(answer: Answer, article: Article, span: Span) -> bool:
    """Whether an answer quotes that sentence first."""
    if not answer.answered or not answer.citations:
        return False
    best = answer.citations[0]
    return best.article == article.name and best.highlight[0] < span.end and span.start < best.highlight[1]
