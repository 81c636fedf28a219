"""Losses against closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from daybreak.losses.fidelity import fidelity
from daybreak.losses.perceptual import Perceptual
from daybreak.losses.smoothness import smoothness
from daybreak.networks import build, get_network
from daybreak.networks.cascade import CascadeSettings


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
    settings = CascadeSettings(fidelity=2.0, smoothness=3.0, perceptual=0.25)
    terms = get_network("cascade").objective(settings, lambda picture: picture)(network, low)
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
    objective = get_network("cascade").objective
    terms = objective(CascadeSettings(stages=1, smooth_on="enhanced", perceptual=0), None)(network, low)
    torch.testing.assert_close(terms["smoothness"], 0.65 * smoothness(network.inference()(low)))
