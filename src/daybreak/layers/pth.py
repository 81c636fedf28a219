"""Reading parameters that others published as a `.pth` file, without running what may be hidden in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from daybreak.errors import WeightsError


def read_pth(path: Path) -> dict[str, Tensor]:
    """Name -> tensor, on the CPU.

    Raises:
        WeightsError: the file is missing, damaged, or holds anything but named tensors.
    """
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes the reader stumble in any way
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise WeightsError(f"{path} cannot be loaded ({reason})", "a .pth of named tensors") from None
    if not isinstance(found, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in found.items()
    ):
        raise WeightsError(f"{path} holds a {type(found).__name__}", "a .pth of named tensors")
    return dict(found)


def pick(
    found: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]], origin: str
) -> dict[str, Tensor]:
    """The tensors of the names wanted, as float32; what else was found is left.

    Args:
        found: by name.
        shapes: name -> shape that it must have.
        origin: where they are from, for the message.

    Raises:
        WeightsError: one is missing, has another shape, or a value that is no finite number.
    """
    for name, shape in shapes.items():
        if name not in found:
            raise WeightsError(f"{origin} has no {name!r}", f"one of shape {shape}")
        if tuple(found[name].shape) != shape:
            raise WeightsError(f"{name!r} of {origin} has shape {tuple(found[name].shape)}", f"{shape}")
        if not found[name].is_floating_point() or not found[name].isfinite().all():
            raise WeightsError(f"{name!r} of {origin} holds {found[name].dtype}", "finite float numbers")
    return {name: found[name].float() for name in shapes}
