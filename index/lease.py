"""One writer at a time on a Chroma server, which has no locks: a note on the server says who writes, and until when."""

import os
import secrets
import socket
import time
from typing import TYPE_CHECKING

from index.errors import UserError

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

_NAME = "polycite-writer"
_LASTS = 60.0  # seconds after its last renewal, so that a writer that died holds nobody up for longer
_PATIENCE = 600.0  # seconds
_SETTLED = 0.3  # seconds after which two that wrote their notes at once see whose was last


class Lease:
    """The right to write, for as long as it is renewed."""

    def __init__(self, client: "ClientAPI", where: str) -> None:
        self._note = client.get_or_create_collection(_NAME, embedding_function=None)
        self._client = client
        self._where = where
        self._writer = f"process {os.getpid()} on {socket.gethostname()} ({secrets.token_hex(4)})"
        self._until = 0.0
        self._take()

    def renew(self) -> None:
        """Keep it; does nothing while there is time enough."""
        if self._until < time.time() + _LASTS / 2:
            self._write(self._writer)

    def release(self) -> None:
        """Give it back."""
        self._write("")

    def _take(self) -> None:
        patient_until = time.time() + _PATIENCE
        while True:
            writer, until = self._read()
            if not writer or until < time.time():
                self._write(self._writer)
                time.sleep(_SETTLED)
                if self._read()[0] == self._writer:
                    return
            elif time.time() > patient_until:
                raise UserError(f"{writer} has been writing to {self._where} for long: wait, or stop it")
            else:
                time.sleep(_SETTLED)

    def _read(self) -> tuple[str, float]:
        kept = self._client.get_collection(_NAME, embedding_function=None).metadata or {}
        return str(kept.get("writer", "")), float(str(kept.get("until", 0)))

    def _write(self, writer: str) -> None:
        self._until = time.time() + _LASTS
        self._note.modify(metadata={"writer": writer, "until": self._until})
