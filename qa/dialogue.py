"""Follow-up questions without a language model."""

from collections.abc import Sequence

from index.collection import Collection
from index.encoder import Encoder
from qa.question import Question, understand
from qa.ranking import Filters, Ranking, rank


def resolve(
    text: str, history: Sequence[str], encoder: Encoder, collection: Collection, filters: Filters
) -> tuple[Question, Ranking]:
    """The question as it is to be understood in its dialogue, and what it finds."""
    question = understand(text, encoder, collection)
    return question, rank(question, collection, filters)
