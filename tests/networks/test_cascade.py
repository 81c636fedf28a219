"""Paper 2's laws (methods.md A.2, H)."""

from __future__ import annotations

import pytest
import torch

from daybreak.layers.calibration import Calibration
from daybreak.networks import build


@pytest.fixture
def network():
    torch.manual_seed(3)
    return build("cascade")


@pytest.fixture
def low():
    return torch.rand(2, 3, 40, 52, generator=torch.Generator().manual_seed(1)) ** 2


def test_parameter_counts(network):
    assert network.inference_parameters() == 1327
    assert sum(p.numel() for p in Calibration().parameters()) == 5619
    assert sum(p.numel() for p in network.parameters()) == 1327 + 5619


@pytest.mark.parametrize("stages", range(1, 6))
def test_parameter_count_does_not_depend_on_the_stages(stages, low):
    network = build("cascade", stages=stages)
    assert sum(p.numel() for p in network.parameters()) == 6946
    assert len(network(low)) == stages


def test_inference_touches_no_calibration_parameter(network, low):
    network.inference()(low).sum().backward()
    assert all(p.grad is None for p in network.calibration.parameters())
    assert all(p.grad is not None for p in network.illumination.parameters())


def test_training_reaches_the_calibration_only_through_later_stages(low):
    for stages, reached in ((1, False), (2, True)):
        network = build("cascade", stages=stages)
        sum(stage.illumination.sum() for stage in network(low)).backward()
        assert any(p.grad is not None for p in network.calibration.parameters()) is reached


def test_never_darker_and_never_out_of_range(network, low):
    with torch.no_grad():
        stages, enhanced = network(low), network.inference()(low)
    for stage in stages:
        assert (stage.enhanced >= low).all()
        assert stage.enhanced.max() <= 1
        assert stage.illumination.min() >= 1e-4
        assert stage.illumination.max() <= 1
    assert (stages[0].illumination >= low).all()
    assert torch.equal(stages[0].enhanced, enhanced)


def test_a_fresh_network_adds_about_one_half(network, low):
    with torch.no_grad():
        added = network.illumination(low * 0.2) - low * 0.2
    assert added.mean().item() == pytest.approx(0.5, abs=0.01)


def test_flat_pictures_stay_flat_up_to_the_border(network):
    """Zeros beyond the border would put a dark frame around the result."""
    torch.nn.init.normal_(network.illumination.head[0].weight, std=0.5)
    with torch.no_grad():
        enhanced = network.inference()(torch.full((1, 3, 20, 30), 0.06))
    assert (enhanced.amax((2, 3)) - enhanced.amin((2, 3))).max() < 1e-6


def test_calibration_is_skipped_where_nothing_asks_for_it(network, low):
    assert network(low)[-1].following is None
    assert network(low, calibrate_last=True)[-1].following is not None
