"""SRIE's laws: its two parts and what becomes of them."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak.enhancing import memory
from daybreak.enhancing.enhancer import Enhancer
from daybreak.errors import NotEnoughMemory
from daybreak.methods import get_method
from daybreak.methods.srie import SrieSettings, decompose

SRIE = get_method("srie")


def scene() -> np.ndarray:
    """V in [0, 255]: light that falls off, over a striped surface."""
    light = np.linspace(120, 20, 64)[:, None] * np.ones((1, 48))
    return light * np.where(np.arange(48) % 8 < 4, 1.0, 0.6)


def test_parts_keep_their_bounds():
    plane = scene()
    reflectance, light = decompose(plane, SrieSettings())
    assert reflectance.max() <= 0
    assert (light >= np.log1p(plane)).all()


def test_more_turns_bring_the_parts_closer_to_the_picture_and_stripes_to_the_reflectance():
    plane = scene()
    apart, share = [], []
    for turns in (4, 8, 16):
        reflectance, light = decompose(plane, SrieSettings(iterations=turns))
        apart.append(np.abs(reflectance + light - np.log1p(plane)).mean())
        share.append(np.abs(np.diff(light, axis=1)).mean() / np.abs(np.diff(reflectance, axis=1)).mean())
    assert apart == sorted(apart, reverse=True)
    assert apart[-1] < 0.02
    assert share == sorted(share, reverse=True)
    assert share[-1] < 0.1


@pytest.mark.parametrize("level", [0.02, 0.3, 0.8])
def test_a_constant_becomes_its_power(level):
    out = SRIE.enhance(np.full((20, 30, 3), level, np.float32))
    assert out == pytest.approx(level ** (1 / 2.2), abs=1e-3)


def test_hue_and_saturation_stay():
    pixels = (scene() / 255)[..., None] * np.array([1.0, 0.7, 0.4])
    out = SRIE.enhance(pixels.astype(np.float32))
    assert out[..., 1] / out[..., 0] == pytest.approx(0.7, abs=1e-3)
    assert out[..., 2] / out[..., 0] == pytest.approx(0.4, abs=1e-3)


def test_gamma_one_gives_the_picture_back():
    pixels = np.repeat((scene() / 255)[..., None], 3, axis=2).astype(np.float32)
    assert np.abs(SRIE.enhance(pixels, gamma=1.0) - pixels).mean() < 0.02


@pytest.mark.parametrize(("name", "settings"), [("srie", {}), ("lime", {"solver": "exact"})])
def test_without_any_room_it_is_told(name, settings, monkeypatch):
    monkeypatch.setattr(memory.Room, "left", lambda _: 0)
    with pytest.raises(NotEnoughMemory, match="at most the 0 MB that are left"):
        Enhancer(name, max_memory="300MB", **settings)(np.zeros((3000, 4000, 3), np.uint8))
