"""``polycite evaluate`` as a user runs it: headline, files, exit codes, interruption, comparison."""

import json
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_engine import FakeEngine, fake_articles

from index.collection import Collection
from index.encoder import Encoder, normalise
from index.settings import PROJECT, SEEDS, Settings
from index.sync import sync
from qa.cli import main
from qa.engine import Engine

QUESTIONS = PROJECT / "tests" / "questions.jsonl"
GIFTS = {"articles": ["004_d3aeb010e0d73a70.txt"], "answers": ["çaji"]}
SOME_SEEDS = ("000_bd85b523315c1be6.txt", "001_1977e9eac9134f9c.txt", "003_9e4a11ebb3bf0955.txt")  # encoding takes long
FILES = {"predictions.jsonl", "metrics.json", "report.html"}
# The real command with a scripted engine, in a process of its own.
_PROGRAM = textwrap.dedent("""
    import signal, sys
    # Whatever runs in the background of a shell is started deaf to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.path[:0] = [{tests!r}]
    import qa.cli
    from fake_engine import FakeEngine, fake_articles
    from index.settings import Settings
    FakeEngine.state = "scripted"
    engine = FakeEngine(Settings(), fake_articles(), delay={delay})
    qa.cli._open = lambda settings, llm=None: engine
    try:
        qa.cli.main(sys.argv[1:])
    finally:
        print("asked", len(engine.asked), file=sys.stderr)
""")


class Scripted(FakeEngine):
    """The scripted engine, which always has the same state."""

    state = "scripted"


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    engine = Scripted(Settings(), fake_articles())
    monkeypatch.setattr("qa.cli._open", lambda settings, llm=None: engine)
    monkeypatch.setattr("qa.evaluation.report.draw_plots", lambda *given: {})  # drawing takes long
    return engine


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    return write(tmp_path / "mine.jsonl", 3)


def write(path: Path, count: int) -> Path:
    rows = [{"id": f"g{i}", "question": f"What gifts {i}?", "language": "en", **GIFTS} for i in range(count)]
    rows += [{"id": f"n{i}", "question": f"Who is {i}?", "articles": [], "answers": []} for i in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def polycite(*arguments: object) -> int:
    """Runs the command in this process; its exit code."""
    try:
        main(["evaluate", *map(str, arguments)])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def process(*arguments: object, delay: float = 0.0) -> subprocess.Popen[str]:
    """The command in a process of its own."""
    program = _PROGRAM.format(tests=str(PROJECT / "tests"), delay=delay)
    return subprocess.Popen(
        [sys.executable, "-c", program, "evaluate", *map(str, arguments)], cwd=PROJECT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def metrics_of(folder: Path) -> dict[str, object]:
    """The metrics, times apart."""
    metrics = dict(json.loads((folder / "metrics.json").read_text("utf-8")))
    metrics.pop("latency")
    return metrics


def test_the_command_prints_the_headline_and_writes_the_files(questions: Path, tmp_path: Path) -> None:
    run = process(questions, "--out", tmp_path / "out")
    said, progress = run.communicate(timeout=60)
    assert run.returncode == 0, progress
    assert said.startswith("6 questions: 3 answerable, 3 unanswerable\n")
    assert re.search(r"^dealt with rightly +100\.0 %", said, re.M)
    assert said.endswith(f"report: {tmp_path / 'out' / 'report.html'}\n")
    assert {path.name for path in (tmp_path / "out").iterdir()} >= FILES
    assert "<svg" in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert progress.startswith("asking")


def test_an_interrupted_run_is_gone_on_with(tmp_path: Path) -> None:
    asked, out = write(tmp_path / "many.jsonl", 50), tmp_path / "out"
    run = process(asked, "--out", out, delay=0.05)
    end = time.monotonic() + 30
    while not (out / "predictions.jsonl").exists() or (out / "predictions.jsonl").read_bytes().count(b"\n") < 3:
        assert time.monotonic() < end and run.poll() is None
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    said, errors = run.communicate(timeout=30)
    finished = (out / "predictions.jsonl").read_bytes().count(b"\n")
    assert (run.returncode, said) == (130, "")
    assert f"interrupted: the finished answers are in {out}; the same command goes on from there" in errors
    assert "Traceback" not in errors
    assert 3 <= finished < 100 and not (out / "metrics.json").exists()
    again = process(asked, "--out", out)
    said, errors = again.communicate(timeout=60)
    assert again.returncode == 0 and said.startswith("100 questions")
    assert f"asked {100 - finished}\n" in errors


def test_two_runs_of_the_same_state_agree(scripted: Scripted, questions: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert polycite(questions, "--out", tmp_path / name) == 0
    assert metrics_of(tmp_path / "one") == metrics_of(tmp_path / "two")
    assert len(scripted.asked) == 12
    assert polycite(questions, "--out", tmp_path / "one") == 0
    assert len(scripted.asked) == 12, "finished answers are kept"
    assert polycite(questions, "--out", tmp_path / "one", "--fresh") == 0
    assert len(scripted.asked) == 18


@pytest.mark.usefixtures("scripted")
def test_the_results_go_to_a_folder_named_after_the_file(
    questions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert polycite(questions) == 0
    assert {path.name for path in (tmp_path / "evaluation-mine").iterdir()} >= FILES


@pytest.mark.usefixtures("scripted")
def test_bounds_decide_the_exit_code(questions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ("--out", tmp_path / "out")
    assert polycite(questions, *out, "--fail-under", "a1=0.99", "--fail-under", "hallucination=0") == 0
    assert polycite(questions, *out, "--fail-under", "highlight=0.99", "--fail-under", "f1=1.01") == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("f1 is ")
    rows = [json.loads(line) for line in questions.read_text("utf-8").splitlines()]
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text("".join(json.dumps({**row, "answers": ["nowhere"] * len(row["answers"])}) + "\n" for row in rows))
    assert polycite(wrong, *out, "--fail-under", "a1=0.99") == 1
    assert "a1 is 0, wanted at least 0.99" in capsys.readouterr().err


HOSTILE = {
    "empty": (b"", "holds no question"),
    "no JSON": (b"{\n", "line 1: not JSON"),
    "list": (b"[]\n", "line 1: a list instead of an object"),
    "missing": (b'{"id": "1", "question": "?"}\n', 'line 1: "articles" is missing'),
    "type": (b'{"id": 1, "question": "?", "articles": [], "answers": []}\n', 'line 1: "id" is a number'),
    "twice": (b'{"id": "1", "question": "?", "articles": [], "answers": []}\n' * 2, "line 2: id '1' stands already"),
    "UTF-8": (b"\xff\n", "line 1: byte 1 is not UTF-8"),
    "long": (b"x" * 10_000_000, "line 1: longer than 1,000,000 bytes"),
    "article": (b'{"id": "1", "question": "?", "articles": ["x"], "answers": ["x"]}\n', "holds no article 'x'"),
}  # fmt: skip


@pytest.mark.usefixtures("scripted")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_one_clear_line(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, said = HOSTILE[name]
    (tmp_path / "q.jsonl").write_bytes(content)
    assert polycite(tmp_path / "q.jsonl", "--out", tmp_path / "out") == 2
    printed = capsys.readouterr()
    assert printed.out == "" and len(printed.err.splitlines()) == 1
    assert printed.err.startswith(f"polycite: {tmp_path / 'q.jsonl'}") and said in printed.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--no-regression"], "--compare"), (["--fail-under", "a9=1"], "no metric 'a9'"),
        (["--fail-under", "a1"], "no bound"), (["--compare", "nothing"], "in which an evaluation has finished"),
    ],
)  # fmt: skip
def test_wrong_options_are_said_before_anything_is_asked(
    scripted: Scripted, questions: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert polycite(questions, *arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and said in lines[0]
    assert scripted.asked == []


# With the real encoder.


@pytest.fixture(scope="module")
def engine(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    corpus = tmp_path_factory.mktemp("corpus")
    for name in SOME_SEEDS:
        shutil.copy(SEEDS / name, corpus)
    settings = Settings(corpus=corpus, store=str(tmp_path_factory.mktemp("store")))
    report, collection = sync(settings, encoder)
    return Engine(settings, encoder, collection, report)


def broken(collection: Collection) -> Collection:
    """The same collection with half of every vector made of noise."""
    noise = normalise(np.random.default_rng(1).normal(size=collection.stored.shape).astype(np.float32))
    return replace(collection, stored=normalise(collection.stored + noise))


def test_a_broken_retriever_is_caught(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("qa.evaluation.report.draw_plots", lambda *given: {})
    sample = tmp_path / "sample.jsonl"
    rows = [json.loads(line) for line in QUESTIONS.read_text("utf-8").splitlines()]
    chosen = [row for row in rows if row["articles"] and {*row["articles"]} <= {*SOME_SEEDS}][::3]
    sample.write_text("".join(json.dumps(row) + "\n" for row in chosen), "utf-8")
    good, bad = tmp_path / "good", tmp_path / "broken"
    gate = ("--compare", good, "--no-regression")
    assert polycite_with(engine, monkeypatch, sample, "--out", good) == 0
    assert polycite_with(engine, monkeypatch, sample, "--out", good, *gate) == 0
    worse = Engine(engine.settings, engine.encoder, broken(engine.collection), engine.report)
    capsys.readouterr()
    assert polycite_with(worse, monkeypatch, sample, "--out", bad, *gate) == 1
    printed = capsys.readouterr()
    assert "worse" in printed.out and "a1 got worse" in printed.err


def polycite_with(engine: Engine, monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """The command over this engine."""
    monkeypatch.setattr("qa.cli._open", lambda settings, llm=None: engine)
    return polycite(*arguments)
