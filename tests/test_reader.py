"""The real reader: the same numbers as in training, the right sentence, and a no where texts do not tell."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.encoder import SentenceTransformerEncoder
from index.errors import UserError
from index.settings import PROJECT, Settings
from qa.reader import WEIGHTS, Passage, Reader
from training.groups import Text, own_rows

pytestmark = pytest.mark.slow


def passage(*sentences: str) -> Passage:
    """Sentences with spaces between them."""
    begins = np.cumsum([0, *(len(sentence) + 1 for sentence in sentences[:-1])])
    return Passage(" ".join(sentences), begins.tolist())


def test_the_sentence_that_answers_is_the_likeliest(reader: Reader) -> None:
    """Over texts of ours; that the reader was trained on them does not make the sentences' places known."""
    right = []
    for row in own_rows(PROJECT / "benchmarks" / "training" / "confusable", frozenset())[::4]:
        ((_, sentences),) = row.text.versions.items()
        for asked in [each for each in row.asked if each.lines][:3]:
            (reading,) = reader.read(asked.wordings[0], [passage(*sentences[:5])])
            if asked.lines[0] < 5:
                right.append(int(reading.sentences.argmax()) in asked.lines)
    assert len(right) >= 12 and np.mean(right) >= 0.8, np.mean(right)


def test_reading_is_what_was_trained(reader: Reader, encoder: SentenceTransformerEncoder) -> None:
    """Training's forward pass and the fast one give the same numbers."""
    torch = pytest.importorskip("torch")
    from training.groups import Example
    from training.reader import Model, read
    from training.transformer import Transformer

    model = Model(Transformer(Path(encoder.path)))
    model.load(WEIGHTS)
    sentences = ("Der Rat tagte im Mai.", "Er wählte Ana Kos zur Vorsitzenden.")
    asked = ("Who was elected?", "Kdaj je bilo?", "什么时候？")
    with torch.no_grad():
        theirs = read(model, [Example(each, sentences, " ", (), False) for each in asked])
    for each, other in zip(asked, theirs, strict=True):
        ours = reader.read(each, [passage(*sentences)])[0]
        close = 0.15 if torch.cpu.get_capabilities().get("avx512_bf16") else 1e-2
        assert np.allclose([ours.answers, ours.supports], other.heads.numpy(), atol=close)
        assert np.allclose(ours.sentences, other.sentences.numpy(), atol=close)


@settings(max_examples=25)
@given(asked=st.text(max_size=400), texts=st.lists(st.text(max_size=1500), min_size=1, max_size=3))
def test_any_text_is_read(reader: Reader, asked: str, texts: list[str]) -> None:
    shown = [Passage(text, [0, len(text) // 2] if len(text) > 1 else [0]) for text in texts]
    for each, reading in zip(shown, reader.read(asked, shown), strict=True):
        assert np.isfinite([reading.answers, reading.supports]).all()
        assert reading.sentences.shape == (len(each.starts),) and np.isfinite(reading.sentences).all()


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 half a file", b"\x93NUMPY"])
def test_weights_that_cannot_be_read_get_one_line(data_folder: Path, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "reader.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match="--reader off"):
        Reader(Settings(data=data_folder), path).read("Who?", [passage("Ana.")])


def test_passages_read_together_are_read_as_if_alone(reader: Reader) -> None:
    shown = [passage("One thing."), passage("Another thing happened in Graz in 1999.", "It rained."), passage("三。")]
    together = reader.read("What happened?", shown)
    for each, reading in zip(shown, together, strict=True):
        (alone,) = reader.read("What happened?", [each])
        assert alone.answers == pytest.approx(reading.answers, abs=0.1)
    assert reader.read("What happened?", []) == []


def test_a_text_shows_the_lines_it_is_told_to() -> None:
    text = Text({"deu": ["Eins.", "Zwei.", "Drei."], "zho": ["一。", "二。", "三。"]})
    for seed in range(8):
        shown = text.show([0, 1], frozenset({1}), "?", np.random.default_rng(seed))
        assert shown.gold == (1,) and shown.label
        assert (shown.sentences, shown.space) in ((("Eins.", "Zwei."), " "), (("一。", "二。"), ""))
