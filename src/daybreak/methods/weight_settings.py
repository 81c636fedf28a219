"""What can be set on a shipped weight, and what its graph is given for it beside the picture."""

from __future__ import annotations

from typing import Self

import numpy as np
from pydantic import PrivateAttr

from daybreak.image.rows import Bands, Levels, Rows
from daybreak.image.small import guide_of
from daybreak.methods.base import Settings, setting
from daybreak.types import Array
from daybreak.weights import Control, WeightCard


class PretrainedSettings(Settings):
    """A trained network that has nothing to set."""

    def settled(self, card: WeightCard, rows: Rows) -> Self:  # noqa: ARG002 - those of other networks look
        """The same, with what is taken from a whole picture, so that no tile guesses it."""
        return self

    def strengthened(self, strength: float) -> Self:
        """Settled ones at a strength other than 1, for a network with a control of its own."""
        raise NotImplementedError

    def inputs(self) -> dict[str, Array]:
        """The graph's inputs beside the picture, for a batch of one."""
        return {}


class UpscaleSettings(PretrainedSettings):
    """A network that works at half the size, and can be given the picture itself instead."""

    upscale: int = setting(
        1,
        "2 takes the picture as the small one it would have made of it: the result is twice as large, "
        "and another in brightness.",
        source="paper: 4, section 3.1; the network super-resolves by 2",
        ge=1,
        le=2,
    )

    def inputs(self) -> dict[str, Array]:
        """`upscale`, where asked for."""
        return {"upscale": np.array([True])} if self.upscale == 2 else {}


class AlphaSettings(PretrainedSettings):
    """A network with paper 3's α."""

    alpha: float = setting(
        0.0,
        "How much of the light that is missing is given back; 0 estimates it from the picture.",
        source="paper: section 4, α from 0.5 to 2; above it the network was not trained",
        ge=0,
        le=3,
    )

    def settled(self, card: WeightCard, rows: Rows) -> Self:
        """With α estimated, where it is left to the network."""
        assert card.control is not None
        return self if self.alpha else self.model_copy(update={"alpha": estimate(card.control, rows)})

    def strengthened(self, strength: float) -> Self:
        """α times the strength."""
        return self.model_copy(update={"alpha": self.alpha * strength})

    def inputs(self) -> dict[str, Array]:
        """α; 0 lets the graph estimate it from what it is given."""
        return {"alpha": np.array([self.alpha], np.float32)}


class GuidedSettings(PretrainedSettings):
    """A network that decides on a small copy of the whole picture what holds for all of it."""

    light: float = setting(
        0.0,
        "Mean linear light to reach, as log2 of its share of white; 0 leaves it to the network.",
        unit="EV",
        source="assumed: LOL's references lie around −2.3, with most within 1 EV of it",
        ge=-8,
        le=0,
    )
    _guide: Array | None = PrivateAttr(default=None)  # of the picture at hand; no record needs it
    _strength: float = PrivateAttr(default=1.0)

    def settled(self, card: WeightCard, rows: Rows | Bands) -> Self:
        """With the small copy."""
        if self._guide is not None:
            return self
        copy = self.model_copy()
        copy._guide = guide_of(rows, card.guide)
        return copy

    def strengthened(self, strength: float) -> Self:
        """The network's own strength: how far towards the light, and how much of the rest."""
        copy = self.model_copy()
        copy._strength = strength
        return copy

    def inputs(self) -> dict[str, Array]:
        """All three; without the copy the graph makes one of what it is given."""
        given = {
            "wanted": np.array([self.light], np.float32),
            "strength": np.array([self._strength], np.float32),
        }
        return given if self._guide is None else given | {"guide": self._guide}


def settings_for(card: WeightCard) -> type[PretrainedSettings]:
    """The settings of the method that a weight becomes."""
    if card.guide:
        return GuidedSettings
    if card.control is not None:
        return AlphaSettings
    return UpscaleSettings if card.upscales else PretrainedSettings


def estimate(control: Control, rows: Rows) -> float:
    """A graph's control from the brightness of the whole picture, H×W×3 in [0, 1]."""
    values, peak = (rows.whole, rows.peak) if isinstance(rows, Levels) else (rows, 1)
    value = control.intercept + control.slope * float(values.mean(dtype=np.float64)) / peak
    return min(max(value, control.least), control.most)
