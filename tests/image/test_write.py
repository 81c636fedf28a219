"""Writing: the formats hold what they say, and a file is whole or not there at all."""

from __future__ import annotations

import io
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from daybreak.errors import BadSetting, OutputExists, UnknownName, UnwritablePicture
from daybreak.image import write
from daybreak.image.formats import FORMATS
from daybreak.image.photo import Photo
from daybreak.image.read import read_photo
from daybreak.image.rows import Levels
from daybreak.image.write import encode_photo, keep_format, losses, write_photo

EXACT = ["png", "tiff", "bmp"]
WRITABLE = [name for name, form in FORMATS.items() if form.writable]


def opened(data):
    return Image.open(io.BytesIO(data))


@pytest.fixture
def photo(scene, pillow_bytes):
    return read_photo(pillow_bytes(scene, "PNG"))


def smooth16():
    """A gray ramp with thousands of levels, 64×256×3 float32."""
    ramp = np.linspace(0.1, 0.9, 64 * 256, dtype=np.float32).reshape(64, 256, 1)
    return np.repeat(ramp, 3, axis=2)


@pytest.mark.parametrize("name", EXACT)
def test_lossless_formats_are_exact(name, photo, scene):
    np.testing.assert_array_equal(np.asarray(opened(encode_photo(photo, name)).convert("RGB")), scene)


@pytest.mark.parametrize("name", WRITABLE)
def test_every_format_is_what_it_says_and_near_the_pixels(name, photo, scene):
    if name == "heif":
        pytest.importorskip("pillow_heif")
    again = read_photo(encode_photo(photo, name))
    assert again.format == name
    assert np.abs(again.pixels - scene / 255).mean() * 255 < 3


@pytest.mark.parametrize("name", ["png", "tiff"])
def test_16_bits_stay_16_bits(name):
    """As an independent reader sees it: more than 256 levels in every channel."""
    photo = Photo(smooth16(), bit_depth=16)
    data = np.frombuffer(encode_photo(photo, name), np.uint8)
    levels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    assert levels.dtype == np.uint16
    for channel in range(3):
        assert len(np.unique(levels[..., channel])) > 10_000
    np.testing.assert_array_equal(levels, np.rint(photo.pixels * np.float32(65_535)))


@pytest.mark.parametrize(("name", "levels"), [("avif", 2000), ("heif", 600)])
def test_16_bits_become_12_or_10_where_16_do_not_fit(name, levels):
    if name == "heif":
        pytest.importorskip("pillow_heif")
    again = read_photo(encode_photo(Photo(smooth16(), bit_depth=16), name, quality=100))
    assert again.bit_depth == 16
    assert len(np.unique(again.pixels[..., 1])) > levels
    assert np.abs(again.pixels - smooth16()).mean() < 1 / 1000


@pytest.mark.parametrize("name", WRITABLE)
def test_bit_depth_asked_for(name, photo):
    if name == "heif":
        pytest.importorskip("pillow_heif")
    deep = replace(photo, bit_depth=16)
    assert read_photo(encode_photo(deep, name, bit_depth=8)).bit_depth == 8
    if 16 in FORMATS[name].bit_depths:
        assert read_photo(encode_photo(photo, name, bit_depth=16)).bit_depth == 16
    else:
        assert read_photo(encode_photo(deep, name)).bit_depth == 8
        with pytest.raises(UnwritablePicture, match=f"{name.upper()} cannot hold 16 bits.*--format png"):
            encode_photo(photo, name, bit_depth=16)


@pytest.mark.parametrize("name", ["jpeg", "png", "tiff", "bmp"])
@pytest.mark.parametrize("bits", [8, 16])
def test_gray_goes_out_as_gray(name, bits, photo):
    data = encode_photo(replace(photo, gray=True, bit_depth=bits), name)
    assert opened(data).mode in ("L", "I;16", "I")
    expected = photo.pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    assert np.abs(read_photo(data).pixels[..., 0] - expected).max() * 255 < (3 if name == "jpeg" else 0.51)


@pytest.mark.parametrize("name", ["png", "tiff", "webp", "avif", "bmp", "heif"])
@pytest.mark.parametrize("gray", [False, True])
def test_alpha_goes_out_where_it_can(name, gray, photo):
    if name == "heif":
        pytest.importorskip("pillow_heif")
    alpha = np.linspace(0, 1, 48 * 64, dtype=np.float32).reshape(48, 64)
    again = read_photo(encode_photo(replace(photo, alpha=alpha, gray=gray), name))
    assert np.abs(again.alpha - alpha).mean() * 255 < 1.5
    assert again.gray == (gray and name in ("png", "tiff"))


def test_16_bit_alpha_stays(photo):
    alpha = np.linspace(0, 1, 48 * 64, dtype=np.float32).reshape(48, 64)
    for gray in (False, True):
        for name in ("png", "tiff"):
            data = encode_photo(replace(photo, alpha=alpha, gray=gray, bit_depth=16), name)
            np.testing.assert_allclose(read_photo(data).alpha, alpha, atol=1 / 65_535)


def test_alpha_is_laid_on_white_where_it_cannot_stay(photo):
    clear = replace(photo, alpha=np.zeros((48, 64), np.float32))
    assert np.asarray(opened(encode_photo(clear, "jpeg"))).min() == 255
    half = replace(photo, alpha=np.full((48, 64), 0.5, np.float32))
    shown = read_photo(encode_photo(half, "jpeg")).pixels
    np.testing.assert_allclose(shown, photo.pixels * 0.5 + 0.5, atol=0.03)


@pytest.mark.parametrize("name", WRITABLE)
@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (3, 3), (4, 1), (2, 4)], ids=str)
@pytest.mark.parametrize("gray", [False, True])
def test_odd_sizes(name, size, gray):
    if name == "heif":
        pytest.importorskip("pillow_heif")
    photo = Photo(np.full((*size, 3), 0.4, np.float32), alpha=np.full(size, 0.8, np.float32), gray=gray)
    if name == "heif" and max(size) == 5000:  # its encoder takes no picture that long and narrow
        with pytest.raises(UnwritablePicture, match=r"HEIF could not be made.*another --format"):
            encode_photo(photo, name)
        return
    again = read_photo(encode_photo(photo, name))
    assert again.pixels.shape == (*size, 3)


@pytest.mark.parametrize("name", WRITABLE)
@pytest.mark.parametrize("kind", ["rgb", "gray", "cmyk"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("clear", [False, True])
def test_losses_are_told_where_they_happen_and_nowhere_else(name, kind, bits, clear, photo):
    if name == "heif":
        pytest.importorskip("pillow_heif")
    alpha = np.full((48, 64), 0.5, np.float32) if clear else None
    source = replace(photo, alpha=alpha, bit_depth=bits, gray=kind == "gray", cmyk=kind == "cmyk")
    told = losses(source, name)
    again = read_photo(encode_photo(source, name))
    assert any("transparency" in loss for loss in told) == (clear and again.alpha is None)
    assert any("became 8" in loss for loss in told) == (again.bit_depth < bits)
    assert any("became 12" in loss for loss in told) == (name == "avif" and bits == 16)
    assert losses(replace(source, alpha=None), name, bit_depth=8) == (), "nothing is lost that was asked for"


def test_an_opaque_alpha_is_no_loss(photo):
    assert losses(replace(photo, alpha=np.ones((48, 64), np.float32)), "jpeg") == ()


def test_a_picture_twice_the_size_takes_its_alpha_along(photo):
    alpha = np.zeros((48, 64), np.float32)
    alpha[:, 32:] = 1
    twice = replace(photo, alpha=alpha).with_pixels(np.repeat(np.repeat(photo.pixels, 2, axis=0), 2, axis=1))
    assert twice.alpha.shape == (96, 128)
    assert twice.alpha[:, :62].max() == 0
    assert twice.alpha[:, 66:].min() == 1


def test_jpeg_keeps_the_chroma_of_its_source(scene, pillow_bytes, exiftool, tmp_path):
    for sampling, told in ((0, "1 1"), (2, "2 2")):
        path = tmp_path / f"{sampling}.jpg"
        write_photo(read_photo(pillow_bytes(scene, "JPEG", subsampling=sampling)), path)
        assert exiftool(path)["File:YCbCrSubSampling"] == told


def test_a_lossless_webp_stays_lossless(scene, pillow_bytes):
    photo = read_photo(pillow_bytes(scene, "WEBP", lossless=True))
    np.testing.assert_array_equal(np.asarray(opened(encode_photo(photo, "webp"))), scene)
    assert len(encode_photo(photo, "webp", quality=30)) < len(encode_photo(photo, "webp"))


@pytest.mark.parametrize("name", ["jpeg", "webp", "avif"])
def test_quality_matters(name, photo):
    assert len(encode_photo(photo, name, quality=20)) < len(encode_photo(photo, name, quality=95))


def test_what_cannot_be_is_refused(photo, tmp_path):
    with pytest.raises(UnwritablePicture, match=r"GIF is only read.*Type --format png"):
        encode_photo(photo, "gif")
    with pytest.raises(UnwritablePicture, match=r"RAW is only read.*Type --format tiff"):
        write_photo(photo, tmp_path / "a.dng")
    with pytest.raises(UnwritablePicture, match=r"does not end like a picture; expected one of \.jpg, \.png"):
        write_photo(photo, tmp_path / "a.docx")
    with pytest.raises(UnknownName, match="Did you mean"):
        encode_photo(photo, "jpge")
    for quality in (0, 101):
        with pytest.raises(BadSetting, match=f"quality {quality}; expected 1 to 100"):
            encode_photo(photo, "jpeg", quality=quality)
    with pytest.raises(BadSetting, match="bit depth 12; expected 8 or 16"):
        encode_photo(photo, "png", bit_depth=12)
    wide = Photo(np.zeros((1, 20_000, 3), np.float32))
    with pytest.raises(UnwritablePicture, match="20000x1 as WEBP; expected sides of at most 16,383"):
        encode_photo(wide, "webp")
    assert list(tmp_path.iterdir()) == []


def test_what_only_comes_in_is_kept_as_the_nearest(photo):
    assert keep_format(photo) == "png"
    assert keep_format(replace(photo, format="gif")) == "png"
    assert keep_format(replace(photo, format="raw")) == "tiff"


def test_values_are_clipped_and_rounded_to_the_nearest():
    values = np.array([-0.5, 0.0, 0.4 / 255, 0.6 / 255, 127.5001 / 255, 1.0, 1.7], np.float32)
    photo = Photo(np.repeat(values.reshape(1, -1, 1), 3, axis=2))
    assert np.asarray(opened(encode_photo(photo, "png")))[0, :, 0].tolist() == [0, 0, 0, 1, 128, 255, 255]


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".png", ".tif", ".tiff", ".webp", ".avif", ".bmp"])
def test_the_suffix_decides_the_format(suffix, photo, tmp_path):
    path = tmp_path / f"nächtlich 東京{suffix}"
    write_photo(photo, path)
    assert suffix.lower() in FORMATS[read_photo(path).format].suffixes
    write_photo(photo, path, format="png", overwrite=True)
    assert read_photo(path).format == "png"


def test_a_file_that_is_there_is_not_replaced_unless_asked(photo, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"mine")
    with pytest.raises(OutputExists, match=r"a\.png is there already.*--overwrite"):
        write_photo(photo, path)
    assert path.read_bytes() == b"mine"
    write_photo(photo, path, overwrite=True)
    assert read_photo(path).format == "png"
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_folders_that_cannot_take_a_file(photo, tmp_path):
    with pytest.raises(UnwritablePicture, match=r"No such file or directory.*Make the folder first"):
        write_photo(photo, tmp_path / "none" / "a.png")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnwritablePicture, match="Not a directory"):
        write_photo(photo, tmp_path / "file" / "a.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UnwritablePicture, match="Is a directory"):
        write_photo(photo, tmp_path / "folder.png", overwrite=True)
    with pytest.raises(UnwritablePicture, match=r"name too long.*shorter name"):
        write_photo(photo, tmp_path / ("x" * 300 + ".png"))
    with pytest.raises(UnwritablePicture, match="null"):
        write_photo(photo, Path(f"{tmp_path}/a\0b.png"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder.png"]


def test_a_name_of_the_greatest_length(photo, tmp_path):
    path = tmp_path / ("x" * 251 + ".png")
    write_photo(photo, path)
    assert read_photo(path).pixels.shape == (48, 64, 3)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="no users to become")
def test_a_folder_without_permission(photo, tmp_path):
    encode_photo(photo, "png")  # whatever is imported late has to be before the change of user
    for part in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        part.chmod(0o755)
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    was = os.geteuid()
    try:
        if was == 0:
            os.seteuid(65_534)
        with pytest.raises(UnwritablePicture, match=r"Permission denied.*may write to"):
            write_photo(photo, locked / "a.png")
    finally:
        os.seteuid(was)
    assert list(locked.iterdir()) == []


@pytest.fixture
def disk(small_disk):
    """Of 64 kB."""
    return small_disk("disk", "size=64k")


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_full_disk_leaves_nothing_behind(overwrite, disk):
    noise = np.random.default_rng(0).random((300, 300, 3), dtype=np.float32)
    path = disk / "a.png"
    if overwrite:
        path.write_bytes(b"the old one")
    with pytest.raises(UnwritablePicture, match=r"No space left on device.*Free some space"):
        write_photo(Photo(noise), path, overwrite=overwrite)
    assert [p.name for p in disk.iterdir()] == (["a.png"] if overwrite else [])
    if overwrite:
        assert path.read_bytes() == b"the old one"


def test_a_read_only_disk(disk, photo):
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(UnwritablePicture, match=r"Read-only file system.*may write to"):
        write_photo(photo, disk / "a.png")


def test_several_threads_write_different_pictures(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    def one(level):
        path = tmp_path / f"{level}.png"
        write_photo(Photo(np.full((40, 60, 3), level / 255, np.float32)), path, record={"n": str(level)})
        return round(float(read_photo(path).pixels.mean()) * 255), write.xmp.read_record(
            read_photo(path).metadata.xmp
        )

    levels = list(range(10, 250, 10))
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, levels)) == [(level, {"n": str(level)}) for level in levels]


@pytest.mark.parametrize("half_chroma", [True, False])
@pytest.mark.parametrize("size", [(1030, 1021), (2049, 513), (61, 17_200)])
def test_a_large_jpeg_is_the_same_whatever_the_threads_and_holds_what_one_in_one_piece_does(
    size, half_chroma, scene
):
    levels = np.asarray(cv2.resize(scene, size[::-1], interpolation=cv2.INTER_CUBIC))
    levels += np.random.default_rng(0).integers(0, 9, levels.shape, dtype=np.uint8)
    photo = Photo(Levels(levels, 255), half_chroma=half_chroma)
    before = cv2.getNumThreads()
    try:
        made = []
        for threads in (1, 2, 5):
            cv2.setNumThreads(threads)
            made.append(encode_photo(photo, "jpeg"))
    finally:
        cv2.setNumThreads(before)
    assert made[0] == made[1] == made[2]
    plain = io.BytesIO()
    subsampling = "4:2:0" if half_chroma else "4:4:4"
    Image.fromarray(levels).save(plain, "JPEG", quality=95, subsampling=subsampling)
    np.testing.assert_array_equal(np.asarray(opened(made[0])), np.asarray(opened(plain.getvalue())))
