"""The extractive answerer: the quotes that answer, or an honest no."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from index.articles import Article
from qa.answer import Answer, Citation, Part
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
    return quoted(_quoted_of(citations), articles)


def _quoted_of(citations: Sequence[Citation]) -> list[Citation]:
    """The citations whose sentences make the answer."""
    return [c for c in citations[:_MOST_QUOTES] if citations[0].score - c.score <= _CLOSE]


def join(text: str, answers: Sequence[Answer], articles: Mapping[str, Article], top: int) -> Answer:
    """One answer out of those to the parts of a question: each part with its quotes, or with the word that it has none.

    Citations stand in the order of the parts, what is quoted before what is only near; ``top``: the most of them.
    """
    first = answers[0]
    citations: list[Citation] = []
    numbers = [_enter(_quoted_of(each.citations) if each.answered else (), citations, top) for each in answers]
    for each in [each for each in answers if each.answered] or answers:
        _enter(each.citations, citations, top)
    parts = tuple(
        Part(each.question, each.answered and bool(numbered), each.confidence, tuple(numbered))
        for each, numbered in zip(answers, numbers, strict=True)
    )
    lines = [
        line for part in parts for line in (_headed(part.question), _said(part, citations, articles, first.language))
    ]
    answered = any(part.answered for part in parts)
    return replace(
        first,
        question=text,
        answered=answered,
        answer="\n".join(lines) if answered else first.answer,
        confidence=min([part.confidence for part in parts if part.answered == answered], default=0.0),
        citations=tuple(citations),
        parts=parts,
    )


def _enter(new: Sequence[Citation], citations: list[Citation], most: int) -> list[int]:
    """Puts citations at the end of others, while there is room; the numbers of all that are there in the end."""
    numbers = []
    for each in new:
        places = [(known.article, known.highlight) for known in citations]
        if (each.article, each.highlight) not in places:
            if len(citations) == most:
                continue
            places.append((each.article, each.highlight))
            citations.append(replace(each, n=len(citations) + 1))
        numbers.append(places.index((each.article, each.highlight)) + 1)
    return numbers


def _headed(question: str) -> str:
    """A part's question as a line of its own."""
    return question[:1].upper() + question[1:]


def _said(part: Part, citations: Sequence[Citation], articles: Mapping[str, Article], language: str) -> str:
    if not part.answered:
        return fixed(language, "not_answered")
    return quoted([citations[n - 1] for n in part.citations], articles)


def quoted(citations: Sequence[Citation], articles: Mapping[str, Article]) -> str:
    """A line for each citation: its sentence and its number."""
    return "\n".join(f"{_quote(citation, articles[citation.article].text)} [{citation.n}]" for citation in citations)


def _quote(citation: Citation, text: str) -> str:
    return " ".join(text[slice(*citation.highlight)].split())
