"""How well the check of a model's sentences tells supported from unsupported ones; ``--fit`` fits its bounds anew.

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
from qa.llm.verify import judge, meaning_features, name_features

HERE = Path(__file__).parent
BOUND = HERE.parent / "qa" / "llm" / "verification.json"
KINDS = ("number", "name", "citation", "negation", "invented")
NAME_ALARMS, MEANING_ALARMS = 0.03, 0.02  # shares of true sentences that the learned bounds may refuse
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
    """Both bounds; their thresholds out of cross-validation."""
    refused = np.array([by_fact(row.evidence) for row in rows])
    print(f"numbers and countries alone:\n{table(rows, refused)}\n")
    bounds = {}
    for name, seen, against, share in (
        ("name", name_features, ("name",), NAME_ALARMS),
        ("meaning", meaning_features, ("citation", "invented", "negation"), MEANING_ALARMS),
    ):
        bounds[name], no = _fit_one(rows, seen, against, share)
        refused |= no
    print(f"all checks, cross-validated:\n{table(rows, refused)}\n")
    return bounds


def _fit_one(
    rows: Sequence[Row], seen: Callable[[Evidence], dict[str, float]], against: Sequence[str], share: float
) -> tuple[dict[str, Any], NDArray[np.bool_]]:
    """A bound, and which rows it refuses when their group is held out; ``share``: of the true ones that pass so far."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold

    names = list(seen(rows[0].evidence))
    values = np.array([[seen(row.evidence)[name] for name in names] for row in rows])
    true = np.array([row.kind == "true" for row in rows])
    used = true | np.array([row.kind in against for row in rows])
    means, scales = values[used].mean(axis=0), values[used].std(axis=0)
    scaled = ((values - means) / scales).clip(-4, 4)
    model = LogisticRegression(C=0.5, class_weight="balanced")
    held_out = np.zeros(len(rows))
    for train, test in GroupKFold(10).split(scaled, true, [row.group for row in rows]):
        train = train[used[train]]
        held_out[test] = model.fit(scaled[train], true[train]).predict_proba(scaled[test])[:, 1]
    plain = np.array([by_fact(row.evidence) for row in rows])
    threshold = float(np.quantile(held_out[true & ~plain], share))
    model.fit(scaled[used], true[used])
    bound = {
        "names": names, "means": _rounded(means), "scales": _rounded(scales), "weights": _rounded(model.coef_[0]),
        "bias": round(float(model.intercept_[0]), 5), "threshold": round(threshold, 5),
    }  # fmt: skip
    return bound, held_out < threshold


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [round(float(value), 5) for value in values]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", action="store_true", help="fit the bounds on the tuning sentences and write them")
    if parser.parse_args().fit:
        bounds = fit(read(HERE / "verification" / "tuning.jsonl", of_corpora))
        BOUND.write_text(json.dumps(bounds, indent=1) + "\n", encoding="utf-8")
        print(f"{BOUND.name}: {bounds}")
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
