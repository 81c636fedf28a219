"""What goes in comes out as the same kind, dtype and number of channels."""

from __future__ import annotations

import io
import pickle
from functools import reduce

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import daybreak
from daybreak.enhancing.arrays import adapt
from daybreak.enhancing.enhancer import Enhancer
from daybreak.errors import BadPixels, BadSetting, UnreadablePicture

SHAPES = [(6, 9), (6, 9, 1), (6, 9, 3), (6, 9, 4), (1, 1, 3), (3, 3), (1, 40, 3)]


def levels(shape, dtype):
    rng = np.random.default_rng(1)
    if np.dtype(dtype).kind == "f":
        return (rng.random(shape) * 0.4).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max // 3, shape, dtype=dtype)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32, np.float64])
def test_arrays_come_back_as_they_went_in(shape, dtype):
    array = levels(shape, dtype)
    before = array.copy()
    pictures, rebuild = adapt(array)
    back = rebuild([pixels for pixels, _ in pictures])
    assert back.shape == array.shape
    assert back.dtype == array.dtype
    assert np.allclose(back.astype(np.float64), array.astype(np.float64), atol=1e-3)
    out = daybreak.enhance(array, "gamma")
    assert (out.shape, out.dtype) == (array.shape, array.dtype)
    assert np.array_equal(array, before), "the input was changed"


@given(st.integers(0, 255))
@settings(max_examples=40, deadline=None)
def test_8_bit_levels_survive_the_round_trip(level):
    pictures, rebuild = adapt(np.full((2, 2, 3), level, np.uint8))
    assert (rebuild([pixels for pixels, _ in pictures]) == level).all()


def test_alpha_is_kept_to_the_bit():
    array = levels((6, 9, 4), np.uint16)
    assert np.array_equal(daybreak.enhance(array, "gamma")[..., 3], array[..., 3])


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "PA", "1", "CMYK", "YCbCr", "I;16"])
def test_pil_images_keep_their_mode(mode):
    source = Image.fromarray(levels((6, 9, 3), np.uint8))
    way = {"I;16": ("L", "I;16"), "PA": ("P", "PA")}.get(mode, (mode,))
    image = reduce(Image.Image.convert, way, source)
    out = daybreak.enhance(image, "gamma")
    assert isinstance(out, Image.Image)
    assert out.size == image.size
    assert out.mode == {"P": "RGB", "PA": "RGBA", "1": "L"}.get(mode, mode)


@pytest.mark.parametrize("shape", [(3, 6, 9), (2, 3, 6, 9), (1, 6, 9), (4, 6, 9)], ids=str)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.bfloat16])
def test_tensors_come_back_as_they_went_in(shape, dtype):
    tensor = torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 0.3
    tensor = (tensor * 255).to(dtype) if dtype is torch.uint8 else tensor.to(dtype)
    out = daybreak.enhance(tensor, "gamma")
    assert (out.shape, out.dtype, out.device) == (tensor.shape, tensor.dtype, tensor.device)
    assert out.float().mean() > tensor.float().mean()


def test_a_batch_equals_its_pictures_one_by_one():
    batch = torch.rand((3, 3, 8, 8), generator=torch.Generator().manual_seed(0)) * 0.3
    whole = daybreak.enhance(batch, "gamma", gamma=1.8)
    assert torch.equal(whole[1], daybreak.enhance(batch[1], "gamma", gamma=1.8))


def test_paths_give_photos_and_bytes_give_bytes(tmp_path):
    path = tmp_path / "dark.png"
    Image.fromarray(levels((6, 9, 3), np.uint8)).save(path)
    photo = daybreak.enhance(path, "gamma")
    assert isinstance(photo, daybreak.Photo)
    daybreak.save_image(photo, tmp_path / "bright.png")
    data = daybreak.enhance(path.read_bytes(), "gamma")
    written = np.asarray(Image.open(tmp_path / "bright.png"))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), written)


def file_of(format, level, **save):
    file = io.BytesIO()
    Image.fromarray(levels((24, 32, 3), np.uint8) // 8 + np.uint8(level)).save(file, format, **save)
    return file.getvalue()


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize(("level", "strength"), [(150, 1.0), (20, 0.0)], ids=["well lit", "strength 0"])
def test_a_file_that_is_left_as_it_is_comes_back_byte_for_byte(kind, level, strength):
    data = file_of("JPEG", level, quality=60)
    assert daybreak.enhance(kind(data), strength=strength) == data


def test_a_file_that_cannot_be_kept_in_its_format_is_written_in_the_nearest():
    data = file_of("GIF", 150)
    made = Image.open(io.BytesIO(daybreak.enhance(data)))
    assert made.format == "PNG"
    assert np.array_equal(np.asarray(made), np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


@pytest.mark.parametrize(
    ("image", "told"),
    [
        (np.zeros((4, 4, 2)), "shape"),
        (np.zeros((0, 4, 3)), "at least one pixel"),
        (np.zeros((2, 3, 4, 3)), "shape"),
        (np.full((4, 4, 3), np.nan), "NaN"),
        (np.full((4, 4, 3), np.inf), "NaN or infinity"),
        (np.full((4, 4, 3), 200.0), "Divide by 255"),
        (np.full((4, 4, 3), -0.5), "Clip"),
        (np.zeros((4, 4, 3), np.int32), "dtype"),
        (np.zeros((4, 4, 3), bool), "dtype"),
        (torch.zeros(5, 5), "tensor of shape"),
        (None, "NoneType"),
        ([[1, 2], [3, 4]], "list"),
    ],
)
def test_what_is_no_picture_is_refused_with_what_was_expected(image, told):
    with pytest.raises(BadPixels, match=told):
        daybreak.enhance(image, "gamma")


def test_bytes_that_are_no_picture_are_refused():
    with pytest.raises(UnreadablePicture):
        daybreak.enhance(b"hello", "gamma")


def test_a_pil_image_is_saved_upright_with_what_its_exif_says(tmp_path):
    pixels = (np.random.default_rng(0).random((20, 30, 3)) * 60).astype(np.uint8)
    told = Image.Exif()
    told[0x0112], told[0x010F] = 6, "Maker"
    Image.fromarray(pixels).save(tmp_path / "lying.png", exif=told)
    lying = Image.open(tmp_path / "lying.png")
    bright = daybreak.enhance(lying, "gamma", gamma=2.0)
    assert bright.size == lying.size
    daybreak.save_image(bright, tmp_path / "upright.png")
    upright = Image.open(tmp_path / "upright.png")
    np.testing.assert_array_equal(np.asarray(upright), np.rot90(np.asarray(bright), -1))
    assert (upright.getexif()[0x0112], upright.getexif()[0x010F]) == (1, "Maker")


@pytest.mark.parametrize(
    ("array", "bits", "gray", "alpha"),
    [
        (levels((4, 5, 3), np.uint8), 8, False, False),
        (levels((4, 5, 4), np.uint8), 8, False, True),
        (levels((4, 5, 4), np.float64), 16, False, True),
        (levels((4, 5), np.uint8), 8, True, False),
        (levels((4, 5, 1), np.uint16), 16, True, False),
    ],
)
def test_an_array_is_saved_with_all_it_holds(tmp_path, array, bits, gray, alpha):
    daybreak.save_image(array, tmp_path / "made.png")
    photo = daybreak.load_image(tmp_path / "made.png")
    assert (photo.bit_depth, photo.gray, photo.alpha is not None) == (bits, gray, alpha)
    values = array.astype(np.float64) / (np.iinfo(array.dtype).max if array.dtype.kind == "u" else 1.0)
    planes = values.reshape(4, 5, -1)
    np.testing.assert_allclose(photo.pixels, planes[..., :3].repeat(3 if gray else 1, axis=2), atol=1e-5)
    if alpha:
        np.testing.assert_allclose(photo.alpha, planes[..., 3], atol=1e-5)


def test_the_bytes_of_a_file_are_saved_with_what_travels_in_them(tmp_path):
    Image.fromarray(levels((6, 9, 3), np.uint8)).save(tmp_path / "one.png", dpi=(300, 300))
    daybreak.save_image((tmp_path / "one.png").read_bytes(), tmp_path / "again.png")
    assert daybreak.load_image(tmp_path / "again.png").metadata.dpi == pytest.approx((300, 300), abs=0.1)


def test_a_tensor_of_one_picture_is_saved_and_of_several_refused(tmp_path):
    daybreak.save_image(torch.full((1, 3, 4, 6), 0.5), tmp_path / "one.png")
    assert daybreak.load_image(tmp_path / "one.png").stored.shape == (4, 6, 3)
    with pytest.raises(BadPixels, match="a batch of 2 pictures"):
        daybreak.save_image(torch.zeros(2, 3, 4, 6), tmp_path / "two.png")
    with pytest.raises(BadPixels, match=r"a tensor of shape \(0, 3, 4, 6\)"):
        daybreak.enhance(torch.zeros(0, 3, 4, 6))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"strength": "0.5"}, "strength '0.5'; expected a number"),
        ({"strength": None}, "strength None; expected a number"),
        ({"exposure": "1"}, "exposure '1'; expected a number"),
        ({"method": None}, "a method None"),
        ({"threads": "2"}, "'2' threads"),
        ({"max_memory": "plenty"}, "'plenty'; expected an amount"),
    ],
)
def test_what_is_of_another_kind_is_refused_in_words(wrong, told):
    with pytest.raises(BadSetting, match=told):
        Enhancer(**wrong)


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("auto", {"exposure": 1.0}),
        ("gamma", {"strength": 0.5, "gamma": 3.0, "threads": 1, "max_memory": "1GB"}),
        ("cascade", {"device": "auto", "precision": "fp32"}),
    ],
)
def test_an_enhancer_goes_to_another_process_as_it_is(name, asked):
    before = cv2.getNumThreads()
    made = Enhancer(name, **asked)
    again = pickle.loads(pickle.dumps(made))
    cv2.setNumThreads(before)
    for what in ("strength", "exposure", "threads", "runtime", "settings", "room"):
        assert getattr(again, what) == getattr(made, what)
    assert again.method.card == made.method.card
    assert made.room.limit == (1_000_000_000 if "max_memory" in asked else None)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("block", [b"Exif\0\0nonsense", b"nonsense", None])
def test_a_pil_image_of_broken_exif_is_saved_as_it_lies(tmp_path, kind, block):
    image = Image.fromarray(levels((8, 16, 3), np.uint8))
    image.info["exif"] = block
    daybreak.save_image(daybreak.enhance(image, "gamma"), tmp_path / f"made.{kind.lower()}")
    assert daybreak.load_image(tmp_path / f"made.{kind.lower()}").stored.shape == (8, 16, 3)
