"""Loads a sentence-transformers model, quietly, and says in one line why it cannot be had."""

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import UserError
from index.settings import DEFAULT_MODEL

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


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
