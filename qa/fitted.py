"""What was fitted over an encoder's vectors: ``qa/STAGE-ENCODER.npz``."""

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@cache
def fitted(stage: str, encoder: str) -> dict[str, NDArray[Any]] | None:
    """The arrays of a stage by name; None where nothing was fitted for the encoder of this name."""
    path = resources.files("qa").joinpath(f"{stage}-{Path(encoder).name}.npz")
    if not path.is_file():
        return None
    with path.open("rb") as raw, np.load(raw) as file:
        return dict(file)
