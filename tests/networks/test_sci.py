"""SCI's laws (methods.md C.9, F.1)."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.losses.bilateral import OFFSETS, bilateral
from daybreak.networks import build


@pytest.fixture
def network():
    torch.manual_seed(3)
    return build("sci").eval()


@pytest.fixture
def low():
    return torch.rand(2, 3, 20, 26, generator=torch.Generator().manual_seed(1)) ** 2


def test_parameter_counts(network):
    assert network.inference_parameters() == 258
    assert sum(p.numel() for p in network.parameters()) == 5877


@pytest.mark.parametrize("stages", range(1, 6))
def test_parameter_count_does_not_depend_on_the_stages(stages, low):
    network = build("sci", stages=stages)
    assert sum(p.numel() for p in network.parameters()) == 5877
    assert len(network(low)) == stages


def test_never_darker_and_the_first_stage_is_what_is_exported(network, low):
    with torch.no_grad():
        stages, enhanced = network(low), network.inference()(low)
    assert torch.equal(stages[0].enhanced, enhanced)
    for stage in stages:
        assert (stage.enhanced >= low).all()
        assert stage.illumination.min() >= 1e-4
        assert stage.illumination.max() <= 1


def test_inference_touches_no_calibration_parameter(network, low):
    network.inference()(low).sum().backward()
    assert all(p.grad is None for p in network.calibration.parameters())


def test_the_offsets_are_half_of_24_neighbours():
    assert len(OFFSETS) == 12
    both = {*OFFSETS, *((-y, -x) for y, x in OFFSETS)}
    assert both == {(y, x) for y in range(-2, 3) for x in range(-2, 3)} - {(0, 0)}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(3, 9), st.integers(3, 9))
def test_the_smoothness_is_the_sum_over_all_24_neighbours(seed, height, width):
    made = torch.Generator().manual_seed(seed)
    light, picture = (torch.rand(2, 3, height, width, generator=made) for _ in range(2))
    weights = torch.tensor([[0.257, 0.504, 0.098], [-0.148, -0.291, 0.439], [0.439, -0.368, -0.071]]) * 255
    colors = torch.einsum("kc,bchw->bkhw", weights, picture)
    expected = 0.0
    for down in range(-2, 3):
        for right in range(-2, 3):
            values = [
                (-(colors[b, :, y, x] - colors[b, :, y + down, x + right]).square().sum() / 200).exp()
                * (light[b, :, y, x] - light[b, :, y + down, x + right]).abs().sum()
                for b in range(2)
                for y in range(max(0, -down), min(height, height - down))
                for x in range(max(0, -right), min(width, width - right))
            ]
            expected += torch.stack(values).mean().item() if (down, right) != (0, 0) else 0.0
    assert bilateral(light, picture).item() == pytest.approx(expected, rel=0.02)


def test_the_smoothness_spares_the_borders_of_colours():
    light = torch.zeros(1, 3, 8, 8)
    light[..., 4:] = 1
    edge = light * 0.5
    flat = torch.full_like(edge, 0.3)
    assert bilateral(light, edge) < 1e-6 < bilateral(light, flat)
    assert bilateral(torch.full_like(light, 0.4), edge) == 0
