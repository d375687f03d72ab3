"""What was trained or measured for an encoder, beside the code that uses it: ``qa/KIND-NAME.npz``."""

from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def read_trained(kind: str, model: str) -> dict[str, NDArray[Any]] | None:
    """The arrays of a kind for an encoder, by its name; None where nothing was trained for it."""
    path = resources.files("qa").joinpath(f"{kind}-{Path(model).name}.npz")
    if not path.is_file():
        return None
    with path.open("rb") as raw, np.load(raw) as file:
        return dict(file)
