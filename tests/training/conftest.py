"""Tiny runs: a dozen small pictures, a dozen steps."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak.training.material import Material
from daybreak.training.recipe import parse_recipe

KINDS = {
    "cascade": {
        "network": "cascade",
        "settings": {"perceptual": 0.0},  # its absence would be warned of
    },
    "neid": {
        "network": "neid",
        "settings": {"width": 4, "init": "kaiming"},
        "data": {"crop": 32, "batch": 2, "rotate": True, "darkened": 0.5, "darken_highs": True},
        "ema": 0.9,
    },
    "gan": {
        "network": "msdrs-cyclegan",
        "settings": {"width": 4, "deep_blocks": 1, "side_blocks": 1, "discriminator_width": 2, "pool": 3},
        "data": {"crop": 32, "batch": 2},
        "optimiser": {"lr": 1e-3, "critic_lr": 2e-3, "schedule": "linear", "betas": [0.5, 0.999]},
    },
}


def make_material():
    random = np.random.default_rng(0)
    lows = {f"{n}.png": (random.random((34 + n, 44, 3)) ** 2 * 90).astype(np.uint8) for n in range(8)}
    highs = {name: np.minimum(low.astype(int) * 3, 255).astype(np.uint8) for name, low in lows.items()}
    held_out = (random.random((2, 40, 50, 3)) * 80).astype(np.uint8)
    return Material(lows, highs, pairs=[(low, low * 3) for low in held_out])


@pytest.fixture
def material():
    return make_material()


@pytest.fixture
def tiny():
    """A function from the kind of a network and changes to a recipe."""

    def make(kind="cascade", **changes):
        values = {
            "tag": "tiny",
            "steps": 12,
            "save_every": 4,
            "score_every": 3,
            "log_every": 1,
            "precision": "fp32",
            "data": {"crop": 24, "batch": 2},
            "optimiser": {"lr": 1e-2, "schedule": "cosine"},
        }
        return parse_recipe(values | KINDS[kind] | changes)

    return make
