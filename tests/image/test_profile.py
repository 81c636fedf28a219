"""Pictures with a colour profile are processed in sRGB and come out in their own colours."""

from __future__ import annotations

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from daybreak.image import profile
from daybreak.image.read import read_photo
from daybreak.image.write import encode_photo


def embedded(data):
    return Image.open(io.BytesIO(data)).info.get("icc_profile")


def stored(data):
    return np.asarray(Image.open(io.BytesIO(data))).astype(int)


def colour_cube():
    """48×64×3 uint8 with every corner of the cube, saturated colours and grays."""
    steps = np.array([0, 36, 73, 109, 146, 182, 219, 255], np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    return np.resize(cube, (48, 64, 3))


@pytest.mark.parametrize("name", ["adobe", "wide", "p3"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_pixels_that_nobody_changed_come_back_as_they_were(name, kind, profiles, pillow_bytes):
    """Also those outside sRGB, which are most of this cube."""
    cube = colour_cube()
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    data = pillow_bytes(cube, kind, icc_profile=profiles[name], **options)
    photo = read_photo(data)
    out = encode_photo(photo, kind.lower())
    assert embedded(out) == profiles[name]
    assert np.abs(stored(out) - cube).max() <= 1


@pytest.mark.parametrize("name", ["adobe", "p3"])
def test_16_bits_come_back_as_they_were(name, profiles):
    rng = np.random.default_rng(3)
    deep = rng.integers(0, 65_536, (40, 50, 3), dtype=np.uint16)
    out = io.BytesIO()
    tifffile.imwrite(out, deep, photometric="rgb", iccprofile=profiles[name])
    data = encode_photo(read_photo(out.getvalue()), "tiff")
    again = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert again.dtype == np.uint16
    assert np.abs(again.astype(int) - deep).max() <= 64  # a quarter of one level of 8 bits


@pytest.mark.parametrize("name", ["adobe", "p3"])
def test_srgb_is_what_an_independent_engine_says(name, profiles, pillow_bytes, scene):
    muted = (scene * 0.4 + 70).astype(np.uint8)  # well inside sRGB
    photo = read_photo(pillow_bytes(muted, "PNG", icc_profile=profiles[name]))
    expected = ImageCms.profileToProfile(
        Image.fromarray(muted),
        ImageCms.ImageCmsProfile(io.BytesIO(profiles[name])),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
    assert np.abs(photo.pixels * 255 - np.asarray(expected)).max() < 1.5


def test_a_brightened_picture_keeps_the_saturation_that_srgb_cannot_hold(profiles, pillow_bytes):
    """Half the light of a pure P3 red, doubled again, is that red and not the duller one of sRGB."""
    half = np.zeros((8, 8, 3), np.uint8)
    half[..., 0] = 188  # half the light of 255 under sRGB's curve, which P3 shares
    photo = read_photo(pillow_bytes(half, "PNG", icc_profile=profiles["p3"]))
    bright = photo.with_pixels(np.where(photo.pixels > 0, np.float32(1.0), np.float32(0.0)))
    dull = stored(encode_photo(replace(bright, beyond=None), "png"))[0, 0]
    assert dull.tolist() == pytest.approx([234, 51, 35], abs=2), "sRGB's own red, in P3"
    red, green, blue = stored(encode_photo(bright, "png"))[0, 0]
    assert red >= 230
    assert max(green, blue) < 8


def test_what_lies_beyond_srgb_is_resized_along(profiles, pillow_bytes):
    photo = read_photo(pillow_bytes(colour_cube(), "PNG", icc_profile=profiles["p3"]))
    assert photo.beyond is not None
    twice = photo.with_pixels(np.repeat(np.repeat(photo.pixels, 2, axis=0), 2, axis=1))
    assert twice.beyond.shape == (96, 128, 3)
    assert stored(encode_photo(twice, "png")).shape == (96, 128, 3)


def test_nothing_beyond_srgb_shows_through_the_white_that_a_picture_is_laid_on(profiles, pillow_bytes):
    """Red that only P3 holds, clear to opaque from left to right."""
    alpha = np.repeat(np.arange(0, 256, 15, dtype=np.uint8), 16)[np.newaxis].repeat(16, axis=0)
    red = np.zeros((*alpha.shape, 4), np.uint8)
    red[..., 0], red[..., 3] = 255, alpha
    photo = read_photo(pillow_bytes(red, "PNG", icc_profile=profiles["p3"]))
    shown = stored(encode_photo(photo, "jpeg", quality=100))
    blended = 255 - (255 - red[..., :3].astype(int)) * alpha[..., np.newaxis] / 255
    assert shown[:, :8].min() >= 253, "white"
    assert np.abs(shown[:, -8:] - (255, 0, 0)).max() <= 2, "the file's own red"
    assert np.abs(shown - blended).max() < 25, "what lies between is blended in sRGB, not in P3"


def test_colours_inside_srgb_carry_nothing_beside_them(profiles, pillow_bytes, scene):
    muted = (scene * 0.4 + 70).astype(np.uint8)
    assert read_photo(pillow_bytes(muted, "PNG", icc_profile=profiles["p3"])).beyond is None


def test_srgb_itself_is_not_transformed(profiles, pillow_bytes, scene):
    data = pillow_bytes(scene, "PNG", icc_profile=profiles["srgb"])
    photo = read_photo(data)
    np.testing.assert_allclose(photo.pixels, scene / 255, atol=1e-6)
    out = encode_photo(photo, "png")
    np.testing.assert_array_equal(stored(out), scene)
    assert embedded(out) == profiles["srgb"]
    assert profile.is_srgb(profiles["srgb"], "rgb")
    assert not profile.is_srgb(profiles["p3"], "rgb")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_gray_with_a_gray_profile(kind, profiles, pillow_bytes, scene):
    gray = scene[..., 1].copy()
    photo = read_photo(pillow_bytes(gray, kind, icc_profile=profiles["gray"]))
    assert photo.gray
    assert photo.pixels.mean() * 255 > gray.mean() + 10, "gamma 1.8 is brighter than it looks as sRGB"
    out = encode_photo(photo, kind.lower())
    assert embedded(out) == profiles["gray"]
    assert Image.open(io.BytesIO(out)).mode == "L"
    assert np.abs(stored(out) - gray).mean() < (1.0 if kind == "JPEG" else 0.01)


@pytest.mark.parametrize("kind", ["jpeg", "tiff"])
@pytest.mark.parametrize("with_profile", [True, False])
def test_cmyk_comes_out_as_cmyk_of_the_same_look(kind, with_profile, profiles, pillow_bytes, scene):
    press = ImageCms.ImageCmsProfile(io.BytesIO(profiles["cmyk"]))
    muted = (scene * 0.5 + 50).astype(np.uint8)  # as photographs are; at the press's limits tables are coarse
    inks = ImageCms.profileToProfile(
        Image.fromarray(muted), ImageCms.createProfile("sRGB"), press, outputMode="CMYK"
    )
    inks.info.pop("icc_profile", None)
    options = {"icc_profile": profiles["cmyk"]} if with_profile else {}
    options |= {"quality": 98, "subsampling": 0} if kind == "jpeg" else {}
    photo = read_photo(pillow_bytes(inks, kind.upper(), **options))
    assert photo.cmyk
    out = encode_photo(photo, kind, quality=100)
    assert Image.open(io.BytesIO(out)).mode == "CMYK"
    assert embedded(out) == (profiles["cmyk"] if with_profile else None)
    error = np.abs(read_photo(out).pixels - photo.pixels) * 255
    assert error.mean() < 0.6
    assert np.percentile(error, 99) < 2.0


def test_cmyk_to_a_format_without_it_is_srgb(profiles, pillow_bytes, scene):
    photo = read_photo(pillow_bytes(scene, "JPEG", mode="CMYK", icc_profile=profiles["cmyk"]))
    out = encode_photo(photo, "png")
    assert embedded(out) is None
    np.testing.assert_allclose(read_photo(out).pixels, photo.pixels, atol=0.502 / 255)


def test_formats_without_profiles_get_srgb(profiles, pillow_bytes):
    photo = read_photo(pillow_bytes(colour_cube(), "PNG", icc_profile=profiles["p3"]))
    np.testing.assert_allclose(read_photo(encode_photo(photo, "bmp")).pixels, photo.pixels, atol=0.502 / 255)


@pytest.mark.parametrize("kind", ["avif", "heif"])
def test_profiles_travel_into_lossy_formats(kind, profiles, pillow_bytes, scene):
    if kind == "heif":
        pytest.importorskip("pillow_heif")
    photo = read_photo(pillow_bytes(scene, "PNG", icc_profile=profiles["p3"]))
    again = read_photo(encode_photo(photo, kind, quality=95))
    assert again.icc == profiles["p3"]
    assert np.abs(again.pixels - photo.pixels).mean() * 255 < 2


@pytest.mark.parametrize("name", ["cut short", "rubbish", "of gray", "of CMYK"])
def test_profiles_that_do_not_fit_are_left_out_and_said(name, profiles, pillow_bytes, scene):
    icc = {
        "cut short": profiles["p3"][:300],
        "rubbish": b"rubbish" * 40,
        "of gray": profiles["gray"],
        "of CMYK": profiles["cmyk"],
    }[name]
    photo = read_photo(pillow_bytes(scene, "JPEG", icc_profile=icc))
    assert photo.icc is None
    assert any("profile" in note for note in photo.notes)
    assert embedded(encode_photo(photo, "jpeg")) is None
