"""Dark pictures as a camera writes them: its laws, and its JPEG beside a real encoder's."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.layers.exposure import linear
from daybreak.training.sensor import SHOT, STOPS, Exposure, draw, encoded, jpeg, photograph

CLEAN = Exposure(0.0, (0.0, 0.0, 0.1, 0.0), 0.0, 0.0, 1.0, 1.0, 0.0, False, 0, (0, 0))


def scene(side=96):
    """Smooth colours with an edge and fine texture, H×W×3 in [0, 1]."""
    y, x = np.mgrid[0:side, 0:side] / side
    picture = np.stack([x, 0.5 + 0.4 * np.sin(9 * y), 0.2 + 0.6 * (x > y)], axis=2)
    picture += 0.05 * np.random.default_rng(0).standard_normal(picture.shape)
    return torch.from_numpy(np.clip(picture, 0, 1).astype(np.float32))


def test_a_camera_without_faults_writes_the_scene_in_8_bits():
    high = scene()
    assert torch.equal(photograph(high, CLEAN, 0), (high * 255).round() / 255)


@given(value=st.floats(0, 1))
def test_encoding_undoes_linear(value):
    assert float(encoded(linear(torch.tensor(value)))) == pytest.approx(value, abs=1e-4)


@settings(max_examples=20, deadline=None)
@given(stops=st.floats(0, 4))
def test_each_stop_halves_the_light(stops):
    high = torch.full((8, 8, 3), 0.9)
    dark = photograph(high, replace(CLEAN, stops=stops), 0)
    assert float(linear(dark).mean()) == pytest.approx(float(linear(high).mean()) / 2**stops, rel=0.03)


def test_a_lamp_gives_the_light_back_where_it_stands():
    high = torch.full((101, 151, 3), 0.9)
    dark = photograph(high, replace(CLEAN, stops=3.0, lamp=(0.5, 1 / 3, 0.1, 1.0)), 0)
    assert float(dark[50, 50].mean()) == pytest.approx(0.9, abs=0.01)
    assert float(linear(dark[50, 150]).mean()) == pytest.approx(float(linear(high).mean()) / 8, rel=0.05)
    assert dark[50, 50:, 0].diff().max() <= 0


@pytest.mark.parametrize("grain", [False, True])
@pytest.mark.parametrize("level", [0.2, 0.6])
def test_noise_is_as_strong_as_drawn_in_linear_light(level, grain):
    high = encoded(torch.full((256, 256, 3), level))
    drawn = replace(CLEAN, shot=2e-3, read=5e-3, grain=grain)
    noise = linear(photograph(high, drawn, 0)) - level
    assert float(noise.std()) == pytest.approx((2e-3 * level + 25e-6) ** 0.5, rel=0.03)
    beside = float((noise[:, 1:] * noise[:, :-1]).mean() / noise.var())
    assert (beside > 0.5) == grain, "neighbours share their noise where there is grain"


@pytest.mark.parametrize("quality", [40, 75, 92])
@pytest.mark.parametrize("size", [(96, 96), (61, 83)])
def test_jpeg_is_what_an_encoder_makes_of_it(quality, size):
    levels = (scene()[: size[0], : size[1]] * 255).round()
    picture = np.ascontiguousarray(levels.numpy()[..., ::-1].astype(np.uint8))
    _, file = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    wanted = cv2.imdecode(file, cv2.IMREAD_COLOR)[..., ::-1].astype(np.float32)
    ours = jpeg(levels.permute(2, 0, 1)[None], torch.tensor([quality]))[0].permute(1, 2, 0).numpy()
    assert ours.shape == wanted.shape
    lost = np.abs(levels.numpy() - wanted).mean()
    assert np.abs(ours - wanted).mean() < 0.35 * lost, "nearer to the encoder's than that is to the scene"
    assert np.abs(ours - levels.numpy()).mean() == pytest.approx(lost, rel=0.1)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_every_draw_is_within_its_ranges_and_gives_8_bits(seed):
    drawn = draw(np.random.default_rng(seed))
    assert STOPS[0] <= drawn.stops <= STOPS[1]
    assert 10 ** SHOT[0] <= drawn.shot <= 10 ** SHOT[1]
    dark = photograph(scene(48), drawn, seed)
    assert torch.equal((dark * 255).round() / 255, dark)
    assert torch.equal(dark, photograph(scene(48), drawn, seed))
    assert 0 <= dark.min() <= dark.max() <= 1
