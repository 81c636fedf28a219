"""Checkpoints: written whole or not at all, and read without running anything that is inside."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.plugins import TorchCheckpointIO
from torch import Tensor

from daybreak.errors import TrainingError, UnwritablePicture
from daybreak.files import whole_file
from daybreak.networks.base import Network
from daybreak.networks.registry import build
from daybreak.training.lesson import OURS, Lesson
from daybreak.training.recipe import BOOKKEEPING, Recipe, parse_recipe

LAST = "last.ckpt"
BEST = "best.ckpt"

FREE = set(BOOKKEEPING) - {"score_pairs"}  # by which the best so far was chosen
"""Keys of a recipe that may change while a run is under way."""

_UNREADABLE = (OSError, RuntimeError, EOFError, pickle.UnpicklingError, LookupError, TypeError, ValueError)
"""What torch raises of files that are none of ours."""


class WholeFiles(TorchCheckpointIO):
    """Writes a checkpoint straight into its folder; Lightning's own goes by way of memory and of /tmp."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:  # noqa: ARG002
        """Write it under a temporary name, flush it, and rename it."""
        with whole_file(Path(path), overwrite=True) as file:
            torch.save(checkpoint, file)


def save(trainer: L.Trainer, path: Path) -> None:
    """Write a checkpoint; the one before stands until it is whole. All processes take part, one writes.

    Raises:
        TrainingError: the disk is full or the folder cannot be written.
    """
    try:
        trainer.save_checkpoint(path)
    except (UnwritablePicture, RuntimeError) as error:  # torch turns a failed write into a RuntimeError
        came = error.came if isinstance(error, UnwritablePicture) else f"{path} cannot be written: {error}"
        kept = f"; the one before is whole: {path}" if path.exists() else ""
        raise TrainingError(came + kept, hint="Free some space and go on with --resume auto") from None


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint: tensors and plain values only.

    Raises:
        TrainingError: no such file, cut short, or not a checkpoint of ours.
    """
    try:
        kept: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        kept[OURS]["recipe"]["network"]
    except FileNotFoundError:
        others = sorted(path.parent.glob("*.ckpt"))
        hint = f"There is {others[0]}" if others else ""
        raise TrainingError(f"there is no checkpoint {path}", hint=hint) from None
    except _UNREADABLE as error:
        raise TrainingError(f"{path} is no checkpoint of a daybreak run ({type(error).__name__})") from None
    return kept


def recipe_of(checkpoint: dict[str, Any]) -> Recipe:
    """The recipe that a checkpoint was trained by."""
    return parse_recipe(checkpoint[OURS]["recipe"])


def network_of(checkpoint: dict[str, Any], path: Path) -> Network:
    """The network that a checkpoint's run scores and exports: with averaged weights where it keeps them.

    Args:
        checkpoint: from `load`.
        path: of it, for the message.

    Raises:
        TrainingError: it holds another version of the network.
    """
    recipe = recipe_of(checkpoint)
    network = build(recipe.network, **recipe.settings)
    prefix = "average." if recipe.ema else "network."
    held: dict[str, Tensor] = checkpoint["state_dict"]
    state = {key.removeprefix(prefix): value for key, value in held.items() if key.startswith(prefix)}
    _check_shapes(network.state_dict(), state, path, recipe.network)
    network.load_state_dict(state)
    return network.eval()


def check(lesson: Lesson, checkpoint: dict[str, Any], path: Path) -> None:
    """Refuse to go on from what this run did not begin.

    Raises:
        TrainingError: another recipe, other pictures, a perceptual loss that came or went, or another
            version of the network.
    """
    check_same(lesson.recipe, checkpoint, path)
    before, now = (about.get("pictures") for about in (checkpoint[OURS]["about"], lesson.about))
    if before and before != now:  # validation pairs may be drawn anew, from what was trained on
        raise TrainingError(
            f"{path} was begun on other pictures",
            hint="Give the run another --out, or the same pictures",
        )
    eye = [about.get("perceptual") for about in (checkpoint[OURS]["about"], lesson.about)]
    if None not in eye and eye[0] != eye[1]:
        raise TrainingError(
            f"{path} was begun {'with' if eye[0] else 'without'} VGG16 for the perceptual loss, which is "
            f"{'not here' if eye[0] else 'here'} now",
            hint="Type daybreak assets fetch vgg16"
            if eye[0]
            else "Set DAYBREAK_CACHE to another folder, or give the run another --out",
        )
    _check_shapes(lesson.state_dict(), checkpoint["state_dict"], path, lesson.recipe.network)


def check_same(recipe: Recipe, checkpoint: dict[str, Any], path: Path) -> None:
    """Refuse to go on with another recipe than the one the checkpoint was begun with.

    Keys that came to recipes later are no difference while they hold their defaults, nor is bookkeeping.

    Raises:
        TrainingError: names the first keys that differ.
    """
    plain = Recipe(network=recipe.network, tag=recipe.tag, steps=recipe.steps)
    before = _flat(plain.complete()) | _flat(checkpoint[OURS]["recipe"])
    now = _flat(recipe.complete())
    keys = sorted((before.keys() | now.keys()) - FREE, key=lambda key: (key != "network", key))
    differ = [key for key in keys if before.get(key) != now.get(key)]
    if differ:
        told = ", ".join(f"{key} was {before.get(key)!r} and is {now.get(key)!r}" for key in differ[:3])
        raise TrainingError(
            f"{path} was begun by another recipe: {told}",
            hint="Give the run another --out, or the same recipe",
        )


def _check_shapes(wanted: Mapping[str, Tensor], held: Mapping[str, Tensor], path: Path, network: str) -> None:
    shapes, others = ({key: tuple(v.shape) for key, v in part.items()} for part in (wanted, held))
    differ = [key for key in sorted(shapes.keys() | others.keys()) if shapes.get(key) != others.get(key)]
    if differ:
        key = differ[0]
        raise TrainingError(
            f"{path} holds another version of the network {network}: "
            f"{key} is {others.get(key, 'missing')} there",
            f"{shapes.get(key, 'none')} ({len(differ)} such differences)",
        )


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
