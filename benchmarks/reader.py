"""Measures the reader alone, on texts and documents kept out of its training, beside what a question alone betrays.

Twins: each question once before a passage that answers it and once before one that does not, which differs in one
sentence. Left out: answered questions, and the same passage without its sentence. Near: the pairs of
benchmarks/training/unanswerable, each before the passage around the sentence it asks of. Claims: true ones and ones
with a single change, before the passage they are about. The control is a linear model on the question's vector, which
reads no passage, cross-validated over texts. Intervals: bootstrap over texts, 95 %.

usage: python benchmarks/reader.py --data FOLDER [--weights FILE] [--work FOLDER] [--json FILE]
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import qa.reader
from index.encoder import Encoder, open_encoder
from index.sentences import split_sentences
from index.settings import PROJECT, Settings
from qa.reader import Passage, Reader
from training.groups import Annotated, Asked, Example, Text, news_texts, own_rows
from training.pairs import left_out, parallel_news, read_rows, window

_CHARACTERS = 450  # of a passage
_ALARMS = 0.10  # share of true claims that may be refused
_SAMPLES = 1000
_CORPORA = PROJECT / "benchmarks" / "corpora"
_TRAINING = PROJECT / "benchmarks" / "training"


@dataclass(frozen=True)
class Row:
    """An example, what text it is of, and of what kind."""

    name: str
    kind: str
    asked: str
    example: Example


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=qa.reader.WEIGHTS)
    parser.add_argument("--work", type=Path, default=PROJECT / ".bench")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    settings = Settings(data=arguments.work / "data")
    reader, encoder = Reader(settings, arguments.weights), open_encoder(settings)
    kept = left_out(arguments.data)
    ids = frozenset(row["id"] for row in read_rows(arguments.data / "own" / "texts.jsonl"))
    own = own_rows(arguments.data / "own", ids - kept.texts)
    spans, _ = parallel_news(arguments.data / "news", frozenset())
    news = list(news_texts(arguments.data / "news", frozenset(spans) - kept.documents))
    results: dict[str, Any] = {}
    for name, rows in (("twins", twins(own)), ("without its sentence", without(own)), ("near", near())):
        found = list(rows)
        results[name] = answered(found, read(reader, found, "answers"), encoder)
        print(f"{name}: {results[name]}", flush=True)
    sentences = list(without(own))
    results["sentence"] = marked(reader, sentences)
    print(f"the sentence that answers is the likeliest: {results['sentence']}")
    for name, rows in (("claims of own texts", claims(own)), ("claims of news", claims(news))):
        found = list(rows)
        results[name] = claimed(found, read(reader, found, "supports"))
        print(f"{name}:")
        for kind, shown in results[name].items():
            print(f"  {kind:12s} {shown}")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1), encoding="utf-8")


def _around(text: Text, line: int) -> list[int]:
    return list(range(*window(text.lengths, line, _CHARACTERS, np.random.default_rng(line))))


def _seed(asked: str) -> np.random.Generator:
    return np.random.default_rng(list(asked.encode()))


def twins(texts: Sequence[Annotated]) -> Iterator[Row]:
    """Questions that are not answered, and where the line is rewritten, are."""
    for name, row in _asked(texts):
        if row.twin:
            lines, asked = _around(row.text, row.near), row.wordings[0]
            yield Row(name, "", asked, row.text.show(lines, frozenset(), asked, _seed(asked)))
            instead = {row.near: row.twin}
            yield Row(name, "", asked, row.text.show(lines, frozenset({row.near}), asked, _seed(asked), instead))


def without(texts: Sequence[Annotated]) -> Iterator[Row]:
    """Questions that are answered, and where the line is left out, are not."""
    for name, row in _asked(texts):
        if row.lines:
            golds, asked = frozenset(row.lines), row.wordings[0]
            lines = _around(row.text, row.lines[0])
            rest = [line for line in lines if line not in golds]
            if rest:
                yield Row(name, "", asked, row.text.show(lines, golds, asked, _seed(asked)))
                yield Row(name, "", asked, row.text.show(rest, golds, asked, _seed(asked)))


def _asked(texts: Sequence[Annotated]) -> Iterator[tuple[str, Asked]]:
    return ((text.name, row) for text in texts for row in text.asked)


def near() -> Iterator[Row]:
    """The near-subject pairs."""
    texts: dict[Path, tuple[str, list[str]]] = {}
    for row in read_rows(_TRAINING / "unanswerable" / "pairs.jsonl"):
        folder = _CORPORA if (_CORPORA / row["corpus"]).is_dir() else _TRAINING
        path = folder / row["corpus"] / "articles" / row["article"]
        if path not in texts:
            whole, language = path.read_text(encoding="utf-8"), path.stem.split("_")[0]
            texts[path] = language, [whole[s.start : s.end] for s in split_sentences(whole, language, 0)]
        language, sentences = texts[path]
        line = next((i for i, each in enumerate(sentences) if row["sentence"] in each or each in row["sentence"]), None)
        if line is not None:
            text = Text({language: sentences})
            golds = frozenset({line} if row["answerable"] else ())
            shown = text.show(_around(text, line), golds, row["question"], _seed(row["question"]))
            kind = "corpora" if folder == _CORPORA else "training"
            yield Row(row["corpus"], kind, row["question"], shown)


def claims(texts: Sequence[Annotated]) -> Iterator[Row]:
    """True claims, changed ones, and true ones before another passage of the text."""
    for each in texts:
        for n, claim in enumerate(each.claims):
            text, line = claim.text, claim.line
            _, true, false = claim.wordings[n % len(claim.wordings)]
            lines = _around(text, line)
            shown = text.show(lines, frozenset({line}), true, _seed(true))
            yield Row(each.name, "true", true, shown)
            yield Row(each.name, claim.change, false, Example(false, shown.sentences, shown.space, (), False))
            far = [i for i in range(len(text.lengths)) if i not in lines]
            if far:
                around = [i for i in _around(text, far[len(far) // 2]) if i not in lines]
                yield Row(each.name, "citation", true, text.show(around, frozenset(), true, _seed(true)))


def read(reader: Reader, rows: Sequence[Row], head: str) -> NDArray[np.float64]:
    """The logit of each row."""
    return np.array([getattr(reader.read(row.asked, [_passage(row.example)])[0], head) for row in rows])


def _passage(example: Example) -> Passage:
    begins = np.cumsum([0, *(len(sentence) + len(example.space) for sentence in example.sentences[:-1])])
    return Passage(example.space.join(example.sentences), begins.tolist())


def answered(rows: Sequence[Row], scores: NDArray[np.float64], encoder: Encoder) -> dict[str, str]:
    """AUROC, pairs in the right order, and the control."""
    from sklearn.metrics import roc_auc_score

    labels = np.array([row.example.label for row in rows])
    control = _question_only(rows, labels, encoder)
    auroc = _over(rows, lambda chosen: float(roc_auc_score(labels[chosen], scores[chosen])))
    found = {"n": str(len(rows)), "AUROC": auroc, "control": f"{roc_auc_score(labels, control):.3f}"}
    for kind in sorted({row.kind for row in rows if row.kind}):
        own = np.array([row.kind == kind for row in rows])
        found[f"AUROC, {kind}"] = f"{roc_auc_score(labels[own], scores[own]):.3f}"
    asked = [row.asked for row in rows]
    if asked[::2] == asked[1::2]:
        higher = np.where(labels[::2], scores[::2] - scores[1::2], scores[1::2] - scores[::2]) > 0
        found["in order"] = _over(rows[::2], lambda chosen: float(higher[chosen].mean()))
    return found


def _question_only(rows: Sequence[Row], labels: NDArray[np.bool_], encoder: Encoder) -> NDArray[np.float64]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold

    vectors = np.stack([encoder.encode_question(row.asked)[0] for row in rows])
    groups = [row.name for row in rows]
    found = np.zeros(len(rows))
    for train, test in GroupKFold(min(7, len(set(groups)))).split(vectors, labels, groups):
        model = LogisticRegression(C=30, max_iter=1000).fit(vectors[train], labels[train])
        found[test] = model.decision_function(vectors[test])
    return found


def _over(rows: Sequence[Row], statistic: Callable[[NDArray[np.int64]], float]) -> str:
    """A figure with its interval, resampling texts."""
    names = np.array([row.name for row in rows])
    members = [np.flatnonzero(names == name) for name in sorted(set(names))]
    random = np.random.default_rng(7)
    drawn = []
    for _ in range(_SAMPLES):
        chosen = np.concatenate([members[i] for i in random.integers(0, len(members), len(members))])
        drawn.append(statistic(chosen))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{statistic(np.arange(len(rows))):.3f} [{low:.2f}, {high:.2f}]"


def marked(reader: Reader, rows: Sequence[Row]) -> str:
    """Share of answered questions whose likeliest sentence is the right one."""
    answerable = [row for row in rows if row.example.label]
    hits = np.array(
        [
            int(reader.read(row.asked, [_passage(row.example)])[0].sentences.argmax()) in row.example.gold
            for row in answerable
        ]
    )
    return _over(answerable, lambda chosen: float(hits[chosen].mean())) + f" n={len(hits)}"


def claimed(rows: Sequence[Row], scores: NDArray[np.float64]) -> dict[str, str]:
    """By kind of change, AUROC against the true ones and the share caught with few false alarms."""
    from sklearn.metrics import roc_auc_score

    kinds = np.array([row.kind for row in rows])
    true = scores[kinds == "true"]
    bound = float(np.quantile(true, _ALARMS))
    found = {"true": f"n={len(true)}, {(true < bound).mean():.3f} refused"}
    for kind in sorted(set(kinds) - {"true"}):
        own = scores[kinds == kind]
        auroc = roc_auc_score([1] * len(true) + [0] * len(own), [*true, *own])
        found[str(kind)] = f"n={len(own)} AUROC {auroc:.3f}, caught {(own < bound).mean():.3f}"
    return found


if __name__ == "__main__":
    main()
