"""The reader: question and passage in one sequence, so that a question is answered by what a passage says of it.

A cross-encoder (Nogueira & Cho 2019, arXiv 1901.04085) over the built-in encoder's layers, trained by
``training/reader.py``. It says of a passage whether it answers a question, which sentence of it does, and whether it
supports a claim. Whose vectors found the passage is nothing to it: it works beside any encoder.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from index.encoder import FloatMatrix, open_encoder
from index.errors import UserError
from index.settings import DEFAULT_MODEL, Settings

if TYPE_CHECKING:
    from tokenizers import Encoding

    from index.bert import Bert

WEIGHTS = Path(__file__).parent / "trained" / "reader.npz"
LONGEST_ASKED, LONGEST_READ = 62, 260  # pieces of what is asked, and of a passage; as in training
BEGIN, END = 0, 2  # <s>, </s>
_SPECIAL, _ASKED, _READ = 0, 1, 2  # segments


@dataclass(frozen=True)
class Passage:
    """A text to be read, and where its sentences begin."""

    text: str
    starts: Sequence[int]  # [sentences], first character of each


@dataclass(frozen=True)
class Reading:
    """What the reader says of a passage."""

    answers: float  # logit: the passage answers the question
    supports: float  # logit: it supports what is claimed
    sentences: FloatMatrix  # [sentences], log-odds of each sentence against none of them


class PassageReader(Protocol):
    """What the rest of Polycite asks of a reader."""

    @property
    def fingerprint(self) -> str:
        """Names everything that changes what is read."""

    def read(self, asked: str, passages: Sequence[Passage]) -> list[Reading]:
        """Reads a question, or a claim, with each of some passages."""


class Reader:
    """The trained reader; its weights are loaded at the first reading. Safe to use from several threads."""

    def __init__(self, settings: Settings, weights: Path = WEIGHTS) -> None:
        self._settings = settings
        self._file = weights

    @cached_property
    def fingerprint(self) -> str:
        """See PassageReader."""
        from index.weights import digest

        return digest(self._file)

    def read(self, asked: str, passages: Sequence[Passage]) -> list[Reading]:
        """See PassageReader. Raises UserError where its weights, or the built-in encoder's table, cannot be had."""
        question = self._pieces([asked], LONGEST_ASKED)[0]
        shown = self._pieces([passage.text for passage in passages], LONGEST_READ)
        ids = [[BEGIN, *question.ids, END, END, *each.ids, END] for each in shown]
        n = len(question.ids)
        segments = [[_SPECIAL, *[_ASKED] * n, _SPECIAL, _SPECIAL, *[_READ] * len(e.ids), _SPECIAL] for e in shown]
        vectors = self._heads["segments"]
        found: dict[int, Reading] = {}
        for i, states in self._bert.states(ids, [vectors[each] for each in segments]):
            found[i] = self._judge(states[0], states[n + 3 : -1], shown[i], passages[i])
        return [found[i] for i in range(len(passages))]

    def _judge(self, first: FloatMatrix, states: FloatMatrix, pieces: "Encoding", passage: Passage) -> Reading:
        heads = self._heads
        mean = states.mean(axis=0) if len(states) else np.zeros_like(first)
        hidden = _gelu(heads["hidden.weight"] @ np.concatenate([first, mean]) + heads["hidden.bias"])
        answers, supports = (heads["judge.weight"] @ hidden + heads["judge.bias"]).tolist()
        tokens = states @ heads["sentence.weight"][0] + heads["sentence.bias"]
        starts = np.asarray(passage.starts)
        # A piece may begin with the space in front of its sentence.
        owners = np.searchsorted(starts, [begin + 1 for begin, _ in pieces.offsets], side="right") - 1
        sentences = np.full(len(starts), -np.inf)
        np.logaddexp.at(sentences, np.maximum(owners, 0), tokens)
        return Reading(answers, supports, sentences.clip(-30).astype(np.float32))  # one that was cut off: not read

    def _pieces(self, texts: Sequence[str], longest: int) -> "list[Encoding]":
        encodings: list[Encoding] = self._bert.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        for encoding in encodings:
            encoding.truncate(longest)
        return encodings

    @cached_property
    def _weights(self) -> dict[str, FloatMatrix]:
        import zipfile

        from index.weights import read_weights

        try:
            return read_weights(self._file)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise UserError(
                f"the reader's weights {str(self._file)!r} cannot be read ({type(error).__name__}): "
                "install Polycite anew, or go without the reader (--reader off)"
            ) from None

    @cached_property
    def _heads(self) -> dict[str, FloatMatrix]:
        return {name.removeprefix("reader."): w for name, w in self._weights.items() if name.startswith("reader.")}

    @cached_property
    def _bert(self) -> "Bert":
        from index.bert import Bert

        folder = Path(open_encoder(replace(self._settings, model=DEFAULT_MODEL)).path)
        return Bert(folder, self._weights)


def _gelu(x: NDArray[np.float32]) -> NDArray[np.float32]:
    from math import erf, sqrt

    return np.array([value * 0.5 * (1 + erf(value / sqrt(2))) for value in x.tolist()], np.float32)
