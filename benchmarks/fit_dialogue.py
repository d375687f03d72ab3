"""Fits qa/dialogue-NAME.npz, which tells follow-ups from questions that stand by themselves, and measures both.

Every corpus in turn is left out of the fit; the table shows, on the one left out, how often the right article comes
first: alone, always joined with the question before, and as decided. Questions that stand by themselves come also from
benchmarks/training, in 45 languages.

usage: python benchmarks/fit_dialogue.py [--work FOLDER] [--write]
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from index.encoder import Encoder
from index.settings import PROJECT, SEEDS, Settings
from qa.dialogue import LeaningModel, Resolved, compare, look
from qa.engine import Engine, open_engine
from qa.question import understand
from qa.ranking import Filters


@dataclass(frozen=True)
class Turn:
    """A turn: what it is, and whether the right article comes first (None: no article answers, or not joined)."""

    corpus: str
    leans: bool
    vector: np.ndarray  # [dimension]
    changes: list[float] | None  # None for the first turn of a dialogue
    alone: bool | None = None
    joined: bool | None = None


def main() -> None:
    """Fit, print, and write when told to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=PROJECT / ".bench")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    data = arguments.work / "data"
    corpora = {"seeds": (SEEDS, PROJECT / "tests" / "dialogues.jsonl")}
    for folder in sorted((PROJECT / "benchmarks" / "corpora").iterdir()):
        corpora[folder.name] = (folder / "articles", folder / "dialogues.jsonl")
    turns: list[Turn] = []
    for name, (corpus, dialogues) in corpora.items():
        engine = open_engine(Settings(corpus=corpus, data=data, reader=False))
        turns += collect(name, engine, dialogues)
    turns += standing(engine)
    for name in corpora:
        model = fit([turn for turn in turns if turn.corpus != name])
        print(describe(name, [turn for turn in turns if turn.corpus == name and turn.changes], model), flush=True)
    if arguments.write:
        model = fit(turns)
        path = PROJECT / "qa" / f"dialogue-{engine.encoder.name}.npz"
        np.savez_compressed(path, **vars(model))
        print(f"wrote {path.name}")


def collect(name: str, engine: Engine, dialogues: Path) -> list[Turn]:
    """The turns of a file of dialogues."""
    turns = []
    for line in dialogues.read_text(encoding="utf-8").splitlines():
        before: tuple[str, Resolved] | None = None
        for asked in json.loads(line)["turns"]:
            alone = look(asked["question"], engine.encoder, engine.collection, Filters())
            changes, joined = None, None
            if before:
                changes = compare(alone, before[1], engine.collection)
                text = f"{before[0]} {asked['question']}"
                joined = right(look(text, engine.encoder, engine.collection, Filters()), engine, asked)
            leans = asked["kind"] == "follow_up"
            turns.append(Turn(name, leans, alone.question.vector, changes, right(alone, engine, asked), joined))
            before = (asked["question"], alone)
    return turns


def right(found: Resolved, engine: Engine, asked: dict[str, list[str]]) -> bool | None:
    """Whether the first article is a right one."""
    article = engine.collection.names[engine.collection.article_of[found.ranking.sentences[0]]]
    return article in asked["articles"] if asked["articles"] else None


def standing(engine: Engine) -> list[Turn]:
    """Questions that stand by themselves, every second one of the training set."""
    questions = []
    for folder in sorted(path.parent for path in (PROJECT / "benchmarks" / "training").glob("*/articles")):
        questions += (folder / "pairs.jsonl").read_text(encoding="utf-8").splitlines()[::2]
    encoder: Encoder = engine.encoder
    texts = [json.loads(line)["question"] for line in questions]
    return [Turn("training", False, understand(t, encoder, engine.collection).vector, None) for t in texts]


def fit(turns: list[Turn]) -> LeaningModel:
    """The direction over all turns; the second stage over later turns, each seen by a direction fitted without it."""
    direction = fit_direction(turns)
    rows, leans = [], []
    for name in sorted({turn.corpus for turn in turns} - {"training"}):
        unseen = fit_direction([turn for turn in turns if turn.corpus != name])
        for turn in turns:
            if turn.corpus == name and turn.changes is not None:
                rows.append([unseen.decision_function(turn.vector[None])[0], *turn.changes])
                leans.append(turn.leans)
    values = np.array(rows)
    means, scales = values.mean(0), values.std(0) + 1e-9
    second = LogisticRegression(C=0.3, class_weight="balanced").fit((values - means) / scales, leans)
    return LeaningModel(
        direction=direction.coef_[0].astype(np.float32),
        offset=float(direction.intercept_[0]),
        means=means,
        scales=scales,
        weights=second.coef_[0],
        bias=float(second.intercept_[0]),
    )


def fit_direction(turns: list[Turn]) -> LogisticRegression:
    """The direction that tells leaning questions from standing ones."""
    model = LogisticRegression(C=3.0, class_weight="balanced", max_iter=3000)
    return model.fit(np.stack([turn.vector for turn in turns]), [turn.leans for turn in turns])


def describe(name: str, turns: list[Turn], model: LeaningModel) -> str:
    """One line for each kind of turn."""
    decided = [model.probability(turn.vector, turn.changes or []) >= 0.5 for turn in turns]
    lines = []
    for kind, leans in (("follow-up", True), ("fresh", False)):
        told = np.mean([d == leans for t, d in zip(turns, decided, strict=True) if t.leans == leans])
        known = [(t, d) for t, d in zip(turns, decided, strict=True) if t.leans == leans and t.alone is not None]
        alone, joined = np.mean([t.alone for t, _ in known]), np.mean([t.joined for t, _ in known])
        chosen = np.mean([t.joined if d else t.alone for t, d in known])
        lines.append(
            f"{name:16s}{kind:10s} n {len(known):3d}  told apart {told:.3f}  right article first: "
            f"alone {alone:.3f}  joined {joined:.3f}  decided {chosen:.3f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
