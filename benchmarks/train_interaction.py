"""Trains qa/interaction-NAME.npz: how a question's vector and tokens are turned and weighed before they are matched.

Data: benchmarks/training, articles and questions of our own writing (Apache-2.0 like the project), none of them in a
corpus that we report on. Loss: cross-entropy of the answering sentence among the sentences of the 20 nearest passages.
The encoder stays as it is; what is learned is regularised towards doing nothing and averaged over the run.

usage: python benchmarks/train_interaction.py [--epochs N] [--work FOLDER] [--write]
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional

from index.collection import Collection
from index.encoder import Encoder, open_encoder
from index.settings import DEFAULT_MODEL, PROJECT, Settings
from index.sync import sync
from qa.interaction import untrained
from qa.question import understand

PASSAGES = 20
_BATCH = 8
_WEIGHT = 1.3  # of the tokens' score at question time; 1.0 to 1.5 are alike over six corpora, trained with 1.0


@dataclass(frozen=True)
class Example:
    """A question and the candidate sentences it must choose among."""

    vector: torch.Tensor  # [dimension]
    tokens: torch.Tensor  # [tokens, dimension]
    prior: torch.Tensor  # [tokens], log weights before learning
    candidates: torch.Tensor  # [sentences, dimension]
    passage_tokens: torch.Tensor  # [candidate tokens, dimension]
    owner: torch.Tensor  # [candidate tokens], index into candidates
    gold: torch.Tensor  # [sentences], bool


class Learned(torch.nn.Module):
    """The parameters of qa.interaction.Interaction."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.vector_map = torch.nn.Parameter(torch.zeros(dimension, dimension))
        self.token_map = torch.nn.Parameter(torch.zeros(dimension, dimension))
        self.importance = torch.nn.Parameter(torch.zeros(dimension))
        self.weight = 1.0  # learned freely it grows, and what it gains in training is lost elsewhere
        self.sharpness = torch.nn.Parameter(torch.tensor(12.0))

    def forward(self, example: Example) -> torch.Tensor:
        """Scores [sentences]."""
        vector = functional.normalize(example.vector + example.vector @ self.vector_map, dim=-1)
        kept = functional.dropout(example.tokens, 0.1, self.training)
        tokens = functional.normalize(kept + kept @ self.token_map, dim=-1)
        weights = torch.softmax(example.prior + example.tokens @ self.importance, 0)
        similarity = tokens @ example.passage_tokens.T
        best = torch.full((len(tokens), len(example.candidates)), -1.0)
        owner = example.owner.expand(len(tokens), -1)
        best = best.scatter_reduce(1, owner, similarity, "amax", include_self=False)
        return self.sharpness * (example.candidates @ vector + self.weight * (weights @ best))


def main() -> None:
    """Train, print, and write when told to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--work", type=Path, default=PROJECT / ".bench")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--out", type=Path, default=PROJECT / "qa" / f"interaction-{DEFAULT_MODEL}.npz")
    arguments = parser.parse_args()
    torch.manual_seed(1)
    examples = collect(arguments.work / "data")
    learned = train(examples, arguments.epochs)
    if arguments.write:
        names = ("vector_map", "token_map", "importance")
        arrays = {name: getattr(learned, name).detach().numpy().astype(np.float16) for name in names}
        np.savez_compressed(arguments.out, weight=np.float32(_WEIGHT), **arrays)
        print(f"wrote {arguments.out.name}: {arguments.out.stat().st_size // 1024} KB")


def collect(data: Path) -> list[Example]:
    """The examples of every training corpus."""
    examples = []
    encoder = open_encoder(Settings(data=data))
    for folder in sorted(path.parent for path in (PROJECT / "benchmarks" / "training").glob("*/articles")):
        _, collection = sync(Settings(corpus=folder / "articles", data=data), encoder)
        lines = (folder / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
        examples += [example(json.loads(line), encoder, collection) for line in lines]
        print(f"{folder.name}: {len(lines)} questions", flush=True)
    return examples


def example(pair: dict[str, str], encoder: Encoder, collection: Collection) -> Example:
    """One question with its candidates."""
    question = understand(pair["question"], encoder, collection, untrained(encoder.dimension))
    start = collection.articles[pair["article"]].text.index(pair["sentence"])
    end = start + len(pair["sentence"])
    article = collection.names.index(pair["article"])
    spans = collection.spans
    gold = (collection.article_of == article) & (spans[:, 0] < end) & (spans[:, 1] > start)
    nearness, _ = collection.similarities(question.centred, question.stored)
    order = np.argsort(-nearness)[:300]
    passages = list(dict.fromkeys([*collection.passage_of[gold].tolist(), *collection.passage_of[order].tolist()]))
    chosen = collection.members(np.array(passages[:PASSAGES], np.int32))
    found = collection.passage_tokens(np.array(passages[:PASSAGES], np.int32))
    return Example(
        vector=torch.from_numpy(question.centred),
        tokens=torch.from_numpy(question.tokens),
        prior=torch.from_numpy(np.log(question.weights)),
        candidates=torch.from_numpy(collection.centred(chosen)),
        passage_tokens=torch.from_numpy(found.vectors),
        owner=torch.from_numpy(np.searchsorted(chosen, found.sentences)),
        gold=torch.from_numpy(gold[chosen]),
    )


def train(examples: list[Example], epochs: int) -> Learned:
    """The average of the parameters over the second half of the run."""
    model = Learned(len(examples[0].vector))
    groups = [
        {"params": [model.vector_map, model.token_map], "lr": 3e-4, "weight_decay": 0.03},
        {"params": [model.importance], "lr": 3e-3, "weight_decay": 0.0},
        {"params": [model.sharpness], "lr": 1e-2, "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups)
    average = torch.optim.swa_utils.AveragedModel(model)
    generator = np.random.default_rng(1)
    for epoch in range(epochs):
        started, total, right = time.perf_counter(), 0.0, 0
        for step, i in enumerate(generator.permutation(len(examples))):
            scores = model(examples[i])
            loss = torch.logsumexp(scores, 0) - torch.logsumexp(scores[examples[i].gold], 0)
            (loss / _BATCH).backward()
            total, right = total + loss.item(), right + int(examples[i].gold[scores.argmax()])
            if step % _BATCH == _BATCH - 1:
                optimiser.step()
                optimiser.zero_grad()
                if 2 * (epoch * len(examples) + step) > epochs * len(examples):
                    average.update_parameters(model)
        print(
            f"epoch {epoch}: loss {total / len(examples):.3f}, right {right / len(examples):.3f}, "
            f"{time.perf_counter() - started:.0f} s",
            flush=True,
        )
    trained = average.module
    assert isinstance(trained, Learned)
    return trained


if __name__ == "__main__":
    main()
