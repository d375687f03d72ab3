"""Where articles go that are deleted in the page: kept for a month, so that a deletion can be taken back."""

import json
import re
import secrets
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from index.errors import UserError

DAYS = 30
_KEY = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")


@dataclass(frozen=True)
class Deleted:
    """A file in the trash."""

    key: str
    name: str  # relative to the folder of articles
    when: str  # ISO 8601, UTC


class Trash:
    """The deleted files of one folder of articles."""

    def __init__(self, folder: Path, corpus: Path) -> None:
        self._folder = folder
        self._corpus = corpus

    def put(self, name: str) -> Deleted:
        """Move a file out of the articles. Raises OSError; then it is where it was."""
        now = datetime.now(UTC)
        deleted = Deleted(f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}", name, now.isoformat(timespec="seconds"))
        place = self._folder / deleted.key
        place.mkdir(parents=True)
        try:
            about = json.dumps({"name": deleted.name, "when": deleted.when})
            (place / "about.json").write_text(about, encoding="utf-8")
            shutil.move(self._corpus / name, place / "file")
        except OSError:
            shutil.rmtree(place, ignore_errors=True)
            raise
        return deleted

    def restore(self, key: str) -> Deleted:
        """Move a file back to its place. Raises UserError where that cannot be, and OSError."""
        deleted = self._load(key)
        if deleted is None:
            raise UserError("it is not in the trash any more: put the file into the folder by hand")
        target = self._corpus / deleted.name
        if target.exists() or target.is_symlink():
            raise UserError(f"{deleted.name}: there is another file of this name: delete that one first")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(self._folder / key / "file", target)
        shutil.rmtree(self._folder / key, ignore_errors=True)
        return deleted

    def all(self) -> list[Deleted]:
        """What can be restored, newest first."""
        try:
            keys = sorted((place.name for place in self._folder.iterdir()), reverse=True)
        except OSError:
            return []
        return [deleted for key in keys if (deleted := self._load(key))]

    def empty_old(self) -> None:
        """Forget what has been there for longer than a month."""
        oldest = (datetime.now(UTC) - timedelta(days=DAYS)).isoformat(timespec="seconds")
        for deleted in self.all():
            if deleted.when < oldest:
                shutil.rmtree(self._folder / deleted.key, ignore_errors=True)

    def _load(self, key: str) -> Deleted | None:
        if not _KEY.fullmatch(key) or not (self._folder / key / "file").is_file():
            return None
        try:
            about = json.loads((self._folder / key / "about.json").read_text(encoding="utf-8"))
            return Deleted(key, str(about["name"]), str(about["when"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
