"""Measures what each part of the ranking brings: one part taken away at a time, over several corpora.

Prints a1 and a5 (an accepted answer stands in the first, in one of five excerpts), for questions in the language of the
article and in others, and the share of best single sentences that hold the answer.

usage: python benchmarks/ablation.py [--xquad FOLDER] [--only NAME] [--work FOLDER]
"""

import argparse
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from quality import corpora

from index.centres import ResidualCentres, normalise
from index.collection import Collection
from index.encoder import Encoder, SentenceTransformerEncoder
from index.settings import PROJECT, Settings
from index.vectors import VectorCache
from qa.engine import Engine, open_engine
from qa.evaluation import Question, read_questions
from qa.excerpts import cite, cut_excerpts
from qa.interaction import untrained
from qa.question import Question as Understood
from qa.question import understand
from qa.ranking import rank
from qa.shifts import unshifted

Variant = Callable[[str, Encoder, Collection], tuple[Understood, Collection]]


def main() -> None:
    """Print a table for each corpus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--xquad", type=Path, help="folder of xquad.en.json and the like")
    parser.add_argument("--work", type=Path, default=PROJECT / ".bench")
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    for name, corpus, file in corpora(arguments.xquad, arguments.work):
        if arguments.only in name:
            engine = open_engine(Settings(corpus=corpus, data=arguments.work / "data"))
            questions = [question for question in read_questions(file) if question.answerable]
            print(f"{name}: {len(questions)} questions")
            for label, variant in VARIANTS.items():
                print(f"  {label:44s} {measure(engine, questions, variant)}", flush=True)


def whole(text: str, encoder: Encoder, collection: Collection) -> tuple[Understood, Collection]:
    """Everything."""
    return understand(text, encoder, collection), collection


def without_shifts(text: str, encoder: Encoder, collection: Collection) -> tuple[Understood, Collection]:
    """Questions centred as passages are."""
    return understand(text, encoder, collection, shifts=unshifted(encoder.dimension)), collection


def without_training(text: str, encoder: Encoder, collection: Collection) -> tuple[Understood, Collection]:
    """Questions read by the encoder as it is, token matches as they are."""
    return understand(text, plain(encoder), collection, untrained(encoder.dimension)), collection


def plain(encoder: Encoder) -> Encoder:
    """The encoder as it is."""
    return encoder.unadapted if isinstance(encoder, SentenceTransformerEncoder) else encoder


def without_dates(text: str, encoder: Encoder, collection: Collection) -> tuple[Understood, Collection]:
    """Dates in questions not looked at."""
    return replace(understand(text, encoder, collection), periods=()), collection


def without_tokens(text: str, encoder: Encoder, collection: Collection) -> tuple[Understood, Collection]:
    """Vectors alone."""
    question = understand(text, plain(encoder), collection, untrained(encoder.dimension))
    return replace(question, interaction_weight=0.0), collection


def without_residual(text: str, encoder: Encoder, collection: Collection) -> tuple[Understood, Collection]:
    """Vectors alone, with the fixed centres alone."""
    none = ResidualCentres(np.zeros(encoder.dimension, np.float32), {})
    question, _ = without_tokens(text, encoder, replace(collection, centres=none))
    return question, replace(collection, centres=none, lengths=np.ones_like(collection.lengths))


def without_centres(text: str, encoder: Encoder, collection: Collection) -> tuple[Understood, Collection]:
    """Vectors alone, as the encoder gives them."""
    question, _ = without_tokens(text, encoder, collection)
    return replace(question, centred=question.raw), as_encoded(collection)


_raw: dict[int, Collection] = {}


def as_encoded(collection: Collection) -> Collection:
    """Each sentence with its passage, nothing taken out."""
    if id(collection) not in _raw:
        cache = VectorCache(collection.tokens.path)
        records = [cache.get(collection.loaded[name].key) for name in collection.names]
        cache.close()
        vectors = [
            record.sentence_vectors.astype(np.float32)
            + np.repeat(record.passage_vectors, record.passages[:, 3] - record.passages[:, 2], axis=0)
            for record in records
            if record is not None
        ]
        _raw[id(collection)] = replace(
            collection,
            stored=normalise(np.concatenate(vectors)),
            lengths=np.ones_like(collection.lengths),
            centres=ResidualCentres(np.zeros(collection.stored.shape[1], np.float32), {}),
        )
    return _raw[id(collection)]


VARIANTS: dict[str, Variant] = {
    "everything": whole,
    "without dates": without_dates,
    "without the questions' own shifts": without_shifts,
    "without training": without_training,
    "... and without token matches": without_tokens,
    "... and without the corpus's own centres": without_residual,
    "... and without any (the encoder as it is)": without_centres,
}


def measure(engine: Engine, questions: list[Question], variant: Variant) -> str:
    """The figures of one variant."""
    hits: dict[str, list[tuple[bool, bool, bool]]] = defaultdict(list)
    for question in questions:
        understood, collection = variant(question.question, engine.encoder, engine.collection)
        ranking = rank(understood, collection)
        excerpts = cut_excerpts(ranking, collection, 5)
        texts = [citation.text for citation in cite(excerpts, collection)]
        languages = {engine.articles[name].language for name in question.articles}
        best = collection.text(excerpts[0].best)
        first = any(answer in texts[0] for answer in question.answers)
        five = any(answer in text for answer in question.answers for text in texts)
        part = "same" if question.language in languages else "cross"
        hits[part].append((first, five, any(answer in best for answer in question.answers)))
    cells = []
    for part in ("same", "cross"):
        a1, a5, sentence = np.mean(hits[part], axis=0)
        cells.append(f"{part} (n {len(hits[part])}): a1 {a1:.3f} a5 {a5:.3f} sentence {sentence:.3f}")
    return "  ".join(cells)


if __name__ == "__main__":
    main()
