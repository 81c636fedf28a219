"""The interface between a method and whatever runs its exported graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias

from daybreak.errors import EngineError
from daybreak.types import Array

Precision: TypeAlias = Literal["fp32", "bf16"]
"""What a graph is computed in; how its parameters are kept in the file is another matter."""


class Engine(Protocol):
    """A loaded graph with one picture in and one out; loading happens when it is made.

    It is run from any number of threads at a time.
    """

    def run(self, batch: Array, besides: Mapping[str, Array] = ...) -> Array:
        """Run the graph.

        Args:
            batch: B×C×H×W, C-contiguous, of the dtype that the graph was exported with.
            besides: inputs that may be left out, by name: a control of shape B, `upscale` of one bool.

        Raises:
            EngineError: the device failed, ran out of memory or is not there any more.
        """
        ...


def failed(place: str, error: Exception) -> EngineError:
    """What is said of a device that gave up in the middle; keeps the library's own words.

    Args:
        place: engine and device, "ONNX Runtime on cuda".
    """
    told = " ".join(str(error).split())
    return EngineError(f"{place} failed: {told}", hint="Type: daybreak doctor, or --device cpu")
