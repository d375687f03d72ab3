"""kill -9 at aimed and at random moments: nothing is lost, doubled or encoded twice; one line says what was done."""

import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from crashing import Corpus, Runs, assert_like_fresh, encoded_keys, runs, settle, was_writing
from tally import TALLY
from toy_encoder import ToyEncoder

from index.records import Records
from index.settings import PROJECT
from index.sync import fingerprint

AIMED = (
    "before index.records:encode",
    "after index.records:encode",
    "before index.vectors:_pack",
    "after index.vectors:VectorCache.put",
    "before index.sync:Store.upsert",
    "during chromadb.api.models.Collection:Collection.upsert",
    "after index.sync:Store.upsert",
    "before index.sync:Store.delete",
    "during chromadb.api.models.Collection:Collection.delete",
    "after index.sync:Store.delete",
    "before index.sync:Store.__exit__",
    "during index.sync:Store.__exit__",
    "after index.sync:Store.__exit__",
    "before index.vectors:VectorCache._set",
    "after index.vectors:VectorCache._set",
    "before index.vectors:VectorCache.set_written",
    "after index.vectors:VectorCache.set_written",
    "after index.vectors:VectorCache.begin",
    "before index.vectors:VectorCache._delete",
    "after index.vectors:VectorCache.keep_only",
    "before index.texts:TextCache.put",
    "before index.texts:TextCache.finish",
    "after index.texts:TextCache.finish",
    "before index.sync:load_collection",
)
SHORT = 12


@pytest.fixture(scope="module")
def kill() -> Iterator[Runs]:
    with runs() as started:
        yield started


def survive(corpus: Corpus, store: Path, scratch: Path) -> None:
    """Restart after a kill, and compare with an index that was never disturbed."""
    encoder = ToyEncoder()
    records = Records(encoder, fingerprint(encoder), [])
    held, writing = encoded_keys(store), was_writing(store)
    report, collection = settle(corpus.folder, store)
    missing = {records.key(article): name for name, article in collection.articles.items()}
    owed = sum(len(collection.loaded[name].spans) for key, name in missing.items() if key not in held)
    assert report.sentences_encoded == owed
    assert [note.count("\n") for note in report.notes] == ([0] if writing else [])
    assert not writing or "was stopped before its end" in report.notes[0]
    TALLY["recoveries told in a line"] += writing
    assert_like_fresh(corpus.folder, store, report, collection, scratch)
    again, _ = settle(corpus.folder, store)
    assert (again.unchanged, again.sentences_encoded, again.notes) == (len(collection.names), 0, ())
    TALLY["sentences compared, losses 0"] += len(collection.spans)


def rounds(kill: Runs, folder: Path, aims: list[tuple[str, int, float]], seed: int, **size: int) -> int:
    """Change, kill, restart, compare; the number of kills."""
    corpus, store = Corpus(folder / "corpus", seed, **size), folder / "store"
    if seed % 2:
        settle(corpus.folder, store)
    kills = 0
    for point, nth, seconds in aims:
        corpus.step()
        ended = kill(corpus.folder, store, point, nth, seconds)
        assert ended in ("killed", "done"), ended
        kills += ended == "killed"
        if corpus.random.random() < 0.3:  # the restart is killed as well, and the folder changes meanwhile
            corpus.step()
            kills += kill(corpus.folder, store, "", 1, corpus.random.uniform(0.005, 0.2)) == "killed"
        survive(corpus, store, folder)
    TALLY["kills survived"] += kills
    return kills


def test_every_aim_is_met(kill: Runs, tmp_path: Path) -> None:
    """Each aimed moment is one that runs come by; a dozen kills are survived, the first of them of the first run."""
    aims = [(point, 1, 0.01) for point in AIMED]
    random.Random(1).shuffle(aims)
    assert rounds(kill, tmp_path, aims[:SHORT], seed=0) >= SHORT - 3


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(10))
def test_hundreds_of_kills(kill: Runs, tmp_path: Path, seed: int) -> None:
    """Aimed at every moment, and at random ones; more sentences than Chroma keeps in its log, so that it flushes."""
    dice = random.Random(seed)
    aims = [(point, dice.randint(1, 2), dice.uniform(0, 0.05)) for point in AIMED]
    aims += [("", 1, dice.uniform(0.0, 0.5)) for _ in range(12)]
    dice.shuffle(aims)
    size = {"articles": 60, "sentences": 15} if seed == 9 else {}
    assert rounds(kill, tmp_path, aims, seed, **size) >= 15


def test_a_salvage_that_is_killed_is_done_again(kill: Runs, tmp_path: Path) -> None:
    corpus, store = Corpus(tmp_path / "corpus", 5), tmp_path / "store"
    settle(corpus.folder, store)
    path = store / "vectors.sqlite"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    for point in ("before index.vectors:VectorCache.put", "after index.vectors:VectorCache.put",
                  "before index.salvage:remove_journal", "after index.salvage:remove_journal"):  # fmt: skip
        assert kill(corpus.folder, store, point) == "killed", point
    report, collection = settle(corpus.folder, store)
    assert sum("damaged" in note for note in report.notes) == 1
    assert_like_fresh(corpus.folder, store, report, collection, tmp_path)
    assert not (store / "vectors.sqlite.new").exists()


EVALUATION = """
import os, signal, sys
from pathlib import Path
from qa import evaluation
from qa.answer import Answer
asked = 0
def ask(question):
    global asked
    asked += 1
    if asked == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    return Answer(question, "en", False, "", 0.1, (), 0.01)
evaluation.evaluate(evaluation.read_questions(Path(sys.argv[1])), ask, Path(sys.argv[2]), state="same")
print(asked)
"""
UPLOAD = """
import os, signal, sys
from pathlib import Path
from qa.page import uploads
os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
uploads.write_whole(Path(sys.argv[1]), b"The new text of the article.", lambda: None)
"""


def killed(code: str, *given: object) -> bool:
    """Whether a program was killed, or else came to its end."""
    command = [sys.executable, "-c", code, *map(str, given)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    TALLY["kills survived"] += done.returncode != 0
    return done.returncode != 0


def test_an_evaluation_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    """No question is lost, asked again or counted twice, although the last line was torn."""
    questions, out = tmp_path / "questions.jsonl", tmp_path / "out"
    rows = [
        {"id": str(n), "question": f"Who is number {n}?", "articles": [], "answers": [], "answerable": False}
        for n in range(9)
    ]
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for done in (2, 5):
        assert killed(EVALUATION, questions, out, 4 if done == 5 else 3)
        answers = out / "predictions.jsonl"
        assert [json.loads(line)["id"] for line in answers.read_text().splitlines()] == [str(n) for n in range(done)]
    with answers.open("a") as torn:
        torn.write('{"id": "5", "question": "Who is')
    assert not killed(EVALUATION, questions, out, 99)
    assert [json.loads(line)["id"] for line in answers.read_text().splitlines()] == [row["id"] for row in rows]
    assert (out / "report.html").exists()


def test_an_upload_that_is_killed_changes_nothing(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path / "corpus", 1)
    before = {path.name: path.read_bytes() for path in corpus.folder.iterdir()}
    assert killed(UPLOAD, corpus.folder / "0.txt")
    report, collection = settle(corpus.folder, tmp_path / "store")
    assert {name: (corpus.folder / name).read_bytes() for name in collection.names} == before
    assert report.left_out == ()
