"""The pairs of answerable and unanswerable questions: sentences and answers that stand in the articles, in pairs."""

import json
from collections import Counter, defaultdict
from typing import Any

from index.settings import PROJECT

BENCHMARKS = PROJECT / "benchmarks"
MISSING = {"detail", "cause", "amount", "person", "time", "place", "presupposition"}
FIELDS = {"corpus", "article", "language", "question", "answerable", "kind", "sentence", "answer"}


def pairs() -> list[dict[str, Any]]:
    """The questions, in the order of the file."""
    lines = (BENCHMARKS / "training" / "unanswerable" / "pairs.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_sentences_and_answers_stand_in_the_articles() -> None:
    for row in pairs():
        assert set(row) == FIELDS
        parent = "corpora" if row["corpus"] in {"city", "science", "sports_culture"} else "training"
        text = (BENCHMARKS / parent / row["corpus"] / "articles" / row["article"]).read_text("utf-8")
        assert row["sentence"] and row["sentence"] in text, row["question"]
        if row["answerable"]:
            assert row["kind"] == "answerable" and row["answer"] and row["answer"] in row["sentence"], row["question"]
        else:
            assert row["kind"] in MISSING and row["answer"] == "", row["question"]


def test_every_sentence_has_as_many_questions_of_either_sort() -> None:
    balance: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for row in pairs():
        key = (row["corpus"], row["article"], row["sentence"], row["language"])
        balance[key] += 1 if row["answerable"] else -1
    assert not any(balance.values())


def test_no_question_is_asked_twice_or_asked_elsewhere() -> None:
    files = [*BENCHMARKS.glob("training/*/pairs.jsonl"), *BENCHMARKS.glob("corpora/*/questions.jsonl")]
    asked = Counter(json.loads(line)["question"] for file in files for line in file.read_text("utf-8").splitlines())
    assert len(files) == 8 and [row["question"] for row in pairs() if asked[row["question"]] != 1] == []


def test_enough_of_them_in_enough_languages() -> None:
    missing = [row for row in pairs() if not row["answerable"]]
    assert len(missing) >= 450 and len({row["language"] for row in missing}) >= 50
    assert len({row["corpus"] for row in missing}) == 7
