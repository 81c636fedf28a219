"""How many pictures are worked on at the same time."""

from __future__ import annotations

import json
import math
import os
import shutil
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pyvips
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from daybreak.enhancing import crew, memory
from daybreak.enhancing.batch import Output, run_batch
from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.memory import (
    EXPOSED,
    SHARE,
    Room,
    bytes_per_pixel,
    costliest,
    fitting_jobs,
    free_memory,
    too_large,
)
from daybreak.enhancing.plan import Job
from daybreak.image.read import Outline, read_outline, read_photo, read_size
from daybreak.methods import every_method, get_method

MEASURED = Path(__file__).parents[2] / "benchmarks/results/memory.json"


def test_every_card_has_the_figure_that_was_measured():
    """The larger of both picture sizes, with the defaults or the exact solver, rounded up."""
    figures = json.loads(MEASURED.read_text())["bytes_per_pixel"]
    for method in every_method():
        name = method.card.name
        cases = [figures[case] for case in (name, f"{name} solver=exact") if case in figures]
        measured = max((math.ceil(v) for case in cases for v in case.values()), default=0)
        if method.pick is not None:  # what it picks says
            continue
        unmeasured = {0.0} if method.card.kind == "pretrained" else set()  # those run one after the other
        assert method.card.memory_per_pixel in {measured} | unmeasured, name


@given(
    st.integers(1, 256),
    st.integers(0, 10**9),
    st.floats(0.0, 1000.0),
    st.none() | st.integers(0, 10**13),
)
def test_what_is_chosen_fits_and_one_more_would_not(most, pixels, per_pixel, free):
    jobs = fitting_jobs(most, pixels, per_pixel, free)
    assert 1 <= jobs <= most
    if not per_pixel:
        assert jobs == 1, "what is not known runs alone"
        return
    if free is None:
        assert jobs == most
        return
    if jobs > 1:
        assert jobs * pixels * per_pixel <= SHARE * free * (1 + 1e-9)
    if jobs < most:
        assert (jobs + 1) * pixels * per_pixel >= SHARE * free * (1 - 1e-9)


def test_an_exposure_takes_more():
    crm = get_method("crm")
    assert bytes_per_pixel(crm, 1.0) == bytes_per_pixel(crm, None) + EXPOSED


@pytest.mark.parametrize("format", ["jpeg", "png", "tiff", "webp", "avif", "bmp", "gif"])
def test_a_header_tells_the_size(format, tmp_path):
    path = tmp_path / "a.any"
    Image.new("RGB", (37, 23)).save(path, format=format)
    assert read_size(path) == 37 * 23


def test_a_bitmap_of_os2_tells_the_size(tmp_path):
    path = tmp_path / "a.bmp"
    rows = bytes(-(-37 * 3 // 4) * 4 * 23)
    head = struct.pack("<2sIII", b"BM", 26 + len(rows), 0, 26) + struct.pack("<IHHHH", 12, 37, 23, 1, 24)
    path.write_bytes(head + rows)
    assert read_photo(path).stored.shape == (23, 37, 3)
    assert read_size(path) == 37 * 23


def test_the_thumbnail_at_the_start_of_a_raw_is_not_its_size(tmp_path):
    thumbnail, mosaic = np.zeros((6, 8, 3), np.uint8), np.zeros((60, 80), np.uint16)
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(thumbnail, photometric="rgb", subifds=1, extratags=[(0x010F, 2, 0, "Acme", True)])
        file.write(mosaic, photometric="minisblack")
    assert read_size(path) == path.stat().st_size > mosaic.size
    bare = tmp_path / "b.NEF"
    tifffile.imwrite(bare, thumbnail, photometric="rgb")
    assert read_size(bare) == bare.stat().st_size
    assert not too_large(path, Room(1)), "row by row its thumbnail would be read"
    assert not too_large(bare, Room(1))
    plain = bare.rename(tmp_path / "b.tif")
    assert read_size(plain) == 8 * 6
    assert too_large(plain, Room(1))


def test_a_header_of_heic_tells_the_size(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif")
    path = tmp_path / "a.heic"
    pillow_heif.from_pillow(Image.new("RGB", (74, 46))).save(path)
    assert 74 * 46 <= read_size(path) <= 128 * 64, "as it is coded, in blocks"
    assert not too_large(path, Room(1)), "it is decoded whole or not at all"
    path.write_bytes(path.read_bytes()[:100])
    assert read_size(path) is None


@pytest.mark.parametrize("data", [b"", b"BM", b"text", b"\xff\xd8\xff\xe0 cut", b"\x89PNG\r\n\x1a\n"])
def test_what_has_no_header_has_no_size(data, tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    assert read_size(path) is None
    assert costliest([path, tmp_path / "missing.png"], Enhancer("gamma")).pixels == 0


def test_a_small_picture_may_cost_more_than_a_large_one(tmp_path):
    small, large = (1200, 800), (1500, 1000)
    for size in (small, large):
        Image.new("RGB", size).save(tmp_path / f"{size[0]}.png")
    for name, expected in (("gamma", large), ("auto", small)):
        assert costliest(tmp_path.iterdir(), Enhancer(name)).pixels == expected[0] * expected[1]
    limited = Enhancer("auto", max_memory="1GB")
    assert costliest(tmp_path.iterdir(), limited).pixels == large[0] * large[1], (
        "with a limit all get the quick one"
    )


def test_what_is_not_known_is_not_nothing(tmp_path):
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    unmeasured = Enhancer("gamma")
    unmeasured.method = replace(unmeasured.method, card=replace(unmeasured.method.card, memory_per_pixel=0.0))
    assert costliest(tmp_path.iterdir(), unmeasured).pixels == 1200


def test_a_header_tells_what_else_takes_memory(tmp_path):
    plain = np.zeros((30, 40, 3), np.uint8)
    p3 = bytes(pyvips.Operation.call("profile_load", "p3"))
    srgb = bytes(pyvips.Operation.call("profile_load", "srgb"))
    tifffile.imwrite(tmp_path / "8.tif", plain, photometric="rgb", iccprofile=srgb)
    tifffile.imwrite(tmp_path / "16.tif", plain.astype(np.uint16), photometric="rgb", iccprofile=p3)
    Image.fromarray(plain).save(tmp_path / "p3.jpg", icc_profile=p3)
    Image.fromarray(plain).convert("CMYK").save(tmp_path / "ink.jpg")
    Image.fromarray(plain).convert("RGBA").save(tmp_path / "clear.png")
    told = {path.name: read_outline(path) for path in tmp_path.iterdir()}
    assert told == {
        "8.tif": Outline(1200),
        "16.tif": Outline(1200, deep=True, profiled=True),
        "p3.jpg": Outline(1200, profiled=True),
        "ink.jpg": Outline(1200, profiled=True),
        "clear.png": Outline(1200, alpha=True),
    }
    enhancer = Enhancer("gamma")
    assert costliest(tmp_path.iterdir(), enhancer) == told["16.tif"]
    once = 1200 * (bytes_per_pixel(enhancer.method, None) + memory.extra_bytes(told["16.tif"]))
    enhancer.room = Room()
    for free, expected in ((1.9, 1), (2.1, 2), (100.0, 8)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(memory, "free_memory", lambda free=free: int(free * once / SHARE))
            assert memory.jobs_for(enhancer, 8, told["16.tif"]) == expected


def test_limits_of_control_groups_count(tmp_path, monkeypatch):
    group = tmp_path / "a"
    group.mkdir()
    monkeypatch.setattr(memory, "_groups", lambda: [group, tmp_path])
    monkeypatch.setattr(memory, "_available", lambda: 900)
    assert free_memory() == 900
    (tmp_path / "memory.max").write_text("max\n")
    (group / "memory.max").write_text("1000\n")
    (group / "memory.current").write_text("700\n")
    assert free_memory() == 300
    (group / "memory.stat").write_text("anon 5\ninactive_file 450\n")
    assert free_memory() == 750
    (group / "memory.current").write_text("5000\n")
    assert free_memory() == 0


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="not Linux")
def test_this_machine_says_what_is_free():
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 0 < free_memory() <= whole


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="not Linux")
def test_a_limit_is_shared_among_no_more_than_can_work_with_it(tmp_path, monkeypatch):
    """Sixteen cores: a sixteenth of the limit would hold no picture; each would be streamed or refused."""
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    jobs = []
    for n in range(4):
        path = tmp_path / f"{n}.jpg"
        Image.new("RGB", (1200, 900), (20, 20, 20)).save(path, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")
        jobs.append(Job(path, tmp_path / "out" / path.name))
    for workers in (None, 16):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        enhancer = Enhancer("auto", max_memory="300MB")
        results = list(run_batch(jobs, enhancer, Output(overwrite=True), workers))
        assert [(result.state, result.error) for result in results] == [("enhanced", "")] * 4
        assert not any("streamed" in note for result in results for note in result.notes)


@pytest.mark.parametrize(("pictures", "expected"), [(1.5, 1), (2.5, 2), (100.0, 4)])
def test_a_batch_takes_as_many_at_once_as_fit(pictures, expected, tmp_path, monkeypatch):
    """The crew is asked how large it was made; nothing is timed."""
    sizes = []
    in_processes = crew.in_processes

    def asked(jobs, enhancer, output, at_once, threads):
        sizes.append(at_once)
        return in_processes(jobs, enhancer, output, at_once, threads)

    monkeypatch.setattr(crew, "in_processes", asked)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    enhancer = Enhancer("gamma")
    peak = 40 * 30 * bytes_per_pixel(enhancer.method, None)
    monkeypatch.setattr(memory, "free_memory", lambda: int(pictures * peak / SHARE))
    jobs = []
    for n in range(5):
        Image.new("RGB", (40, 30) if n == 3 else (4, 3)).save(tmp_path / f"{n}.png")
        jobs.append(Job(tmp_path / f"{n}.png", tmp_path / f"{n}_out.png"))
    assert [result.error for result in run_batch(jobs, enhancer, Output())] == [""] * 5
    assert [result.error for result in run_batch(jobs, enhancer, Output(), workers=3)] == [""] * 5
    assert sizes == [expected, 3], "the picture that takes most decides, unless a number was given"
