"""daybreak's own network: the exposure it is asked for, its tiles, its strength."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.layers.exposure import lift, light, linear, see, slope_for
from daybreak.layers.thumbnail import thumbnail
from daybreak.networks import build
from daybreak.networks.base import Batch
from daybreak.networks.flagship import ELSE, SIDE, SPEC, brightness

LOW = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(1)) ** 3


@pytest.fixture
def network():
    torch.manual_seed(3)
    made = build("daybreak").eval()
    for parameter in made.parameters():  # its last layers start at 0
        parameter.data += 0.01 * torch.randn_like(parameter)
    return made


@given(st.floats(-4, 4), st.floats(0, 1))
def test_lift_keeps_black_and_white_rises_and_can_be_undone(stops, value):
    slope, x = torch.tensor(2.0**stops), torch.tensor(value)
    assert lift(torch.tensor(0.0), slope) == 0
    assert lift(torch.tensor(1.0), slope) == pytest.approx(1, abs=1e-6)
    assert lift(lift(x, slope), 1 / slope) == pytest.approx(value, abs=1e-5)
    assert (lift(x, slope) - x) * stops >= -1e-6


def test_linear_is_the_standards():
    encoded = torch.tensor([0.0, 0.04045, 0.5, 1.0])
    torch.testing.assert_close(
        linear(encoded), torch.tensor([0.0, 0.0031308, 0.2140411, 1.0]), atol=1e-6, rtol=0
    )


@settings(max_examples=20, deadline=None)
@given(st.floats(-5, -0.5))
def test_the_slope_reaches_any_light(wanted):
    asked = torch.full((2,), wanted)
    reached = light(lift(LOW, torch.exp2(slope_for(see(LOW), asked)).view(-1, 1, 1, 1)))
    torch.testing.assert_close(reached, asked, atol=1e-3, rtol=0)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 200), st.integers(1, 200))
def test_a_thumbnail_keeps_the_mean_at_any_size(height, width):
    picture = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(height))
    small = thumbnail(picture, SIDE)
    assert small.shape == (1, 3, SIDE, SIDE)
    torch.testing.assert_close(small.mean((2, 3)), picture.mean((2, 3)), atol=1e-5, rtol=0)


def test_a_thumbnail_is_the_mean_of_each_part():
    picture = torch.rand(1, 3, 2 * SIDE, 3 * SIDE)
    torch.testing.assert_close(thumbnail(picture, SIDE), torch.nn.functional.avg_pool2d(picture, (2, 3)))


@torch.no_grad()
def test_strength_0_gives_the_picture_back_and_more_is_brighter(network):
    develop, still = network.inference(), torch.zeros(2)
    torch.testing.assert_close(develop(LOW, None, None, still), LOW, atol=1e-4, rtol=0)
    brightness = [
        light(develop(LOW, None, torch.full((2,), -1.5), torch.full((2,), share)))
        for share in (0.0, 0.5, 1.0)
    ]
    assert (brightness[0] < brightness[1]).all()
    assert (brightness[1] < brightness[2]).all()


@torch.no_grad()
def test_a_tile_with_the_guide_is_cut_out_of_the_whole(network):
    low = torch.rand(1, 3, 512, 512, generator=torch.Generator().manual_seed(2)) ** 3
    develop, guide, halo = network.inference(), thumbnail(low, SIDE), network.halo
    tile = develop(low[..., 256 - halo :, 256 - halo :], guide)[..., halo:, halo:]
    torch.testing.assert_close(tile, develop(low)[..., 256:, 256:], atol=1e-6, rtol=0)


@torch.no_grad()
def test_asked_for_more_light_it_gives_more(network):
    reached = [light(network.inference()(LOW, None, torch.full((2,), ev))) for ev in (-4.0, -3.0, -2.0, -1.0)]
    assert all((a < b).all() for a, b in pairwise(reached))


@torch.no_grad()
def test_a_black_picture_stays_black(network):
    assert network.inference()(torch.zeros(1, 3, 32, 32)).max() == 0


def test_what_is_learned_of_the_exposure_is_the_references(network):
    """The estimate is drawn to the light of the reference, not to what was asked for in its place."""
    objective = SPEC.objective(network, SPEC.settings(ssim=0, guess=1), None)
    high = LOW.sqrt()
    truth, seen = light(high), see(thumbnail(LOW, SIDE))
    terms = objective.terms(Batch(LOW, high))
    off = brightness(network.glance(seen)[0]) - brightness(truth)
    torch.testing.assert_close(terms["guess"], ELSE * torch.log1p(off.square() / ELSE).mean())


def test_likeness_is_that_of_the_gray_picture_or_of_each_channel(network):
    def cost(alike, low, high):
        objective = SPEC.objective(network, SPEC.settings(alike=alike, asked=0), None)
        return objective.terms(Batch(low, high))["ssim"].item()

    assert cost("gray", LOW, LOW.sqrt().flip(1)) < 0.9 * cost("color", LOW, LOW.sqrt().flip(1))


def test_a_look_that_is_kept_moves_nothing_but_what_it_tells():
    network = SPEC.build(SPEC.settings(local="gates", width=4, glance=6, numbers=2))
    (phase,) = SPEC.objective(network, SPEC.settings(look="kept"), None).phases()
    moved = {id(p) for module in phase.modules for p in module.parameters()}
    kept = {name for name, p in network.named_parameters() if id(p) not in moved}
    assert {name.split(".")[0] for name in kept} == {"glance"}
    assert not any("numbers" in name for name in kept)
    assert len(kept) == 12
