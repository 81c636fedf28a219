"""The formats behind extras: camera RAW (a DNG made here) and HEIC, with and without the part they need."""

from __future__ import annotations

import io
import struct
import sys

import numpy as np
import pytest
import tifffile

from daybreak.errors import MissingExtra, UnreadablePicture
from daybreak.image.read import read_photo
from daybreak.image.write import encode_photo, write_photo

rawpy = pytest.importorskip("rawpy")


def make_dng(scene, orientation=1, **options):
    """A DNG of an RGGB sensor of 12 bits that saw `scene` (sRGB, uint8), with neutral white balance.

    Its colour matrix is the inverse of sRGB's, so the sensor's colours are linear sRGB.
    """
    linear = (scene / 255.0) ** 2.2
    mosaic = np.empty(scene.shape[:2])
    for row, column, channel in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        mosaic[row::2, column::2] = linear[row::2, column::2, channel]
    levels = np.rint(mosaic * 4095).astype(np.uint16)
    xyz_to_srgb = [3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.2040, 1.0570]
    fractions = [part for value in xyz_to_srgb for part in (round(value * 10_000), 10_000)]
    extra = [
        (0x010F, 2, 0, "Acme", True),
        (0x0112, 3, 1, orientation, True),
        (0x828D, 3, 2, (2, 2), True),  # CFARepeatPatternDim
        (0x828E, 1, 4, bytes((0, 1, 1, 2)), True),  # CFAPattern
        (0xC612, 1, 4, bytes((1, 4, 0, 0)), True),  # DNGVersion
        (0xC614, 2, 0, "Acme Nightjar", True),
        (0xC61D, 4, 1, 4095, True),  # WhiteLevel
        (0xC621, 10, 9, fractions, True),  # ColorMatrix1
        (0xC628, 5, 3, (1, 1, 1, 1, 1, 1), True),  # AsShotNeutral
        (0xC65A, 3, 1, 21, True),  # CalibrationIlluminant1: D65
    ]
    out = io.BytesIO()
    tifffile.imwrite(out, levels, photometric="cfa", extratags=extra, software="", metadata=None, **options)
    return out.getvalue()


@pytest.fixture(scope="module")
def calm():
    """64×96×3 uint8 without fine detail, which a colour mosaic would lose."""
    y, x = np.mgrid[0:64, 0:96]
    return np.stack([60 + x, 50 + y * 2, 180 - x], axis=-1).astype(np.uint8)


def test_raw_is_developed_to_srgb_of_16_bits(calm):
    photo = read_photo(make_dng(calm))
    assert (photo.format, photo.bit_depth) == ("raw", 16)
    inner = photo.pixels[8:-8, 8:-8] * 255
    assert inner.shape[:2] == (48, 80)
    for channel in range(3):
        assert np.corrcoef(inner[..., channel].ravel(), calm[8:-8, 8:-8, channel].ravel())[0, 1] > 0.98
    assert np.abs(inner - calm[8:-8, 8:-8]).mean() < 12, "neither brightened nor of another tint"
    assert len(np.unique(photo.pixels)) > 1000
    assert photo.notes == ("developed from RAW with the camera's white balance",)


def test_raw_is_turned_upright_once(calm):
    photo = read_photo(make_dng(calm, orientation=6))
    assert photo.pixels.shape == (96, 64, 3)
    again = read_photo(encode_photo(photo, "png"))
    assert again.pixels.shape == (96, 64, 3)


def test_raw_keeps_exif(calm, exiftool, tmp_path):
    source = tmp_path / "a.dng"
    source.write_bytes(make_dng(calm))
    exiftool.write(source, "-ExifIFD:DateTimeOriginal=2021:03:04 05:06:07", "-GPS:GPSAltitude=171", "-n")
    path = tmp_path / "a.jpg"
    write_photo(read_photo(source), path)
    told = exiftool(path)
    assert told["ExifIFD:DateTimeOriginal"] == "2021:03:04 05:06:07"
    assert told["GPS:GPSAltitude"] == 171
    assert told["IFD0:Make"] == "Acme"


def test_raw_is_known_by_its_content(calm, tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(make_dng(calm))
    assert read_photo(path).format == "raw"


def test_raw_cut_short_or_too_large_is_refused(calm, tmp_path):
    data = make_dng(calm)
    path = tmp_path / "a.dng"
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadablePicture, match=r"a\.dng cannot be read as RAW"):
        read_photo(path)
    with pytest.raises(UnreadablePicture, match="96x64"):
        read_photo(data, max_pixels=100)


def test_heic_goes_in_and_out(scene):
    pillow_heif = pytest.importorskip("pillow_heif")
    out = io.BytesIO()
    pillow_heif.encode("RGB", (64, 48), scene.tobytes(), out, quality=95, chroma=444)
    photo = read_photo(out.getvalue())
    assert (photo.format, photo.bit_depth) == ("heif", 8)
    assert np.abs(photo.pixels - scene / 255).mean() * 255 < 2
    deep = scene.astype(np.uint16) * 257
    out = io.BytesIO()
    pillow_heif.encode("RGB;16", (64, 48), deep.tobytes(), out, quality=95, chroma=444)
    photo = read_photo(out.getvalue())
    assert photo.bit_depth == 16
    assert np.abs(photo.pixels - scene / 255).mean() * 255 < 2
    again = read_photo(encode_photo(photo, "heif"))
    assert np.abs(again.pixels - photo.pixels).mean() * 255 < 2


@pytest.mark.parametrize(("depth", "most"), [("", 255), (";16", 65_535)])
def test_heic_whose_colours_are_multiplied_by_alpha(depth, most, scene):
    pillow_heif = pytest.importorskip("pillow_heif")
    opacity = np.linspace(0.4, 1.0, 48 * 64).reshape(48, 64, 1)
    opacity[:8] = 0.0
    stored = np.concatenate([scene / 255 * opacity, opacity], axis=-1)
    levels = np.rint(stored * most).astype(np.uint16 if depth else np.uint8)
    out = io.BytesIO()
    pillow_heif.encode(f"RGBa{depth}", (64, 48), levels.tobytes(), out, quality=100, chroma=444)
    photo = read_photo(out.getvalue())
    np.testing.assert_allclose(photo.alpha, opacity[..., 0], atol=0.01)
    np.testing.assert_allclose(photo.pixels[8:], scene[8:] / 255, atol=0.03)
    assert not photo.pixels[:6].any()


def test_heic_cut_short_or_too_large_is_refused(scene):
    pillow_heif = pytest.importorskip("pillow_heif")
    out = io.BytesIO()
    pillow_heif.encode("RGB", (64, 48), scene.tobytes(), out)
    data = out.getvalue()
    with pytest.raises(UnreadablePicture, match="cannot be read as HEIF"):
        read_photo(data[: len(data) // 2])
    with pytest.raises(UnreadablePicture, match="64x48"):
        read_photo(data, max_pixels=100)


@pytest.mark.parametrize(
    ("module", "extra", "start"),
    [
        ("rawpy", "raw", b"II*\0\x10\0\0\0CR\x02\0"),
        ("pillow_heif", "heif", struct.pack(">I", 24) + b"ftypheic\0\0\0\0heicmif1"),
    ],
)
def test_a_missing_part_is_named_with_the_line_that_installs_it(module, extra, start, monkeypatch, scene):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=rf"pip install \"daybreak\[{extra}\]\""):
        read_photo(start + bytes(100))
    if extra == "heif":
        with pytest.raises(MissingExtra, match="writing HEIC"):
            encode_photo(read_photo(encode_photo_png(scene)), "heif")


def encode_photo_png(scene):
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(scene).save(out, "PNG")
    return out.getvalue()
