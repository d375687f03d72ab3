"""Measures the quality of answers over several corpora, with n and 95 % bootstrap intervals, beside a rival.

Corpora: the seeds with tests/questions.jsonl; three of our own (benchmarks/corpora); the dev pool out of XQuAD in
English, Romanian, Russian and Chinese (600 questions and 150 unanswerable) where its folder is given. The rival is what
a user would otherwise run: LlamaIndex's SentenceSplitter (1 024 tokens, overlap 200) and vector index over the same
encoder before our training, top 5 chunks.

usage: python benchmarks/quality.py [--xquad FOLDER] [--only NAME] [--rival] [--without-reader]
                                    [--work FOLDER] [--json FILE]
"""

import argparse
import json
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pools import make_pool
from readings import RememberingReader

from index.encoder import built_in
from index.settings import PROJECT, SEEDS, Settings
from qa.engine import Engine, open_engine
from qa.evaluation import Question, compute_metrics, read_questions

_SHOWN = ("a1", "a5", "highlight", "hit@1", "hit@5")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--xquad", type=Path, help="folder of xquad.en.json and the like")
    parser.add_argument("--work", type=Path, default=PROJECT / ".bench")
    parser.add_argument("--only", default="")
    parser.add_argument("--rival", action="store_true")
    parser.add_argument("--without-reader", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {platform.system()}, Python {platform.python_version()}")
    results: dict[str, Any] = {}
    for name, corpus, file in corpora(arguments.xquad, arguments.work):
        if arguments.only not in name:
            continue
        questions = read_questions(file)
        plain = open_engine(Settings(corpus=corpus, data=arguments.work / "data", reader=False))
        reader = RememberingReader(plain.settings, arguments.work, name) if not arguments.without_reader else None
        engine = Engine(plain.settings, plain.encoder, plain.collection, plain.report, reader=reader)
        results[name] = measure(engine, questions)
        if reader:
            reader.save()
        show(name, results[name])
        if arguments.rival:
            found = rival(engine, questions)
            print("  LlamaIndex's default: " + "  ".join(f"{key} {value:.3f}" for key, value in found.items()))
            results[name]["rival"] = found
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1, ensure_ascii=False), encoding="utf-8")


def corpora(xquad: Path | None, work: Path) -> Iterator[tuple[str, Path, Path]]:
    """Name, articles and questions of every corpus."""
    yield "seeds", SEEDS, PROJECT / "tests" / "questions.jsonl"
    for folder in sorted((PROJECT / "benchmarks" / "corpora").iterdir()):
        yield folder.name, folder / "articles", folder / "questions.jsonl"
    if xquad and xquad.is_dir():
        yield "dev-pool", *make_pool(xquad, work / "dev-pool", ["en", "ro", "ru", "zh"], 600, 150)
    else:
        print("no --xquad folder: the dev pool is left out")


def measure(engine: Engine, questions: list[Question]) -> dict[str, Any]:
    """Metrics of all questions."""
    rows = [(question, engine.ask(question.question).as_json()) for question in questions]
    texts = {name: article.text for name, article in engine.articles.items()}
    languages = {name: article.language for name, article in engine.articles.items()}
    return compute_metrics(rows, texts, languages)


def show(name: str, metrics: dict[str, Any]) -> None:
    """A few lines for one corpus."""
    print(f"{name}")
    for part, values in metrics["by_direction"].items():
        print(f"  {part:6s}" + "  ".join(_cell(metric, values[metric]) for metric in _SHOWN))
    overall = metrics["all"]
    shown = ("a1", "a5", "hallucination", "error", "ece", "quotes")
    print("  all   " + "  ".join(_cell(metric, overall[metric]) for metric in shown), flush=True)


def _cell(metric: str, value: dict[str, Any]) -> str:
    if not value["n"]:
        return f"{metric} -"
    return f"{metric} {value['value']:.3f} [{value['low']:.2f}, {value['high']:.2f}] n={value['n']}"


def rival(engine: Engine, questions: list[Question]) -> dict[str, float]:
    """Share of answerable questions whose accepted string stands in the first, or the first five, chunks."""
    from llama_index.core import Document, MockEmbedding, VectorStoreIndex
    from llama_index.core.node_parser import SentenceSplitter

    encoder = built_in(engine.settings, None)  # as a user would get it without us

    class Embedding(MockEmbedding):
        """The same encoder with the same prompts."""

        def _get_query_embedding(self, query: str) -> list[float]:
            return [float(number) for number in encoder.encode_question(query)[0]]

        def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
            return [[float(number) for number in vector] for vector in encoder.encode_sentences(texts)]

    documents = [Document(text=article.text, metadata={"file_name": name}) for name, article in engine.articles.items()]
    index = VectorStoreIndex.from_documents(
        documents,
        embed_model=Embedding(embed_dim=encoder.dimension),
        transformations=[SentenceSplitter(chunk_size=1024, chunk_overlap=200)],
    )
    retriever = index.as_retriever(similarity_top_k=5)
    hits: dict[str, list[bool]] = {}
    for question in questions:
        if not question.answerable:
            continue
        chunks = [node.node.get_content() for node in retriever.retrieve(question.question)]
        languages = {engine.articles[name].language for name in question.articles}
        part = "same" if question.language in languages else "cross"
        for k in (1, 5):
            found = any(answer in chunk for answer in question.answers for chunk in chunks[:k])
            hits.setdefault(f"{part} a{k}", []).append(found)
    return {key: sum(found) / len(found) for key, found in sorted(hits.items())}


if __name__ == "__main__":
    main()
