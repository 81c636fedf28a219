"""Figures on one deterministic dark picture, from independent prototypes (methods.md B.5 and B.11)."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.data import astronaut

from daybreak.image.color import value
from daybreak.image.illumination import exact_map
from daybreak.image.rows import Floats
from daybreak.image.upsample import Kept
from daybreak.methods import get_method
from daybreak.methods.bimef import best_exposure, thumbnails
from daybreak.methods.lime import LimeSettings, sped_up_map
from daybreak.methods.lime import exact_map as admm

_ASTRONAUT = astronaut()[::2, ::2] / 255
DARK = (np.floor(255 * 0.35 * _ASTRONAUT**2.2) / 255).astype(np.float32)  # 256×256×3


@pytest.mark.parametrize(
    ("name", "settings", "means", "tolerance"),
    [
        ("bimef", {}, (0.3511, 0.2455, 0.2212), 0.002),
        ("crm", {}, (0.4831, 0.3446, 0.3110), 0.002),
        ("srie", {"iterations": 10}, (0.302, 0.189, 0.171), 0.1),
    ],
)
def test_channel_means(name, settings, means, tolerance):
    out = get_method(name).enhance(DARK, **settings)
    assert out.mean(axis=(0, 1)) == pytest.approx(means, rel=tolerance)


def test_bimefs_exposure_and_illumination():
    light = exact_map(DARK, 0.5)
    assert light.mean() == pytest.approx(0.1368, rel=0.01)
    assert best_exposure(*thumbnails(Floats(DARK), Kept(light), None), 7.0) == pytest.approx(6.69, abs=0.1)


def test_sries_brightness():
    out = get_method("srie").enhance(DARK, iterations=10)
    assert value(DARK).mean() * 255 == pytest.approx(34.9, abs=0.1)
    assert value(out).mean() * 255 == pytest.approx(79, rel=0.1)


def variation(plane: np.ndarray) -> float:
    plane = plane.astype(np.float64)
    return float(sum(np.abs(np.roll(plane, 1, axis) - plane).sum() for axis in (0, 1)))


@pytest.mark.parametrize(
    ("strategy", "exact", "sped_up"), [(1, 0.30, 0.41), (2, 0.02, 0.10), (3, 0.002, 0.06)]
)
def test_limes_total_variation(strategy, exact, sped_up):
    """B.5 has these for another dark picture of this size, hence the tolerance."""
    plane, settings = value(DARK), LimeSettings(strategy=strategy)
    quick = sped_up_map(Floats(DARK), settings)[0](DARK, 0, 0)
    assert variation(admm(plane, settings)) / variation(plane) == pytest.approx(exact, abs=0.03)
    assert variation(quick) / variation(plane) == pytest.approx(sped_up, abs=0.03)
