"""Files of trained weights: matrices as int8 with one float16 scale a row, everything else as float16.

A file names tensors as a model folder does (``encoder.layer.0.attention.self.query.weight``); ``NAME.scale`` [rows, 1]
stands beside a matrix whose value is int8 x scale. Twelve layers of 384 dimensions take 18 MB so.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Weights = dict[str, NDArray[np.float32]]

LAYER_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_SCALE = ".scale"


def layer_name(layer: int, part: str) -> str:
    """The name of a part of a layer in a model folder."""
    return f"encoder.layer.{layer}.{part}"


def read_weights(path: Path) -> Weights:
    """Every tensor of a file as float32."""
    with np.load(path) as file:
        stored = {name: file[name] for name in file.files}
    weights: Weights = {}
    for name, values in stored.items():
        if not name.endswith(_SCALE):
            scale = stored.get(name + _SCALE)
            weights[name] = values.astype(np.float32) * (1 if scale is None else scale.astype(np.float32))
    return weights


def write_weights(path: Path, weights: Mapping[str, NDArray[np.float32]]) -> None:
    """Write tensors, matrices of 8 rows or more in 8 bits."""
    stored: dict[str, NDArray[np.int8] | NDArray[np.float16]] = {}
    for name, values in weights.items():
        if values.ndim == 2 and len(values) >= 8:
            scale = np.maximum(np.abs(values).max(axis=1, keepdims=True) / 127, 1e-7).astype(np.float16)
            stored[name] = np.rint(values / scale.astype(np.float32)).clip(-127, 127).astype(np.int8)
            stored[name + _SCALE] = scale
        else:
            stored[name] = values.astype(np.float16)
    np.savez_compressed(path, **stored)  # type: ignore[arg-type]  # the stub takes them for allow_pickle


def digest(path: Path) -> str:
    """A short hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
