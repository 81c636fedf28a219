"""One fixed picture, by which a weight is tried in other places than the reference."""

from __future__ import annotations

from typing import Any

import numpy as np

from daybreak.engines import REFERENCE, Place
from daybreak.engines.fastest import load, same
from daybreak.methods.pretrained import run_weight
from daybreak.methods.weight_settings import settings_for
from daybreak.types import Pixels
from daybreak.weights import Weight

_HEIGHT, _WIDTH = 96, 128


def picture() -> Pixels:
    """The picture: a dark wall with a lamp on it, texture, noise, black and a little white."""
    down, across = np.mgrid[:_HEIGHT, :_WIDTH].astype(np.float32)
    wall = 0.02 + 0.1 * across / _WIDTH * (1.0 + 0.5 * np.sin(down / 3.0) * np.sin(across / 5.0))
    lamp = np.exp(-((down - 30.0) ** 2 + (across - 90.0) ** 2) / 200.0)
    light = np.stack([wall + lamp, 0.9 * wall + 0.8 * lamp, 0.7 * wall + 0.5 * lamp], axis=2)
    light += np.random.default_rng(0).normal(0.0, 0.01, light.shape)
    light[-8:, :16] = 0.0
    dark: Pixels = np.clip(light, 0.0, 1.0).astype(np.float32)
    return dark


def uses(weight: Weight) -> list[dict[str, Any]]:
    """The settings to try a weight with: the defaults, and each input that may be left out."""
    given: list[dict[str, Any]] = [{}]
    if weight.card.upscales:
        given.append({"upscale": 2})
    if weight.card.control is not None:
        given.append({"alpha": weight.card.control.most})
    if weight.card.guide:
        given.append({"light": -3.0})
    return given


def tried(weight: Weight, threads: int, low: Pixels, given: dict[str, Any], place: Place) -> Pixels:
    """A new session's first picture, for some devices are wrong on that alone."""
    settings = settings_for(weight.card)(**given)
    return run_weight(load(place, weight, threads), weight.card, low, settings)


def keeps_its_picture(weight: Weight, place: Place) -> bool:
    """Whether a weight gives there what it gives on the reference, however it is asked.

    Raises:
        EngineError: it cannot be run there.
    """
    low, reference = picture(), Place(REFERENCE, "fp32")
    return all(
        same(tried(weight, 1, low, given, place), tried(weight, 1, low, given, reference), place.precision)
        for given in uses(weight)
    )
