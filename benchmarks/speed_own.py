"""One run of Polycite for benchmarks/speed.py, in a process of its own. Prints one line of JSON.

usage: python benchmarks/speed_own.py CORPUS QUESTIONS DATA [--made N] [--ask]

With --made N, the corpus is one of N sentences out of the articles' paragraphs, shuffled into articles of 20 sentences,
and every vector is moved a little at random, so that no two are alike: the encoder then costs next to nothing, and what
is measured is everything else.
"""

import argparse
import json
import os
import random
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from index.collection import Collection
from index.encoder import Encoder, FloatMatrix, Progress, Tokens, normalise, open_encoder
from index.passages import LONGEST, SHORTEST
from index.settings import Settings
from index.sync import sync
from qa.engine import Engine
from qa.question import understand
from qa.ranking import Filters, _allowed, _candidates
from qa.reader import Reader

_MOVED = 0.3  # length of what is added at random to a unit vector


class Remembering:
    """An encoder that encodes no text twice, but gives a slightly different vector each time."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, tuple[FloatMatrix, Tokens]] = {}
        self._random = np.random.default_rng(1)
        self.name, self.fingerprint, self.dimension = encoder.name, encoder.fingerprint, encoder.dimension

    def encode_sentences(self, texts: Sequence[str], progress: Progress | None = None) -> FloatMatrix:
        """See Encoder."""
        return self.encode_passages(texts, progress)[0]

    def encode_passages(
        self, texts: Sequence[str], progress: Progress | None = None
    ) -> tuple[FloatMatrix, list[Tokens]]:
        """See Encoder."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known |= dict(zip(new, zip(*self._encoder.encode_passages(new, progress), strict=True), strict=True))
        vectors = np.stack([self._known[text][0] for text in texts])
        noise = normalise(self._random.standard_normal(vectors.shape, np.float32))
        return normalise(vectors + _MOVED * noise), [self._known[text][1] for text in texts]

    def encode_question(self, text: str) -> tuple[FloatMatrix, Tokens]:
        """See Encoder."""
        return self._encoder.encode_question(text)

    def language_scores(self, text: str) -> dict[str, float]:
        """See Encoder."""
        return self._encoder.language_scores(text)


def main() -> None:
    """Index, or open what another run indexed and ask."""
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus", type=Path)
    parser.add_argument("questions", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--made", type=int, default=0)
    parser.add_argument("--ask", action="store_true", help="what is indexed already")
    given = parser.parse_args()
    begun = time.perf_counter()
    encoder: Encoder = open_encoder(Settings(data=given.data))
    encoder.encode_question("warm")
    result: dict[str, Any] = {"load": time.perf_counter() - begun}
    if given.made and not given.ask:
        encoder = Remembering(encoder)
        make_corpus(given.corpus, given.data / f"made-{given.made}", given.made)
    corpus = given.data / f"made-{given.made}" if given.made else given.corpus
    settings = Settings(corpus=corpus, data=given.data)
    if given.ask:
        questions = json.loads(given.questions.read_text(encoding="utf-8"))
        result |= asking(settings, encoder, questions)
    else:
        result["ingest"], (report, collection) = timed(lambda: sync(settings, encoder))
        result |= {"sentences": len(collection.spans), "encoded": report.sentences_encoded}
    print(json.dumps(result))


def asking(settings: Settings, encoder: Encoder, questions: Sequence[str]) -> dict[str, Any]:
    """What a process costs that finds everything indexed."""
    before = resident()
    seconds, (report, collection) = timed(lambda: sync(settings, encoder))
    assert report.sentences_encoded == 0
    engine = Engine(settings, encoder, collection, report)
    engine.ask(questions[0])
    result = {"open": seconds, "sentences": len(collection.spans), "articles": len(collection.names)}
    result |= percentiles([timed(lambda q=q: engine.ask(q))[0] for q in questions[1:]])
    reading = Engine(settings, encoder, collection, report, reader=Reader(settings))
    reading.ask(questions[0])
    read = percentiles([timed(lambda q=q: reading.ask(q))[0] for q in questions[1:]])
    result |= {f"read_{name}": value for name, value in read.items()}
    recent = int(np.median(collection.article_dates)) or 202001
    since = f"{recent // 100}-{recent % 100:02d}"
    result["filtered_p50"] = statistics.median(
        timed(lambda q=q: engine.ask(q, since=since, language="en"))[0] for q in questions[1:]
    )
    result |= {"rss": resident(), "rss_before": before}
    result["recall"] = statistics.mean(recall(question, encoder, collection) for question in questions[:20])
    result["no_change"], (report, collection) = timed(lambda: sync(settings, encoder, previous=collection))
    assert report.sentences_encoded == 0 and report.unchanged == len(collection.names)
    extra = settings.corpus / "one-more.txt"
    extra.write_text("date 2024-05 A bridge was opened. It is long.", encoding="utf-8")
    result["one_more"], (report, _) = timed(lambda: sync(settings, encoder, previous=collection))
    assert (report.added, report.removed, report.sentences_encoded) == (1, 0, 2)
    extra.unlink()
    sync(settings, encoder, previous=collection)
    return result


def make_corpus(source: Path, folder: Path, sentences: int) -> None:
    """Write a corpus of about so many sentences."""
    pool = [
        paragraph
        for path in sorted(source.rglob("*.txt"))
        for paragraph in path.read_text(encoding="utf-8").split("\n")
        if SHORTEST <= len(paragraph) <= LONGEST  # each is a passage by itself, and so encoded but once
    ]
    shuffle = random.Random(sentences)
    folder.mkdir(parents=True)
    for number in range(max(1, sentences // 20)):
        text = "\n\n".join(shuffle.choices(pool, k=6))
        date = f"date {2010 + number % 15}-{1 + number % 12:02d} "
        (folder / f"{number:06d}.txt").write_text(date + text, encoding="utf-8")


def timed(run: Any) -> tuple[float, Any]:
    """Seconds, and what came out."""
    begun = time.perf_counter()
    outcome = run()
    return time.perf_counter() - begun, outcome


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """The middle one, and the one that a twentieth exceeds."""
    return {"p50": statistics.median(seconds), "p95": statistics.quantiles(seconds, n=20)[-1]}


def recall(question: str, encoder: Encoder, collection: Collection) -> float:
    """Share of the ten nearest sentences that are among the candidates."""
    asked = understand(question, encoder, collection)
    nearness = collection.nearness(asked.vector)
    exact = np.argsort(-nearness)[:10]
    found = _candidates(nearness, _allowed(collection, Filters()), collection)
    return float(np.isin(exact, found).mean())


def resident() -> float:
    """Bytes of memory that this process holds."""
    return float(int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE"))


if __name__ == "__main__":
    main()
