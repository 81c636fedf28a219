"""The blur behind a doubling: what it takes out and what it leaves."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.layers.smooth import BROAD, FLAT, Doubling, Smooth

TAPS = (BROAD, FLAT)


def noise(*size, seed=0):
    return torch.randn(size, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(TAPS), st.integers(1, 4), st.integers(3, 9), st.integers(3, 9), st.integers(0, 99))
def test_a_grid_of_cells_becomes_its_mean(taps, channels, height, width, seed):
    cell = noise(1, channels, 2, 2, seed=seed)
    made = Smooth(channels, taps)(cell.repeat(1, 1, height, width))
    inner = made[..., 2:-2, 2:-2]
    torch.testing.assert_close(inner, cell.mean((2, 3), keepdim=True).expand_as(inner), atol=1e-6, rtol=0)


@pytest.mark.parametrize(("taps", "degree"), [(BROAD, 1), (FLAT, 3)], ids=["broad", "flat"])
def test_what_changes_slowly_stays(taps, degree):
    down, right = torch.arange(9.0)[:, None], torch.arange(11.0)
    for power in range(degree + 1):
        given = (1 + down**power + 2 * right**power)[None, None]
        made = Smooth(1, taps)(given)
        torch.testing.assert_close(made[..., 2:-2, 2:-2], given[..., 2:-2, 2:-2])


@pytest.mark.parametrize("taps", TAPS, ids=["broad", "flat"])
@pytest.mark.parametrize("size", [(1, 1), (1, 6), (5, 1)])
def test_channels_stay_apart_and_any_size_will_do(taps, size):
    given = noise(1, 2, *size)
    made = Smooth(2, taps)(given)
    assert made.shape == given.shape
    torch.testing.assert_close(made[:, :1], Smooth(1, taps)(given[:, :1]))


@pytest.mark.parametrize(("kernel", "taps"), [(2, BROAD), (3, FLAT)], ids=["unet", "resnet"])
def test_a_smooth_doubling_draws_no_grid_on_what_is_even(kernel, taps):
    torch.manual_seed(0)
    plain, smooth = Doubling(4, 3, kernel), Doubling(4, 3, kernel, taps=taps)
    smooth.load_state_dict(plain.state_dict())  # the same parameters
    with torch.no_grad():
        apart = [
            double(torch.ones(1, 4, 10, 10))[..., 4:-4, 4:-4].flatten(2).std(2) for double in (plain, smooth)
        ]
    assert apart[0].min() > 1e-2
    assert apart[1].max() < 1e-6


def test_the_precision_is_that_of_what_comes_in_under_autocast_too():
    with torch.autocast("cpu", torch.bfloat16):
        for kind in (torch.float32, torch.bfloat16):
            assert Smooth(2, BROAD)(noise(1, 2, 4, 4).to(kind)).dtype == kind
