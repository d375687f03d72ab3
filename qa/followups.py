"""What else could be asked about the articles of an answer, without a language model.

A question cannot be made up honestly without one; but the articles' own sentences can be asked for. Those around what
was quoted go on with its subject, and the first one of an article says what it is about. The more names and numbers a
sentence has, the better it stands by itself. Each is put to the engine first, and only one that it answers with that
very sentence is suggested.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from index.articles import Article
from index.sentences import Span, split_sentences
from qa.answer import Answer

MOST = 3
_MOST_TRIED = 6  # each costs what a question costs
_NEAR = 3000  # characters around an excerpt that are looked at
_MOST_AFTER, _MOST_BEFORE = 4, 2  # sentences around an excerpt
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
    shown: Sequence[Place], articles: Mapping[str, Article], ask: Callable[[str], Answer], language: str = ""
) -> tuple[FollowUp, ...]:
    """At most ``MOST`` sentences that were not shown, each of which the engine was seen to find when asked for it.

    Those in ``language``, the reader's, come first.
    """
    found: list[FollowUp] = []
    candidates = sorted(_candidates(shown, articles), key=lambda each: _rank(each[0], each[1], language))
    for article, span in candidates[:_MOST_TRIED]:
        if len(found) == MOST:
            break
        text = " ".join(article.text[span.start : span.end].split())
        if _finds(ask(text), article, span):
            found.append(FollowUp(text, article.language))
    return tuple(found)


def _candidates(shown: Sequence[Place], articles: Mapping[str, Article]) -> Iterator[tuple[Article, Span]]:
    """The sentences around each excerpt and the first of each article, as far as they were not shown."""
    known = [place for place in shown if place.article in articles]
    seen = set()
    for place in known:
        article = articles[place.article]
        for span in _around(article, place):
            if (article.name, span) in seen or not _stands_alone(article.text[span.start : span.end]):
                continue
            seen.add((article.name, span))
            if all(p.article != article.name or span.end <= p.start or span.start >= p.end for p in known):
                yield article, span


def _around(article: Article, place: Place) -> list[Span]:
    after = [span for span in _sentences(article, place.start, place.end + _NEAR) if span.start >= place.end]
    before = [span for span in _sentences(article, place.start - _NEAR, place.end) if span.end <= place.start]
    first = _sentences(article, article.body, article.body + _NEAR)
    return after[:_MOST_AFTER] + before[-_MOST_BEFORE:] + first[:1]


def _stands_alone(text: str) -> bool:
    """Whether a sentence is neither too short to say something, nor too long, nor part of a quotation."""
    opened, closed = (sum(map(text.count, marks)) for marks in ("“„«「『", "”»」』"))
    return _SHORTEST <= len(text) <= _LONGEST and text.count('"') % 2 == 0 and (opened == closed or "„" in text)


def _rank(article: Article, span: Span, language: str) -> tuple[bool, float]:
    """Lower is better: the reader's language before others, and then the share of names and numbers."""
    words = article.text[span.start : span.end].split()
    named = sum(any(c.isdigit() for c in word) or word.lstrip("\"“„«('")[:1].isupper() for word in words[1:])
    return article.language != language, -named / len(words)


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
