"""What a result says about how it was made."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import daybreak
from daybreak.enhancing import memory
from daybreak.enhancing.batch import Output
from daybreak.enhancing.one import run_job
from daybreak.enhancing.plan import Job
from daybreak.enhancing.record import asked, check_record, written
from daybreak.errors import OutputExists
from daybreak.image.photo import Photo
from daybreak.image.read import read_record


@pytest.fixture
def dark(tmp_path):
    path = tmp_path / "dark.png"
    daybreak.save_image(np.full((6, 8, 3), 20, np.uint8), path)
    return path


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".avif"])
def test_what_python_makes_of_a_file_says_how(suffix, dark, tmp_path):
    made = tmp_path / f"made{suffix}"
    daybreak.save_image(daybreak.enhance(dark, "gamma", 0.5, gamma=3.0), made)
    record = read_record(made)
    assert (record["method"], record["ran"], record["strength"]) == ("gamma", "gamma", "0.5")
    assert json.loads(record["settings"])["gamma"] == 3.0
    assert json.loads(record["ran-settings"])["gamma"] == 3.0


def test_every_kind_that_can_carry_it_does(dark, tmp_path):
    enhancer = daybreak.Enhancer("auto")
    photo = daybreak.load_image(dark)
    assert enhancer(photo).record == enhancer.photo(photo)[0].record
    assert enhancer(photo).record["ran"] == "daybreak.best"
    assert photo.record is None
    (tmp_path / "bytes.png").write_bytes(enhancer(dark.read_bytes()))
    assert read_record(tmp_path / "bytes.png")["ran"] == "daybreak.best"


def test_a_limit_of_memory_counts_where_the_choice_hangs_on_it():
    for name in ("gamma", "auto"):
        free, limited = (asked(daybreak.Enhancer(name, max_memory=most)) for most in (None, "1GB"))
        assert (free != limited) == (name == "auto")
        for made, wanted in ((free, limited), (limited, free)):
            with (
                pytest.raises(OutputExists, match=r"otherwise \(memory") if name == "auto" else nullcontext()
            ):
                check_record(Path("a.png"), made, wanted)
    check_record(Path("a.png"), {k: v for k, v in free.items() if k != "memory"}, free)  # an older result's


def test_what_was_learnt_from_a_copy_says_so_for_good(tmp_path, monkeypatch):
    source, target = tmp_path / "a.png", tmp_path / "b.png"
    daybreak.save_image(np.random.default_rng(0).integers(0, 40, (300, 400, 3), np.uint8), source)
    with monkeypatch.context() as scarce:
        scarce.setattr(memory.Room, "left", lambda _: 3_000_000)
        first = run_job(Job(source, target), daybreak.Enhancer("srie"), Output())
    second = run_job(Job(source, target), daybreak.Enhancer("srie"), Output())
    assert (first.state, second.state) == ("enhanced", "done before")
    assert "for want of memory" in first.notes[0]
    assert first.notes == second.notes


def test_a_picture_that_was_left_as_it_is_says_that(tmp_path):
    bright = Photo(np.full((6, 8, 3), 0.6, np.float32))
    made, outcome = daybreak.Enhancer("auto").photo(bright)
    assert outcome.unchanged
    assert made.record["ran"] == ""
    assert made.stored is bright.stored


def test_a_record_given_on_writing_goes_before_that_of_the_photo(tmp_path):
    from daybreak.image.write import write_photo

    photo = replace(Photo(np.zeros((2, 2, 3), np.float32)), record={"a": "photo"})
    write_photo(photo, tmp_path / "a.png")
    write_photo(photo, tmp_path / "b.png", record={"a": "given"})
    assert read_record(tmp_path / "a.png") == {"a": "photo"}
    assert read_record(tmp_path / "b.png") == {"a": "given"}


def test_a_result_is_known_by_what_it_says(tmp_path):
    wanted = {"method": "gamma", "source": "1"}
    check_record(tmp_path, {"method": "gamma", "source": "1", "note": "more"}, wanted)
    with pytest.raises(OutputExists, match=r"made otherwise \(method, source\)"):
        check_record(tmp_path, {"method": "he", "source": "2"}, wanted)
    with pytest.raises(OutputExists, match="does not tell its source"):
        check_record(tmp_path, {"method": "gamma"}, wanted)


@pytest.mark.parametrize("name", ["png", "tiff", "bmp"])
def test_a_lossless_format_has_no_quality(name):
    assert written(name, 30, None) == written(name, None, None)
    assert written("webp", 30, None) != written("webp", None, None)
    assert written(name, None, 8) != written(name, None, None)
