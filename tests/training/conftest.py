"""A tiny run: eight small dark pictures, a dozen steps."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from daybreak.training.recipe import parse_recipe


@pytest.fixture
def pictures():
    random = np.random.default_rng(0)
    return {f"{n}.png": (random.random((30 + n, 44, 3)) ** 2 * 90).astype(np.uint8) for n in range(8)}


@pytest.fixture
def pairs(pictures):
    return [
        (low, np.minimum(low.astype(int) * 4, 255).astype(np.uint8)) for low in list(pictures.values())[:2]
    ]


@pytest.fixture
def tiny():
    """A function from changes to a recipe; without the perceptual loss, whose absence would be warned of."""

    def make(**changes):
        values = {
            "network": "cascade",
            "tag": "tiny",
            "steps": 12,
            "save_every": 4,
            "score_every": 3,
            "log_every": 1,
            "settings": {"perceptual": 0.0},
            "data": {"crop": 24, "batch": 2},
            "optimiser": {"lr": 1e-2, "schedule": "cosine"},
        }
        return parse_recipe(values | changes)

    return make


@pytest.fixture(autouse=True)
def _one_thread():
    """Tiny tensors gain nothing from threads, and threads wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
