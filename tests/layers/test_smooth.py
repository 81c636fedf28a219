"""The blur behind a doubling: what it takes out and what it leaves."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.layers.smooth import Doubling, Smooth


def noise(*size, seed=0):
    return torch.randn(size, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.integers(2, 9), st.integers(2, 9), st.integers(0, 99))
def test_a_grid_of_cells_becomes_its_mean(channels, height, width, seed):
    cell = noise(1, channels, 2, 2, seed=seed)
    made = Smooth(channels)(cell.repeat(1, 1, height, width))
    inner = made[..., 1:-1, 1:-1]
    torch.testing.assert_close(inner, cell.mean((2, 3), keepdim=True).expand_as(inner), atol=1e-6, rtol=0)


def test_slopes_and_what_is_even_stay():
    even = torch.full((2, 3, 5, 7), 0.3)
    torch.testing.assert_close(Smooth(3)(even), even)
    slope = torch.arange(7.0) + 2 * torch.arange(5.0)[:, None]
    torch.testing.assert_close(Smooth(1)(slope[None, None])[..., 1:-1, 1:-1], slope[None, None, 1:-1, 1:-1])


@pytest.mark.parametrize("size", [(1, 1), (1, 6), (5, 1)])
def test_channels_stay_apart_and_any_size_will_do(size):
    given = noise(1, 2, *size)
    made = Smooth(2)(given)
    assert made.shape == given.shape
    torch.testing.assert_close(made[:, :1], Smooth(1)(given[:, :1]))


@pytest.mark.parametrize("kernel", [2, 3])
def test_a_smooth_doubling_draws_no_grid_on_what_is_even(kernel):
    torch.manual_seed(0)
    plain, smooth = Doubling(4, 3, kernel), Doubling(4, 3, kernel, smooth=True)
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
            assert Smooth(2)(noise(1, 2, 4, 4).to(kind)).dtype == kind
