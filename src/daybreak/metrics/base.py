"""What a metric is: a pure function and what there is to know before reading its numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from daybreak.errors import MetricError
from daybreak.types import Array


@dataclass(frozen=True)
class Metric:
    """A metric and its card.

    Attributes:
        name: lower case, as typed after `--metrics`.
        summary: one line for a list.
        paper: the publication, with year and venue ("" where there is none).
        better: which direction is better.
        low, high: the range of the score, both inclusive.
        reference: what it compares with: "truth" (the well-lit picture), "input" (the dark picture) or
            "none".
        channels: what it may look at; the first is the default.
        smallest: shortest side that can be scored, in pixels.
        run: the function; takes `output` and, by name, what the other attributes say it needs.
        unit: "dB", "grey levels" …; "" for a pure number.
        asset: name of the parameters that it needs as `model` ("" for none).
        load: makes the published `model` from the fetched assets; raises MissingAsset where they are absent
            and MissingExtra where an optional part is. None where no model is needed.
    """

    name: str
    summary: str
    paper: str
    better: Literal["higher", "lower"]
    low: float
    high: float
    reference: Literal["truth", "input", "none"]
    channels: tuple[str, ...]
    smallest: int
    run: Callable[..., float]
    unit: str = ""
    asset: str = ""
    load: Callable[[], Any] | None = None

    def score(
        self, output: Array, reference: Array | None = None, channel: str = "", model: Any = None
    ) -> float:
        """Score one picture.

        Args:
            output: H×W×3 or H×W; uint8, uint16 or float in [0, 1].
            reference: the same shape; what `self.reference` says, and None where that is "none".
            channel: one of `channels`; "" takes the first.
            model: the parameters named by `asset`.

        Raises:
            MetricError: a needed reference or model is missing, or the pictures cannot be scored.
        """
        given: dict[str, Any] = {"output": output}
        if self.reference != "none":
            if reference is None:
                raise MetricError(f"{self.name} without a reference", f"the {self.reference} picture")
            given["reference"] = reference
        if channel and channel not in self.channels:
            raise MetricError(f"{self.name} asked of the channel {channel!r}", " or ".join(self.channels))
        if len(self.channels) > 1:
            given["channel"] = channel or self.channels[0]
        if self.asset:
            if model is None:
                raise MetricError(f"{self.name} without its parameters", f"the asset {self.asset!r}")
            given["model"] = model
        return self.run(**given)
