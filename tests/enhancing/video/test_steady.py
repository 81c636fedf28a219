"""No flicker, for every method; and nothing held that has to change."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak.enhancing.enhancer import Enhancer
from daybreak.image.rows import Levels
from daybreak.methods.base import FILM
from daybreak.methods.registry import list_methods
from daybreak.metrics.flicker import FlickerMeter

pytest.importorskip("daybreak.enhancing.video", reason="the extra [video] is not installed")
from daybreak.enhancing.video.colors import rows_to_levels
from daybreak.enhancing.video.steady import Steady

STEP = 0.04  # s, 25 frames a second


def scene(height=48, width=64):
    """A dark room with a lit window: H×W×3 grey levels."""
    y, x = np.mgrid[0:height, 0:width]
    base = np.stack(
        [
            6 + 18 * x / width + 10 * np.sin(y / 5) ** 2,
            5 + 14 * y / height + 8 * ((x // 9 + y // 9) % 2),
            4 + 10 * (1 - x / width),
        ],
        axis=2,
    )
    base[height // 4 : height // 2, width // 2 : width // 2 + width // 6] = 90
    return base


def noisy(base, seed, sigma=3.0):
    grain = np.random.default_rng(seed).normal(0.0, sigma, base.shape)
    return np.clip(np.rint(base + grain), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", list_methods())
def test_no_method_adds_flicker_to_a_still_dark_scene(name):
    enhancer, steady, meter = Enhancer(name), Steady(), FlickerMeter()
    for seed in range(12):
        frame = Levels(noisy(scene(), seed), 255)
        made = steady(frame, enhancer.run(frame, FILM).rows, STEP)
        meter.add(frame.whole, rows_to_levels(made, high=False).copy())
    found = meter.result()
    assert found.gain > 1.3, "the method is to have done something"
    assert found.ratio <= 1.1


def wavering(gains, frames, kind=Levels):
    """A method that multiplies each frame by another gain: means of the result, per frame."""
    steady, means = Steady(), []
    for gain, frame in zip(gains, frames, strict=True):
        made = np.clip(frame * np.asarray(gain), 0, 255)
        if kind is Levels:
            out = steady(Levels(frame, 255), Levels(np.rint(made).astype(np.uint8), 255), STEP)
            assert isinstance(out, Levels)
            means.append(out.whole.mean(axis=(0, 1)))
        else:
            out = steady(frame.astype(np.float32) / 255, made.astype(np.float32) / 255, STEP)
            assert out.dtype == np.float32
            assert 0.0 <= out.min() <= out.max() <= 1.0
            means.append(out.mean(axis=(0, 1)) * 255)
    return np.array(means)


@pytest.mark.parametrize("kind", [Levels, np.ndarray])
def test_a_wavering_gain_and_colour_are_held(kind):
    rng = np.random.default_rng(0)
    frames = [noisy(scene(), seed) for seed in range(20)]
    gains = 4.0 + rng.uniform(-0.4, 0.4, (20, 3))
    means = wavering(gains, frames, kind)
    raw = np.array([(frame * gain).mean(axis=(0, 1)) for frame, gain in zip(frames, gains, strict=True)])
    change, before = (np.abs(np.diff(values, axis=0)).mean() for values in (means, raw))
    assert change < 0.1 * before
    assert np.abs(means - raw.mean(axis=0)).max() < 0.12 * raw.mean(), "held near what the method does"


def test_a_cut_begins_anew_at_once():
    first, second = scene(), 255 - scene()[::-1] * 2
    frames = [noisy(first, 0)] * 5 + [noisy(second, 1)] * 2
    means = wavering([4.0] * 5 + [1.2] * 2, frames)
    expected = np.clip(noisy(second, 1) * 1.2, 0, 255).mean(axis=(0, 1))
    assert np.abs(means[5] - expected).max() < 1.0


def test_whoever_goes_on_at_a_cut_or_in_a_fast_pan_does_what_an_unbroken_run_does():
    wide = 40.0 * np.random.default_rng(0).uniform(0.0, 2.0, (6, 64, 1)).repeat(8, axis=0).repeat(8, axis=1)
    pan = [wide[:, 40 * step : 40 * step + 64] * np.ones(3) for step in range(8)]
    frames = [noisy(base, seed) for seed, base in enumerate([scene()] * 4 + [255 - scene() * 2] * 4 + pan)]
    results = [Levels(np.minimum(frame, 50) * (3 + place % 3), 255) for place, frame in enumerate(frames)]

    def run(steady, begin):
        made, states = [], []
        for frame, result in zip(frames[begin:], results[begin:], strict=True):
            states.append(steady.state)
            made.append(steady(Levels(frame, 255), Levels(result.whole.copy(), 255), STEP).whole.copy())
        return made, states

    whole, states = run(Steady(), 0)
    for begin in range(1, len(frames)):
        joined, _ = run(Steady(state=states[begin]), begin)
        assert all(map(np.array_equal, whole[begin:], joined)), begin


def test_a_lasting_change_of_gain_is_followed():
    frames = [noisy(scene(), seed) for seed in range(150)]
    means = wavering([3.0] * 5 + [4.5] * 145, frames).mean(axis=1)
    assert means[5] < 1.1 * means[4], "not at once"
    assert means[-1] > 1.3 * means[4], "but in the end"


def test_what_moves_takes_the_gain_that_belongs_to_it():
    """A bright square crosses: neither a trail of its own gain nor the dark's gain on it."""
    base = np.full((64, 64, 3), 10.0)
    errors = []
    steady = Steady()
    for step in range(16):
        frame = base.copy()
        frame[24:40, 4 * step : 4 * step + 16] = 120.0
        frame = noisy(frame, step, 1.0)
        wanted = 255.0 * (frame / 255.0) ** 0.5  # a gain of 5 in the dark, of 1.5 on the square
        made = steady(Levels(frame, 255), Levels(np.rint(wanted).astype(np.uint8), 255), STEP)
        errors.append(np.abs(made.whole - wanted).mean() / wanted.mean())
    assert max(errors) < 0.06


def test_one_pixel_and_one_row():
    for shape in ((1, 1, 3), (3, 3, 3), (1, 500, 3)):
        steady = Steady()
        for level in (10, 12, 11):
            frame = Levels(np.full(shape, level, np.uint8), 255)
            made = steady(frame, Levels(np.full(shape, 4 * level, np.uint8), 255), STEP)
            assert made.shape == shape


def test_a_larger_result_is_corrected_too():
    steady = Steady()
    for gain in (4, 3, 5):
        frame = noisy(scene(), gain)
        made = steady(Levels(frame, 255), Levels(np.repeat(np.repeat(frame, 2, 0), 2, 1) * gain, 255), STEP)
        assert made.shape == (96, 128, 3)
    assert made.whole.mean() < 4.5 * frame.mean()


def test_sixteen_bits_stay_sixteen():
    steady = Steady()
    for gain in (4, 3):
        frame = noisy(scene(), gain).astype(np.uint16) * 257
        made = steady(Levels(frame, 65535), Levels(np.minimum(frame, 15000) * gain, 65535), STEP)
    assert made.whole.dtype == np.uint16
    assert len(np.unique(made.whole)) > 256
