"""A reader that remembers: what is read once need not be read again while something else is fitted."""

import pickle
from collections.abc import Sequence
from pathlib import Path

from index.settings import Settings
from qa.reader import Passage, Reader, Reading

_SAVED_AFTER = 2000  # readings


class RememberingReader:
    """The reader, and a file of all that it has read with its present weights."""

    def __init__(self, settings: Settings, work: Path, name: str) -> None:
        self._reader = Reader(settings)
        self.fingerprint = self._reader.fingerprint
        self._path = work / "readings" / f"{name}-{self.fingerprint}.pickle"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._known: dict[tuple[str, str], Reading] = {}
        if self._path.exists():
            self._known = pickle.loads(self._path.read_bytes())  # noqa: S301  # our own file
        self._new = 0

    def read(self, asked: str, passages: Sequence[Passage]) -> list[Reading]:
        """See PassageReader."""
        unknown = [each for each in passages if (asked, each.text) not in self._known]
        if unknown:
            readings = self._reader.read(asked, unknown)
            self._known |= {(asked, p.text): r for p, r in zip(unknown, readings, strict=True)}
            self._new += len(unknown)
            if self._new >= _SAVED_AFTER:
                self.save()
        return [self._known[asked, each.text] for each in passages]

    def save(self) -> None:
        """Write what is new."""
        if self._new:
            self._path.write_bytes(pickle.dumps(self._known))
            self._new = 0
