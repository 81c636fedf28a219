"""Crops are a pure function of seed and step."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from daybreak.errors import TrainingError
from daybreak.training.crops import Crops


def test_the_same_batch_wherever_the_run_begins(pictures):
    crops = Crops(pictures, 16, 3, seed=5)
    unbroken = list(islice(crops.since(0), 7))
    resumed = list(islice(Crops(pictures, 16, 3, seed=5).since(4), 3))
    for a, b in zip(unbroken[4:], resumed, strict=True):
        assert np.array_equal(a, b)
    assert unbroken[0].shape == (3, 16, 16, 3)
    assert unbroken[0].dtype == np.uint8


def test_another_seed_gives_other_crops(pictures):
    assert not np.array_equal(Crops(pictures, 16, 3, 0).at(0), Crops(pictures, 16, 3, 1).at(0))


def test_every_picture_once_per_epoch_in_a_new_order():
    marked = {str(n): np.full((8, 8, 3), n, np.uint8) for n in range(6)}
    crops = Crops(marked, 8, 2, seed=0)
    seen = [
        [int(crop[0, 0, 0]) for step in range(e * 3, e * 3 + 3) for crop in crops.at(step)] for e in range(3)
    ]
    assert [sorted(epoch) for epoch in seen] == [list(range(6))] * 3
    assert seen[0] != seen[1] or seen[1] != seen[2]


def test_every_place_and_every_flip_comes_up():
    ramp = np.arange(9, dtype=np.uint8)[:, None, None] * 10 + np.arange(9, dtype=np.uint8)[None, :, None]
    crops = Crops({"a": np.repeat(ramp, 3, 2)}, 8, 1, seed=0)
    corners = {int(crops.at(step)[0, 0, 0, 0]) for step in range(100)}
    assert corners == {r * 10 + c for r in (0, 1, 7, 8) for c in (0, 1, 7, 8)}


def test_too_few_and_too_small_pictures_are_named(pictures):
    with pytest.raises(TrainingError, match="8 pictures to train on; expected at least one batch of 9"):
        Crops(pictures, 16, 9, seed=0)
    with pytest.raises(TrainingError, match=r"0\.png is 44×30 pixels; expected at least the crop, 32×32"):
        Crops(pictures, 32, 2, seed=0)
