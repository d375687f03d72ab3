"""Follow-up questions without a language model.

"And what did he give back?" is short, and nothing in the articles stands out for it: a logistic model over such signals
(``benchmarks/fit_dialogue.py``) tells whether a question leans on the dialogue. If it does, it is asked together with
the question before it; a question that stands by itself is asked as it is, whatever was spoken of before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from index.collection import Collection
from index.encoder import Encoder
from qa.confidence import load_model, signals
from qa.excerpts import cut_excerpts
from qa.question import Question, understand
from qa.ranking import Filters, Ranking, rank

_FURTHEST = 2  # earlier questions that are taken in


@dataclass(frozen=True)
class Resolved:
    """A question as it is to be understood, and what it finds."""

    question: Question
    ranking: Ranking


def resolve(
    text: str, history: Sequence[str], encoder: Encoder, collection: Collection, filters: Filters
) -> Resolved:
    """The question by itself, or together with the ones before it where it leans on them; ``history``: oldest first."""
    alone = _look(text, encoder, collection, filters)
    context = _context(alone, history, encoder, collection, filters)
    if not context:
        return alone
    joined = _look(" ".join([*context, text]), encoder, collection, filters)
    # Dates and language are the new question's own, unless it names none.
    periods = alone.question.periods or joined.question.periods
    return replace(
        joined, question=replace(joined.question, text=text, languages=alone.question.languages, periods=periods)
    )


def _context(
    resolved: Resolved, history: Sequence[str], encoder: Encoder, collection: Collection, filters: Filters
) -> list[str]:
    """The earlier questions that a question leans on: one, and the one before it if that one leans on it too."""
    context: list[str] = []
    for earlier in reversed(history[-_FURTHEST:]):
        if not leans(resolved, collection):
            break
        context.insert(0, earlier)
        resolved = _look(earlier, encoder, collection, filters)
    return context


def leans(resolved: Resolved, collection: Collection) -> bool:
    """Whether a question cannot stand by itself."""
    excerpts = cut_excerpts(resolved.ranking, collection, 1)
    if not excerpts:
        return False
    model = load_model("dialogue.json")
    return model.probability(signals(resolved.question, resolved.ranking, excerpts, collection)) >= model.threshold


def _look(text: str, encoder: Encoder, collection: Collection, filters: Filters) -> Resolved:
    question = understand(text, encoder, collection)
    return Resolved(question, rank(question, collection, filters))
