"""The forward pass of a BERT encoder with mean pooling: what the default model is, without the machinery around it.

sentence-transformers runs any model; this runs one kind, faster: texts of like length share small batches, each batch
has a thread of its own, and the weights stay in the file until they are touched. The vectors are the same.
"""

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from index.model import Output, TokenMatching, rarity_of, untrained

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor

    _Layer = tuple[tuple[Tensor, Tensor], ...]

MATCHING = "token_matching.npz"  # what was trained for the tokens of this model
PIECE_RARITY = "piece_rarity.npy"  # beside the tokenizer, whose own file takes half a second to read
_BATCH_TOKENS = 512  # a batch's activations then fit the cache of one core


class Bert:
    """A model folder as sentence-transformers writes it: BERT, exact GELU, mean pooling."""

    def __init__(self, folder: Path, weights: Mapping[str, NDArray[np.float32]] | None = None) -> None:
        """``weights``: tensors that stand in the place of the folder's own, by name."""
        self.folder = folder
        self._own = weights or {}
        self._config = _json(folder / "config.json")
        self.dimension = int(self._config["hidden_size"])
        self.longest = int(_json(folder / "sentence_bert_config.json")["max_seq_length"])  # tokens
        self._made: dict[int, _Layer] = {}  # by number, made when first used

    @staticmethod
    def fits(folder: Path) -> bool:
        """Whether the folder holds a model of this kind; any doubt is a no."""
        try:
            config = _json(folder / "config.json")
            pooling = _json(folder / "1_Pooling" / "config.json")
            modules = [str(module["type"]).rsplit(".", 1)[1] for module in _json(folder / "modules.json")]
            modes = {name for name, on in pooling.items() if name.startswith("pooling_mode") and on is True}
            return (
                config["model_type"] == "bert"
                and config["hidden_act"] == "gelu"
                and config.get("position_embedding_type", "absolute") == "absolute"
                and modes == {"pooling_mode_mean_tokens"}
                and modules in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
                and "max_seq_length" in _json(folder / "sentence_bert_config.json")
                and (folder / "tokenizer.json").is_file()
                and _placed(folder / "model.safetensors")[1][1] == config["hidden_size"]
            )
        except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError):
            return False

    @cached_property
    def tokenizer(self) -> "Tokenizer":
        """The tokenizer, cutting at the longest text."""
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(self.longest)
        return tokenizer

    @cached_property
    def prompts(self) -> dict[str, str]:
        """The model's own prompts by name."""
        path = self.folder / "config_sentence_transformers.json"
        return dict(_json(path).get("prompts", {})) if path.is_file() else {}

    @cached_property
    def matching(self) -> TokenMatching:
        """See Model."""
        path = self.folder / MATCHING
        if not path.is_file():
            return untrained(self.dimension)
        with np.load(path) as file:
            return TokenMatching(mean=file["mean"], importance=file["importance"])

    @cached_property
    def rarity(self) -> NDArray[np.float32]:
        """See Model."""
        path = self.folder / PIECE_RARITY
        if path.is_file():
            kept: NDArray[np.float32] = np.load(path)
            return kept
        return rarity_of((self.folder / "tokenizer.json").read_text(encoding="utf-8"))

    def run(self, texts: Sequence[str], prompt: str) -> Iterator[tuple[int, Output]]:
        """See Model."""
        encodings = self.tokenizer.encode_batch([prompt + text for text in texts])
        for i, states in self.states([encoding.ids for encoding in encodings]):
            ids, offsets = np.array(encodings[i].ids), np.array(encodings[i].offsets, np.int32)
            yield i, Output(states.mean(axis=0), states, ids, offsets)

    def states(
        self, ids: Sequence[Sequence[int]], added: Sequence[NDArray[np.float32]] | None = None
    ) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """The last layer's states [pieces, dimension] of texts, with their numbers, in any order.

        ``ids``: their pieces, special ones included; ``added`` [pieces, dimension]: to the rows of the table.
        """
        batches = list(_batches([len(each) for each in ids]))
        if len(batches) < 2:
            for batch in batches:
                yield from zip(batch, self._forward(batch, ids, added), strict=True)
            return
        with ThreadPoolExecutor(min(len(batches), os.cpu_count() or 1)) as threads:
            outputs = threads.map(lambda batch: self._forward(batch, ids, added), batches)
            for batch, each in zip(batches, outputs, strict=True):
                yield from zip(batch, each, strict=True)

    def _forward(
        self, batch: Sequence[int], ids: Sequence[Sequence[int]], added: Sequence[NDArray[np.float32]] | None
    ) -> list[NDArray[np.float32]]:
        import torch

        # One thread a batch, on purpose: two that share a batch wait for each other beside any busy process.
        torch.set_num_threads(1)
        with torch.inference_mode():
            lengths = [len(ids[i]) for i in batch]
            padded = torch.zeros((len(batch), max(lengths)), dtype=torch.long)
            mask = torch.zeros((len(batch), max(lengths)), dtype=torch.bool)
            for row, (i, length) in enumerate(zip(batch, lengths, strict=True)):
                padded[row, :length] = torch.as_tensor(ids[i])
                mask[row, :length] = True
            words = self.words(padded)
            if added is not None:
                for row, i in enumerate(batch):
                    words[row, : len(added[i])] += torch.from_numpy(added[i])
            states = self._layers_over(words, None if bool(mask.all()) else mask[:, None, None, :]).numpy()
        return [states[row, :length] for row, length in enumerate(lengths)]

    def _layers_over(self, x: "Tensor", mask: "Tensor | None") -> "Tensor":
        """[texts, tokens, dimension], as ``x``, the table's rows; ``mask`` [texts, 1, 1, tokens]: true at pieces."""
        from torch.nn import functional

        heads, epsilon = int(self._config["num_attention_heads"]), float(self._config["layer_norm_eps"])
        texts, length, _ = x.shape
        positions, kind, norm = self._embeddings

        def normalised(x: "Tensor", weights: tuple["Tensor", "Tensor"]) -> "Tensor":
            return functional.layer_norm(x, (self.dimension,), *weights, epsilon)

        def linear(x: "Tensor", weights: tuple["Tensor", "Tensor"]) -> "Tensor":
            return functional.linear(x.to(weights[0].dtype), *weights)

        x = normalised(x + positions[:length] + kind, norm)
        for i in range(int(self._config["num_hidden_layers"])):
            attention, mixed, inner, outer, norm_1, norm_2 = self._layer(i)
            parts = linear(x, attention).float().view(texts, length, 3, heads, -1).permute(2, 0, 3, 1, 4)
            seen = functional.scaled_dot_product_attention(parts[0], parts[1], parts[2], attn_mask=mask)
            x = normalised(x + linear(seen.transpose(1, 2).reshape(x.shape), mixed), norm_1)
            hidden = functional.gelu(linear(x, inner))
            x = normalised(x + linear(hidden, outer), norm_2)
        return x

    def words(self, ids: "Tensor") -> "Tensor":
        """The rows [..., dimension] of the table of pieces.

        The file is mapped for the moment: a mapping that stays comes to hold the whole table, page by page.
        """
        import torch

        path = self.folder / "model.safetensors"
        offset, shape = self._words_placed
        return torch.from_numpy(np.array(np.memmap(path, "<f4", "r", offset, shape)[ids.numpy()]))

    @cached_property
    def _words_placed(self) -> tuple[int, tuple[int, int]]:
        return _placed(self.folder / "model.safetensors")

    def piece_mean(self, text: str) -> NDArray[np.float32]:
        """[dimension], the mean of the table's rows for the pieces of a text; zeros where it has none."""
        import torch

        ids = self.tokenizer.encode(text, add_special_tokens=False).ids
        mean = self.words(torch.tensor(ids)).mean(dim=0) if ids else torch.zeros(self.dimension)
        return np.asarray(mean.numpy(), np.float32)

    def weight(self, name: str) -> "Tensor":
        """A tensor of the file, mapped for as long as it is held; or what stands in its place."""
        import torch
        from safetensors import safe_open

        if name in self._own:
            return torch.from_numpy(self._own[name])
        with safe_open(self.folder / "model.safetensors", "pt") as file:
            found: Tensor = file.get_tensor(name)
        return found

    @cached_property
    def _embeddings(self) -> tuple["Tensor", "Tensor", tuple["Tensor", "Tensor"]]:
        positions, kinds = (self.weight(f"embeddings.{name}_embeddings.weight") for name in ("position", "token_type"))
        return positions, kinds[0], self._pair("embeddings.LayerNorm")

    def _layer(self, i: int) -> "_Layer":
        """Weight and bias of query, key and value in one, and of the other five parts of a layer."""
        at = f"encoder.layer.{i}"
        if i not in self._made:
            self._made[i] = self._make(at)
        return self._made[i]

    def _make(self, at: str) -> "_Layer":
        import torch

        # Where the processor multiplies bfloat16, the matrices take a quarter of the time; sums, norms and attention
        # stay in float32, and no figure of quality moves by more than a question or two (README, "Speed").
        precision = torch.bfloat16 if _multiplies_bfloat16() else torch.float32
        heads = [self._pair(f"{at}.attention.self.{name}") for name in ("query", "key", "value")]
        names = ("attention.output.dense", "intermediate.dense", "output.dense")
        norms = ("attention.output.LayerNorm", "output.LayerNorm")
        joined = torch.cat([weight for weight, _ in heads]), torch.cat([bias for _, bias in heads])
        linears = [joined, *(self._pair(f"{at}.{name}") for name in names)]
        narrow = [(weight.to(precision), bias.to(precision)) for weight, bias in linears]
        # Copies, or a few numbers would keep the file mapped.
        copies = ((weight.clone(), bias.clone()) for weight, bias in (self._pair(f"{at}.{name}") for name in norms))
        return (*narrow, *copies)

    def _pair(self, name: str) -> tuple["Tensor", "Tensor"]:
        return self.weight(f"{name}.weight"), self.weight(f"{name}.bias")


def _placed(path: Path) -> tuple[int, tuple[int, int]]:
    """Where in a safetensors file the table of pieces begins, in bytes, and its shape; ValueError if not float32."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        found = json.loads(file.read(size))["embeddings.word_embeddings.weight"]
    if found["dtype"] != "F32":
        raise ValueError(f"{found['dtype']} is not float32")
    rows, columns = found["shape"]
    return 8 + size + found["data_offsets"][0], (rows, columns)


def _multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for it; without them it is slower than float32."""
    import torch

    able: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(able.get(name) for name in ("avx512_bf16", "amx_bf16"))


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Numbers of texts, like lengths together, at most _BATCH_TOKENS pieces a batch (or one text).

    Few texts are shared out so that each core has its part.
    """
    most = min(_BATCH_TOKENS, math.ceil(1.1 * sum(lengths) / (os.cpu_count() or 1)))
    batch: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if batch and (len(batch) + 1) * lengths[i] > most:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
