"""What the reader is trained on: one question before several windows, or several claims before one window.

How a question sounds tells much of whether it is answered, so a reader could look good without reading. Here nearly
every question comes with both: an answered one also before a window that lacks its sentence, one that is not answered
also before its twin, where that sentence is rewritten so that it does answer.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from index.sentences import split_sentences
from training.pairs import LeftOut, joined_by, one_of, parallel_news, read_rows, window

_WINDOWS = (120, 180, 250, 320, 420, 550)  # characters; of scripts without spaces so many pieces
_DENSE = 0.4  # characters that carry as much where words are not spaced
_SHARES = {
    "own": 0.4, "news": 0.19, "reading": 0.14, "statements": 0.06, "own claims": 0.1, "news claims": 0.05,
    "inference": 0.06,
}  # fmt: skip
_NOT_READING = ("nli_", "par_", "policyqa_")  # policies are asked about in a way of their own
_TYPED = 0.1  # share of questions that are typed carelessly


@dataclass(frozen=True)
class Example:
    """Something asked or claimed, and a window that answers or supports it, or does not."""

    asked: str
    sentences: tuple[str, ...]
    space: str  # between them
    gold: tuple[int, ...]  # the sentences that answer; none where the window does not, and for claims
    label: bool


@dataclass(frozen=True)
class Group:
    """Examples that are told apart from each other, for one head of the reader."""

    head: Literal["answers", "supports"]
    examples: tuple[Example, ...]


class Source(Protocol):
    """Makes groups of one kind."""

    def group(self, random: np.random.Generator) -> Group | None:
        """One group; None where the draw gives none."""


@dataclass(frozen=True)
class Text:
    """The sentences of a text, in one language or in many, line for line."""

    versions: Mapping[str, Sequence[str]]

    def show(
        self, lines: Sequence[int], golds: frozenset[int], asked: str, random: np.random.Generator,
        instead: Mapping[int, str] | None = None,
    ) -> Example:  # fmt: skip
        """Some lines of it in one of its languages as an example; ``instead``: lines that are rewritten."""
        language = one_of(sorted(self.versions), random)
        own = self.versions[language]
        sentences = tuple((instead or {}).get(line, own[line]) for line in lines)
        gold = tuple(i for i, line in enumerate(lines) if line in golds)
        return Example(asked, sentences, joined_by(language), gold, bool(gold))

    def around(self, line: int, random: np.random.Generator) -> list[int]:
        """The lines of a window that holds ``line``."""
        return list(range(*window(self.lengths, line, int(one_of(_WINDOWS, random)), random)))

    @property
    def lengths(self) -> list[int]:
        """About the characters of each line in a language with spaces."""
        language = "eng" if "eng" in self.versions else next(iter(self.versions))
        scale = 1 if joined_by(language) else 1 / _DENSE
        return [int(len(sentence) * scale) for sentence in self.versions[language]]


@dataclass(frozen=True)
class Asked:
    """A question about a text: the lines that answer it, or the line that lures and what would answer there."""

    text: Text
    wordings: tuple[str, ...]
    lines: tuple[int, ...] = ()
    near: int = -1
    twin: str = ""


class Questions:
    """Questions about texts, answered or not."""

    def __init__(self, asked: Sequence[Asked], others: Sequence[Text]) -> None:
        """``others``: texts out of which windows are taken that have nothing to do with a question."""
        self.asked, self.others = asked, others

    def group(self, random: np.random.Generator) -> Group | None:
        """See Source."""
        row: Asked = one_of(self.asked, random)
        asked = carelessly(one_of(row.wordings, random), random)
        if row.lines:
            return self._answered(row, asked, random)
        lines = row.text.around(row.near, random)
        examples = [row.text.show(lines, frozenset(), asked, random)]
        if row.twin:
            examples.append(row.text.show(lines, frozenset({row.near}), asked, random, {row.near: row.twin}))
        return Group("answers", tuple(examples))

    def _answered(self, row: Asked, asked: str, random: np.random.Generator) -> Group:
        golds = frozenset(row.lines)
        lines = row.text.around(row.lines[0], random)
        examples = [row.text.show(lines, golds, asked, random)]
        without = [line for line in lines if line not in golds]
        draw = random.random()
        if draw < 0.45 and without:
            examples.append(row.text.show(without, golds, asked, random))
        elif draw < 0.85 and (far := [i for i in range(len(row.text.lengths)) if i not in golds]):
            around = [line for line in row.text.around(one_of(far, random), random) if line not in golds]
            examples.append(row.text.show(around, golds, asked, random))
        else:
            other: Text = one_of(self.others, random)
            if other is not row.text:
                begun = int(random.integers(len(other.lengths)))
                examples.append(other.show(other.around(begun, random), frozenset(), asked, random))
        return Group("answers", tuple(examples))


class Statements:
    """What is typed in place of a question: a sentence to be found in another language, a few words of it, a claim."""

    def __init__(self, rows: "Sequence[Annotated]") -> None:
        self.rows = rows
        self.claims = [each for row in rows for each in row.claims]

    def group(self, random: np.random.Generator) -> Group | None:
        """See Source."""
        if random.random() < 0.4:
            claim: Claim = one_of(self.claims, random)
            _, true, false = one_of(claim.wordings, random)
            lines = claim.text.around(claim.line, random)
            shown = claim.text.show(lines, frozenset({claim.line}), true, random)
            return Group("answers", (shown, Example(false, shown.sentences, shown.space, (), False)))
        text = one_of(self.rows, random).text
        line = int(random.integers(len(text.lengths)))
        asked = one_of(list(text.versions.values()), random)[line]
        words = asked.split()
        if len(words) > 4 and random.random() < 0.5:  # the longest ones, for they say most
            most = int(random.integers(2, 5))
            chosen = sorted(sorted(range(len(words)), key=lambda i: -len(words[i]))[:most])
            asked = " ".join(words[i].strip('.,;:!?()"«»„“”') for i in chosen)
        lines = text.around(line, random)
        examples = [text.show(lines, frozenset({line}), asked, random)]
        if without := [i for i in lines if i != line]:
            examples.append(text.show(without, frozenset(), asked, random))
        return Group("answers", tuple(examples))


class Claims:
    """Pairs of a true claim and a changed one about a line of a text."""

    def __init__(self, claims: "Sequence[Claim]") -> None:
        self.claims = claims

    def group(self, random: np.random.Generator) -> Group | None:
        """See Source."""
        claim = one_of(self.claims, random)
        text, line = claim.text, claim.line
        _, true, false = one_of(claim.wordings, random)
        shown = text.show(text.around(line, random), frozenset({line}), true, random)
        examples = [shown, Example(false, shown.sentences, shown.space, (), False)]
        if random.random() < 0.3 and (far := [i for i in range(len(text.lengths)) if i != line]):
            around = [i for i in text.around(one_of(far, random), random) if i != line]
            examples.append(text.show(around, frozenset(), true, random))
        return Group("supports", tuple(examples))


class Reading:
    """A reading set of one language: passages with and without the sentence that answers."""

    def __init__(self, path: Path) -> None:
        self.rows = [row for row in read_rows(path) if not row["answer"] or row["start"] is not None]

    def group(self, random: np.random.Generator) -> Group | None:
        """See Source."""
        place = int(random.integers(len(self.rows)))
        row = self.rows[place]
        asked = carelessly(row["question"], random)
        spans = self._split(row)
        text = Text({self._language(row): [row["passage"][a:b] for a, b in spans]})
        if not spans:
            return None
        if not row["answer"]:
            around = text.around(int(random.integers(len(spans))), random)
            return Group("answers", (text.show(around, frozenset(), asked, random),))
        if row["passage"][row["start"] :][: len(row["answer"])] != row["answer"]:
            return None
        line = next((i for i, (a, b) in enumerate(spans) if a <= row["start"] < b), None)
        if line is None:
            return None
        lines = text.around(line, random)
        examples = [text.show(lines, frozenset({line}), asked, random)]
        # Elsewhere the same words would answer too, for all one knows.
        rest = [i for i in range(len(spans)) if row["answer"] not in text.versions[self._language(row)][i]]
        without = [i for i in lines if i in rest]
        if random.random() < 0.5 and without:
            examples.append(text.show(without, frozenset(), asked, random))
        elif (other := self._neighbour(place, row, random)) is not None:
            examples.append(other.show(other.around(0, random), frozenset(), asked, random))
        return Group("answers", tuple(examples))

    def _neighbour(self, place: int, row: dict[str, Any], random: np.random.Generator) -> Text | None:
        """A passage beside it in the file, which often is of the same article."""
        other = self.rows[(place + int(random.integers(1, 12))) % len(self.rows)]
        if other["passage"] == row["passage"] or row["answer"] in other["passage"]:
            return None
        spans = self._split(other)
        return Text({self._language(other): [other["passage"][a:b] for a, b in spans]}) if spans else None

    def _split(self, row: dict[str, Any]) -> list[tuple[int, int]]:
        return [(s.start, s.end) for s in split_sentences(row["passage"], self._language(row))]

    @staticmethod
    def _language(row: dict[str, Any]) -> str:
        return "en" if row["set"].startswith("afriqa") and row["passage"].isascii() else str(row["lang"]).split("-")[0]


class Inference:
    """Inference sets: a premise, and what follows from it or does not."""

    def __init__(self, path: Path) -> None:
        self.rows = read_rows(path)

    def group(self, random: np.random.Generator) -> Group | None:
        """See Source."""
        row = one_of(self.rows, random)
        entailed = row["label"] == "entail"
        return Group("supports", (Example(row["hypothesis"], (row["premise"],), " ", (), entailed),))


def sources(data: Path, own: Path, left_out: LeftOut) -> dict[str, list[Source]]:
    """What groups are drawn from, by kind."""
    news, invented = list(news_texts(data / "news", left_out.documents)), own_rows(data / "own", left_out.texts)
    rows = [*invented, *own_rows(own / "confusable", frozenset())]
    texts = [row.text for row in rows]
    asked = [each for row in rows for each in row.asked]
    answered = [*(each for each in asked if each.lines), *article_questions(own)]
    sets = [path for path in sorted((data / "reading").glob("*.jsonl.gz")) if not path.name.startswith(_NOT_READING)]
    return {
        "own": [Questions(answered, texts), Questions([each for each in asked if not each.lines], texts)],
        "news": [Questions([each for row in news for each in row.asked], [row.text for row in news])],
        "reading": [*map(Reading, sets)],
        "statements": [Statements(rows), Statements(news)],
        "own claims": [Claims([each for row in rows for each in row.claims])],
        "news claims": [Claims([each for row in news for each in row.claims])],
        "inference": [*map(Inference, sorted((data / "reading").glob("nli_*.jsonl.gz")))],
    }


@dataclass(frozen=True)
class Annotated:
    """A text, and what is asked and claimed about it."""

    name: str
    text: Text
    asked: tuple[Asked, ...]
    claims: tuple["Claim", ...]


@dataclass(frozen=True)
class Claim:
    """A true claim about a line of a text, and one with a single change."""

    text: Text
    line: int
    wordings: tuple[tuple[str, str, str], ...]  # language, true, changed
    change: str


def own_rows(folder: Path, left_out: frozenset[str]) -> list[Annotated]:
    """``texts.jsonl`` of a folder; twins stand in it, or in ``twins.jsonl`` beside it."""
    path = folder / "twins.jsonl"
    beside = {row["id"]: row["twins"] for row in read_rows(path)} if path.exists() else {}
    found = []
    for row in read_rows(folder / "texts.jsonl"):
        if row["id"] in left_out:
            continue
        text = Text({row["lang"]: row["sentences"]})
        twins = {twin["none"]: twin for twin in row.get("twins", beside.get(row["id"], ()))}
        asked = [Asked(text, (q["text"],), (q["line"], *q["also"])) for q in row["q"]]
        for i, none in enumerate(row["none"]):
            twin = twins.get(i)
            near = twin["line"] if twin else none["near"]
            asked.append(Asked(text, (none["text"],), near=near, twin=twin["sentence"] if twin else ""))
        claims = [
            Claim(text, true["line"], ((true["lang"], true["text"], false["text"]),), false["change"])
            for true, false in zip(row["claims"][::2], row["claims"][1::2], strict=True)
        ]
        found.append(Annotated(row["id"], text, tuple(asked), tuple(claims)))
    return found


def news_texts(folder: Path, left_out: frozenset[str]) -> Iterator[Annotated]:
    """The documents of ``news`` in all their languages."""
    spans, versions = parallel_news(folder, left_out)
    asked: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for name in ("answerable", "unanswerable", "claims"):
        for row in read_rows(folder / "questions" / f"{name}.jsonl"):
            asked[f"{name} {row['doc']}"].append(row)
    for document, (begin, end) in spans.items():
        text = Text({language: lines[begin:end] for language, lines in versions.items()})
        questions = [
            Asked(text, tuple(row["text"].values()), tuple(line - begin for line in (row["line"], *row["also"])))
            for row in asked[f"answerable {document}"]
        ]
        questions += [
            Asked(text, tuple(row["text"].values()), near=row["near"] - begin)
            for row in asked[f"unanswerable {document}"]
        ]
        claims = asked[f"claims {document}"]
        told = [
            Claim(text, true["line"] - begin, _wordings(true["text"], false["text"]), false["change"])
            for true, false in zip(claims[::2], claims[1::2], strict=True)
            if list(true["text"]) == list(false["text"])
        ]
        yield Annotated(document, text, tuple(questions), tuple(told))


def _wordings(true: Mapping[str, str], false: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
    return tuple((language, true[language], false[language]) for language in true)


def article_questions(folder: Path) -> Iterator[Asked]:
    """The answered questions about our training articles (``benchmarks/training``)."""
    for articles in sorted(folder.glob("*/articles")):
        sentences, texts = {}, {}
        for path in sorted(articles.glob("*.txt")):
            whole, language = path.read_text(encoding="utf-8"), path.stem.split("_")[1]
            sentences[path.name] = [whole[s.start : s.end] for s in split_sentences(whole, language, 0)]
            texts[path.name] = Text({language: sentences[path.name]})
        for row in read_rows(articles.parent / "pairs.jsonl"):
            own = sentences[row["article"]]
            lines = [i for i, sentence in enumerate(own) if row["answer"] in sentence]
            same = [i for i in lines if row["sentence"] in own[i] or own[i] in row["sentence"]]
            if same:
                others = [i for i in lines if i != same[0]]
                yield Asked(texts[row["article"]], (row["question"],), (same[0], *others))


def groups(found: Mapping[str, list[Source]], examples: int, random: np.random.Generator) -> list[Group]:
    """Groups of about ``examples`` examples altogether, kinds by their shares of examples."""
    picked: list[Group] = []
    owed = {kind: examples * share for kind, share in _SHARES.items()}
    while sum(owed.values()) > 0.5:
        kind = str(one_of([kind for kind, left in owed.items() if left > 0], random))
        group = one_of(found[kind], random).group(random)
        if group is not None:
            picked.append(group)
            owed[kind] -= len(group.examples)
    return picked


def carelessly(asked: str, random: np.random.Generator) -> str:
    """Now and then as people type: one case, no question mark, no diacritics."""
    if random.random() >= _TYPED:
        return asked
    draw = int(random.integers(4))
    if draw == 0:
        return asked.upper()
    if draw == 1:
        return asked.lower()
    if draw == 2:
        return asked.rstrip(" ?？؟")
    plain = unicodedata.normalize("NFD", asked)
    return "".join(c for c in plain if not "\u0300" <= c <= "\u036f")
