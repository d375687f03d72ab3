"""What a user may set, in one frozen value; where Polycite keeps its files."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
SEEDS = PROJECT / "seeds"
DEFAULT_MODEL = "multilingual-e5-small"


def default_data_folder() -> Path:
    """The folder under the user's data directory in which Polycite keeps encoders and collections."""
    from platformdirs import user_data_path

    return user_data_path("polycite", appauthor=False)


@dataclass(frozen=True)
class Settings:
    """Where the articles are, where the collection is, and which encoder makes the vectors."""

    corpus: Path = SEEDS
    store: str = ""  # a folder, or the http address of a Chroma server; "" = a folder of the corpus's own
    data: Path | None = None
    model: str = DEFAULT_MODEL  # the built-in encoder, a sentence-transformers folder, or a hub name
    query_prompt: str | None = None  # None = as the model's own configuration says
    passage_prompt: str | None = None
    reader: bool = True  # whether passages are read with the question
    allow_empty: bool = False  # whether a corpus folder without articles is meant, and not one that is not there

    @property
    def data_folder(self) -> Path:
        """Where encoders and collections are kept."""
        return self.data or default_data_folder()

    @property
    def store_folder(self) -> Path:
        """The folder of the vector cache and, unless ``store`` is a server, of the Chroma collection."""
        if self.store and not self.is_remote:
            return Path(self.store)
        key = str(self.corpus.resolve()) + (self.store if self.is_remote else "")
        name = re.sub(r"[^a-zA-Z0-9]+", "-", self.corpus.resolve().name).strip("-") or "corpus"
        return self.data_folder / "stores" / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:10]}"

    @property
    def is_remote(self) -> bool:
        """Whether ``store`` names a Chroma server."""
        return self.store.startswith(("http://", "https://"))
