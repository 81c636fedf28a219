"""The interface between a method and whatever runs its exported graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from daybreak.types import Array


class Engine(Protocol):
    """A loaded graph with one picture in and one out; loading happens when it is made."""

    def run(self, batch: Array, besides: Mapping[str, Array] = ...) -> Array:
        """Run the graph.

        Args:
            batch: B×C×H×W, C-contiguous, of the dtype that the graph was exported with.
            besides: inputs that may be left out, by name: a control of shape B, `upscale` of one bool.
        """
        ...
