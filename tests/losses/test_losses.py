"""Losses against closed forms."""

from __future__ import annotations

import colorsys
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.losses.color import color, hue_and_saturation, kept_colors, lit, luma, tint
from daybreak.losses.fidelity import fidelity
from daybreak.losses.huber import huber
from daybreak.losses.perceptual import Perceptual
from daybreak.losses.smoothness import smoothness
from daybreak.networks import build
from daybreak.networks.base import Batch
from daybreak.networks.cascade import CascadeObjective, CascadeSettings


def test_fidelity_is_the_mean_square():
    given = torch.zeros(2, 3, 4, 5)
    assert fidelity(given + 0.3, given).item() == pytest.approx(0.09)
    half = given.clone()
    half[..., :2, :] = 0.2  # half of the pixels are off by 0.2
    assert fidelity(half, given).item() == pytest.approx(0.02)


def test_smoothness_of_a_plane_is_its_slope():
    rows = torch.arange(6.0).view(1, 1, 6, 1) * 0.03
    columns = torch.arange(9.0).view(1, 1, 1, 9) * 0.04
    assert smoothness(rows + columns).item() == pytest.approx(math.sqrt(0.05**2 + 1e-6), rel=1e-5)


def test_smoothness_of_a_flat_picture_is_epsilon_and_has_a_finite_gradient():
    flat = torch.full((1, 3, 8, 8), 0.4, requires_grad=True)
    loss = smoothness(flat, epsilon=1e-2)
    loss.backward()
    assert loss.item() == pytest.approx(1e-2, rel=1e-4)
    assert flat.grad.abs().max() == 0


def test_smoothness_of_one_edge():
    """A step of 0.5 between columns 3 and 4 of 8: one of seven columns of differences sees it."""
    picture = torch.zeros(1, 1, 5, 8)
    picture[..., 4:] = 0.5
    assert smoothness(picture, epsilon=0.0).item() == pytest.approx(0.5 / 7)


def test_perceptual_without_an_extractor_is_zero_and_says_so_once():
    with pytest.warns(UserWarning, match="perceptual loss counts as 0"):
        loss = Perceptual(None)
    for _ in range(3):  # a second warning would be an error
        assert loss(torch.rand(1, 3, 4, 4), torch.rand(1, 3, 4, 4)).item() == 0.0


def test_perceptual_is_the_mean_difference_of_features():
    loss = Perceptual(lambda picture: 2 * picture[:, :1])
    assert loss(torch.full((2, 3, 4, 4), 0.5), torch.full((2, 3, 4, 4), 0.2)).item() == pytest.approx(0.6)


def test_the_cascade_weighs_its_terms_as_told():
    low = torch.rand(2, 3, 24, 24, generator=torch.Generator().manual_seed(0)) * 0.2
    torch.manual_seed(0)
    network = build("cascade")
    told = CascadeSettings(fidelity=2.0, smoothness=3.0, perceptual=0.25)
    terms = CascadeObjective(network, told, lambda picture: picture).terms(Batch(low))
    stages = network(low, calibrate_last=True)
    assert len(stages) == 3
    expected = {
        "fidelity": 2.0 * sum(fidelity(s.illumination, s.given) for s in stages),
        "smoothness": 3.0 * sum(smoothness(s.illumination) for s in stages),
        "perceptual": 0.25 * (stages[-1].following - stages[-1].illumination).abs().mean(),
    }
    assert terms.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(terms[name], value, msg=name)


def test_smoothness_can_look_at_the_enhanced_picture():
    low = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(0)) * 0.2
    network = build("cascade", stages=1)
    told = CascadeSettings(stages=1, smooth_on="enhanced", perceptual=0)
    terms = CascadeObjective(network, told).terms(Batch(low))
    torch.testing.assert_close(terms["smoothness"], 0.65 * smoothness(network.inference()(low)))


@given(error=st.floats(-1, 1), delta=st.floats(1e-3, 2))
def test_huber_is_half_the_square_and_then_a_line_of_slope_delta(error, delta):
    reference = torch.zeros(1, 3, 2, 2)
    far = abs(error) > delta
    expected = delta * (abs(error) - delta / 2) if far else error**2 / 2
    assert huber(reference + error, reference, delta).item() == pytest.approx(expected, rel=1e-4, abs=1e-9)


def test_huber_and_its_slope_are_continuous_at_delta():
    values, slopes = [], []
    for error in (0.1 - 1e-5, 0.1 + 1e-5):
        output = torch.full((1, 3, 4, 4), error, requires_grad=True)
        loss = huber(output, torch.zeros_like(output), 0.1)
        loss.backward()
        values.append(loss.item())
        slopes.append(output.grad.sum().item())
    assert values[0] == pytest.approx(values[1], abs=3e-6)
    assert slopes[0] == pytest.approx(slopes[1], abs=3e-5)


@settings(max_examples=30, deadline=None)
@given(rgb=st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=4, max_size=4))
def test_hue_and_saturation_are_those_of_hsv(rgb):
    picture = (torch.tensor(rgb, dtype=torch.float64).T / 255).view(1, 3, 2, 2)
    hue, saturation = hue_and_saturation(picture)
    for place, pixel in enumerate(rgb):
        wanted = colorsys.rgb_to_hsv(*(level / 255 for level in pixel))
        assert saturation.flatten()[place].item() == pytest.approx(wanted[1], abs=1e-9)
        apart = abs(hue.flatten()[place].item() - wanted[0])
        assert min(apart, 1 - apart) < 1e-9


HUES = pytest.mark.parametrize("hue", ["plane", "circle"])


@HUES
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), gain=st.floats(0.1, 1))
def test_color_is_0_for_one_picture_at_any_brightness_and_stays_in_its_range(hue, seed, gain):
    made = torch.Generator().manual_seed(seed)
    one, other = (torch.rand(2, 3, 6, 5, generator=made) for _ in range(2))
    same, apart = color(one, one * gain, hue).item(), color(one, other, hue).item()
    assert same == pytest.approx(0, abs=1e-5)  # neither hue nor saturation changes
    assert 0.05 < apart <= {"plane": 4, "circle": 2}[hue]


@HUES
def test_color_of_pictures_without_colour_is_finite_and_so_is_its_gradient(hue):
    gray = torch.full((1, 3, 4, 4), 0.4)
    colourful = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    assert color(gray, gray, hue).item() == 0, "nothing to be apart in"
    wanted = {"plane": 2, "circle": 1}[hue]
    assert color(gray, colourful, hue).item() == pytest.approx(wanted), "an empty plane is like none"
    for level in (0.0, 0.4, 1.0):
        output = torch.full((1, 3, 4, 4), level, requires_grad=True)
        color(output, colourful, hue).backward()
        assert output.grad.isfinite().all()


@HUES
def test_color_pulls_towards_the_reference(hue):
    made = torch.Generator().manual_seed(2)
    reference, output = (torch.rand(1, 3, 8, 8, generator=made) for _ in range(2))
    output.requires_grad_()
    before = color(output, reference, hue)
    before.backward()
    with torch.no_grad():
        moved = (output - 0.05 * output.grad / output.grad.norm()).clamp(0, 1)
        after = color(moved, reference, hue)
    assert after < before


def test_two_reds_are_near_on_the_circle_and_far_in_the_plane():
    """Eq. 4's plane breaks at red: where a network is unsure, green and blue lie between two reds."""
    made = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(3))
    red = torch.cat([0.5 + made[:, :1] / 2, made[:, 1:] / 10], 1)
    other = red[:, [0, 2, 1]]  # the hue on red's other side
    assert color(red, other, "circle") < 0.02 < 0.4 < color(red, other, "plane")

    def turned(picture):
        return picture[:, [1, 2, 0]]

    turns = [color(*both, "circle").item() for both in ((red, other), (turned(red), turned(other)))]
    assert turns[0] == pytest.approx(turns[1], abs=1e-6)
    assert color(turned(red), turned(other), "plane") < 0.02, "no break where there is no red"


@settings(max_examples=20, deadline=None)
@given(
    rgb=st.tuples(*[st.floats(0.02, 0.2)] * 3),
    gain=st.floats(0.8, 1.5),
    seed=st.integers(0, 1000),
)
def test_colors_are_kept_at_any_brightness_and_under_noise_and_lost_in_gray(rgb, gain, seed):
    low = torch.tensor(rgb).view(1, 3, 1, 1).expand(1, 3, 16, 16)
    shown = luma(lit(low)) * tint(lit(low).mean((2, 3), keepdim=True))
    bright, gray = kept_colors(shown * gain, low).item(), shown.mean(1, keepdim=True).expand_as(shown)
    assert kept_colors(shown, low).item() == pytest.approx(0, abs=1e-6)
    assert bright < 3e-3
    if max(rgb) > 2 * min(rgb):
        assert kept_colors(gray, low).item() > 2 * bright
    noise = 0.1 * torch.randn(shown.shape, generator=torch.Generator().manual_seed(seed))
    share = noise.square().mean().item() / shown.mean().item() ** 2
    assert kept_colors(shown + noise, low).item() < 0.2 * share


@given(one=st.tuples(*[st.floats(0.02, 1)] * 3), other=st.tuples(*[st.floats(0.02, 1)] * 3))
def test_tints_of_dark_pictures_come_closer_together_and_hang_on_no_brightness(one, other):
    means = [torch.tensor(rgb, dtype=torch.float64).view(1, 3, 1, 1) for rgb in (one, other)]
    made = [tint(mean) for mean in means]
    apart, were = ((a / b).log() for a, b in (made, means))
    torch.testing.assert_close(apart - apart.mean(), (were - were.mean()) * 2 / 3)
    torch.testing.assert_close(tint(0.3 * means[0]), made[0])
    assert luma(made[0]).item() == pytest.approx(1)
    gray = tint(torch.ones(1, 3, 1, 1))
    assert gray.min() > 0.97 < 1 / gray.max(), "gray stays nearly gray"


def test_kept_colors_pull_a_gray_picture_to_the_dark_ones_hue():
    low = torch.tensor([0.12, 0.03, 0.05]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    output = torch.full((1, 3, 8, 8), 0.5, requires_grad=True)
    kept_colors(output, low).backward()
    red, green, blue = output.grad.sum((0, 2, 3)).tolist()
    assert red < 0 < green, "more red, less green"
    assert red < blue
