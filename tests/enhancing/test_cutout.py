"""What cannot be seen of a picture counts for nothing and stays as it came."""

from __future__ import annotations

import io

import numpy as np
import pytest
import pyvips
import torch
from PIL import Image

import daybreak
from daybreak.enhancing.batch import Output, run_batch
from daybreak.enhancing.cutout import without
from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.plan import Job
from daybreak.image.color import srgb_to_linear
from daybreak.image.photo import clear
from daybreak.image.read import read_photo

RNG = np.random.default_rng(0)
FIGURE = RNG.integers(110, 220, (40, 30, 3), np.uint8)  # well lit
DARK = FIGURE // 8


def cut_out(figure, ground, dtype=np.uint8):
    """H×W×4: the figure in the middle of a clear ground of one level."""
    whole = np.full((120, 100, 4), ground, np.uint8)
    whole[..., 3] = 0
    whole[40:80, 30:60, :3], whole[40:80, 30:60, 3] = figure, 255
    whole[40, 30:60, 3] = 100  # an edge that is half there
    if np.dtype(dtype).kind == "f":
        return (whole / 255).astype(dtype)
    return whole.astype(dtype) * dtype(np.iinfo(dtype).max // 255)


def as_png(array):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("ground", [0, 255])
def test_a_well_lit_cut_out_is_left_as_it_is(ground):
    array = cut_out(FIGURE, ground)
    assert np.array_equal(daybreak.enhance(array), array)
    assert daybreak.enhance(as_png(array)) == as_png(array)
    assert Enhancer("auto").photo(read_photo(as_png(array)))[1].unchanged


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("method", ["auto", "he", "daybreak", "gamma"])
def test_the_ground_does_not_change_the_figure_and_stays_itself(method, dtype):
    black, white = (cut_out(DARK, ground, dtype) for ground in (0, 255))
    one, other = daybreak.enhance(black, method), daybreak.enhance(white, method)
    seen = black[..., 3] > 0
    assert np.array_equal(one[seen], other[seen])
    assert one[seen][:, :3].mean() > 2 * black[seen][:, :3].mean()
    assert np.array_equal(one[~seen], black[~seen])
    assert np.array_equal(other[~seen], white[~seen])


def test_the_figure_comes_out_as_it_would_alone():
    """What is counted over the whole is counted over the figure: half in the dark, half in the light."""
    figure = FIGURE.copy()
    figure[:20] //= 10
    array = cut_out(figure, 255)
    array[40, 30:60, 3] = 255  # all of it is there
    for method, settings in (("he", {}), ("gamma", {"mode": "auto"})):
        alone = daybreak.enhance(figure, method, **settings)
        within = daybreak.enhance(array, method, **settings)[40:80, 30:60, :3]
        assert np.abs(alone.astype(int) - within).max() <= 1
    alone, within = (Enhancer("auto").photo(read_photo(as_png(kind)))[1] for kind in (figure, array))
    assert 0 < within.strength == pytest.approx(alone.strength, abs=0.02)


@pytest.mark.parametrize("share", [0.1, 0.34, 0.6])
def test_little_ground_weighs_no_part_of_the_figure_more(share):
    """Dark above, light below: what fills the ground is of both."""
    figure = np.concatenate([DARK, FIGURE])
    hidden = np.zeros(figure.shape[:2], bool)
    hidden[:, : int(share * 30)] = True
    filled = without(figure / np.float32(255), hidden)
    seen = figure[~hidden]
    assert abs(filled.mean() * 255 - seen.mean()) < 3, "of 255"
    assert np.allclose(filled[~hidden] * 255, seen)


@pytest.mark.parametrize("stops", [0.5, 1.0])
def test_an_exposure_is_that_of_the_figure(stops):
    array = cut_out(DARK, 255)
    seen = array[..., 3] > 0
    before, after = (
        srgb_to_linear(a[seen][:, :3] / np.float32(255)).mean()
        for a in (array, daybreak.enhance(array, "gamma", exposure=stops))
    )
    assert np.log2(after / before) == pytest.approx(stops, abs=0.05)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_images_of_pillow_and_batches_too(mode):
    image = Image.fromarray(cut_out(FIGURE, 0)).convert(mode)
    assert np.array_equal(np.asarray(daybreak.enhance(image)), np.asarray(image)), "well lit"
    batch = np.stack([cut_out(FIGURE, 0), cut_out(DARK, 0)]).transpose(0, 3, 1, 2)
    first, second = daybreak.enhance(torch.from_numpy(batch)).numpy()
    assert np.array_equal(first, batch[0])
    assert second[:3, 40:80, 30:60].mean() > 2 * DARK.mean()
    assert (second[:3, :40] == 0).all()


def test_the_brightness_that_is_told_is_that_of_the_figure(tmp_path):
    (tmp_path / "a.png").write_bytes(as_png(cut_out(DARK, 255)))
    job = Job(tmp_path / "a.png", tmp_path / "b.png")
    (result,) = run_batch([job], Enhancer("gamma"), Output())
    assert result.brightness_before == pytest.approx(DARK.mean() / 255, abs=0.005)
    assert 2 * result.brightness_before < result.brightness_after < 0.6


@pytest.mark.parametrize(("bits", "kind"), [(8, "PNG"), (16, "PNG"), (8, "WEBP")])
def test_a_file_has_the_same_ground_afterwards(bits, kind):
    array = cut_out(DARK, 40)
    array[:20, :, :3] = RNG.integers(0, 255, (20, 100, 3))  # colours that nobody sees
    data = as_png(array)
    if kind == "WEBP":
        file = io.BytesIO()
        Image.fromarray(array).save(file, "WEBP", lossless=True, exact=True)
        data = file.getvalue()
    if bits == 16:
        data = pyvips.Image.new_from_memory(array.astype(np.uint16) * 257, 100, 120, 4, "ushort")
        data = data.copy(interpretation="rgb16").write_to_buffer(".png")
    made, before = read_photo(daybreak.enhance(data, "gamma")), read_photo(data)
    hidden = before.alpha == 0
    assert made.bit_depth == bits
    assert np.array_equal(made.pixels[hidden], before.pixels[hidden])
    assert made.pixels[~hidden].mean() > 2 * before.pixels[~hidden].mean()


def test_twice_the_size_has_twice_the_ground():
    array = cut_out(DARK, 255)
    array[:, :20, :3] = 7
    made = daybreak.enhance(array, "neid", upscale=2)
    assert made.shape == (240, 200, 4)
    assert (made[:60, 60:] == (255, 255, 255, 0)).all()
    assert (made[:, :30] == (7, 7, 7, 0)).all()
    assert made[90:150, 70:110, :3].mean() < 230, "the figure is the network's"


def test_a_picture_all_clear_or_all_there_is_a_picture_like_any():
    array = cut_out(DARK, 0)
    for alpha in (0, 1, 255):
        array[..., 3] = alpha
        assert clear(array[..., 3] / np.float32(255)) is None
        assert np.array_equal(daybreak.enhance(array)[..., :3], daybreak.enhance(array[..., :3]))
