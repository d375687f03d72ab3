"""The sentences that verification is measured on: spans that exist, kinds that hold together, enough of each."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from index.articles import Article, read_article
from index.settings import PROJECT

BENCHMARKS = PROJECT / "benchmarks"
KINDS = {"true", "number", "name", "citation", "negation", "invented"}
FIELDS = {"id", "true_id", "language", "kind", "sentence", "citations"}
SETS = {
    "statements.jsonl": (
        PROJECT / "seeds",
        {"true": 180, "number": 60, "name": 60, "citation": 50, "negation": 40, "invented": 50},
    ),
    "tuning.jsonl": (
        BENCHMARKS / "corpora",
        {"true": 90, "number": 80, "name": 40, "citation": 50, "negation": 30, "invented": 20},
    ),
}
SEED_LANGUAGES = {"sq", "sl", "en", "de", "fr", "es", "it", "tr", "ru", "zh", "ja", "ar"}

Row = dict[str, Any]


def rows_of(name: str) -> list[Row]:
    """The rows of one of the files."""
    lines = (BENCHMARKS / "verification" / name).read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def text_of(folder: Path, name: str) -> str:
    """The text of an article as the project reads it."""
    article = read_article(name, folder / name, lambda _text: "und")
    assert isinstance(article, Article), article
    return article.text


@pytest.mark.parametrize("name", SETS)
def test_rows_have_their_fields_and_no_twin(name: str) -> None:
    rows = rows_of(name)
    assert all(set(row) == FIELDS and row["kind"] in KINDS for row in rows)
    assert len({row["id"] for row in rows}) == len(rows)
    assert len({(row["sentence"], json.dumps(row["citations"])) for row in rows}) == len(rows)


@pytest.mark.parametrize("name", SETS)
def test_cited_spans_are_excerpts_of_the_articles(name: str) -> None:
    folder, _ = SETS[name]
    for row in rows_of(name):
        assert row["citations"], row["id"]
        for cited in row["citations"]:
            text = text_of(folder, cited["article"])
            assert 0 <= cited["start"] < cited["end"] <= len(text), row["id"]
            quote = text[cited["start"] : cited["end"]]
            assert quote == quote.strip() and any(character.isalpha() for character in quote), row["id"]
            before, behind = text[: cited["start"]][-1:], text[cited["end"] :][:1]
            assert not (before.isalnum() and quote[0].isalnum() and before.isascii()), row["id"]
            assert not (behind.isalnum() and quote[-1].isalnum() and behind.isascii()), row["id"]


@pytest.mark.parametrize("name", SETS)
def test_changed_sentences_belong_to_a_true_one(name: str) -> None:
    rows = rows_of(name)
    true = {row["id"]: row for row in rows if row["kind"] == "true"}
    for row in rows:
        origin = true[row["true_id"]]
        assert row["language"] == origin["language"], row["id"]
        if row["kind"] == "true":
            assert row["true_id"] == row["id"]
        elif row["kind"] == "citation":
            assert row["sentence"] == origin["sentence"] and row["citations"] != origin["citations"], row["id"]
        else:
            assert row["sentence"] != origin["sentence"] and row["citations"] == origin["citations"], row["id"]


@pytest.mark.parametrize("name", SETS)
def test_enough_of_every_kind(name: str) -> None:
    _, least = SETS[name]
    found = Counter(row["kind"] for row in rows_of(name))
    assert all(found[kind] >= number for kind, number in least.items()), found


def test_true_sentences_over_the_seeds_come_in_many_languages() -> None:
    found = Counter(row["language"] for row in rows_of("statements.jsonl") if row["kind"] == "true")
    assert all(found[language] >= 10 for language in SEED_LANGUAGES), found
