"""What Polycite returns: an answer and its citations, the one shape of the command line, the files and the API."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

LONGEST_EXCERPT = 700  # characters
MOST_CITATIONS = 5
LONGEST_QUESTION = 2000  # characters

# Quotes, or prose of a model; the articles do not answer; sentences chosen from named or dated articles; what the
# collection holds; a greeting, thanks and the like.
Kind = Literal["answer", "declined", "summary", "about", "chat"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SEARCHED: frozenset[Kind] = frozenset({"answer", "declined"})  # where the articles were searched for an answer


@dataclass(frozen=True)
class Citation:
    """An excerpt: ``text == article_text[start:end]``, offsets in characters of the decoded file."""

    n: int  # its number in the answer, from 1
    article: str  # path relative to the corpus folder
    title: str
    date: str | None
    language: str
    start: int
    end: int
    text: str
    highlight: tuple[int, int]  # the sentence that answers, in characters of the article
    score: float
    page: int | None = None  # of the highlighted sentence, from 1; None where the format has no pages

    def as_json(self) -> dict[str, Any]:
        """The JSON object of one citation."""
        return dict(vars(self)) | {"highlight": list(self.highlight), "score": round(self.score, 4)}


@dataclass(frozen=True)
class Statement:
    """A sentence that a language model wrote, and what became of its check against the quotes it cites."""

    text: str
    citations: tuple[int, ...]  # the numbers of the citations it names
    supported: bool
    reason: Literal["", "citation", "number", "name", "meaning"] = ""  # what its quotes lack

    def as_json(self) -> dict[str, Any]:
        """The JSON object of one statement."""
        return dict(vars(self)) | {"citations": list(self.citations)}


@dataclass(frozen=True)
class Part:
    """One of several questions that were asked in one, and what answers it."""

    question: str
    answered: bool
    confidence: float  # probability that its citations answer it
    citations: tuple[int, ...]  # their numbers in the answer

    def as_json(self) -> dict[str, Any]:
        """The JSON object of one part."""
        return dict(vars(self)) | {"confidence": round(self.confidence, 4), "citations": list(self.citations)}


@dataclass(frozen=True)
class LLMUse:
    """What a language model did for an answer."""

    model: str
    state: Literal["writing", "written", "fallen_back", "declined"]
    fault: str = ""  # why the quotes stand for its answer, or why that breaks off: a FaultKind
    line: str = ""  # the same in a sentence, in the language of the question
    draft: str = ""  # while it writes: the sentence that is not yet whole, and not yet checked

    def as_json(self) -> dict[str, Any]:
        """The JSON object; a finished answer has no draft."""
        return {name: value for name, value in vars(self).items() if name != "draft"}


@dataclass(frozen=True)
class Answer:
    """The answer to one question; where ``answered`` is false the citations are only the nearest passages."""

    question: str
    language: str
    answered: bool
    answer: str
    confidence: float  # probability that the citations answer the question
    citations: tuple[Citation, ...]
    seconds: float
    statements: tuple[Statement, ...] = ()  # none in an answer made of quotes
    llm: LLMUse | None = None  # None where none was asked
    rewritten: str | None = None  # as the question was understood, where that is not as it was typed
    kind: Kind = "answer"
    context: tuple[str, ...] = ()  # earlier questions that this one was taken together with, oldest first
    parts: tuple[Part, ...] = ()  # none where one thing was asked; answered if any of them is

    def __post_init__(self) -> None:
        if self.kind in SEARCHED:
            object.__setattr__(self, "kind", "answer" if self.answered else "declined")

    def as_json(self) -> dict[str, Any]:
        """The JSON object of ``polycite ask --json``."""
        return dict(vars(self)) | {
            "confidence": round(self.confidence, 4),
            "citations": [citation.as_json() for citation in self.citations],
            "seconds": round(self.seconds, 4),
            "statements": [statement.as_json() for statement in self.statements],
            "llm": self.llm.as_json() if self.llm else None,
            "context": list(self.context),
            "parts": [part.as_json() for part in self.parts],
        }
