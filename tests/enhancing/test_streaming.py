"""Pictures that do not fit into memory: streamed row by row within the limit, or refused beforehand."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from daybreak.enhancing import memory
from daybreak.enhancing.batch import Output, run_batch
from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.memory import IN_MEMORY, LEAST, out_of_memory, parse_memory
from daybreak.enhancing.plan import Job
from daybreak.errors import BadSetting
from daybreak.image.read import read_photo, read_record
from daybreak.image.scroll import Scroll
from daybreak.image.vips import load_vips


def picture(path, height=300, width=420, *, deep=False, bands=3, **options):
    """A dark, noisy picture in a file; its levels."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(5, 70, height * width).reshape(height, width, 1)
    levels = np.clip(ramp + rng.normal(0, 3, (height, width, bands)), 0, 255).astype(np.uint8)
    if deep:
        levels = levels.astype(np.uint16) * 257 + 3
    image = load_vips().Image.new_from_array(levels, interpretation="b-w" if bands == 1 else "srgb")
    if deep:
        image = image.copy(interpretation="grey16" if bands == 1 else "rgb16")
    image.write_to_file(str(path), **options)
    return levels


@pytest.fixture
def scarce(monkeypatch):
    """So little memory is left that nothing of 300×420 pixels fits, but tiles do."""
    monkeypatch.setattr(memory.Room, "left", lambda self: int(IN_MEMORY * 300 * 420) - 1)


def run(source, target, method="cascade", **options):
    output = Output(**options)
    (result,) = run_batch([Job(source, target, source == target)], Enhancer(method), output)
    return result


@pytest.mark.parametrize(("suffix", "deep"), [("tif", False), ("tif", True), ("png", False), ("png", True)])
def test_streamed_is_what_comes_out_in_one_piece(suffix, deep, tmp_path, monkeypatch):
    source, one, two = (tmp_path / f"{name}.{suffix}" for name in ("in", "one", "two"))
    picture(source, deep=deep)
    assert run(source, one).error == ""
    monkeypatch.setattr(memory.Room, "left", lambda self: int(IN_MEMORY * 300 * 420) - 1)
    streamed = run(source, two)
    assert streamed.error == ""
    assert "streamed" in streamed.notes[0]
    before, after = read_photo(one), read_photo(two)
    assert before.bit_depth == after.bit_depth == (16 if deep else 8)
    off = np.abs(before.stored.whole.astype(int) - after.stored.whole)
    assert off.max() <= 1
    assert (off == 0).mean() > 0.999
    assert streamed.brightness_after == pytest.approx(float(after.pixels.mean()), abs=1e-3)


@pytest.mark.parametrize("method", ["auto", "msr", "gamma", "srie"])
def test_every_kind_of_method_is_streamed(method, tmp_path, monkeypatch):
    monkeypatch.setattr(memory.Room, "left", lambda self: int(IN_MEMORY * 900 * 1260) - 1)
    source, target = tmp_path / "in.png", tmp_path / "out.tif"
    levels = picture(source, 900, 1260)
    result = run(source, target, method)
    assert result.error == ""
    made = read_photo(target)
    assert made.pixels.shape == (900, 1260, 3)
    assert made.pixels.mean() > levels.mean() / 255
    assert read_record(target)["method"] == method


def test_bits_that_a_format_does_not_hold_are_refused_or_told(tmp_path, scarce):
    source, target = tmp_path / "in.tif", tmp_path / "out.jpg"
    picture(source, deep=True)
    assert "JPEG cannot hold 16 bits" in run(source, target, bit_depth=16).error
    assert not target.exists()
    for state in ("enhanced", "done before"):
        result = run(source, target)
        assert result.state == state
        assert "more than 8 bits became 8, for JPEG holds no more" in result.lost


@pytest.mark.parametrize("mode", ["on", "off"])
def test_a_jpeg_keeps_the_resolution_of_its_colours(mode, tmp_path, scarce):
    source, target = tmp_path / "in.jpg", tmp_path / "out.jpg"
    picture(source, subsample_mode=mode)
    assert "streamed" in run(source, target).notes[0]
    assert read_photo(target).half_chroma == read_photo(source).half_chroma == (mode == "on")


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
@pytest.mark.parametrize("said", [None, 300])
def test_a_resolution_stays_and_none_is_taken_for_72(said, suffix, tmp_path, scarce):
    source, target = tmp_path / f"in.{suffix}", tmp_path / f"out.{suffix}"
    Image.new("RGB", (420, 300), (20, 30, 25)).save(source, **({"dpi": (said, said)} if said else {}))
    assert "streamed" in run(source, target).notes[0]
    with Image.open(target) as image:
        assert image.info["dpi"] == pytest.approx((said or 72,) * 2, abs=0.02)


@pytest.mark.parametrize("first", ["jpg", "tif"])
def test_iptc_is_found_in_the_other_format_too(first, tmp_path, scarce, exiftool):
    second = {"jpg": "tif", "tif": "jpg"}[first]
    source, target = tmp_path / f"in.{first}", tmp_path / f"out.{second}"
    picture(source)
    exiftool.write(source, "-IPTC:City=Wien")
    assert "streamed" in run(source, target).notes[0]
    assert exiftool(target)["IPTC:City"] == "Wien"


@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_more_iptc_than_fits_is_left_out(kind, tmp_path, scarce, exiftool):
    source, target = tmp_path / "in.tif", tmp_path / f"out.{kind}"
    picture(source)
    exiftool.write(source, *(f"-IPTC:Keywords={n:064}" for n in range(1200)))
    assert run(source, target).error == ""
    assert "IPTC:Keywords" not in exiftool(target)


def test_nothing_is_decided_on_a_pixel_however_little_is_left(tmp_path, monkeypatch):
    """It is dark but for what alone so small a copy would hold."""
    levels = np.full((300, 420, 3), 12, np.uint8)
    levels[209:212, 209:212] = 250  # the middle of a block as long as the picture
    load_vips().Image.new_from_array(levels, interpretation="srgb").write_to_file(str(tmp_path / "in.tif"))
    monkeypatch.setattr(memory.Room, "left", lambda self: 1000)
    assert "that are left" in run(tmp_path / "in.tif", tmp_path / "out.tif", "auto").error
    assert not (tmp_path / "out.tif").exists()


def test_gray_stays_gray(tmp_path, scarce):
    source, target = tmp_path / "in.tif", tmp_path / "out.tif"
    picture(source, bands=1)
    assert run(source, target).error == ""
    assert read_photo(target).gray


def test_a_rerun_finds_it_done_and_other_settings_are_told(tmp_path, scarce):
    source, target = tmp_path / "in.tif", tmp_path / "out.tif"
    picture(source)
    assert run(source, target).state == "enhanced"
    made = target.read_bytes()
    assert run(source, target).state == "done before"
    assert "made otherwise (method" in run(source, target, "gamma").error
    assert target.read_bytes() == made
    for state in ("enhanced", "done before"):
        assert run(source, target, "gamma", overwrite=True).state == state


def test_in_place_the_same_again_is_done_before(tmp_path, scarce):
    source = tmp_path / "in.tif"
    picture(source)
    assert run(source, source, overwrite=True).state == "enhanced"
    made = source.read_bytes()
    assert run(source, source, overwrite=True).state == "done before"
    assert source.read_bytes() == made
    assert run(source, source, "gamma", overwrite=True).state == "enhanced"


def test_a_copy_of_what_was_light_enough_is_found_done_whatever_it_says_of_an_earlier_run(tmp_path, scarce):
    dark, light, copy = (tmp_path / f"{name}.tif" for name in ("dark", "light", "copy"))
    picture(dark)
    assert run(dark, light, "gamma", bit_depth=16).state == "enhanced"
    assert run(light, copy, "auto").state == "unchanged"
    assert copy.read_bytes() == light.read_bytes()
    assert run(light, copy, "auto").state == "done before"
    assert "made otherwise (method" in run(light, copy, "he").error
    assert copy.read_bytes() == light.read_bytes()


@pytest.mark.parametrize(("stops", "told"), [(8.0, "EV of the +8 asked for"), (1.0, "")])
def test_an_exposure_that_was_not_reached_is_told(stops, told, tmp_path, scarce):
    picture(tmp_path / "in.tif")
    job = Job(tmp_path / "in.tif", tmp_path / "out.tif")
    (result,) = run_batch([job], Enhancer("gamma", exposure=stops), Output())
    assert result.error == ""
    assert [note for note in result.notes if "asked for" in note] == list(result.remarkable)
    assert told in "".join(result.remarkable)
    assert bool(result.remarkable) == bool(told)


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("in.webp", {}, "it is WEBP"),
        ("in.png", {"interlace": True}, "it is interlaced"),
        ("in.png", {"bands": 4}, "not opaque RGB"),
    ],
)
def test_what_cannot_be_streamed_is_refused_before_work_begins(name, options, told, tmp_path, scarce):
    source, target = tmp_path / name, tmp_path / "out.tif"
    picture(source, **options)
    error = run(source, target).error
    assert told in error
    assert "--max-memory" in error
    assert not target.exists()


def test_a_format_that_cannot_be_written_by_rows_is_refused(tmp_path, scarce):
    picture(tmp_path / "in.png")
    error = run(tmp_path / "in.png", tmp_path / "out.webp").error
    assert "--format tiff" in error


def test_more_pixels_than_allowed_are_refused_and_told(tmp_path, scarce):
    picture(tmp_path / "in.tif")
    error = run(tmp_path / "in.tif", tmp_path / "out.tif", max_pixels=100_000).error
    assert "420x300" in error
    assert "--max-pixels 1 " in error


def test_a_damaged_file_leaves_nothing(tmp_path, scarce):
    source, target = tmp_path / "in.tif", tmp_path / "out.tif"
    picture(source)
    data = bytearray(source.read_bytes())
    source.write_bytes(data[:4096] + bytes(len(data) // 2) + data[4096 + len(data) // 2 :])
    cut = tmp_path / "cut.png"
    picture(cut)
    cut.write_bytes(cut.read_bytes()[:-20_000])
    assert run(cut, target).error
    assert list(tmp_path.glob("*out*")) == list(tmp_path.glob(".daybreak*")) == []


def test_memory_that_runs_out_in_a_stream_is_made_do_with(tmp_path, monkeypatch):
    monkeypatch.setattr("daybreak.enhancing.one.too_large", lambda path, room: True)
    source, target = tmp_path / "in.tif", tmp_path / "out.tif"
    picture(source)
    enhancer = Enhancer("cascade")
    run_was, failed = enhancer.method.run, []

    def hungry(pixels, settings):
        if pixels.shape[0] * pixels.shape[1] > 90 * 90:
            failed.append(pixels.shape)
            raise MemoryError
        return run_was(pixels, settings)

    object.__setattr__(enhancer.method, "run", hungry)
    try:
        (result,) = run_batch([Job(source, target)], enhancer, Output())
    finally:
        object.__setattr__(enhancer.method, "run", run_was)
    assert result.error == ""
    assert failed
    assert read_photo(target).pixels.shape == (300, 420, 3)


def test_rows_can_be_read_again_from_above(tmp_path):
    levels = picture(tmp_path / "in.tif")
    scroll = Scroll(tmp_path / "in.tif", "tiff")
    for top, bottom in ((0, 40), (30, 90), (60, 61), (200, 300), (0, 10)):
        np.testing.assert_array_equal(scroll.band(top, bottom).whole, levels[top:bottom])


@pytest.mark.parametrize("text", ["", "1XB", "-1GB", "1 i", "GB", "100MB", "0"])
def test_no_amount_is_told(text):
    with pytest.raises(BadSetting, match="--max-memory"):
        parse_memory(text)
    assert parse_memory("256MiB") == LEAST


def test_other_errors_are_no_lack_of_memory():
    assert out_of_memory(MemoryError())
    assert out_of_memory(RuntimeError("std::bad_alloc"))
    assert not out_of_memory(ValueError("no"))


PEAK = """
import sys
from pathlib import Path
from daybreak.cli.start import start
start()
from daybreak.cli.main import run
assert not run()
lines = Path("/proc/self/status").read_text().splitlines()
print(next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")))
"""
"""The command in a process that tells its peak: what `wait4` tells begins at the peak of the parent."""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells what a process holds")
@pytest.mark.parametrize(
    ("method", "suffix", "limit"), [("cascade", "tif", 350), ("msr", "tif", 350), ("msr", "jpg", 550)]
)
def test_the_limit_is_kept(method, suffix, limit, tmp_path):
    """24 megapixels: msr takes 1.4 GB of them as a rule."""
    source, target = tmp_path / f"in.{suffix}", tmp_path / f"out.{suffix}"
    small = picture(tmp_path / "small.png", 200, 200)
    tile = load_vips().Image.new_from_array(small, interpretation="srgb")
    tile.replicate(30, 20).write_to_file(str(source))
    typed = ["enhance", str(source), "-o", str(target), "-m", method, "-q", "--max-memory", f"{limit}MB"]
    told = subprocess.run([sys.executable, "-c", PEAK, *typed], check=True, capture_output=True, text=True)
    assert target.exists()
    assert int(told.stdout.split()[-1]) <= 1.15 * limit * 1e6


@pytest.mark.parametrize("had", [True, False])
def test_exif_that_is_left_out_is_told_at_every_run_and_no_other(had, tmp_path, scarce):
    source, target = tmp_path / "in.jpg", tmp_path / "out.jpg"
    more = {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x0f\0\x02\0\0\0\x02A\0\0\0\0\0\0\0"} if had else {}
    Image.new("RGB", (420, 300), (20, 20, 20)).save(source, **more)
    for state in ("enhanced", "done before"):
        result = run(source, target, "gamma")
        assert result.state == state
        assert result.lost == (("EXIF was left out",) if had else ())
