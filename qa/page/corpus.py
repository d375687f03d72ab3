"""What the corpus holds, in one line: how many articles, in which languages, from when to when."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from index.articles import Article
from qa.page.facts import date_shown, language_name
from qa.page.marks import escape
from qa.page.words import Words


@dataclass(frozen=True)
class Corpus:
    """A summary of the articles."""

    count: int
    languages: tuple[tuple[str, int], ...]  # (code, articles), most articles first
    first: str | None  # earliest date, YYYY-MM
    last: str | None


def summarise(articles: Iterable[Article]) -> Corpus:
    """The summary of some articles."""
    found = list(articles)
    languages = Counter(article.language for article in found)
    dates = sorted(article.date[:7] for article in found if article.date)
    return Corpus(
        count=len(found),
        languages=tuple(sorted(languages.items(), key=lambda item: (-item[1], item[0]))),
        first=dates[0] if dates else None,
        last=dates[-1] if dates else None,
    )


def render_corpus(corpus: Corpus, words: Words, most_languages: int = 6) -> str:
    """The line under the name of the page."""
    parts = [escape(words.count("articles", corpus.count))]
    if corpus.languages:
        named = [f"{language_name(code, words)} ({n})" for code, n in corpus.languages[:most_languages]]
        rest = len(corpus.languages) - most_languages
        parts.append(", ".join(named) + (f", +{rest}" if rest > 0 else ""))
    if corpus.first:
        ends = dict.fromkeys((corpus.first, corpus.last))
        parts.append(" – ".join(date_shown(date, words) for date in ends))
    return '<span class="pc-dot" aria-hidden="true"> · </span>'.join(f"<span>{part}</span>" for part in parts)
