"""The setting that methods share which take their illumination map of a large picture from reduced copies."""

from __future__ import annotations

from typing import Any

from daybreak.methods.base import setting


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
