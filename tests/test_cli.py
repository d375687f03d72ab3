"""The command line, run as users run it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from index.settings import SEEDS

SHAPE = ["question", "language", "answered", "answer", "confidence", "citations", "seconds"]


def polycite(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "qa.cli", *arguments]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, env=os.environ | environment, timeout=300
    )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder in which ``python -m qa.cli`` finds the project."""
    monkeypatch.setenv("PYTHONPATH", str(SEEDS.parent))
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ask"], ["QUESTION"]),
        (["ask", "x", "--top", "nine"], ["--top", "nine"]),
        (["frobnicate"], ["frobnicate", "--help"]),
        (["index", "--corpus", "no/such/folder"], ["no folder 'no/such/folder'", "--corpus"]),
        (["ask", "x", "--model", "no-such-model"], ["no-such-model", "--model"]),
        (["evaluate", "missing.jsonl"], ["missing.jsonl"]),
        (["evaluate", "missing.jsonl", "--no-regression"], ["--compare"]),
    ],
)
def test_wrong_input_gets_one_line_and_exit_code_2(project: Path, arguments: list[str], words: list[str]) -> None:
    done = polycite(*arguments, cwd=project)
    assert done.returncode == 2
    assert done.stdout == "" and done.stderr.count("\n") == 1 and done.stderr.startswith("polycite: ")
    for word in words:
        assert word in done.stderr


def test_bad_configuration_file(project: Path) -> None:
    (project / "polycite.toml").write_text("corpsu = 'articles'")
    done = polycite("index", cwd=project)
    assert done.returncode == 2 and "'corpsu'" in done.stderr and done.stderr.count("\n") == 1
    (project / "polycite.toml").write_text("= 3")
    done = polycite("index", cwd=project)
    assert done.returncode == 2 and "polycite.toml" in done.stderr and done.stderr.count("\n") == 1


def test_empty_corpus(project: Path) -> None:
    (project / "articles").mkdir()
    (project / "articles" / "binary.bin").write_bytes(b"\0\1")
    done = polycite("index", cwd=project, POLYCITE_CORPUS="articles")
    assert done.returncode == 2 and "holds no article" in done.stderr and "'binary.bin' is not text" in done.stderr


def test_help_names_commands_and_variables(project: Path) -> None:
    done = polycite("--help", cwd=project)
    assert done.returncode == 0
    assert all(command in done.stdout for command in ("index", "ask", "evaluate", "serve", "POLYCITE_"))
    assert "POLYCITE_CORPUS" in polycite("ask", "--help", cwd=project).stdout


@pytest.mark.slow
def test_index_and_ask(project: Path, data_folder: Path) -> None:
    """JSON of both commands; a deleted article is not cited any more."""
    articles = project / "articles"
    articles.mkdir()
    for path in SEEDS.iterdir():
        (articles / path.name).write_bytes(path.read_bytes())
    (project / "polycite.toml").write_text('corpus = "articles"\nstore = "store"\n')
    first = json.loads(polycite("index", "--json", cwd=project).stdout)
    assert (first["added"], first["unchanged"]) == (5, 0) and first["sentences_encoded"] > 50
    second = polycite("index", cwd=project)
    assert "0 added, 0 changed, 0 removed, 5 unchanged; 0 sentences encoded" in second.stdout
    gone = articles / "004_d3aeb010e0d73a70.txt"
    answer = json.loads(polycite("ask", "What gifts did Putin give to Kim?", "--json", cwd=project).stdout)
    assert list(answer) == [*SHAPE, "statements", "llm", "rewritten", "kind", "context", "parts"]
    citation = answer["citations"][0]
    assert list(citation) == [
        "n", "article", "title", "date", "language", "start", "end", "text", "highlight", "score", "page",
    ]  # fmt: skip
    assert citation["article"] == gone.name
    assert gone.read_text(encoding="utf-8")[citation["start"] : citation["end"]] == citation["text"]
    gone.unlink()
    report = json.loads(polycite("index", "--json", cwd=project).stdout)
    assert (report["removed"], report["sentences_encoded"]) == (1, 0)
    text = polycite("ask", "What gifts did Putin give to Kim?", "--top", "3", cwd=project).stdout
    assert gone.name not in text and "confidence" in text
