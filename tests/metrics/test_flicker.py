"""The flicker of clips whose flicker is known."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak.errors import MetricError
from daybreak.metrics.flicker import FlickerMeter, flicker


def clip(levels, shape=(32, 48, 3), dtype=np.uint8):
    return [np.full(shape, level, dtype) for level in levels]


def test_a_clip_that_stands_still_has_none():
    found = flicker(clip([10, 10, 10]), clip([40, 40, 40]))
    assert (found.before, found.after, found.gain, found.ratio, found.local_ratio) == (
        0.0,
        0.0,
        4.0,
        0.0,
        0.0,
    )
    assert found.frames == 3


def test_changes_are_mean_absolute_differences_in_grey_levels():
    found = flicker(clip([10, 12, 9]), clip([40, 50, 40]))
    assert found.before == pytest.approx(2.5)
    assert found.after == pytest.approx(10.0)
    assert found.ratio == pytest.approx(10.0 / (found.gain * 2.5))
    assert found.local_after == pytest.approx(10.0)


def test_a_constant_gain_adds_nothing():
    rng = np.random.default_rng(0)
    before = [rng.integers(0, 60, (32, 48, 3)).astype(np.uint8) for _ in range(6)]
    found = flicker(before, [3 * frame for frame in before])
    assert found.ratio == pytest.approx(1.0, abs=1e-4)
    assert found.local_ratio == pytest.approx(1.0, abs=1e-4)


def test_local_flicker_is_seen_where_the_mean_stands_still():
    before = clip([20, 20, 20])
    after = clip([60, 60, 60])
    after[1][:, :24] += 10
    after[1][:, 24:] -= 10
    found = flicker(before, after)
    assert found.after == pytest.approx(0.0, abs=1e-3)
    assert found.local_after == pytest.approx(10.0, abs=0.1)
    assert found.gain_change == pytest.approx(np.log((70 + 2) / (60 + 2)), rel=0.15)


def test_kinds_of_numbers_agree():
    eight = flicker(clip([10, 12, 9]), clip([40, 50, 40]))
    wide = flicker(
        [frame.astype(np.uint16) * 257 for frame in clip([10, 12, 9])],
        [(frame / 255).astype(np.float32) for frame in clip([40, 50, 40])],
    )
    assert wide.before == pytest.approx(eight.before, abs=1e-3)
    assert wide.after == pytest.approx(eight.after, abs=1e-3)


def test_what_is_no_clip_is_refused():
    with pytest.raises(MetricError, match="two frames"):
        flicker(clip([1]), clip([1]))
    with pytest.raises(MetricError, match="different lengths"):
        flicker(clip([1, 2]), clip([1, 2, 3]))
    with pytest.raises(MetricError, match="H×W×3"):
        FlickerMeter().add(np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.uint8))
    meter = FlickerMeter()
    meter.add(*clip([1, 2]))
    with pytest.raises(MetricError, match="different sizes"):
        meter.add(*clip([1, 2], (64, 20, 3)))
