"""Checkpoints: written whole or not at all, and read without running anything that is inside."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import lightning as L
import torch

from daybreak.errors import TrainingError
from daybreak.training.lesson import OURS
from daybreak.training.recipe import Recipe, parse_recipe

LAST = "last.ckpt"
BEST = "best.ckpt"


def save(trainer: L.Trainer, path: Path) -> None:
    """Write a checkpoint under a temporary name and rename it, so that the one before survives a failure.

    Raises:
        TrainingError: the disk is full or the folder cannot be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        trainer.save_checkpoint(part)  # all processes take part, the first one writes
        if trainer.is_global_zero:
            part.replace(path)
    except (OSError, RuntimeError) as error:  # torch turns a failed write into a RuntimeError
        part.unlink(missing_ok=True)
        kept = f"The one before is whole: {path}" if path.exists() else ""
        raise TrainingError(f"the checkpoint {path} cannot be written: {error}", hint=kept) from None


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint: tensors and plain values only.

    Raises:
        TrainingError: no such file, cut short, or not a checkpoint of ours.
    """
    try:
        kept: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        kept[OURS]["recipe"]["network"]
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, KeyError, TypeError) as error:
        raise TrainingError(f"{path} is no checkpoint of a daybreak run ({type(error).__name__})") from None
    return kept


def recipe_of(checkpoint: dict[str, Any]) -> Recipe:
    """The recipe that a checkpoint was trained by."""
    return parse_recipe(checkpoint[OURS]["recipe"])


def check_same(recipe: Recipe, checkpoint: dict[str, Any], path: Path) -> None:
    """Refuse to go on with another recipe than the one the checkpoint was begun with.

    Raises:
        TrainingError: names the first keys that differ.
    """
    before, now = _flat(checkpoint[OURS]["recipe"]), _flat(recipe.complete())
    differ = [key for key in sorted(before.keys() | now.keys()) if before.get(key) != now.get(key)]
    if differ:
        told = ", ".join(f"{key} was {before.get(key)!r} and is {now.get(key)!r}" for key in differ[:3])
        raise TrainingError(
            f"{path} was begun by another recipe: {told}",
            hint="Give the run another --out, or the same recipe",
        )


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
