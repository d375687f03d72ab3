"""The texts made to be confused: every line exists, every twin differs, claims come in pairs."""

import json
from typing import Any

import pytest

from index.settings import PROJECT

FILE = PROJECT / "benchmarks" / "training" / "confusable" / "texts.jsonl"
TEXTS: list[dict[str, Any]] = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
TRAPS = {"swapped", "missing", "why", "presupposition", "yesno", "number", "date", "entity"}
CHANGES = {"role", "number", "name", "negation", "invented", "overstated"}


def test_there_are_as_many_as_the_readme_says() -> None:
    assert len({text["id"] for text in TEXTS}) == 61
    assert sum(len(text["q"]) + len(text["none"]) for text in TEXTS) == 976
    assert sum(len(text["claims"]) for text in TEXTS) == 610


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text["id"])
def test_lines_exist_and_twins_differ(text: dict[str, Any]) -> None:
    lines = range(len(text["sentences"]))
    assert all(each["line"] in lines for each in (*text["q"], *text["claims"], *text["twins"]))
    assert all(each["near"] in lines and each["trap"] in TRAPS for each in text["none"])
    for i, (none, twin) in enumerate(zip(text["none"], text["twins"], strict=True)):
        assert twin["none"] == i and twin["line"] == none["near"]
        assert twin["sentence"] not in text["sentences"]
    for true, false in zip(text["claims"][::2], text["claims"][1::2], strict=True):
        assert true["true"] and not false["true"] and false["change"] in CHANGES
        assert true["line"] == false["line"] and true["lang"] == false["lang"] and true["text"] != false["text"]
    asked = [each["text"] for each in (*text["q"], *text["none"])]
    assert len(set(asked)) == len(asked)
