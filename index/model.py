"""Runs any sentence-transformers model, quietly, and says in one line why one cannot be had."""

import json
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from index.errors import UserError
from index.settings import DEFAULT_MODEL

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


_BATCH = 8  # on CPUs small batches of like length are faster than large ones


@dataclass(frozen=True)
class Output:
    """What a model makes of one text; its pieces include special ones."""

    vector: NDArray[np.float32]  # [dimension], of any length
    states: NDArray[np.float32]  # [pieces, dimension], the last layer
    ids: NDArray[np.int64]  # [pieces]
    offsets: NDArray[np.int32]  # [pieces, 2], characters of prompt and text; empty spans where pieces stand for none


@dataclass(frozen=True)
class TokenMatching:
    """How the last layer's states are compared token by token."""

    mean: NDArray[np.float32]  # [dimension], what all tokens have in common
    importance: NDArray[np.float32]  # [dimension], logit of how much a question's token counts


def untrained(dimension: int) -> TokenMatching:
    """States compared as they are, all tokens alike."""
    nothing = np.zeros(dimension, np.float32)
    return TokenMatching(nothing, nothing)


class Model(Protocol):
    """What an encoder needs of a model."""

    @property
    def matching(self) -> TokenMatching:
        """How its tokens are compared."""

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""

    @property
    def prompts(self) -> dict[str, str]:
        """The model's own prompts by name."""

    @property
    def rarity(self) -> NDArray[np.float32]:
        """[vocabulary], see rarity_of."""

    def run(self, texts: Sequence[str], prompt: str) -> Iterator[tuple[int, Output]]:
        """The output of each text behind the prompt, with the text's number, in any order."""


class SentenceTransformerModel:
    """Any model that sentence-transformers can run."""

    def __init__(self, path: str, name: str) -> None:
        self._model = load_model(path, name)
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.prompts = {name: prompt for name, prompt in self._model.prompts.items() if prompt}
        self.matching = untrained(self.dimension)

    @cached_property
    def rarity(self) -> NDArray[np.float32]:
        """See Model."""
        return rarity_of(self._model.tokenizer.backend_tokenizer.to_str())

    def run(self, texts: Sequence[str], prompt: str) -> Iterator[tuple[int, Output]]:
        """See Model."""
        import torch

        # A question is small: beside a busy process two threads wait for each other and take 40 times as long.
        torch.set_num_threads(1 if len(texts) == 1 else os.cpu_count() or 1)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for at in range(0, len(order), _BATCH):
            batch = order[at : at + _BATCH]
            outputs: Any = self._model.encode(
                [texts[i] for i in batch], prompt=prompt, batch_size=_BATCH, output_value=None, show_progress_bar=False
            )
            for i, output in zip(batch, outputs, strict=True):
                yield i, self._output(prompt + texts[i], output)

    def _output(self, text: str, output: dict[str, Any]) -> Output:
        encoding = self._model.tokenizer(
            text, return_offsets_mapping=True, truncation=True, max_length=self._model.max_seq_length
        )
        offsets = np.array(encoding["offset_mapping"], np.int32)
        states = output["token_embeddings"].float().numpy()[: len(offsets)]
        return Output(output["sentence_embedding"].float().numpy(), states, np.array(encoding["input_ids"]), offsets)


def rarity_of(tokenizer: str) -> NDArray[np.float32]:
    """-log probability of each piece of a tokenizer (JSON), [vocabulary]; ones where its model has none."""
    parsed = json.loads(tokenizer)
    model = parsed["model"]
    if model.get("type") != "Unigram":
        ids = [*model["vocab"].values(), *(token["id"] for token in parsed["added_tokens"])]
        return np.ones(max(ids) + 1, np.float32)
    return -np.array([score for _, score in model["vocab"]], np.float32)


def load_model(path: str, name: str) -> "SentenceTransformer":
    """The model in a folder, or by its hub name: from this machine where it is, else from the hub.

    Raises UserError where it cannot be had.
    """
    if Path(path).is_dir():
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import transformers.utils.logging
    from sentence_transformers import SentenceTransformer

    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)
    for local_only in (True, False):
        try:
            return SentenceTransformer(path, device="cpu", local_files_only=local_only)
        except Exception as error:  # the library raises many kinds for one cause: no such model
            if not local_only or Path(path).is_dir():
                reason = " ".join(str(error).split())[:160]
                raise UserError(
                    f"the model {name!r} cannot be loaded ({reason}): give --model {DEFAULT_MODEL}, "
                    f"a sentence-transformers folder, or the name of a model that the hub has"
                ) from error
    raise AssertionError("unreachable")
