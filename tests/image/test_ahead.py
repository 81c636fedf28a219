"""The picture of a command, decoded while modules are imported: the same photo, or none."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from daybreak.errors import DaybreakError
from daybreak.image import ahead
from daybreak.image.read import read_photo
from daybreak.image.rows import Levels, mean, thumbnail


@pytest.fixture(autouse=True)
def _nothing_begun():
    ahead._begun.clear()
    yield
    ahead._begun.clear()


@pytest.fixture
def photo(tmp_path, scene, pillow_bytes):
    path = tmp_path / "dark.jpg"
    path.write_bytes(pillow_bytes(scene // 4, "JPEG"))
    return path


def test_it_is_the_photo_that_is_read_of_the_same_bytes_and_given_once(photo):
    ahead.begin(["--overwrite", str(photo), "-o", str(photo.parent)])
    data = photo.read_bytes()
    got, expected = ahead.decoded(data, 10**6), read_photo(data)
    assert got is not None
    np.testing.assert_array_equal(got.stored.whole, expected.stored.whole)
    assert (got.format, got.metadata, got.notes) == (expected.format, expected.metadata, expected.notes)
    assert ahead.decoded(data, 10**6) is None


@pytest.mark.parametrize(
    ("method", "ready"), [([], True), (["-m", "gamma"], False), (["--method=he"], False)]
)
def test_what_auto_will_look_at_is_ready(photo, method, ready):
    ahead.begin([str(photo), *method])
    got = ahead.decoded(photo.read_bytes(), 10**6)
    assert got is not None
    copy = thumbnail(Levels(got.stored.whole, 255))
    made = got.stored.once("thumbnail", lambda: None)
    assert (made is not None) == ready
    if ready:
        np.testing.assert_array_equal(made, copy)
    assert got.stored.once("mean", lambda: None) == mean(Levels(got.stored.whole, 255))


def test_other_bytes_and_pictures_that_are_too_large_are_read_in_their_turn(photo):
    ahead.begin([str(photo)])
    assert ahead.decoded(photo.read_bytes()[:-1], 10**6) is None
    assert ahead.decoded(photo.read_bytes(), 10) is None


def test_damage_is_told_where_the_picture_is_read(tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    ahead.begin([str(broken)])
    assert ahead.decoded(broken.read_bytes(), 10**6) is None
    with pytest.raises(DaybreakError, match="the data given"):
        read_photo(broken.read_bytes())


@pytest.mark.parametrize(
    "words", ["two pictures", "a limit of memory", "a folder", "a folder too", "nothing there"]
)
def test_nothing_is_begun_where_it_is_not_clear_what_will_be_read(photo, words):
    other = photo.with_name("other.jpg")
    other.write_bytes(photo.read_bytes())
    arguments = {
        "two pictures": [str(photo), str(other)],
        "a limit of memory": [str(photo), "--max-memory", "1GB"],
        "a folder": [str(photo.parent)],
        "a folder too": [str(photo), str(photo.parent)],
        "nothing there": [str(photo.with_name("none.jpg"))],
    }[words]
    ahead.begin(arguments)
    assert not ahead._begun


def test_the_command_makes_what_the_library_makes(photo, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "dark.jpg").write_bytes(photo.read_bytes())
    made = []
    for given in (photo, folder):  # a folder is not decoded ahead
        out = tmp_path / f"of-{given.stem}"
        out.mkdir()
        command = [sys.executable, "-m", "daybreak", "enhance", "-m", "gamma", str(given), "-o", str(out)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        made.append((out / "dark_daybreak.jpg").read_bytes())
    assert made[0] == made[1]


def test_the_name_of_a_result_is_no_picture_to_decode(photo):
    ahead.begin([str(photo), "-o", str(photo.with_name("out.jpg"))])
    assert ahead._begun
    ahead.forget()
    assert ahead.decoded(photo.read_bytes(), 10**6) is None


def test_a_file_too_heavy_to_be_a_picture_of_that_size_is_not_read(tmp_path):
    huge = tmp_path / "huge.jpg"
    with huge.open("wb") as file:
        file.truncate(6 << 30)
    ahead.begin([str(huge)])
    assert not ahead._begun
