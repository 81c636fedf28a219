"""Laws that every registered method keeps; a new method is tested by being registered."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak.errors import BadPixels, UnknownName
from daybreak.methods import every_method

EVERY = pytest.mark.parametrize("method", every_method(), ids=lambda m: m.card.name)
SIZES = [(1, 1), (3, 3), (1, 50), (50, 1), (7, 5), (33, 47)]


def dark(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A smooth dark picture with some noise, H×W×3 float32 in [0, 1]."""
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0.02, 0.35, height * width, dtype=np.float32).reshape(height, width, 1)
    noise = rng.normal(0, 0.01, (height, width, 3)).astype(np.float32)
    return np.clip(ramp * np.array([1.0, 0.8, 0.6], np.float32) + noise, 0, 1)


@EVERY
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_any_size_keeps_shape_and_range(method, size):
    pixels = dark(*size)
    before = pixels.copy()
    out = method.enhance(pixels)
    scale = method.card.scale
    assert out.shape == (size[0] * scale, size[1] * scale, 3)
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    assert out.min() >= 0
    assert out.max() <= 1
    assert np.array_equal(pixels, before), "the input was changed"


@EVERY
@pytest.mark.parametrize("level", [0.0, 1 / 255, 0.5, 1.0])
def test_constant_pictures_stay_finite_and_gray(method, level):
    out = method.enhance(np.full((24, 31, 3), level, np.float32))
    assert np.isfinite(out).all()
    if method.card.kind == "pretrained" and method.card.context == "global":
        return  # norms have nothing to go by: neid.lol turns black brown, a CycleGAN any colour
    # Arithmetic keeps gray gray; a trained network has seen few gray pictures and may be off by a few levels.
    trained = 0.07 if method.card.name == "alpha-residual" else 0.05
    tolerance = 1e-4 if method.card.kind == "classical" else trained
    assert np.ptp(out, axis=2).max() < tolerance, "a gray picture gained a colour"


@EVERY
def test_runs_are_deterministic(method):
    pixels = dark(40, 56)
    assert np.array_equal(method.enhance(pixels), method.enhance(pixels))


@EVERY
def test_a_dark_picture_gets_brighter(method):
    pixels = dark(64, 96)
    assert method.enhance(pixels).mean() > pixels.mean()


@EVERY
def test_unknown_setting_and_bad_pixels_are_refused(method):
    with pytest.raises(UnknownName, match="there is no setting"):
        method.enhance(dark(8, 8), no_such_setting=1)
    with pytest.raises(BadPixels, match="shape"):
        method.enhance(np.zeros((8, 8), np.float32))
    with pytest.raises(BadPixels, match="dtype"):
        method.enhance(np.zeros((8, 8, 3)))
    with pytest.raises(BadPixels, match="finite"):
        method.enhance(np.full((8, 8, 3), np.nan, np.float32))


@EVERY
def test_every_setting_says_what_it_is(method):
    for name, field in method.card.settings.model_fields.items():
        assert field.description, name
        assert field.json_schema_extra["source"].startswith(("paper", "assumed: ")), name
