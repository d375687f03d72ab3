"""What is found out about a question before anything is searched."""

from collections.abc import Mapping
from dataclasses import dataclass

from index.collection import Collection
from index.encoder import Encoder, FloatMatrix
from index.errors import UserError
from index.languages import UNKNOWN, language_posterior, reweigh
from qa.answer import LONGEST_QUESTION
from qa.dates import Period, periods
from qa.spelling import as_meant

_SPOKEN = 2  # the likeliest languages, in which months and languages may be named


@dataclass(frozen=True)
class Question:
    """A question in the encoder's space."""

    text: str
    languages: Mapping[str, float]  # probabilities, likeliest first
    vector: FloatMatrix  # [dimension], unit vector
    tokens: FloatMatrix  # [tokens, dimension], unit vectors
    weights: FloatMatrix  # [tokens], how much each counts; they add up to 1
    periods: tuple[Period, ...]  # months and years that it names

    @property
    def language(self) -> str:
        """The likeliest language."""
        return next(iter(self.languages), UNKNOWN)

    @property
    def spoken(self) -> list[str]:
        """The languages in which it may name a month or a language."""
        return list(self.languages)[:_SPOKEN]


def check_question(text: str) -> str:
    """The question without surrounding space; UserError where there is none, or where it is too long."""
    text = text.strip()
    if not text:
        raise UserError("the question is empty: ask something")
    if len(text) > LONGEST_QUESTION:
        raise UserError(f"the question has {len(text)} characters: the most is {LONGEST_QUESTION}")
    return text


def meant(text: str, encoder: Encoder, collection: Collection) -> str:
    """What was typed as a careful person would have typed it."""

    def occurs(word: str) -> bool:
        return any(word in article.text for article in collection.articles.values())

    return as_meant(text, _languages(text, encoder, collection), occurs)


def _languages(text: str, encoder: Encoder, collection: Collection) -> Mapping[str, float]:
    """Probabilities, likeliest first."""
    return reweigh(language_posterior(text), encoder.language_scores(text), collection.languages)


def understand(text: str, encoder: Encoder, collection: Collection) -> Question:
    """Detect the question's language, encode it, and find the dates it names."""
    vector, tokens = encoder.encode_question(text)
    languages = _languages(text, encoder, collection)
    return Question(
        text=text,
        languages=languages,
        vector=vector,
        tokens=tokens.vectors,
        weights=tokens.weights,
        periods=tuple(periods(text, list(languages)[:_SPOKEN], int(collection.article_dates.max(initial=0)))),
    )
