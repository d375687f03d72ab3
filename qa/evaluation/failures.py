"""The likely cause of each failure: the first stage at which the answer was lost."""

from collections.abc import Mapping
from typing import Any

from qa.evaluation.questions import Question

CAUSES = {
    "error": "asking raised an error",
    "kind": "another kind of answer was due: a summary, what the collection holds, or what is said to a greeting",
    "hallucinated": "answered though the corpus does not hold the answer",
    "refused": "declined though the corpus holds the answer",
    "not retrieved": "no citation comes from a named article",
    "wrong passage": "a named article is cited, but no excerpt holds an accepted string",
    "not first": "the answer stands in an excerpt, but not in the first",
    "wrong sentence": "the answer stands in the first excerpt, but not in its highlighted sentence",
}


def cause_of_failure(question: Question, answer: Mapping[str, Any]) -> str | None:
    """A key of CAUSES, or None where the question was dealt with rightly. ``answer`` is an answer's JSON."""
    if "error" in answer:
        return "error"
    if not question.searched:
        return _cause_of_kind(question, answer)
    if not question.answerable:
        return "hallucinated" if answer["answered"] else None
    return _cause_in_citations(question, answer["citations"]) if answer["answered"] else "refused"


def _cause_of_kind(question: Question, answer: Mapping[str, Any]) -> str | None:
    if answer.get("kind") != question.kind:
        return "kind"
    cited = [citation["article"] for citation in answer["citations"]]
    if not question.articles or (cited[:1] and cited[0] in question.articles):
        return None
    return "not first" if any(name in question.articles for name in cited) else "not retrieved"


def _cause_in_citations(question: Question, citations: list[Mapping[str, Any]]) -> str | None:
    if not any(citation["article"] in question.articles for citation in citations):
        return "not retrieved"
    holding = [holds(citation["text"], question.answers) for citation in citations]
    if not any(holding):
        return "wrong passage"
    if not holding[0]:
        return "not first"
    return None if holds(highlighted(citations[0]), question.answers) else "wrong sentence"


def holds(text: str, answers: tuple[str, ...]) -> bool:
    """Whether an accepted string stands in ``text`` as it is, case and all."""
    return any(answer in text for answer in answers)


def highlighted(citation: Mapping[str, Any]) -> str:
    """The highlighted part of a citation's excerpt."""
    start, end = highlight_in_excerpt(citation)
    return str(citation["text"])[start:end]


def highlight_in_excerpt(citation: Mapping[str, Any]) -> tuple[int, int]:
    """Where the highlight stands, in characters of the excerpt; cut to the excerpt where it reaches outside."""
    size = len(citation["text"])
    start, end = (min(max(at - citation["start"], 0), size) for at in citation["highlight"])
    return start, max(start, end)
