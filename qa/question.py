"""What is found out about a question before anything is searched."""

from collections.abc import Mapping
from dataclasses import dataclass

from index.centres import normalise
from index.collection import Collection
from index.encoder import Encoder, FloatMatrix
from index.errors import UserError
from index.languages import UNKNOWN, language_posterior

LONGEST_QUESTION = 2000  # characters


@dataclass(frozen=True)
class Question:
    """A question in the encoder's space."""

    text: str
    languages: Mapping[str, float]  # probabilities, likeliest first
    raw: FloatMatrix  # [dimension], unit vector as the encoder gives it
    stored: FloatMatrix  # the same with the fixed centre of its languages taken out
    centred: FloatMatrix  # and with the corpus's own
    tokens: FloatMatrix  # [tokens, dimension], unit vectors, centred likewise
    weights: FloatMatrix  # [tokens], how much each counts; they add up to 1

    @property
    def language(self) -> str:
        """The likeliest language."""
        return next(iter(self.languages), UNKNOWN)


def check_question(text: str) -> str:
    """The question without surrounding space; UserError where there is none, or where it is too long."""
    text = text.strip()
    if not text:
        raise UserError("the question is empty: ask something")
    if len(text) > LONGEST_QUESTION:
        raise UserError(f"the question has {len(text)} characters: the most is {LONGEST_QUESTION}")
    return text


def understand(text: str, encoder: Encoder, collection: Collection, language: str | None = None) -> Question:
    """Detect the question's language, encode it, and take the language out."""
    languages = {language: 1.0} if language else language_posterior(text)
    vector, tokens = encoder.encode_question(text)
    table = collection.table
    stored = normalise(vector - table.passage_centre(languages))
    token_vectors = tokens.vectors - table.token_centre(languages)
    weights = _weights(tokens.weights)
    return Question(
        text=text,
        languages=languages,
        raw=vector,
        stored=stored,
        centred=normalise(stored - collection.centres.of(languages)),
        tokens=normalise(token_vectors - collection.token_centres.of(languages)),
        weights=weights,
    )


_COMMONEST = 4.0  # -log probability of pieces that say nothing ("▁", ",")


def _weights(rarity: FloatMatrix) -> FloatMatrix:
    weights = (rarity - _COMMONEST).clip(0.5)
    normalised: FloatMatrix = weights / max(float(weights.sum()), 1e-9)
    return normalised
