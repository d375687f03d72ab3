"""How well the check of a model's sentences tells supported from unsupported ones; ``--fit`` fits its bound anew.

Measured on ``verification/statements.jsonl`` (the seeds). Fitted on ``verification/tuning.jsonl`` (other articles),
where ``--fit`` also prints what cross-validation gives. Intervals: bootstrap over groups of one ``true_id``.

    PYTHONPATH=. .venv/bin/python benchmarks/verification.py
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.settings import SEEDS, Settings
from qa.answer import Citation
from qa.engine import Engine, open_engine
from qa.llm.evidence import Evidence, gather
from qa.llm.verify import features, judge

HERE = Path(__file__).parent
BOUND = HERE.parent / "qa" / "llm" / "verification.json"
KINDS = ("number", "name", "citation", "negation", "invented")
FALSE_ALARMS = 0.09  # wanted on the tuning sentences, all checks together
SAMPLES = 5000


@dataclass(frozen=True)
class Row:
    """One sentence with the evidence about it."""

    group: str
    language: str
    kind: str
    evidence: Evidence


def read(file: Path, corpus_of: Callable[[str], tuple[Path, str]]) -> list[Row]:
    """The sentences of a file; ``corpus_of`` gives folder and name of an article."""
    engines: dict[Path, Engine] = {}
    rows = []
    for line in file.read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        citations = []
        for n, cited in enumerate(item["citations"], start=1):
            folder, name = corpus_of(cited["article"])
            engine = engines.setdefault(folder, engines.get(folder) or open_engine(Settings(corpus=folder)))
            citations.append(_cite(n, engine, name, cited["start"], cited["end"]))
        evidence = gather(item["sentence"], item["language"], citations, engine.encoder, engine.collection)
        rows.append(Row(item["true_id"], item["language"], item["kind"], evidence))
    return rows


def _cite(n: int, engine: Engine, name: str, start: int, end: int) -> Citation:
    article = engine.articles[name]
    return Citation(
        n, name, article.title, article.date, article.language, start, end, article.text[start:end], (start, end), 0.0
    )


def of_seeds(name: str) -> tuple[Path, str]:
    return SEEDS, name


def of_corpora(name: str) -> tuple[Path, str]:
    corpus, folder, article = name.split("/", 2)
    return HERE / "corpora" / corpus / folder, article


def table(rows: Sequence[Row], refused: NDArray[np.bool_]) -> str:
    """Share that is refused, by kind, with its interval; of the true ones that is the share of false alarms."""
    lines = ["| kind | sentences | marked unsupported |", "| --- | --- | --- |"]
    for kind in ("true", *KINDS):
        here = np.array([row.kind == kind for row in rows])
        low, high = interval(rows, refused, here)
        shown = "false alarms (true)" if kind == "true" else f"caught: {kind}"
        lines.append(f"| {shown} | {here.sum()} | {refused[here].mean():.2f} [{low:.2f}, {high:.2f}] |")
    return "\n".join(lines)


def interval(rows: Sequence[Row], refused: NDArray[np.bool_], here: NDArray[np.bool_]) -> tuple[float, float]:
    """95 % of the share, resampling groups."""
    groups = sorted({row.group for row in rows})
    place = {group: i for i, group in enumerate(groups)}
    hits, counts = np.zeros(len(groups)), np.zeros(len(groups))
    for row, no, wanted in zip(rows, refused, here, strict=True):
        if wanted:
            counts[place[row.group]] += 1
            hits[place[row.group]] += no
    drawn = np.random.default_rng(7).integers(0, len(groups), (SAMPLES, len(groups)))
    shares = hits[drawn].sum(axis=1) / np.maximum(counts[drawn].sum(axis=1), 1)
    low, high = np.quantile(shares, [0.025, 0.975])
    return float(low), float(high)


def by_fact(evidence: Evidence) -> bool:
    """Whether numbers or countries alone refuse a sentence."""
    return bool(evidence.numbers or evidence.countries)


def fit(rows: Sequence[Row]) -> dict[str, Any]:
    """The bound over all sentences that pass the plain checks, and its threshold by cross-validation."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold

    names = list(features(rows[0].evidence))
    seen = np.array([[features(row.evidence)[name] for name in names] for row in rows])
    true = np.array([row.kind == "true" for row in rows])
    used = np.array([row.kind != "number" for row in rows])  # numbers have a check of their own
    means, scales = seen[used].mean(axis=0), seen[used].std(axis=0)
    scaled = ((seen - means) / scales).clip(-4, 4)
    model = LogisticRegression(C=0.3, class_weight="balanced")
    held_out = np.zeros(len(rows))
    groups = [row.group for row in rows]
    for train, test in GroupKFold(10).split(scaled, true, groups):
        train = train[used[train]]
        held_out[test] = model.fit(scaled[train], true[train]).predict_proba(scaled[test])[:, 1]
    plain = np.array([by_fact(row.evidence) for row in rows])
    left = max(0.0, FALSE_ALARMS - plain[true].mean()) / max(1e-9, 1 - plain[true].mean())
    threshold = float(np.quantile(held_out[true & ~plain], left))
    print("tuning sentences, cross-validated\n" + table(rows, plain | (held_out < threshold)))
    model.fit(scaled[used], true[used])
    return {
        "names": names, "means": _rounded(means), "scales": _rounded(scales), "weights": _rounded(model.coef_[0]),
        "bias": round(float(model.intercept_[0]), 5), "threshold": round(threshold, 5),
    }  # fmt: skip


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [round(float(value), 5) for value in values]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", action="store_true", help="fit the bound on the tuning sentences and write it")
    if parser.parse_args().fit:
        bound = fit(read(HERE / "verification" / "tuning.jsonl", of_corpora))
        BOUND.write_text(json.dumps(bound, indent=1) + "\n", encoding="utf-8")
        print(f"{BOUND.name}: {bound}")
        return
    rows = read(HERE / "verification" / "statements.jsonl", of_seeds)
    refused = np.array([not judge(row.evidence).supported for row in rows])
    print(table(rows, refused))
    for language in sorted({row.language for row in rows}):
        own = np.array([row.language == language for row in rows])
        true = own & np.array([row.kind == "true" for row in rows])
        false = own & np.array([row.kind in ("number", "name", "citation") for row in rows])
        print(f"{language}: caught {refused[false].mean():.2f} of {false.sum()}, false alarms "
              f"{refused[true].mean():.2f} of {true.sum()}")  # fmt: skip


if __name__ == "__main__":
    main()
