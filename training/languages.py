"""Fits ``index/trained/languages.npz``: which language a short text is in, told from the rows of its pieces.

Linear discriminant analysis (Fisher 1936; closed form, seconds) over the mean of the encoder's table rows, on runs of
four to ten words of the parallel news. The vectors after the layers do not tell, on purpose; the rows before them do.
Prints the share of wrongly told questions of our own, with and without it.

usage: python -m training.languages --data FOLDER [--write]
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from babel.core import get_global

from index.encoder import LANGUAGES, FloatMatrix, built_in
from index.languages import language_posterior, merged, reweigh
from index.settings import PROJECT, Settings

_LEFT_OUT = ("bos", "srp-Latn")  # as index.languages has it, these lie where Croatian does
_WORDS = (4, 10)  # of a sample
_RIDGE = 0.01  # of the mean variance, added to all


def main() -> None:
    """Fit, print, and write when told to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=PROJECT / ".bench")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    encoder = built_in(Settings(data=arguments.work / "data"), None)
    samples = dict(read(arguments.data / "news" / "ntrex"))
    rows = {code: np.stack([encoder.piece_mean(text) for text in texts]) for code, texts in samples.items()}
    weights, bias = fit(rows)
    if arguments.write:
        np.savez(LANGUAGES, languages=list(rows), weights=weights.astype(np.float16), bias=bias.astype(np.float16))
        print(f"wrote {LANGUAGES.name}: {len(rows)} languages")
    asked = list(questions())
    for name, scored in (("with", True), ("without", False)):
        wrong = 0
        for text, language, expected in asked:
            scores = {}
            if scored:
                values = encoder.piece_mean(text) @ weights + bias
                scores = dict(zip(rows, (values - np.logaddexp.reduce(values)).tolist(), strict=True))
            wrong += next(iter(reweigh(language_posterior(text), scores, expected)), "") != language
        print(f"{name}: {wrong / len(asked):.4f} of {len(asked)} questions wrong")


def read(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Samples by language, as ``index.languages`` names it."""
    random = np.random.default_rng(1)
    aliases = get_global("language_aliases")
    for path in sorted(folder.glob("*.txt")):
        if path.stem in _LEFT_OUT:
            continue
        code = path.stem.split("-")[0]
        lines = path.read_text(encoding="utf-8").split("\n")[:-1:2]
        yield merged(aliases.get(code, code)), [_cut(line.split(), random) for line in lines if line.strip()]


def _cut(words: list[str], random: np.random.Generator) -> str:
    """A run of words; the whole where there are few or where the script has no spaces."""
    size = int(random.integers(_WORDS[0], _WORDS[1] + 1))
    begin = int(random.integers(max(1, len(words) - size)))
    return " ".join(words[begin : begin + size])


def fit(rows: dict[str, FloatMatrix]) -> tuple[FloatMatrix, FloatMatrix]:
    """Weights [dimension, languages] and bias [languages] of log-probabilities, but for a constant."""
    means = np.stack([each.mean(axis=0) for each in rows.values()])
    within = np.concatenate([each - each.mean(axis=0) for each in rows.values()])
    covariance = within.T @ within / len(within)
    covariance += _RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    weights = np.linalg.solve(covariance, means.T).astype(np.float32)
    bias: FloatMatrix = (-0.5 * (means.T * weights).sum(axis=0)).astype(np.float32)
    return weights, bias


def questions() -> Iterator[tuple[str, str, set[str]]]:
    """Our questions, their languages, and those of the articles they are asked of."""
    benchmarks = PROJECT / "benchmarks"
    files = [*benchmarks.glob("training/*/pairs.jsonl"), *benchmarks.glob("corpora/*/questions.jsonl")]
    for file in sorted(files):
        names = [path.stem for path in (file.parent / "articles").glob("*.txt")]
        own = {part for name in names for part in name.split("_") if len(part) == 2 and part.isalpha()}
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            yield row["question"], row["language"], own
    for line in (PROJECT / "tests" / "questions.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield row["question"], row["language"], {"sq", "sl", "en"}


if __name__ == "__main__":
    main()
