"""The interface between a method and whatever runs its exported graph."""

from __future__ import annotations

from typing import Protocol

from daybreak.types import Array


class Engine(Protocol):
    """A loaded graph with one input and one output; loading happens when it is made."""

    def run(self, batch: Array) -> Array:
        """Run the graph on B×C×H×W, C-contiguous, of the dtype that the graph was exported with."""
        ...
