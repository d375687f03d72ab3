"""What goes in and out over HTTP and MCP, as pydantic models: they check requests and describe the interface.

The models of answers are made out of the dataclasses that the program itself uses, so that the two cannot differ.
"""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from qa.answer import LONGEST_EXCERPT, LONGEST_QUESTION, MOST_CITATIONS, Answer, Citation

MOST_HISTORY = 20  # earlier questions
_DATE = r"^[0-9]{4}-(0[1-9]|1[0-2])(-[0-9]{2})?$"
_TEXT = r"[^\s\x1c-\x1f\x85]"  # something that is no white space

QuestionText = Annotated[str, Field(min_length=1, max_length=LONGEST_QUESTION, pattern=_TEXT)]


class Asked(BaseModel):
    """A question, and what may be cited to answer it."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    question: QuestionText = Field(description="A question in any language.", examples=["What gifts did Putin give?"])
    history: list[QuestionText] = Field(
        default=[], max_length=MOST_HISTORY, description="The earlier questions of the dialogue, oldest first."
    )
    language: str | None = Field(
        default=None, pattern="^[a-z]{2,3}$", description="Cite only articles in this language (ISO 639).",
        examples=["sq"],
    )  # fmt: skip
    since: str | None = Field(
        default=None, alias="from", pattern=_DATE, description="Cite only articles from this month on.",
        examples=["2024-01"],
    )  # fmt: skip
    until: str | None = Field(
        default=None, alias="to", pattern=_DATE, description="Cite only articles up to this month.",
        examples=["2024-06"],
    )  # fmt: skip
    top: int | None = Field(default=None, ge=1, le=MOST_CITATIONS, description=f"The most citations; {MOST_CITATIONS}.")


class Fault(BaseModel):
    """What is wrong, in one line."""

    model_config = ConfigDict(extra="forbid")

    error: str = Field(description="What is wrong, and how to mend it.")


class Health(BaseModel):
    """Whether questions are answered at once (ready) or have to wait (starting)."""

    model_config = ConfigDict(extra="forbid")

    status: str = Field(pattern="^(starting|ready|failed)$", description="starting, ready or failed.")
    error: str | None = Field(default=None, description="Why the articles could not be opened.")


class _ArticleFacts(BaseModel):
    model_config = ConfigDict(extra="forbid")

    article: str = Field(description="Its path in the folder of articles.")
    title: str
    date: str | None = Field(description="YYYY-MM or YYYY-MM-DD; null where the article has none.")
    language: str = Field(description="ISO 639.")


class ArticleHead(_ArticleFacts):
    """An article without its text."""

    characters: int = Field(description="Length of its text.")


class ArticleList(BaseModel):
    """Some of the articles, by name."""

    model_config = ConfigDict(extra="forbid")

    total: int = Field(description="How many articles there are.")
    articles: list[ArticleHead]


class ArticleText(_ArticleFacts):
    """An article. The offsets of citations count characters of its text."""

    text: str


def _model(shape: type, says: Mapping[str, str], **types: Any) -> type[BaseModel]:
    """The model of a dataclass; ``says`` describes its fields, ``types`` replaces the types of some."""
    hints = get_type_hints(shape) | types
    fields: dict[str, Any] = {
        field.name: (hints[field.name], Field(description=says.get(field.name))) for field in dataclasses.fields(shape)
    }
    return create_model(shape.__name__, __config__=ConfigDict(extra="forbid"), __doc__=shape.__doc__, **fields)


CITATION = _model(
    Citation,
    {
        "n": "Its number in the answer, from 1.",
        "article": "The article's path in the folder of articles.",
        "title": "The article's title.",
        "date": "The article's date, YYYY-MM or YYYY-MM-DD; null where it has none.",
        "language": "The article's language (ISO 639).",
        "start": "Where the excerpt begins, in characters of the article's text.",
        "end": "Where it ends (exclusive).",
        "text": f"The excerpt, at most {LONGEST_EXCERPT} characters: the article's text from start to end.",
        "highlight": "Start and end of the sentence that answers, in characters of the article's text.",
        "score": "How well it matches the question; to be compared inside one answer only.",
        "page": "The page of the highlighted sentence, from 1; null where the format has no pages.",
    },
)
ANSWER = _model(
    Answer,
    {
        "question": "The question that was answered.",
        "language": "The question's language (ISO 639).",
        "answered": "Whether the citations answer it. If not, they are only the nearest passages, or none.",
        "answer": "Quotes with the numbers of their citations, or the sentence that says there is no answer.",
        "confidence": "The probability that the citations answer the question.",
        "citations": f"Excerpts of articles, best first, at most {MOST_CITATIONS}.",
        "seconds": "How long it took.",
        "statements": "The sentences that a language model wrote, each checked against its quotes; none without one.",
        "llm": "What a language model did for the answer; null where none was asked.",
        "rewritten": "The question as it was understood, where that is not as it was typed; else null.",
        "kind": "answer: quotes, or a model's prose; declined: the articles do not answer; summary: sentences that "
        "tell most; about: what the collection holds; chat: what is said to a greeting, without citations.",
        "context": "Earlier questions that this one was taken together with, oldest first; none where it stands alone.",
        "parts": "Several questions asked in one, each with the numbers of its citations; else none.",
    },
    citations=list[CITATION],  # type: ignore[valid-type]
)
