"""Batches are a pure function of seed and step, however many processes share them out."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from daybreak.errors import TrainingError
from daybreak.networks.base import Sampling
from daybreak.training.material import Material
from daybreak.training.recipe import Data
from daybreak.training.sampler import Sampler

STEPS = st.integers(0, 10_000)
SEEDS = st.integers(0, 2**31)


def marked(count, shift=0):
    """Pictures whose every pixel says where it is and which picture it is from."""
    rows, columns = np.mgrid[0:20, 0:23]
    return {
        str(n): np.stack([rows * 5, columns * 5, np.full_like(rows, 10 * n + shift)], 2).astype(np.uint8)
        for n in range(count)
    }


def data(**changes):
    return Data(**({"crop": 16, "batch": 4, "rotate": True} | changes))


MATERIAL = Material(lows=marked(5), highs=marked(5), clean=marked(6, 100))
KINDS = {
    "low": data(exposure=1.5),
    "aligned": data(exposure=1.0),
    "unpaired": data(),
    "darkened": data(),
    "mixed": data(darkened=0.5, darken_highs=True),
    "shrunk": data(darkened=0.5, shrink=1.2),
    "whole": data(darkened=0.5, whole=0.5),
    "lit": data(darkened=0.5, lit=0.5),
    "flat": data(darkened=0.5, flat=0.5),
    "shuffled": data(darkened=0.5, channel_shuffle=0.5),
    "sensor": data(darkened=0.5, sensor=0.5),
}


def sampler(kind, seed=0):
    return Sampler(MATERIAL, KINDS[kind], kind if kind in get_args(Sampling) else "aligned", seed)


def parts(batch):
    return [part for part in (batch.low, batch.high, batch.alpha) if part is not None]


def equal(one, other):
    return all(torch.equal(*both) for both in zip(parts(one), parts(other), strict=True))


@pytest.mark.parametrize("kind", KINDS)
@given(seed=SEEDS, step=STEPS)
def test_a_batch_depends_on_seed_and_step_alone(kind, seed, step):
    unbroken = sampler(kind, seed)
    unbroken.at(step + 1)
    assert equal(unbroken.at(step), sampler(kind, seed).at(step))
    assert equal(unbroken.at(step), next(sampler(kind, seed).since(step)))
    assert not equal(unbroken.at(step), sampler(kind, seed + 1).at(step))


@pytest.mark.parametrize("kind", KINDS)
@given(step=STEPS, world=st.sampled_from([1, 2, 4]))
def test_processes_share_a_batch_out_without_changing_it(kind, step, world):
    made = sampler(kind)
    shares = [parts(made.at(step, rank, world)) for rank in range(world)]
    for number, whole in enumerate(parts(made.at(step))):
        together = torch.stack([share[number] for share in shares], dim=1).flatten(0, 1)
        assert torch.equal(together, whole)


@given(
    seed=SEEDS,
    step=STEPS,
    shrink=st.sampled_from([1.0, 1.2]),
    whole=st.sampled_from([0.0, 1.0]),
    shuffle=st.sampled_from([0.0, 1.0]),
)
def test_pairs_are_cut_and_turned_alike(seed, step, shrink, whole, shuffle):
    settings = data(shrink=shrink, whole=whole, channel_shuffle=shuffle)
    made = Sampler(MATERIAL, settings, "aligned", seed).at(step)
    assert made.low.shape == (4, 3, 16, 16)
    assert torch.equal(made.low, made.high)
    unlike = Sampler(MATERIAL, data(shrink=shrink), "unpaired", seed).at(step)
    assert not torch.equal(unlike.low[:, :2], unlike.high[:, :2])


@given(step=STEPS, limit=st.floats(0.1, 4))
def test_exposure_stays_within_its_limit_and_off_the_reference(step, limit):
    grey = {"a": np.full((16, 16, 3), 40, np.uint8)}
    made = Sampler(Material(grey, grey), data(batch=1, exposure=limit), "aligned", 0).at(step)
    assert torch.all(made.high * 255 == 40)
    level = made.low.unique() * 255
    assert level.numel() == 1
    assert torch.allclose(level, level.round(), atol=1e-4)
    assert 40 * 2**-limit - 0.51 <= float(level) <= min(255.0, 40 * 2**limit + 0.51)


@pytest.mark.parametrize(("rotate", "ways"), [(False, 4), (True, 8)])
def test_every_place_and_every_turn_comes_up(rotate, ways):
    ramp = {"a": marked(1)["0"][:17, :17]}
    made = Sampler(Material(ramp), data(batch=1, rotate=rotate), "low", 0)
    cuts = [made.at(step).low[0, :2] * 51 for step in range(200)]
    assert {(int(cut[0].min()), int(cut[1].min())) for cut in cuts} == {
        (r, c) for r in (0, 1) for c in (0, 1)
    }
    corners = {
        tuple((cut[:, 0, [0, -1]] - cut.amin((1, 2))[:, None]).int().flatten().tolist()) for cut in cuts
    }
    assert len(corners) == ways


@pytest.mark.parametrize("sampling", ["aligned", "unpaired", "darkened"])
def test_colours_change_places_in_such_a_share_of_the_crops(sampling):
    red = {"a": np.full((16, 16, 3), (200, 100, 50), np.uint8)}
    orders = []
    for share in (0.0, 0.5, 1.0):
        settings = data(batch=1, channel_shuffle=share)
        made = Sampler(Material(red, red, red), settings, sampling, 0)
        pixels = [made.at(step).high[0, :, 0, 0] * 255 for step in range(400)]
        seen = Counter(tuple(pixel.round().int().tolist()) for pixel in pixels)
        assert all(sorted(colour) == [50, 100, 200] for colour in seen)
        orders.append(seen)
    none, half, every = orders
    assert set(none) == {(200, 100, 50)}
    assert len(half) == len(every) == 6
    assert abs(half[200, 100, 50] / 400 - 7 / 12) < 0.1, "one order of six is that which was there"
    assert all(abs(count / 400 - 1 / 6) < 0.08 for count in every.values())


def test_a_crop_covers_up_to_so_much_more_of_the_picture():
    ramp = {"a": np.tile(np.arange(80, dtype=np.uint8)[:, None, None] * 3, (1, 80, 3))}
    made = Sampler(Material(ramp, ramp), data(batch=1, rotate=False, shrink=4.0), "unpaired", 0)
    cuts = [made.at(step).high[0, 0, :, 0] * 255 for step in range(300)]
    assert all(torch.allclose(cut, cut.round(), atol=1e-4) for cut in cuts), "8 bits, as a picture has"
    factors = np.array([abs(float(cut[-2] - cut[1])) / (13 * 3) for cut in cuts])
    assert factors.min() >= 0.97
    assert factors.max() <= 4.03
    shares = np.histogram(np.log2(factors), bins=[-0.1, 0.5, 1.0, 1.5, 2.1])[0] / len(factors)
    assert np.all(np.abs(shares - 0.25) < 0.08), "every ratio is as likely as every other"


def test_a_picture_too_small_for_the_largest_square_gives_itself_whole():
    noise = {"a": np.random.default_rng(0).integers(0, 256, (24, 20, 3), dtype=np.uint8)}
    made = Sampler(Material(noise), data(batch=1, shrink=8.0), "low", 0)
    spread = [float(made.at(step).low.std()) for step in range(40)]
    assert min(spread) < 0.8 * float(np.std(noise["a"] / 255)), "what is brought down is averaged"


def test_every_picture_once_per_epoch_in_a_new_order():
    made = Sampler(Material(marked(6)), data(batch=2), "low", 0)
    seen = [
        [int(n) for s in range(e * 3, e * 3 + 3) for n in made.at(s).low[:, 2, 0, 0] * 25.5 + 0.5]
        for e in range(4)
    ]
    assert [sorted(epoch) for epoch in seen] == [list(range(6))] * 4
    assert len({tuple(epoch) for epoch in seen}) > 1


@given(step=STEPS)
def test_a_part_of_a_mixed_batch_is_darkened_from_photos(step):
    made = Sampler(MATERIAL, data(darkened=0.5), "aligned", 0).at(step)
    numbers = (made.high[:, 2, 0, 0] * 255).round().int().tolist()
    assert all(number >= 100 for number in numbers[:2]), "the darkened half comes from the photos"
    assert all(number < 100 for number in numbers[2:])
    assert torch.equal(made.low[2:], made.high[2:])
    assert made.alpha is None


def test_a_network_of_dark_pictures_alone_can_have_darkened_ones_among_them():
    made = Sampler(MATERIAL, data(darkened=0.5), "low", 0).at(0)
    assert made.high is None
    assert made.low.shape[0] == 4


def test_alpha_says_how_dark_each_picture_was_made():
    light = Material(clean={"a": np.full((16, 16, 3), 128, np.uint8)})
    batches = list(islice(Sampler(light, data(batch=1), "darkened", 0).since(0), 60))
    alphas = np.array([float(batch.alpha) for batch in batches])
    means = np.array([float(batch.low.mean()) for batch in batches])
    assert alphas.min() >= 0.5
    assert alphas.max() <= 2
    assert np.corrcoef(alphas, means)[0, 1] < -0.5


def test_what_cannot_be_sampled_is_named():
    with pytest.raises(TrainingError, match="5 pictures to train on; expected at least one batch of 9"):
        Sampler(MATERIAL, data(batch=9), "low", 0)
    with pytest.raises(TrainingError, match=r"0 is 23×20 pixels; expected at least the crop, 32×32"):
        Sampler(MATERIAL, data(crop=32), "low", 0)
    with pytest.raises(
        TrainingError, match="there are no photos to darken; expected some, with --from-normal"
    ):
        Sampler(Material(marked(5), marked(5)), data(darkened=0.5), "aligned", 0)
    wider = marked(5) | {"3": np.zeros((20, 25, 3), np.uint8)}
    with pytest.raises(TrainingError, match="the pair 3 is of 23×20 and 25×20 pixels"):
        Sampler(Material(marked(5), wider), data(), "aligned", 0)
    for share in (0.3, 0.7):  # of one crop is none, or all: one of the two kinds would never be seen
        with pytest.raises(TrainingError, match=f"{share} of a batch of 1 is to be darkened, which comes to"):
            Sampler(MATERIAL, data(batch=1, darkened=share), "aligned", 0)
    with pytest.raises(TrainingError, match="other names"):
        Sampler(Material(marked(5), marked(6)), data(), "aligned", 0)


def test_a_view_shows_half_to_all_of_a_picture_and_never_upside_down():
    rows, columns = np.mgrid[0:60, 0:90]
    ramp = {"a": np.stack([4 * rows, 2 * columns, 0 * rows], 2).astype(np.uint8)}
    made = Sampler(Material(ramp), data(batch=1, whole=1.0), "low", 0)
    views = [made.at(step).low[0] * 255 for step in range(300)]
    ends = 16 / 15  # a ramp of 16 means lacks half of the first and of the last
    tall = torch.stack([(view[0].amax() - view[0].amin()) / 4 / 60 * ends for view in views])
    wide = torch.stack([(view[1].amax() - view[1].amin()) / 2 / 90 * ends for view in views])
    assert all(view[0, -1, 0] > view[0, 0, 0] for view in views)
    assert {bool(view[1, 0, -1] > view[1, 0, 0]) for view in views} == {True, False}
    assert 0.46 < (tall * wide).min() < 0.54
    assert (tall * wide).max() > 0.9
    assert tall.max() > 0.9
    assert wide.max() > 0.9


def test_exposures_off_by_chance_are_refused_where_all_is_darkened():
    with pytest.raises(TrainingError, match=r"data\.exposure=0"):
        Sampler(MATERIAL, data(exposure=1.0), "darkened", 0)


def test_some_pictures_are_left_as_lit_as_they_are():
    made = Sampler(MATERIAL, data(lit=0.5), "darkened", 0)
    batches = [made.at(step) for step in range(50)]
    kept = torch.stack([(b.low == b.high).flatten(1).all(1) for b in batches])
    assert 0.35 < kept.float().mean() < 0.65
    assert torch.equal(kept, torch.stack([b.alpha == 0 for b in batches]))
