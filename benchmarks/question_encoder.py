"""The encoder as it reads questions, with something to learn in its upper layers (Hu et al. 2021, arXiv 2106.09685).

The lower layers are run once; what they give is kept.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import load_file
from torch.nn import functional

from index.bert import Bert
from index.encoder import FloatMatrix, SentenceTransformerEncoder

if TYPE_CHECKING:
    from index.bert import Factors

_QUERY_KEY_VALUE = tuple(f"attention.self.{name}" for name in ("query", "key", "value"))
_OTHERS = ("attention.output.dense", "intermediate.dense", "output.dense")


@dataclass(frozen=True)
class Reading:
    """A question below the layers that learn."""

    hidden: torch.Tensor  # [pieces, dimension]
    inside: torch.Tensor  # [pieces], bool: of the question itself, not of its prompt
    rarity: FloatMatrix  # [pieces inside]


class QuestionEncoder(torch.nn.Module):
    """Factors of low rank beside every matrix of the layers from ``first`` upwards."""

    def __init__(self, encoder: SentenceTransformerEncoder, first: int, rank: int) -> None:
        super().__init__()
        model = encoder._model
        assert isinstance(model, Bert), "only the built-in forward pass can be trained"
        self._model, self._encoder, self.first = model, encoder, first
        self._weights = load_file(model.folder / "model.safetensors")
        self._heads = int(model._config["num_attention_heads"])
        self._epsilon = float(model._config["layer_norm_eps"])
        self._last = int(model._config["num_hidden_layers"])
        self.up, self.down = torch.nn.ParameterDict(), torch.nn.ParameterDict()
        for i in range(first, self._last):
            for part in (*_QUERY_KEY_VALUE, *_OTHERS):
                outer, inner = self._weights[f"encoder.layer.{i}.{part}.weight"].shape
                name = _key(f"encoder.layer.{i}.{part}")
                self.up[name] = torch.nn.Parameter(torch.zeros(outer, rank))
                self.down[name] = torch.nn.Parameter(torch.randn(rank, inner) / inner**0.5)

    def read(self, text: str) -> Reading:
        """What the lower layers make of a question."""
        prompt = self._encoder.prompts[0]
        encoding = self._model.tokenizer.encode(prompt + text)
        ids, offsets = torch.tensor(encoding.ids), np.array(encoding.offsets)
        positions, kind, norm = self._model._embeddings
        with torch.no_grad():
            x = functional.layer_norm(
                self._model.words(ids) + positions[: len(ids)] + kind, norm[0].shape, *norm, self._epsilon
            )
            hidden = self._over(x[None], torch.ones(1, len(ids), dtype=torch.bool), 0, self.first)[0]
        inside = (offsets[:, 1] > offsets[:, 0]) & (offsets[:, 1] > len(prompt))
        rarity = self._model.rarity[np.array(encoding.ids)[inside]]
        return Reading(hidden, torch.from_numpy(inside), rarity)

    def forward(self, readings: list[Reading]) -> list[torch.Tensor]:
        """States [pieces, dimension] of every question."""
        longest = max(len(reading.hidden) for reading in readings)
        x = torch.zeros(len(readings), longest, self._model.dimension)
        mask = torch.zeros(len(readings), longest, dtype=torch.bool)
        for row, reading in enumerate(readings):
            x[row, : len(reading.hidden)], mask[row, : len(reading.hidden)] = reading.hidden, True
        states = self._over(x, mask, self.first, self._last)
        return [states[row, : len(reading.hidden)] for row, reading in enumerate(readings)]

    def factors(self) -> "Factors":
        """What is to be added to which matrix."""
        return {_name(key): (self.up[key].detach().numpy(), self.down[key].detach().numpy()) for key in self.up}

    def _over(self, x: torch.Tensor, mask: torch.Tensor, first: int, last: int) -> torch.Tensor:
        """[questions, pieces, dimension] after the layers from ``first`` up to ``last``."""
        texts, length, dimension = x.shape
        for i in range(first, last):
            at = f"encoder.layer.{i}"
            query, key, value = (
                self._linear(x, f"{at}.{name}").view(texts, length, self._heads, -1).transpose(1, 2)
                for name in _QUERY_KEY_VALUE
            )
            seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask[:, None, None, :])
            seen = seen.transpose(1, 2).reshape(texts, length, dimension)
            mixed, inner, outer = (f"{at}.{name}" for name in _OTHERS)
            x = self._normalised(x + self._linear(seen, mixed), f"{at}.attention.output.LayerNorm")
            hidden = functional.gelu(self._linear(x, inner))
            x = self._normalised(x + self._linear(hidden, outer), f"{at}.output.LayerNorm")
        return x

    def _linear(self, x: torch.Tensor, name: str) -> torch.Tensor:
        weights = self._weights
        y = functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])
        if _key(name) in self.up:
            kept = functional.dropout(x, 0.1, self.training)
            y = y + functional.linear(functional.linear(kept, self.down[_key(name)]), self.up[_key(name)])
        return y

    def _normalised(self, x: torch.Tensor, name: str) -> torch.Tensor:
        weights = self._weights
        weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return functional.layer_norm(x, (x.shape[-1],), weight, bias, self._epsilon)


def _key(name: str) -> str:
    """A name without dots, which torch does not allow for parameters."""
    return name.replace(".", "/")


def _name(key: str) -> str:
    return key.replace("/", ".")
