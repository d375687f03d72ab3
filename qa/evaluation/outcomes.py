"""Scores one question: what each metric counts in its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from qa.answer import SEARCHED, Kind
from qa.evaluation.failures import cause_of_failure, highlighted, holds
from qa.evaluation.overlap import token_f1
from qa.evaluation.questions import Question, base_language

Row = tuple[Question, Mapping[str, Any]]  # a question and its answer's JSON


@dataclass(frozen=True)
class Outcome:
    """One question, scored. ``counts`` maps a metric to (numerator, denominator); where it does not apply it lacks."""

    id: str
    language: str  # of the question, without region; "?" where unknown
    direction: str | None  # "same" or "cross": the question's language against its articles'; None where unknown
    answerable: bool
    cause: str | None  # of the failure, a key of failures.CAUSES
    counts: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    confidence: float | None = None  # 0 to 1; None where asking raised an error
    first: bool = False  # an accepted string stands in the first excerpt
    correct: bool = False  # an accepted string stands in an excerpt
    seconds: float | None = None  # None where asking raised an error
    kind: Kind | None = None  # of the answer that was due, where the file said so

    @property
    def searched(self) -> bool:
        """Whether an answer was to be looked for in the articles."""
        return self.kind is None or self.kind in SEARCHED

    @property
    def right(self) -> bool:
        """Whether the question was dealt with rightly, as ``accuracy`` counts it."""
        return self.counts["accuracy"][0] > 0

    def as_json(self) -> dict[str, Any]:
        """The JSON object kept in ``outcomes.jsonl``."""
        return dict(vars(self)) | {"counts": {name: list(pair) for name, pair in self.counts.items()}}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Outcome":
        """The outcome that ``as_json`` wrote; raises KeyError, TypeError or ValueError for anything else."""
        fields = {name: row[name] for name in cls.__dataclass_fields__ if name in row}
        return cls(**fields | {"counts": {name: (float(a), float(b)) for name, (a, b) in row["counts"].items()}})


def score(
    question: Question,
    answer: Mapping[str, Any],
    texts: Mapping[str, str] | None = None,
    languages: Mapping[str, str] | None = None,
) -> Outcome:
    """Score an answer's JSON. ``texts`` and ``languages`` are by article; without texts quotes are not checked.

    An answer with the key ``error`` (asking raised one) counts as refused and has no confidence and no seconds.
    """
    citations = answer["citations"]
    failed = "error" in answer
    holding = [holds(citation["text"], question.answers) for citation in citations[:5]]
    return Outcome(
        id=question.id,
        language=base_language(question.language) or base_language(answer["language"]) or "?",
        direction=_direction(question, answer, languages or {}),
        answerable=question.answerable,
        cause=cause_of_failure(question, answer),
        counts=_counted(question, answer, holding) | _quotes(citations, texts),
        confidence=None if failed or not question.searched else min(max(float(answer["confidence"]), 0.0), 1.0),
        first=any(holding[:1]),
        correct=any(holding),
        seconds=None if failed else float(answer["seconds"]),
        kind=question.kind,
    )


def _counted(question: Question, answer: Mapping[str, Any], holding: list[bool]) -> dict[str, tuple[float, float]]:
    told = answer.get("kind") == question.kind
    counts = {} if question.kind is None else {"kind": (float(told), 1.0)}
    if question.searched:
        return counts | _counts(question, answer, holding)
    cited = [citation["article"] for citation in answer["citations"]]
    named = [name in question.articles for name in cited]
    right = told and (not question.articles or any(named[:1]))
    counts |= {"accuracy": (float(right), 1.0), "failed": (float("error" in answer), 1.0)}
    if question.articles:
        counts |= {"hit@1": (float(any(named[:1])), 1.0), "hit@5": (float(any(named)), 1.0)}
    return counts


def _counts(question: Question, answer: Mapping[str, Any], holding: list[bool]) -> dict[str, tuple[float, float]]:
    answered, right = bool(answer["answered"]), any(holding)
    counts: dict[str, tuple[float, float]] = {
        "accuracy": (answered and right if question.answerable else not answered and "error" not in answer, 1),
        "coverage": (answered, 1),
        "failed": ("error" in answer, 1),
    }
    if question.answerable:
        counts |= _retrieval(question, answer, holding) | {"error": (not answered, 1)}
    else:
        counts["hallucination"] = (answered, 1)
    if answered:
        counts |= _support(question, answer["citations"], holding)
    return {name: (float(over), float(under)) for name, (over, under) in counts.items()}


def _retrieval(question: Question, answer: Mapping[str, Any], holding: list[bool]) -> dict[str, tuple[float, float]]:
    """What was found, whether the answerer then dared to answer or not; F1 alone is 0 where it did not."""
    citations = answer["citations"]
    ranks = [rank for rank, citation in enumerate(citations[:5], 1) if citation["article"] in question.articles]
    sentence = highlighted(citations[0]) if citations else ""
    language = base_language(citations[0]["language"]) or "" if citations else ""
    return {
        "hit@1": (1 in ranks, 1),
        "hit@5": (bool(ranks), 1),
        "mrr": (1 / ranks[0] if ranks else 0, 1),
        "a1": (any(holding[:1]), 1),
        "a5": (any(holding), 1),
        "highlight": (holds(sentence, question.answers), 1),
        "f1": (token_f1(sentence, question.answers, language) if answer["answered"] else 0, 1),
    }


def _support(
    question: Question, citations: list[Mapping[str, Any]], holding: list[bool]
) -> dict[str, tuple[float, float]]:
    named = [citation["article"] in question.articles for citation in citations[:5]]
    counts: dict[str, tuple[float, float]] = {"citation_precision": (sum(named), len(named))}
    if question.answerable:
        counts["citation_recall"] = (any(a and b for a, b in zip(named, holding, strict=True)), 1)
    return counts


def _quotes(citations: list[Mapping[str, Any]], texts: Mapping[str, str] | None) -> dict[str, tuple[float, float]]:
    if texts is None:
        return {}
    exact = sum(_is_exact(citation, texts.get(citation["article"])) for citation in citations)
    return {"quotes": (float(exact), float(len(citations)))}


def _is_exact(citation: Mapping[str, Any], text: str | None) -> bool:
    start, end = citation["start"], citation["end"]
    return text is not None and 0 <= start < end and citation["text"] == text[start:end]


def _direction(question: Question, answer: Mapping[str, Any], languages: Mapping[str, str]) -> str | None:
    """A question that any named article could answer in its own language is "same"."""
    cited = {c["article"]: c["language"] for c in answer["citations"]}
    codes = [question.pool] if question.pool else [languages.get(n) or cited.get(n) for n in question.articles]
    known = {code for code in map(base_language, codes) if code}
    own = base_language(question.language) or base_language(answer["language"])
    if not question.answerable or not known or not own:
        return None
    return "same" if own in known else "cross"
