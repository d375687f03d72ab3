"""Fits ``qa/turns-NAME.npz``: what a turn of a chat is, told from its vector (``qa/turns.py``).

Turns of every kind are our own (``benchmarks/training/turns``); to them come questions, sentences and keywords of the
training sets, so that what is to be searched for is not taken for talk. Every language in turn is left out of a fit and
measured; questions that nothing is trained on (seeds, ``benchmarks/corpora``) tell how often a question is mistaken.

usage: python -m training.turns --data FOLDER [--write]
"""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from index.encoder import FloatMatrix, open_encoder
from index.settings import PROJECT, Settings
from qa.turns import KINDS, SMALL_TALK, TurnKind, TurnModel
from training.pairs import read_rows

_FOLDS = 10  # languages are dealt out among them
_STRENGTH = 30.0  # inverse of the regularisation
_THRESHOLD = 0.4  # 2 of 925 questions that nothing is trained on are taken for something else
_WEIGHT = 3.0  # of our own short questions, which talk is nearest to, against those of the training sets
_MOST = 2500  # questions of each training set
_OWN = PROJECT / "benchmarks" / "training"


@dataclass(frozen=True)
class Turn:
    """Something typed."""

    text: str
    kind: TurnKind
    language: str
    own: bool = False  # written for this


def main() -> None:
    """Fit, print, and write when told to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=PROJECT / ".bench")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    encoder = open_encoder(Settings(data=arguments.work / "data"))

    def encode(turns: Sequence[Turn]) -> FloatMatrix:
        return np.stack([encoder.encode_question(turn.text)[0] for turn in turns])

    turns = [*own(), *searched(arguments.data)]
    vectors = encode(turns)
    languages = sorted({turn.language for turn in turns})
    describe("languages left out", turns, vectors, [languages.index(turn.language) % _FOLDS for turn in turns])
    describe("turns left out", turns, vectors, [i % _FOLDS for i in range(len(turns))])
    model = fit(turns, vectors)
    asked = list(measured())
    found = Counter(kind for kind in model.kinds(encode(asked)))
    print(f"of {len(asked)} questions of no training set: {dict(found)}")
    if arguments.write:
        path = PROJECT / "qa" / f"turns-{encoder.name}.npz"
        np.savez_compressed(
            path, kinds=np.array(KINDS), weights=model.weights.astype(np.float16), bias=model.bias.astype(np.float16),
            templates=model.templates.astype(np.float16), threshold=model.threshold,
        )  # fmt: skip
        print(f"wrote {path.name}")


def own() -> Iterator[Turn]:
    """Turns of every kind."""
    for row in read_rows(_OWN / "turns" / "turns.jsonl"):
        yield Turn(row["text"], row["kind"], row["language"], True)


def searched(data: Path) -> Iterator[Turn]:
    """Questions, sentences, and a few words of a sentence: what is there to be searched for."""
    random = np.random.default_rng(1)
    questions = [(row["language"], row["question"]) for path in sorted(_OWN.glob("*/pairs.jsonl"))
                 if path.parent.name != "unanswerable" for row in read_rows(path)]  # fmt: skip
    news, texts = data / "news" / "questions", [data / "own" / "texts.jsonl", _OWN / "confusable" / "texts.jsonl"]
    for name in ("answerable", "unanswerable"):
        questions += [pair for row in read_rows(news / f"{name}.jsonl") for pair in list(row["text"].items())[:2]]
    sentences = []
    for path in texts:
        for row in read_rows(path):
            questions += [(asked["lang"], asked["text"]) for asked in (*row["q"], *row["none"])]
            sentences += [(row["lang"], sentence) for sentence in row["sentences"]]
    for rows in (questions, sentences):
        for i in random.permutation(len(rows))[:_MOST].tolist():
            language, text = rows[i]
            if rows is sentences and random.random() < 0.5:
                words = sorted(text.split(), key=len)[-int(random.integers(1, 5)) :]
                text = " ".join(word for word in text.split() if word in words)
            yield Turn(text, "question", language.split("-")[0])


def measured() -> Iterator[Turn]:
    """Questions that nothing is trained on."""
    files = [PROJECT / "tests" / "questions.jsonl", *sorted(PROJECT.glob("benchmarks/corpora/*/questions.jsonl"))]
    for path in files:
        yield from (Turn(row["question"], "question", row["language"]) for row in read_rows(path))
        for dialogue in read_rows(path.with_name("dialogues.jsonl")):
            yield from (Turn(turn["question"], "question", dialogue["language"]) for turn in dialogue["turns"])


def fit(turns: Sequence[Turn], vectors: FloatMatrix) -> TurnModel:
    """One model over all kinds."""
    labels = [KINDS.index(turn.kind) for turn in turns]
    weights = [_WEIGHT if turn.own and turn.kind == "question" else 1.0 for turn in turns]
    found = LogisticRegression(C=_STRENGTH, max_iter=300).fit(vectors, labels, weights)
    templates = np.stack([vectors[[label == i for label in labels]].mean(axis=0) for i in range(len(KINDS))])
    return TurnModel(found.coef_.T.astype(np.float32), found.intercept_.astype(np.float32), templates, _THRESHOLD)


def describe(title: str, turns: Sequence[Turn], vectors: FloatMatrix, folds: Sequence[int]) -> None:
    """How many of each kind are told rightly, each fold by a model fitted without it.

    Small talk among itself counts as right in a second figure.
    """
    told: dict[int, TurnKind] = {}
    for fold in sorted(set(folds)):
        kept = [i for i, each in enumerate(folds) if each != fold]
        left = [i for i, each in enumerate(folds) if each == fold]
        told |= zip(left, fit([turns[i] for i in kept], vectors[kept]).kinds(vectors[left]), strict=True)
    print(f"{title}:")
    for kind in KINDS:
        own = [told[i] for i, turn in enumerate(turns) if turn.kind == kind]
        near = sum(each == kind or {each, kind} <= SMALL_TALK for each in own)
        others = Counter(each for each in own if each != kind)
        print(f"  {kind:16s} n {len(own):5d} right {own.count(kind) / len(own):.3f}, small talk as one "
              f"{near / len(own):.3f}; taken for {dict(others)}")  # fmt: skip


if __name__ == "__main__":
    main()
