"""What methods share that take their illumination map of a large picture from reduced copies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from daybreak.errors import NotEnoughMemory
from daybreak.image.illumination import CELL, HALO, Brought, Light
from daybreak.methods.base import Prepared, setting
from daybreak.types import Pixels


def exact_up_to(default: float, reason: str, what: str = "map") -> Any:
    """Declare the size in megapixels up to which the map is made as published.

    Args:
        default: in megapixels.
        reason: why there, a clause.
        what: the map in the method's own words.
    """
    return setting(
        default,
        f"Pictures up to this size get the {what} as published; larger ones get it from reduced copies, "
        "which is far quicker.",
        source=f"assumed: {reason}",
        unit="MP",
        ge=0.0,
        le=1000.0,
    )


def lit(light: Light, run: Callable[[Pixels, int, int], Pixels]) -> Prepared:
    """What is left to do once there is an illumination map."""
    if isinstance(light, Brought):
        return Prepared(run, HALO, CELL, light.kept, map_of(light.side))
    return Prepared(run, kept=light.kept)


def block_within(shape: tuple[int, ...], per_pixel: float, room: int | None) -> int:
    """Side of the blocks, a power of 2, whose means are few enough for the room.

    Args:
        shape: of the picture, px.
        per_pixel: bytes that the work takes for each mean.
        room: bytes; None for no limit.

    Raises:
        NotEnoughMemory: not even the mean of all of it is.
    """
    side = 1
    while room is not None and (needs := shape[0] * shape[1] * per_pixel / side**2) > room:
        if side >= max(shape[:2]):
            raise NotEnoughMemory(
                f"an illumination map takes {needs / 1e6:,.1f} MB", f"at most {room / 1e6:,.1f} MB"
            )
        side *= 2
    return side


def map_of(side: int) -> str:
    """For people: the map was found at a reduced size."""
    return f"lit by a map solved at 1/{side} the size, for want of memory"
