"""The response models against their formulas, and what each keeps."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from daybreak.image.camera import RESPONSES, power

EVERY = pytest.mark.parametrize("name", RESPONSES)
FORMULAS = {
    "beta-gamma": lambda i, k: i ** (k**-0.3293) * np.exp((1 - k**-0.3293) * 1.1258),
    "sigmoid": lambda i, k: i * k ** (4.3536 * 0.1447) / (i ** (1 / 0.1447) * (k**4.3536 - 1) + 1) ** 0.1447,
    "affine": lambda i, k: i * k**0.3988 - 0.1797 * (1 - k**0.3988),
    "beta": lambda i, k: i * k**0.48,
}


def respond(name: str, colours: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    out = colours.astype(np.float32)
    RESPONSES[name](out, exposure.astype(np.float32), np.empty_like(out))
    return out


@EVERY
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (7, 9)])
def test_equals_its_formula(name, shape):
    rng = np.random.default_rng(0)
    colours, exposure = rng.random((*shape, 3)), rng.uniform(1, 7, shape)
    expected = FORMULAS[name](colours, exposure[..., None])
    assert np.abs(respond(name, colours, exposure) - expected).max() < 2e-5


@EVERY
def test_exposure_one_changes_nothing(name):
    colours = np.random.default_rng(1).random((8, 9, 3)).astype(np.float32)
    assert np.abs(respond(name, colours, np.ones((8, 9))) - colours).max() < 1e-6


@EVERY
def test_more_exposure_is_brighter(name):
    colours = np.linspace(0.004, 0.99, 300).reshape(10, 10, 3)
    steps = [respond(name, colours, np.full((10, 10), k)) for k in (1, 2, 4, 7)]
    assert all((b > a).all() for a, b in pairwise(steps))


@pytest.mark.parametrize("name", ["beta-gamma", "sigmoid", "beta"])
def test_black_stays_black(name):
    assert respond(name, np.zeros((3, 4, 3)), np.full((3, 4), 7.0)).max() < 1e-12


def test_two_exposures_make_one():
    """g(g(I, 2), 3) = g(I, 6): what makes it the response of one camera."""
    colours = np.random.default_rng(2).random((5, 6, 3))
    for name in RESPONSES:
        twice = respond(name, respond(name, colours, np.full((5, 6), 2.0)), np.full((5, 6), 3.0))
        assert np.abs(twice - respond(name, colours, np.full((5, 6), 6.0))).max() < 1e-4


def test_power():
    base = np.array([[0.0, 1e-3, 0.5, 1.0]], np.float32)
    assert power(base, 0.7)[0] == pytest.approx(base[0] ** 0.7, abs=1e-6)


@EVERY
def test_the_brightest_channel_by_itself_stays_the_brightest(name):
    """So a meter may look at max(R, G, B) alone."""
    rng = np.random.default_rng(2)
    colours, exposure = rng.random((20, 30, 3)), rng.uniform(1, 16, (20, 30))
    brightest = respond(name, colours.max(axis=2, keepdims=True), exposure)
    assert np.abs(respond(name, colours, exposure).max(axis=2, keepdims=True) - brightest).max() < 1e-6
