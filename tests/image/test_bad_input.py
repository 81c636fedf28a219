"""What bad input gets: one line that names the file, never a half-gray picture, never an empty allocation."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import tempfile
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from daybreak.errors import UnreadablePicture
from daybreak.image.read import MAX_PIXELS, read_photo, read_record


def refused(source, *words, **options):
    """Read it, expecting a refusal of one line with all of these words."""
    with pytest.raises(UnreadablePicture) as caught:
        read_photo(source, **options)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message
    return message


@pytest.fixture
def put(tmp_path):
    def write(name, data):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def huge_png(side):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


def test_missing_and_empty(tmp_path, put):
    refused(tmp_path / "no such.jpg", "no such.jpg does not exist")
    refused(put("empty.jpg", b""), "empty.jpg is empty (0 bytes)")
    refused(b"", "empty", name="stdin")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "AVIF"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.99])
def test_a_file_cut_short_is_refused(kind, part, put, pillow_bytes, scene):
    data = pillow_bytes(np.kron(scene, np.ones((4, 4, 1), np.uint8)), kind)
    path = put(f"night.{kind.lower()}", data[: int(len(data) * part)])
    refused(path, path.name, kind)


def test_a_progressive_jpeg_cut_short_is_refused(put, pillow_bytes, scene):
    data = pillow_bytes(scene, "JPEG", progressive=True)
    refused(put("p.jpg", data[: len(data) // 2]), "p.jpg cannot be read as JPEG", "Copy it again")


def test_a_jpeg_with_a_hole_is_refused(put, pillow_bytes):
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    data = pillow_bytes(noise, "JPEG")
    middle = len(data) // 2
    refused(put("hole.jpg", data[:middle] + data[middle + 4000 :]), "hole.jpg")


def test_filler_in_a_jpeg_is_read_and_said(pillow_bytes, scene):
    data = pillow_bytes(scene, "JPEG")
    tables = data.index(b"\xff\xdb")
    photo = read_photo(data[:tables] + bytes(7) + data[tables:])
    assert np.abs(photo.pixels - scene / 255).mean() < 0.02
    assert any("belong to nothing" in note for note in photo.notes)


@pytest.mark.parametrize(("name", "data", "told"), [
    ("notes.jpg", b"Dear diary,\nit was dark.\n", "notes.jpg is plain text, no picture"),
    ("plan.png", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "plan.png is a PDF document"),
    ("logo.svg", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
    ("noise.tif", bytes(range(256)), "noise.tif is of an unknown kind"),
    ("film.jpg", b"\0\0\0\x18ftypmp42" + bytes(20), "film.jpg is a video"),
    ("new.jxl", b"\xff\x0a" + bytes(20), "a JPEG XL picture"),
])  # fmt: skip
def test_what_is_no_picture_is_named(name, data, told, put):
    refused(put(name, data), told, "expected one of JPEG, PNG, TIFF")


STARTS = [
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"II*\0",
    b"BM",
    b"RIFF\x10\0\0\0WEBP",
    b"GIF89a",
    b"\0\0\0\x1cftypavif",
    b"\0\0\0\x1cftypheic",
    b"II*\0\x10\0\0\0CR\x02\0",
    b"FUJIFILMCCD-RAW ",
]


@pytest.mark.parametrize("start", STARTS)
def test_a_right_start_with_rubbish_after_it_is_refused(start, put):
    refused(put("rubbish", start + bytes(range(200))), "rubbish")


def test_a_header_that_claims_too_much_is_refused_before_allocating(put):
    message = refused(put("bomb.png", huge_png(100_000)), "bomb.png", "100000x100000", "Scale it down")
    assert f"at most {MAX_PIXELS / 1e6:,.0f} million" in message
    bomb = bytearray(cv2.imencode(".bmp", np.zeros((4, 4, 3), np.uint8))[1].tobytes())
    struct.pack_into("<ii", bomb, 18, 100_000, -100_000)
    refused(put("bomb.bmp", bytes(bomb)), "bomb.bmp", "100000x100000")


def test_the_limit_can_be_set(pillow_bytes, scene):
    data = pillow_bytes(scene, "PNG")
    assert read_photo(data, max_pixels=48 * 64).pixels.shape == (48, 64, 3)
    refused(data, "64x48", max_pixels=48 * 64 - 1)


def test_folders_pipes_and_devices(tmp_path):
    refused(tmp_path, "is a folder")
    os.mkfifo(tmp_path / "pipe.jpg")
    refused(tmp_path / "pipe.jpg", "is no regular file")
    refused(Path("zero\0byte.jpg"), "cannot be read")


def test_a_link_in_a_circle(tmp_path):
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    refused(tmp_path / "loop.jpg", "loop.jpg cannot be read")


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="no users to become")
def test_a_file_without_permission(pillow_bytes, scene):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder, "secret.png")
        path.write_bytes(pillow_bytes(scene, "PNG"))
        path.chmod(0)
        was = os.geteuid()
        try:
            if was == 0:
                os.seteuid(65_534)
            refused(path, "secret.png may not be read", "permission")
        finally:
            os.seteuid(was)


@pytest.mark.parametrize(
    "name", ["a b.jpg", 'quote\'s "x".jpg', "two\nlines.jpg", "nächtliches 東京.jpg", "\udcff.jpg"]
)
def test_odd_names_are_read_and_told_on_one_line(name, put, pillow_bytes, scene):
    path = put(name, pillow_bytes(scene, "PNG"))
    assert read_photo(path).pixels.shape == (48, 64, 3)
    path.write_bytes(b"")
    refused(path, "is empty").encode()


def tiff(array, photometric):
    out = io.BytesIO()
    tifffile.imwrite(out, array, photometric=photometric)
    return out.getvalue()


def test_float_tiff_out_of_range_is_refused(put, scene):
    for values in (scene.astype(np.float32), np.where(scene > 99, np.nan, 0).astype(np.float32)):
        refused(put("hdr.tif", tiff(values, "rgb")), "hdr.tif", "only sRGB-encoded values in [0, 1]")


@pytest.mark.parametrize("dtype", ["uint32", "int16", "float64", "complex64"])
def test_tiffs_of_other_numbers_are_refused(dtype, put, scene):
    refused(put("odd.tif", tiff(scene[..., 0].astype(dtype), "minisblack")), "odd.tif cannot be read as TIFF")


def test_lab_is_refused(put, pillow_bytes, scene):
    refused(put("lab.tif", pillow_bytes(scene, "TIFF", mode="LAB")), "lab.tif cannot be read as TIFF")


def test_nothing_is_printed(put, pillow_bytes, scene, capfd):
    rng = np.random.default_rng(5)
    for kind in ("JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP", "AVIF"):
        data = pillow_bytes(scene, kind)
        spoiled = [data[:end] for end in (40, len(data) // 2, len(data) - 3)]
        for _ in range(12):
            noisy = bytearray(data)
            for at in rng.integers(0, min(len(data), 200), 3):
                noisy[at] = rng.integers(128, 256)
            spoiled.append(bytes(noisy))
        for each in spoiled:
            with contextlib.suppress(UnreadablePicture):
                read_photo(each, max_pixels=1 << 20)
    assert capfd.readouterr() == ("", "")


def test_a_record_is_none_where_nothing_can_be_read(tmp_path, put, pillow_bytes, scene):
    assert read_record(tmp_path / "no such.jpg") is None
    assert read_record(tmp_path) is None
    for name, data in {
        "a.jpg": b"",
        "b.jpg": b"text",
        "c.png": huge_png(10)[:30],
        "d.bmp": b"BM" + bytes(90),
    }.items():
        assert read_record(put(name, data)) is None
        assert read_record(data) is None
    for kind in ("JPEG", "PNG", "TIFF", "WEBP", "AVIF", "GIF", "BMP"):
        plain = pillow_bytes(scene, kind)
        assert read_record(put("plain", plain)) is None
        assert read_record(plain) is None
