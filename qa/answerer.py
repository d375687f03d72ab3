"""The extractive answerer: the quotes that answer, or an honest no."""

from collections.abc import Mapping, Sequence

from index.articles import Article
from qa.answer import Citation
from qa.page.words import fixed
from qa.turns import TurnKind

_CLOSE = 0.12  # a further quote joins the answer when its score is this near to the best one's
_MOST_QUOTES = 2
_SAID: Mapping[TurnKind, tuple[str, ...]] = {
    "greeting": ("hello", "ask_me"),
    "thanks": ("welcome",),
    "acknowledgement": ("alright",),
    "farewell": ("goodbye",),
    "capabilities": ("ask_me",),
}


def small_talk(kind: TurnKind, language: str) -> str:
    """What is said to a greeting and its like: a fixed sentence or two in its language."""
    return " ".join(fixed(language, key) for key in _SAID[kind])


def compose(citations: Sequence[Citation], articles: Mapping[str, Article], language: str, answered: bool) -> str:
    """The text of an answer: its quotes, each with its number; or the sentence that says there is none."""
    if not citations:
        return fixed(language, "no_articles")
    if not answered:
        return fixed(language, "not_answered")
    return quoted([c for c in citations[:_MOST_QUOTES] if citations[0].score - c.score <= _CLOSE], articles)


def quoted(citations: Sequence[Citation], articles: Mapping[str, Article]) -> str:
    """A line for each citation: its sentence and its number."""
    return "\n".join(f"{_quote(citation, articles[citation.article].text)} [{citation.n}]" for citation in citations)


def _quote(citation: Citation, text: str) -> str:
    return " ".join(text[slice(*citation.highlight)].split())
