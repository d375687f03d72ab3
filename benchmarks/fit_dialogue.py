"""Fits qa/dialogue.json, which tells follow-ups from questions that stand by themselves, and measures both.

Every corpus in turn is left out of the fit; the table shows, on the one left out, how often the right article comes
first: follow-ups alone, always joined with the question before, and as decided; fresh questions likewise.

usage: python benchmarks/fit_dialogue.py [--work FOLDER] [--write]
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fit_confidence import Sample, fit

import qa.dialogue
from index.settings import PROJECT, SEEDS, Settings
from qa.confidence import signals
from qa.engine import Engine, open_engine
from qa.excerpts import cut_excerpts
from qa.ranking import Filters

_SIGNALS = ["covered", "interaction", "least_covered", "length", "nearness", "on_subject", "outstanding"]


@dataclass(frozen=True)
class Turn:
    """A turn after the first: what it is, and whether the right article comes first (None: no article answers)."""

    is_follow_up: bool
    signals: dict[str, float]
    alone: bool | None
    joined: bool | None


def main() -> None:
    """Fit, print, and write when told to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=PROJECT / ".bench")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    corpora = {"seeds": (SEEDS, PROJECT / "tests" / "dialogues.jsonl")}
    for folder in sorted((PROJECT / "benchmarks" / "corpora").iterdir()):
        corpora[folder.name] = (folder / "articles", folder / "dialogues.jsonl")
    turns = {name: collect(*paths, arguments.work / "data") for name, paths in corpora.items()}
    samples = {name: as_sample(name, each) for name, each in turns.items()}
    for name, each in turns.items():
        model = fit([s for other, s in samples.items() if other != name], _SIGNALS)
        print(describe(name, each, model(samples[name])))
    model = fit(list(samples.values()), _SIGNALS)
    if arguments.write:
        path = PROJECT / "qa" / "dialogue.json"
        path.write_text(json.dumps(model.as_json() | {"threshold": 0.5}, indent=1) + "\n", encoding="utf-8")
        print(f"wrote {path.name}")


def collect(corpus: Path, dialogues: Path, data: Path) -> list[Turn]:
    """The turns of a file of dialogues, each looked at alone and joined."""
    engine = open_engine(Settings(corpus=corpus, data=data))
    turns = []
    for line in dialogues.read_text(encoding="utf-8").splitlines():
        asked = json.loads(line)["turns"]
        for before, turn in zip(asked, asked[1:], strict=False):
            turns.append(look(engine, before["question"], turn))
    return turns


def look(engine: Engine, before: str, turn: dict[str, object]) -> Turn:
    """One turn."""
    text, right = str(turn["question"]), turn["articles"]
    alone = qa.dialogue._look(text, engine.encoder, engine.collection, Filters())
    joined = qa.dialogue._look(f"{before} {text}", engine.encoder, engine.collection, Filters())

    def first_is_right(found: qa.dialogue.Resolved) -> bool | None:
        article = engine.collection.names[engine.collection.article_of[found.ranking.sentences[0]]]
        return article in right if right else None  # type: ignore[operator]

    excerpts = cut_excerpts(alone.ranking, engine.collection, 1)
    return Turn(
        turn["kind"] == "follow_up",
        signals(alone.question, alone.ranking, excerpts, engine.collection),
        first_is_right(alone),
        first_is_right(joined),
    )


def as_sample(name: str, turns: list[Turn]) -> Sample:
    """Turns as fit takes them."""
    kinds = np.array([turn.is_follow_up for turn in turns])
    return Sample(name, [turn.signals for turn in turns], kinds, kinds)


def describe(name: str, turns: list[Turn], probabilities: np.ndarray) -> str:
    """One line for each kind of turn."""
    lines = []
    for kind, is_follow_up in (("follow-up", True), ("fresh", False)):
        rows = [(t, p) for t, p in zip(turns, probabilities, strict=True) if t.is_follow_up == is_follow_up]
        known = [(t, p) for t, p in rows if t.alone is not None]
        decided = np.mean([t.joined if p >= 0.5 else t.alone for t, p in known])
        told = np.mean([(p >= 0.5) == is_follow_up for _, p in rows])
        alone, joined = np.mean([t.alone for t, _ in known]), np.mean([t.joined for t, _ in known])
        lines.append(
            f"{name:16s} {kind:10s} n {len(known):3d}  told apart {told:.3f}  right article first: "
            f"alone {alone:.3f}  joined {joined:.3f}  decided {decided:.3f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
