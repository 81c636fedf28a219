"""Every kind of picture comes in as the pixels contract says."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from daybreak.image.read import read_photo, turn_upright
from daybreak.image.vips import load_vips, pixels_of


def png16(array):
    order = array[..., [2, 1, 0, *range(3, array.shape[2])]] if array.ndim == 3 else array
    return cv2.imencode(".png", order)[1].tobytes()


def tiff(array, **options):
    out = io.BytesIO()
    tifffile.imwrite(out, array, **options)
    return out.getvalue()


def as16(array):
    return array.astype(np.uint16) * 257


GRAY = slice(None), slice(None), 1
LOSSLESS = {
    "png": lambda s, p: p(s, "PNG"),
    "tiff": lambda s, p: p(s, "TIFF"),
    "tiff deflate": lambda s, p: p(s, "TIFF", compression="tiff_deflate"),
    "tiff big endian": lambda s, p: tiff(s, byteorder=">"),
    "tiff big": lambda s, p: tiff(s, bigtiff=True),
    "tiff planar": lambda s, p: tiff(np.moveaxis(s, 2, 0).copy(), photometric="rgb", planarconfig="separate"),
    "webp": lambda s, p: p(s, "WEBP", lossless=True),
    "bmp": lambda s, p: p(s, "BMP"),
    "bmp bottom up": lambda s, p: cv2.imencode(".bmp", s[..., ::-1].copy())[1].tobytes(),
    "png 16": lambda s, p: png16(as16(s)),
    "tiff 16": lambda s, p: tiff(as16(s), photometric="rgb"),
    "tiff 16 big endian": lambda s, p: tiff(as16(s), photometric="rgb", byteorder=">"),
    "tiff float": lambda s, p: tiff(s.astype(np.float32) / 255, photometric="rgb"),
}


@pytest.mark.parametrize("kind", LOSSLESS)
def test_lossless_colour_is_exact(kind, scene, pillow_bytes):
    photo = read_photo(LOSSLESS[kind](scene, pillow_bytes))
    assert photo.pixels.dtype == np.float32
    assert photo.pixels.flags.c_contiguous
    np.testing.assert_allclose(photo.pixels, scene / 255, atol=1e-6)
    assert photo.bit_depth == (16 if "16" in kind or "float" in kind else 8)
    assert photo.alpha is None
    assert not photo.gray
    assert photo.notes == ()


LOSSLESS_GRAY = {
    "png": lambda g, p: p(g, "PNG"),
    "tiff": lambda g, p: p(g, "TIFF"),
    "tiff white is zero": lambda g, p: tiff(255 - g, photometric="miniswhite"),
    "bmp": lambda g, p: p(g, "BMP"),
    "png 16": lambda g, p: png16(as16(g)),
    "tiff 16": lambda g, p: tiff(as16(g), photometric="minisblack"),
    "tiff float": lambda g, p: tiff(g.astype(np.float32) / 255, photometric="minisblack"),
}


@pytest.mark.parametrize("kind", LOSSLESS_GRAY)
def test_lossless_gray_is_exact(kind, scene, pillow_bytes):
    gray = scene[GRAY].copy()
    photo = read_photo(LOSSLESS_GRAY[kind](gray, pillow_bytes))
    assert photo.gray
    np.testing.assert_allclose(photo.pixels, np.repeat(gray[..., None] / 255, 3, axis=2), atol=1e-6)


@pytest.mark.parametrize(("kind", "options", "levels"), [
    ("JPEG", {"quality": 95, "subsampling": 0}, 1.5),
    ("JPEG", {"quality": 95, "progressive": True}, 2.5),
    ("WEBP", {"quality": 95}, 3.0),
    ("AVIF", {"quality": 90, "subsampling": "4:4:4"}, 3.0),
])  # fmt: skip
def test_lossy_colour_is_near(kind, options, levels, scene, pillow_bytes):
    photo = read_photo(pillow_bytes(scene, kind, **options))
    assert photo.format == kind.lower()
    assert np.abs(photo.pixels - scene / 255).mean() * 255 < levels


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_comes_beside_the_pixels(kind, mode, scene, pillow_bytes):
    opacity = np.linspace(0, 255, 48 * 64).astype(np.uint8).reshape(48, 64)
    image = Image.fromarray(scene).convert(mode)
    image.putalpha(Image.fromarray(opacity))
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    photo = read_photo(pillow_bytes(image, kind, **options))
    np.testing.assert_allclose(photo.alpha, opacity / 255, atol=1e-6)
    np.testing.assert_allclose(photo.pixels, np.asarray(image.convert("RGB")) / 255, atol=1e-6)
    assert photo.gray == (mode == "LA" and kind != "WEBP")


def test_16_bit_alpha(scene):
    deep = np.dstack([as16(scene), np.full(scene.shape[:2], 40_000, np.uint16)])
    photo = read_photo(png16(deep))
    assert photo.bit_depth == 16
    np.testing.assert_allclose(photo.alpha, 40_000 / 65_535, atol=1e-6)


def test_palette_with_and_without_transparency(scene, pillow_bytes):
    palette = Image.fromarray(scene).quantize(64)
    photo = read_photo(pillow_bytes(palette, "PNG"))
    np.testing.assert_allclose(photo.pixels, np.asarray(palette.convert("RGB")) / 255, atol=1e-6)
    clear = int(np.asarray(palette)[0, 0])
    photo = read_photo(pillow_bytes(palette, "PNG", transparency=clear))
    np.testing.assert_array_equal(photo.alpha == 0, np.asarray(palette) == clear)
    for kind in ("BMP", "TIFF", "GIF"):
        photo = read_photo(pillow_bytes(palette, kind))
        np.testing.assert_allclose(photo.pixels, np.asarray(palette.convert("RGB")) / 255, atol=1e-6)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_one_bit(kind, scene, pillow_bytes):
    photo = read_photo(pillow_bytes(scene, kind, mode="1"))
    assert photo.gray
    assert photo.bit_depth == 8
    expected = np.asarray(Image.fromarray(scene).convert("1"))
    np.testing.assert_array_equal(photo.pixels[..., 0] == 1, expected)
    assert set(np.unique(photo.pixels)) == {0.0, 1.0}


def test_cmyk_jpeg(scene, pillow_bytes):
    """Pillow's naive inks under a press profile: other colours, but light stays light and hue stays hue."""
    photo = read_photo(pillow_bytes(scene, "JPEG", mode="CMYK", quality=95))
    assert photo.cmyk
    assert not photo.gray
    for channel in range(3):
        assert np.corrcoef(photo.pixels[..., channel].ravel(), scene[..., channel].ravel())[0, 1] > 0.7


def test_avif_of_12_bits_reaches_white():
    import pyvips

    deep = np.full((16, 16, 3), 65_535, np.uint16)
    image = pyvips.Image.new_from_array(deep).copy(interpretation="rgb16")
    photo = read_photo(image.heifsave_buffer(compression="av1", bitdepth=12, Q=95))
    assert photo.bit_depth == 16
    assert photo.pixels.min() > 0.999


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_of_an_animation_the_first_frame_is_read_and_said(kind, scene, pillow_bytes):
    frames = [Image.fromarray(np.roll(scene, 9 * n, axis=1)) for n in range(3)]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = pillow_bytes(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, **options)
    photo = read_photo(data)
    assert photo.pixels.shape == (48, 64, 3)
    assert np.abs(photo.pixels - scene / 255).mean() < 0.03
    assert photo.notes == ("animated: only the first of 3 frames",)


def test_of_an_animated_png_the_first_frame_is_read_and_said(scene, pillow_bytes):
    frames = [Image.fromarray(np.roll(scene, 9 * n, axis=1)) for n in range(3)]
    photo = read_photo(pillow_bytes(frames[0], "PNG", save_all=True, append_images=frames[1:]))
    np.testing.assert_allclose(photo.pixels, scene / 255, atol=1e-6)
    assert photo.notes == ("animated: only the first of 3 frames",)


def test_of_several_pages_the_first_is_read_and_said(scene, pillow_bytes):
    first, second = Image.fromarray(scene), Image.fromarray(255 - scene)
    photo = read_photo(pillow_bytes(first, "TIFF", save_all=True, append_images=[second]))
    np.testing.assert_allclose(photo.pixels, scene / 255, atol=1e-6)
    assert photo.notes == ("only the first page of 2",)


def test_the_content_decides_and_not_the_suffix(tmp_path, scene, pillow_bytes):
    path = tmp_path / "really a png.jpg"
    path.write_bytes(pillow_bytes(scene, "PNG"))
    photo = read_photo(path)
    assert photo.format == "png"
    np.testing.assert_allclose(photo.pixels, scene / 255, atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (3, 3)], ids=str)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "AVIF", "BMP", "GIF"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_odd_sizes(size, kind, mode, pillow_bytes):
    array = np.full((*size, 3), (90, 120, 150), np.uint8)
    photo = read_photo(pillow_bytes(array, kind, mode=mode))
    assert photo.pixels.shape == (*size, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    "size", [(3, 5, 3), (1, 4, 3), (4, 1, 3), (1, 1, 3), (2, 3, 4), (2, 3, 2), (3, 5)], ids=str
)
def test_turning_upright_agrees_with_the_definition(orientation, size):
    """Exif: orientation says where row 0 and column 0 of the stored picture lie in the upright one."""
    stored = np.arange(np.prod(size), dtype=np.uint16).reshape(size)
    upright = turn_upright(stored, orientation)
    views = {
        1: stored,
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: stored.swapaxes(0, 1),
        6: np.rot90(stored, -1),
        7: stored.swapaxes(0, 1)[::-1, ::-1],
        8: np.rot90(stored, 1),
    }
    np.testing.assert_array_equal(upright, views[orientation])


def test_several_threads_read_different_pictures(pillow_bytes):
    from concurrent.futures import ThreadPoolExecutor

    levels = list(range(10, 250, 10))
    files = [pillow_bytes(np.full((40, 60, 3), level, np.uint8), "PNG") for level in levels]
    with ThreadPoolExecutor(4) as pool:
        photos = list(pool.map(read_photo, files * 3))
    assert [round(float(p.pixels.mean()) * 255) for p in photos] == levels * 3


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("bands", [1, 3, 4])
def test_pixels_of_an_image_are_its_own(dtype, bands):
    levels = np.random.default_rng(0).integers(0, 200, (5, 7, bands)).astype(dtype)
    pixels = pixels_of(load_vips().Image.new_from_array(levels))
    assert pixels.dtype == dtype
    np.testing.assert_array_equal(pixels, levels)
