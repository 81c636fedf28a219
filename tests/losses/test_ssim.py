"""The loss is one minus the metric."""

from __future__ import annotations

import pytest
import torch

from daybreak.losses.ssim import unlike
from daybreak.metrics.ssim import ssim


def test_it_is_one_minus_the_metric():
    source = torch.Generator().manual_seed(1)
    first, second = (torch.rand(1, 3, 32, 40, generator=source) for _ in range(2))
    mixed = 0.7 * first + 0.3 * second
    pixels = [picture[0].permute(1, 2, 0).contiguous().numpy() for picture in (first, mixed)]
    assert unlike(first, mixed).item() == pytest.approx(1 - ssim(*pixels, channel="rgb"), abs=1e-5)


def test_equal_pictures_cost_nothing_and_the_mean_is_over_the_batch():
    picture = torch.rand(2, 3, 20, 20)
    assert unlike(picture, picture).item() == pytest.approx(0, abs=1e-6)
    other = torch.rand(2, 3, 20, 20)
    each = [unlike(picture[i : i + 1], other[i : i + 1]).item() for i in range(2)]
    assert unlike(picture, other).item() == pytest.approx(sum(each) / 2, abs=1e-6)
