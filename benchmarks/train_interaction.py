"""Trains how questions are read: qa/interaction-NAME.npz and index/tables/questions-NAME.npz.

The first says how a question's vector and tokens are turned and weighed before they are matched, the second what is
added to the encoder's upper layers where it reads a question. Passages are read by the encoder as it is, so nothing
stored depends on either. Data: benchmarks/training, articles and questions of our own writing (Apache-2.0 like the
project), none of them in a corpus that we report on. Loss: cross-entropy of the answering sentence among the sentences
of the 20 nearest passages.

usage: python benchmarks/train_interaction.py [--epochs N] [--rank N] [--work FOLDER] [--write]
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from question_encoder import QuestionEncoder, Reading
from torch.nn import functional

from index.collection import Collection
from index.encoder import FloatMatrix, SentenceTransformerEncoder, open_encoder
from index.settings import DEFAULT_MODEL, PROJECT, Settings
from index.sync import sync
from qa.interaction import untrained
from qa.question import understand
from qa.shifts import load_shifts

PASSAGES = 20
_BATCH = 8
_FIRST = 6  # layer that learns; those below serve every text alike
_WEIGHT = 1.3  # of the tokens' score at question time; 1.0 to 1.5 are alike over six corpora, trained with 1.0
_COMMONEST = 4.0  # as in qa.interaction


@dataclass(frozen=True)
class Corpus:
    """What candidates are made of."""

    sentences: torch.Tensor  # [sentences, dimension], centred
    tokens: torch.Tensor  # [tokens, dimension], of all passages
    owners: NDArray[np.int32]  # [tokens], the sentence of each


@dataclass(frozen=True)
class Example:
    """A question and the candidate sentences it must choose among."""

    corpus: Corpus
    reading: Reading
    centres: tuple[torch.Tensor, torch.Tensor]  # [dimension] each: the fixed one of passages, then the corpus's own
    token_centre: torch.Tensor  # [dimension]
    prior: torch.Tensor  # [tokens], log weights before learning
    candidates: torch.Tensor  # [sentences], rows of the corpus
    tokens: torch.Tensor  # [candidate tokens], rows of the corpus
    owner: torch.Tensor  # [candidate tokens], index into candidates
    gold: torch.Tensor  # [sentences], bool


class Learned(torch.nn.Module):
    """The parameters of qa.interaction.Interaction, behind the adapted encoder."""

    def __init__(self, encoder: QuestionEncoder, dimension: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.vector_map = torch.nn.Parameter(torch.zeros(dimension, dimension))
        self.token_map = torch.nn.Parameter(torch.zeros(dimension, dimension))
        self.importance = torch.nn.Parameter(torch.zeros(dimension))
        self.sharpness = torch.nn.Parameter(torch.tensor(12.0))

    def forward(self, examples: list[Example]) -> list[torch.Tensor]:
        """Scores [sentences] of every example; the tokens' weight, learned freely, would grow and not carry over."""
        states = self.encoder([example.reading for example in examples])
        return [self._score(example, each) for example, each in zip(examples, states, strict=True)]

    def _score(self, example: Example, states: torch.Tensor) -> torch.Tensor:
        vector = functional.normalize(states.mean(0), dim=-1)
        for centre in example.centres:
            vector = functional.normalize(vector - centre, dim=-1)
        vector = functional.normalize(vector + vector @ self.vector_map, dim=-1)
        tokens = functional.normalize(states[example.reading.inside] - example.token_centre, dim=-1)
        weights = torch.softmax(example.prior + tokens @ self.importance, 0)
        kept = functional.dropout(tokens, 0.1, self.training)
        tokens = functional.normalize(kept + kept @ self.token_map, dim=-1)
        similarity = tokens @ example.corpus.tokens[example.tokens].T
        best = torch.full((len(tokens), len(example.candidates)), -1.0)
        best = best.scatter_reduce(1, example.owner.expand(len(tokens), -1), similarity, "amax", include_self=False)
        return self.sharpness * (example.corpus.sentences[example.candidates] @ vector + weights @ best)


def main() -> None:
    """Train, and write the weights when told to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--work", type=Path, default=PROJECT / ".bench")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    encoder = open_encoder(Settings(data=arguments.work / "data")).unadapted
    adapted = QuestionEncoder(encoder, _FIRST, arguments.rank)
    examples = list(collect(arguments.work / "data", encoder, adapted))
    learned = train(examples, Learned(adapted, encoder.dimension), arguments.epochs)
    if arguments.write:
        names = ("vector_map", "token_map", "importance")
        arrays = {name: getattr(learned, name).detach().numpy().astype(np.float16) for name in names}
        save(PROJECT / "qa" / f"interaction-{DEFAULT_MODEL}.npz", arrays | {"weight": np.float32(_WEIGHT)})
        factors: dict[str, FloatMatrix] = {}
        for name, (up, down) in learned.encoder.factors().items():
            factors |= {f"{name}.up": up.astype(np.float16), f"{name}.down": down.astype(np.float16)}
        save(PROJECT / "index" / "tables" / f"questions-{DEFAULT_MODEL}.npz", factors)


def save(path: Path, arrays: dict[str, FloatMatrix]) -> None:
    """Write arrays by name."""
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]  # the stub takes them for allow_pickle
    print(f"wrote {path.name}: {path.stat().st_size // 1024} KB")


def collect(data: Path, encoder: SentenceTransformerEncoder, adapted: QuestionEncoder) -> Iterator[Example]:
    """The examples of every training corpus, the answerable ones of ``unanswerable`` among them."""
    lines = (PROJECT / "benchmarks" / "training" / "unanswerable" / "pairs.jsonl").read_text("utf-8").splitlines()
    siblings = [pair for pair in map(json.loads, lines) if pair["answerable"]]
    for folder in sorted(path.parent for path in (PROJECT / "benchmarks" / "training").glob("*/articles")):
        _, collection = sync(Settings(corpus=folder / "articles", data=data), encoder)
        tokens = collection.passage_tokens(np.unique(collection.passage_of))
        sentences = collection.centred(np.arange(len(collection.spans), dtype=np.int32))
        corpus = Corpus(torch.from_numpy(sentences), torch.from_numpy(tokens.vectors), tokens.sentences)
        pairs = [json.loads(line) for line in (folder / "pairs.jsonl").read_text(encoding="utf-8").splitlines()]
        pairs += [pair for pair in siblings if pair["corpus"] == folder.name]
        yield from (example(pair, encoder, adapted, collection, corpus) for pair in pairs)
        print(f"{folder.name}: {len(pairs)} questions", flush=True)


def example(
    pair: dict[str, str],
    encoder: SentenceTransformerEncoder,
    adapted: QuestionEncoder,
    collection: Collection,
    corpus: Corpus,
) -> Example:
    """One question with its candidates."""
    question = understand(pair["question"], encoder, collection, untrained(encoder.dimension))
    languages, table, shifts = question.languages, collection.table, load_shifts(encoder.name, encoder.dimension)
    start = collection.articles[pair["article"]].text.index(pair["sentence"])
    end = start + len(pair["sentence"])
    article = collection.names.index(pair["article"])
    spans = collection.spans
    gold = (collection.article_of == article) & (spans[:, 0] < end) & (spans[:, 1] > start)
    nearness, _ = collection.similarities(question.centred, question.stored)
    order = np.argsort(-nearness)[:300]
    passages = list(dict.fromkeys([*collection.passage_of[gold].tolist(), *collection.passage_of[order].tolist()]))
    chosen = collection.members(np.array(passages[:PASSAGES], np.int32))
    rows = np.flatnonzero(np.isin(corpus.owners, chosen))
    reading = adapted.read(pair["question"])
    centre = table.passage_centre(languages) + shifts.vector(languages)
    token_centre = table.token_centre(languages) + shifts.token(languages) + collection.token_centres.of(languages)
    return Example(
        corpus=corpus,
        reading=reading,
        centres=(torch.from_numpy(centre), torch.from_numpy(collection.centres.of(languages))),
        token_centre=torch.from_numpy(token_centre),
        prior=torch.from_numpy(np.log((reading.rarity - _COMMONEST).clip(0.5))),
        candidates=torch.from_numpy(chosen.astype(np.int64)),
        tokens=torch.from_numpy(rows),
        owner=torch.from_numpy(np.searchsorted(chosen, corpus.owners[rows])),
        gold=torch.from_numpy(gold[chosen]),
    )


def train(examples: list[Example], model: Learned, epochs: int) -> Learned:
    """The moving average of the parameters."""
    groups = [
        {"params": list(model.encoder.parameters()), "lr": 3e-4, "weight_decay": 0.01},
        {"params": [model.vector_map, model.token_map], "lr": 3e-4, "weight_decay": 0.03},
        {"params": [model.importance], "lr": 3e-3, "weight_decay": 0.0},
        {"params": [model.sharpness], "lr": 1e-2, "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups)
    average = {name: each.detach().clone() for name, each in model.named_parameters()}
    generator = np.random.default_rng(1)
    for epoch in range(epochs):
        started, total, right = time.perf_counter(), 0.0, 0
        order = generator.permutation(len(examples))
        for at in range(0, len(order), _BATCH):
            batch = [examples[i] for i in order[at : at + _BATCH]]
            losses = []
            for each, scores in zip(batch, model(batch), strict=True):
                losses.append(torch.logsumexp(scores, 0) - torch.logsumexp(scores[each.gold], 0))
                right += int(each.gold[scores.argmax()])
            loss = torch.stack(losses).mean()
            loss.backward()
            total += loss.item() * len(batch)
            optimiser.step()
            optimiser.zero_grad()
            for name, parameter in model.named_parameters():
                average[name].lerp_(parameter.detach(), 0.01)
        print(
            f"epoch {epoch}: loss {total / len(examples):.3f}, right {right / len(examples):.3f}, "
            f"{time.perf_counter() - started:.0f} s",
            flush=True,
        )
    model.load_state_dict(average)
    return model


if __name__ == "__main__":
    main()
