"""LIME's laws: what its two solvers minimise, its weights, its denoising step."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak.errors import BadSetting
from daybreak.image.color import luma
from daybreak.image.rows import Floats
from daybreak.methods import get_method
from daybreak.methods.lime import LimeSettings, edge_penalty, exact_map, gradients
from daybreak.methods.lime import sped_up_map as map_of

LIME = get_method("lime")


def sped_up_map(plane: np.ndarray, settings: LimeSettings) -> np.ndarray:
    """The sped-up map of a gray picture."""
    gray = np.repeat(plane[..., None], 3, axis=2)
    return map_of(Floats(gray), settings)[0](gray, 0, 0)


def scene(height: int = 60, width: int = 84) -> np.ndarray:
    """V of a dark scene: a slope, a lit square, noise."""
    plane = np.tile(np.linspace(0.05, 0.2, width), (height, 1))
    plane[15:40, 20:50] += 0.3
    noise = np.random.default_rng(0).normal(0, 0.01, plane.shape)
    return np.clip(plane + noise, 0, 1).astype(np.float32)


def energy(smooth: np.ndarray, plane: np.ndarray, strategy: int, power: int) -> float:
    """The objective: ADMM's with |∇T| (power 1), the sped-up one's with (∇T)² / (|∇T̂| + ε) (power 2)."""
    smooth, plane = smooth.astype(np.float64), plane.astype(np.float64)
    total = ((smooth - plane) ** 2).sum()
    for step, first in zip(gradients(smooth), gradients(plane), strict=True):
        weight = 0.15 / edge_penalty(first, strategy, 2.0)
        total += (weight * (np.abs(step) if power == 1 else step**2 / (np.abs(first) + 1e-3))).sum()
    return float(total)


@pytest.mark.parametrize("strategy", [1, 2, 3])
def test_admm_is_at_a_minimum(strategy):
    """No step towards another plane lowers the objective; the penalty has to grow slowly for that."""
    plane = scene()
    found = exact_map(plane, LimeSettings(strategy=strategy, solver="exact", rho=1.05, iterations=400))
    least = energy(found, plane, strategy, 1)
    assert least < energy(plane, plane, strategy, 1)
    for other in (plane, plane.mean(), np.roll(found, 1, 0), sped_up_map(plane, LimeSettings())):
        for step in (0.01, 0.1):
            assert energy(found + step * (other - found), plane, strategy, 1) > least * (1 - 5e-3)


@pytest.mark.parametrize("strategy", [1, 2, 3])
def test_the_sped_up_map_is_at_a_minimum(strategy):
    """Its border is open and the objective here circular, so the scene is made so that the border is flat."""
    plane = np.pad(scene()[5:-5, 5:-5], 8, constant_values=0.1)
    found = sped_up_map(plane, LimeSettings(strategy=strategy))
    least = energy(found, plane, strategy, 2)
    rng = np.random.default_rng(1)
    for _ in range(5):
        away = 1e-3 * rng.normal(size=plane.shape)
        assert energy(found + away, plane, strategy, 2) > least * (1 - 1e-4)


@pytest.mark.parametrize("solver", ["sped-up", "exact"])
@pytest.mark.parametrize("strategy", [1, 2, 3])
def test_a_constant_is_its_own_map(solver, strategy):
    settings = LimeSettings(strategy=strategy)
    refine = exact_map if solver == "exact" else sped_up_map
    assert refine(np.full((24, 31), 0.3, np.float32), settings) == pytest.approx(0.3, abs=1e-6)


@pytest.mark.parametrize("solver", ["sped-up", "exact"])
def test_variation_falls(solver):
    plane = scene()
    refine = exact_map if solver == "exact" else sped_up_map
    for strategy in (1, 2, 3):
        smooth = refine(plane, LimeSettings(strategy=strategy))
        assert np.abs(np.diff(smooth)).sum() < 0.7 * np.abs(np.diff(plane)).sum()


@pytest.mark.parametrize("halved", [False, True])
def test_the_quick_map_is_within_40_db(monkeypatch, halved):
    from daybreak.methods import lime as module

    monkeypatch.setattr(module, "_HALVED_FROM", 0 if halved else 10**9)
    big = np.kron(scene(), np.ones((8, 8), np.float32))
    big += np.random.default_rng(2).normal(0, 0.004, big.shape).astype(np.float32)
    big = np.clip(big, 0.001, 1)
    exact, quick = (
        np.clip(big / sped_up_map(big, LimeSettings(exact_up_to=limit)).clip(1e-3, 1) ** 0.8, 0, 1)
        for limit in (10, 0)
    )
    assert -10 * np.log10(np.mean((exact - quick) ** 2)) > 40


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (33, 47)])
def test_the_quick_map_takes_any_size(shape):
    plane = np.random.default_rng(3).random(shape, np.float32)
    smooth = sped_up_map(plane, LimeSettings(exact_up_to=0))
    assert smooth.shape == shape
    assert -0.1 < smooth.min() <= smooth.max() < 1.1  # white noise is the hardest


def test_weights_of_the_strategies():
    gradient = np.zeros((15, 15))
    gradient[7, 7] = 0.5
    one, two, three = (edge_penalty(gradient, strategy, 2.0) for strategy in (1, 2, 3))
    assert (one == 1).all()
    assert two[7, 7] == pytest.approx(0.501)
    assert two[0, 0] == pytest.approx(0.001)
    kernel = np.exp(-(np.arange(-2, 3) ** 2) / 8)
    share = kernel[2] / kernel.sum()
    assert three[7, 7] == pytest.approx(0.5 * share**2 + 0.001)
    assert three[7, 10] == pytest.approx(0.001)


def test_denoising_lowers_noise_in_the_dark_only():
    rng = np.random.default_rng(4)
    pixels = np.full((60, 80, 3), 0.05)
    pixels[:, 40:] = 0.9
    pixels = np.clip(pixels + rng.normal(0, 0.01, (60, 80, 1)), 0, 1).astype(np.float32)
    noisy, clean = LIME.enhance(pixels), LIME.enhance(pixels, denoise="nlm")
    assert luma(clean)[:, :35].std() < 0.7 * luma(noisy)[:, :35].std()
    assert np.abs(clean - noisy)[:, 45:].max() < 0.05
    assert np.abs((clean - noisy) - (clean - noisy)[..., :1]).max() < 1e-5, "a colour moved"


def test_settings_from_text():
    assert LIME.enhance(np.full((4, 4, 3), 0.1, np.float32), strategy="2", alpha="0.3").shape == (4, 4, 3)
    with pytest.raises(BadSetting):
        LIME.enhance(np.full((4, 4, 3), 0.1, np.float32), strategy=4)
