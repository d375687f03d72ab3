"""What a training run goes on from after it was broken off."""

from pathlib import Path
from typing import Any

import torch


def load(path: Path, device: str, parts: dict[str, Any]) -> int:
    """Put the state of a checkpoint into model, optimiser and schedule; the step to go on with, 0 without one."""
    if not path.exists():
        return 0
    kept = torch.load(path, map_location=device, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(kept[name])
    step = int(kept["step"])
    print(f"goes on from step {step}", flush=True)
    return step


def save(path: Path, step: int, parts: dict[str, Any]) -> None:
    """Write a checkpoint in the place of the former one, in one go."""
    new = path.with_suffix(".new")
    torch.save({name: part.state_dict() for name, part in parts.items()} | {"step": step}, new)
    new.replace(path)
