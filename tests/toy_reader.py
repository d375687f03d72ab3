"""A deterministic stand-in for the reader: a passage answers where it has the words of the question."""

import threading
from collections.abc import Sequence

import numpy as np

from qa.reader import Passage, Reading


class ToyReader:
    """Counts what it reads; ``hold`` keeps each reading waiting until it is set."""

    fingerprint = "toy"

    def __init__(self) -> None:
        self.read_passages: list[Passage] = []
        self.hold = threading.Event()
        self.hold.set()
        self.waiting = threading.Semaphore(0)  # released once for every reading that has begun

    def read(self, asked: str, passages: Sequence[Passage]) -> list[Reading]:
        """See PassageReader."""
        self.waiting.release()
        assert self.hold.wait(30)
        self.read_passages += passages
        words = set(asked.lower().split())
        found = []
        for passage in passages:
            ends = [*passage.starts[1:], len(passage.text)]
            texts = [passage.text[a:b] for a, b in zip(passage.starts, ends, strict=True)]
            shares = np.array([4.0 * len(words & set(text.lower().split())) / len(words) - 2 for text in texts])
            found.append(Reading(float(shares.max()), float(shares.max()), shares.astype(np.float32)))
        return found
