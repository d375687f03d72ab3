"""Fits what joins retrieval and reader, and the probability that the excerpts answer, and measures both elsewhere.

Fitted on texts that nothing was trained on (``calibration.py``), the seeds and our three corpora, each left out in turn
where it is measured; near pairs and a pool out of XQuAD are measured alone: fitted on, near pairs cost more elsewhere
than they bring. The table shows the calibration error and the trade between hallucination (answered though
unanswerable) and error (declined though answerable). ``--sweep`` shows the first excerpt's hits over weights of the
reader's scores.

usage: python benchmarks/fit_confidence.py --data FOLDER [--xquad FOLDER] [--only NAME] [--sweep] [--without-reader]
                                           [--most N] [--write] [--work FOLDER]
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from random import Random

import numpy as np
from calibration import make_news, make_own
from pools import make_pool
from readings import RememberingReader

from index.settings import PROJECT, SEEDS, Settings
from qa.confidence import JUDGED, JUDGED_OF_READING, WITH_READER, WITHOUT_READER, signals
from qa.dialogue import resolve
from qa.engine import Engine, open_engine
from qa.evaluation import Question, read_questions
from qa.excerpts import cite, cut_excerpts
from qa.ranking import Filters, Ranking
from qa.reranking import Read, Reranker, reorder

_TRAINING = PROJECT / "benchmarks" / "training"
_CORPORA = PROJECT / "benchmarks" / "corpora"
_STRENGTH = 0.3  # of the penalty on weights; few corpora, so weights are kept small
_THRESHOLD = 0.5  # hallucination and error come out nearest to even over the corpora left out, a pool of XQuAD included
_HARD = 0.3  # what a question about kept-back own texts counts: half of them are made to be confused
_SWEPT = ((0.0, 0.015, 0.03, 0.05, 0.08), (0.0, 0.01, 0.02, 0.04))  # weights of the window's and the sentence's word


@dataclass(frozen=True)
class Corpus:
    """Articles and what is asked about them; ``fitted``: whether the fit may see it."""

    name: str
    folder: Path
    questions: list[Question]
    fitted: bool


@dataclass(frozen=True)
class Sample:
    """The signals of one corpus's questions, and whether the excerpts answer each."""

    name: str
    fitted: bool
    signals: list[dict[str, float]]
    answers: np.ndarray  # [questions], bool: an accepted string stands in an excerpt
    answerable: np.ndarray  # [questions], bool


def main() -> None:
    """Fit, print, and write when told to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--xquad", type=Path, help="folder of xquad.en.json and the like")
    parser.add_argument("--work", type=Path, default=PROJECT / ".bench")
    parser.add_argument("--only", default="", help="corpora whose names begin with this; several with commas")
    parser.add_argument("--most", type=int, default=0, help="of kept-back texts and near pairs, at most so many each")
    parser.add_argument("--sweep", action="store_true")
    parser.add_argument("--without-reader", action="store_true")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    samples = []
    for corpus in corpora(arguments.data, arguments.xquad, arguments.work):
        if any(corpus.name.startswith(part) for part in arguments.only.split(",")):
            if arguments.most and corpus.name.startswith(("kept-back", "near")):
                size = min(arguments.most, len(corpus.questions))
                corpus = replace(corpus, questions=Random(1).sample(corpus.questions, size))
            samples.append(collect(corpus, arguments.work, arguments.sweep, not arguments.without_reader))
    fitted = [each for each in samples if each.fitted]
    if not fitted:
        return
    names = [*JUDGED, *(() if arguments.without_reader else JUDGED_OF_READING)]
    for sample in samples:
        model = fit([each for each in fitted if each is not sample], names)
        print(describe(sample, model(sample)), flush=True)
    model = fit(fitted, names)
    print("weights: " + " ".join(f"{n}={w:+.2f}" for n, w in zip(names, model.weights, strict=True)))
    if arguments.write:
        path = PROJECT / "qa" / (WITHOUT_READER if arguments.without_reader else WITH_READER)
        path.write_text(json.dumps(model.as_json() | {"threshold": _THRESHOLD}, indent=1) + "\n", encoding="utf-8")
        print(f"wrote {path.name}")


def corpora(data: Path, xquad: Path | None, work: Path) -> Iterator[Corpus]:
    """Every corpus."""
    for name, make in (("kept-back own", make_own), ("kept-back news", make_news)):
        folder, file = make(data, work / name.replace(" ", "-"))
        yield Corpus(name, folder, read_questions(file), fitted=True)
    for folder in sorted(path.parent for path in [*_TRAINING.glob("*/articles"), *_CORPORA.glob("*/articles")]):
        yield Corpus(f"near {folder.name}", folder / "articles", near(folder.name), fitted=False)
    yield Corpus("seeds", SEEDS, read_questions(PROJECT / "tests" / "questions.jsonl"), fitted=True)
    for folder in sorted(_CORPORA.iterdir()):
        yield Corpus(folder.name, folder / "articles", read_questions(folder / "questions.jsonl"), fitted=True)
    if xquad and xquad.is_dir():
        folder, file = make_pool(xquad, work / "dev-pool", ["en", "ro", "ru", "zh"], 600, 150)
        yield Corpus("dev-pool", folder, read_questions(file), fitted=False)


def near(corpus: str) -> list[Question]:
    """The questions near to the subjects of a corpus."""
    rows = map(json.loads, (_TRAINING / "unanswerable" / "pairs.jsonl").read_text(encoding="utf-8").splitlines())
    return [
        Question(
            id=f"{i}",
            question=row["question"],
            language=row["language"],
            articles=(row["article"],) if row["answerable"] else (),
            answers=(row["answer"],) if row["answerable"] else (),
        )
        for i, row in enumerate(rows)
        if row["corpus"] == corpus
    ]


@dataclass(frozen=True)
class Looked:
    """What one question finds, and what the reader says of it."""

    asked: Question
    found: Ranking
    read: list[Read]
    signals: dict[str, float]
    answers: bool


def collect(corpus: Corpus, work: Path, sweep: bool, reading: bool) -> Sample:
    """Ask every question of a corpus and keep its signals."""
    engine = open_engine(Settings(corpus=corpus.folder, data=work / "data", reader=False))
    reader = RememberingReader(engine.settings, work, corpus.name.replace(" ", "-")) if reading else None
    reranker = Reranker(reader) if reader else None
    looked = [look(engine, question, reranker) for question in corpus.questions]
    if reader:
        reader.save()
    n = sum(each.asked.answerable for each in looked)
    print(f"{corpus.name}: {len(looked)} questions, {n} answerable", flush=True)
    if sweep:
        _sweep(engine, looked)
    return Sample(
        corpus.name,
        corpus.fitted,
        [each.signals for each in looked],
        np.array([each.answers for each in looked]),
        np.array([each.asked.answerable for each in looked]),
    )


def look(engine: Engine, question: Question, reranker: Reranker | None) -> Looked:
    """Signals of one question, and whether its excerpts hold an accepted answer."""
    found = resolve(question.question, (), engine.encoder, engine.collection, Filters())
    ranking, read = found.ranking, None
    if reranker:
        ranking, read = reranker.rerank(found.question, ranking, engine.collection)
    excerpts = cut_excerpts(ranking, engine.collection, 5)
    answers = _hits(question, engine, ranking)[1]
    seen = signals(found.question, ranking, excerpts, engine.collection, read)
    return Looked(question, found.ranking, read or [], seen, answers)


def _hits(question: Question, engine: Engine, ranking: Ranking) -> tuple[bool, bool]:
    """Whether an accepted string stands in the first excerpt, in one of five."""
    texts = [citation.text for citation in cite(cut_excerpts(ranking, engine.collection, 5), engine.collection)]
    hits = [any(answer in text for answer in question.answers) for text in texts]
    return hits[0], any(hits)


def _sweep(engine: Engine, looked: list[Looked]) -> None:
    """a1 and best sentences that hold the answer, over weights."""
    for answers, sentence in product(*_SWEPT):
        hits: dict[str, list[tuple[bool, bool]]] = {"same": [], "cross": []}
        for each in looked:
            if each.asked.answerable:
                ranking = reorder(each.found, each.read, answers, sentence)
                languages = {engine.articles[name].language for name in each.asked.articles}
                side = "same" if each.asked.language in languages else "cross"
                best = engine.collection.text(int(ranking.sentences[0]))
                held = any(answer in best for answer in each.asked.answers)
                hits[side].append((_hits(each.asked, engine, ranking)[0], held))
        means = {side: np.mean(found, axis=0) for side, found in hits.items() if found}
        shown = "  ".join(f"{side} {first:.3f} {held:.3f}" for side, (first, held) in means.items())
        print(f"  a1, sentence at {answers:.3f} {sentence:.3f}: {shown}", flush=True)


@dataclass(frozen=True)
class Fitted:
    """A logistic model over standardised signals."""

    names: list[str]
    means: np.ndarray
    scales: np.ndarray
    weights: np.ndarray
    bias: float

    def __call__(self, sample: Sample) -> np.ndarray:
        """Probabilities [questions]."""
        values = np.array([[found[name] for name in self.names] for found in sample.signals])
        scaled = ((values - self.means) / self.scales).clip(-4, 4)
        probabilities: np.ndarray = 1 / (1 + np.exp(-(scaled @ self.weights + self.bias)))
        return probabilities

    def as_json(self) -> dict[str, object]:
        """What qa/confidence.json holds."""
        rounded = {key: np.round(getattr(self, key), 5).tolist() for key in ("means", "scales", "weights")}
        return {"names": self.names} | rounded | {"bias": round(self.bias, 5)}


def fit(samples: list[Sample], names: list[str]) -> Fitted:
    """Every question counts alike but the hard ones; corpora weighted alike calibrate worse on those left out."""
    from sklearn.linear_model import LogisticRegression

    values = np.array([[found[name] for name in names] for s in samples for found in s.signals])
    target = np.concatenate([s.answers for s in samples])
    counts = np.concatenate([np.full(len(s.answers), _HARD if s.name == "kept-back own" else 1.0) for s in samples])
    means, scales = values.mean(0), values.std(0) + 1e-9
    model = LogisticRegression(C=_STRENGTH, max_iter=2000)
    model.fit(((values - means) / scales).clip(-4, 4), target, counts)
    return Fitted(names, means, scales, model.coef_[0], float(model.intercept_[0]))


def rates(sample: Sample, probabilities: np.ndarray, threshold: float) -> tuple[float, float]:
    """Hallucination and error at a threshold."""
    hallucination = (
        float((probabilities[~sample.answerable] >= threshold).mean()) if (~sample.answerable).any() else 0.0
    )
    return hallucination, float((probabilities[sample.answerable] < threshold).mean())


def calibration_error(probabilities: np.ndarray, outcomes: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error over equal-width bins (Guo et al. 2017, arXiv 1706.04599)."""
    which = np.minimum((probabilities * bins).astype(int), bins - 1)
    gaps = [
        (which == b).mean() * abs(probabilities[which == b].mean() - outcomes[which == b].mean())
        for b in range(bins)
        if (which == b).any()
    ]
    return float(sum(gaps))


def describe(sample: Sample, probabilities: np.ndarray) -> str:
    """One line: AUROC, calibration, and hallucination at error .12."""
    from sklearn.metrics import roc_auc_score

    unanswerable = np.sort(probabilities[~sample.answerable])
    answerable = np.sort(probabilities[sample.answerable])
    at_12 = float((unanswerable >= answerable[int(0.12 * len(answerable))]).mean())
    hallucination, error = rates(sample, probabilities, _THRESHOLD)
    return (
        f"{sample.name:20s} {'fit' if sample.fitted else '   '} "
        f"AUROC {roc_auc_score(sample.answerable, probabilities):.3f}  "
        f"ECE {calibration_error(probabilities, sample.answers):.3f}  "
        f"hallucination at error .12: {at_12:.3f}  "
        f"at {_THRESHOLD}: hallucination {hallucination:.3f} error {error:.3f}"
    )


if __name__ == "__main__":
    main()
