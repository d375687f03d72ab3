"""What is found out about a question before anything is searched."""

from collections.abc import Mapping
from dataclasses import dataclass

from index.centres import normalise
from index.collection import Collection
from index.encoder import Encoder, FloatMatrix
from index.errors import UserError
from index.languages import UNKNOWN, language_posterior, reweigh
from qa.answer import LONGEST_QUESTION
from qa.dates import Period, periods
from qa.interaction import Interaction, load_interaction
from qa.shifts import QuestionShifts, load_shifts

_DATE_LANGUAGES = 2  # the likeliest ones, whose month names are looked for


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
    interaction_weight: float  # of the tokens' score beside the vectors'
    periods: tuple[Period, ...]  # months and years that it names

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


def understand(
    text: str,
    encoder: Encoder,
    collection: Collection,
    interaction: Interaction | None = None,
    shifts: QuestionShifts | None = None,
) -> Question:
    """Detect the question's language, encode it, and take the language out.

    ``interaction``: how tokens are matched; ``shifts``: where questions lie; None for what goes with the encoder.
    """
    table = collection.table
    vector, tokens = encoder.encode_question(text)
    languages = reweigh(language_posterior(text), table.nearness(vector), collection.centres.means)
    shifts = shifts or load_shifts(encoder.name, encoder.dimension)
    stored = normalise(vector - table.passage_centre(languages) - shifts.vector(languages))
    token_centre = table.token_centre(languages) + shifts.token(languages) + collection.token_centres.of(languages)
    token_vectors = normalise(tokens.vectors - token_centre)
    learned = interaction or load_interaction(encoder.name, encoder.dimension)
    return Question(
        text=text,
        languages=languages,
        raw=vector,
        stored=stored,
        centred=learned.vector(normalise(stored - collection.centres.of(languages))),
        tokens=learned.tokens(token_vectors),
        weights=learned.weights(token_vectors, tokens.weights),
        interaction_weight=learned.weight,
        periods=tuple(periods(text, list(languages)[:_DATE_LANGUAGES], int(collection.article_dates.max(initial=0)))),
    )
