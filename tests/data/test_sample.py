from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from daybreak.data.darkened import Darkened
from daybreak.data.pairs import natural_order
from daybreak.data.registry import get_dataset
from daybreak.data.sample import Sample, name_of
from daybreak.data.synthetic import Darkening, dark_version, darken
from daybreak.errors import BadSetting, DataError, DaybreakError, UnknownName, UnreadablePicture
from daybreak.image.read import read_photo


def picture(path, shape=(6, 8), dtype=np.uint8, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, (*shape, 3), dtype, endpoint=True)
    assert cv2.imwrite(str(path), levels[..., ::-1])
    return levels


def test_a_pair_comes_as_it_is_stored(tmp_path):
    dark = picture(tmp_path / "d.png")
    bright = picture(tmp_path / "b.png", seed=1)
    low, high = Sample("x", tmp_path / "d.png", tmp_path / "b.png").load()
    assert low.dtype == np.uint8
    assert np.array_equal(low, dark)
    assert np.array_equal(high, bright)


def test_each_side_keeps_its_own_depth(tmp_path):
    picture(tmp_path / "d.png")
    deep = picture(tmp_path / "b.png", dtype=np.uint16)
    low, high = Sample("x", tmp_path / "d.png", tmp_path / "b.png").load()
    assert (low.dtype, high.dtype) == (np.uint8, np.uint16)
    assert np.array_equal(high, deep)


def test_gray_pictures_have_three_channels_and_no_reference_is_none(tmp_path):
    cv2.imwrite(str(tmp_path / "g.png"), np.full((3, 5), 7, np.uint8))
    low, high = Sample("x", tmp_path / "g.png").load()
    assert low.shape == (3, 5, 3)
    assert high is None


def test_pictures_of_two_sizes_are_refused(tmp_path):
    picture(tmp_path / "d.png", (6, 8))
    picture(tmp_path / "b.png", (8, 6))
    with pytest.raises(DataError, match="x: the input is 8×6 pixels and its reference 6×8"):
        Sample("x", tmp_path / "d.png", tmp_path / "b.png").load()


def test_one_corrupt_pair_in_a_hundred_is_told_and_the_rest_can_be_used(tmp_path):
    for n in range(100):
        picture(tmp_path / "low" / f"{n}.png", seed=n)
        picture(tmp_path / "high" / f"{n}.jpg", seed=n)
    cut = tmp_path / "high" / "42.jpg"
    cut.write_bytes(cut.read_bytes()[:200])
    usable, told = [], []
    for sample in get_dataset("paired").find(tmp_path).samples:
        try:
            usable.append((sample.name, *sample.load()))
        except DaybreakError as error:
            told.append(str(error))
    assert [name for name, *_ in usable] == sorted(map(str, {*range(100)} - {42}), key=natural_order)
    (line,) = told
    assert "42.jpg" in line


def test_synthetic_pictures_are_made_from_the_clean_ones(tmp_path):
    picture(tmp_path / "clean" / "a.png", (20, 30))
    picture(tmp_path / "clean" / "b.png", (20, 30))
    first, second = get_dataset("synthetic:clean").samples(tmp_path)
    low, high = first.load()
    assert np.array_equal(high, np.rint(read_photo(tmp_path / "clean" / "a.png").pixels * 255))
    assert low.mean() < high.mean()
    assert low.dtype == np.uint8
    expected, _ = dark_version(read_photo(tmp_path / "clean" / "a.png").pixels, "a", 0)
    assert np.array_equal(low, np.rint(expected * 255))
    assert np.array_equal(low, first.load()[0])
    assert not np.array_equal(low, second.load()[0])
    other = Darkened(tmp_path / "clean" / "a.png", seed=1).photo().pixels
    assert not np.array_equal(np.rint(other * 255), low)
    assert name_of(first.input) == "a (darkened, seed 0).png"


def test_what_is_given_of_a_darkening_is_not_drawn(tmp_path):
    picture(tmp_path / "clean" / "a.png", (20, 30))
    (free,) = get_dataset("synthetic:clean").samples(tmp_path)
    (half,) = get_dataset("synthetic:clean?alpha=1").samples(tmp_path)
    dataset = get_dataset("synthetic:clean?alpha=1&gamma=0.5&sigma=0")
    (whole,) = dataset.samples(tmp_path)
    assert dataset.card.name == "synthetic:clean?alpha=1&gamma=0.5&sigma=0"
    assert half.input.darkening == replace(free.input.darkening, alpha=1.0)
    assert whole.input.darkening == Darkening(1.0, 0.5)
    low, high = whole.load()
    assert np.array_equal(low, np.rint(darken(high.astype(np.float32) / 255, 1.0, 0.5) * 255))


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        ("alfa=1", UnknownName, "part of a darkening named 'alfa'"),
        ("alpha=dark", BadSetting, "expected alpha=NUMBER"),
        ("alpha=-1", BadSetting, "alpha=-1"),
        ("gamma=nan", BadSetting, "gamma=nan"),
    ],
)
def test_a_darkening_that_cannot_be_is_refused_before_anything_is_read(given, error, told):
    with pytest.raises(error, match=told):
        get_dataset(f"synthetic:clean?{given}")


def test_synthetic_folders_are_found_absolute_relative_or_below_the_root(tmp_path):
    picture(tmp_path / "clean" / "Kodak24" / "a.png")
    for folder in (str(tmp_path / "clean" / "Kodak24"), "clean/Kodak24", "kodak24"):
        (sample,) = get_dataset(f"synthetic:{folder}").samples(tmp_path)
        assert sample.name == "a"
    with pytest.raises(DataError, match="no folder nothere"):
        get_dataset("synthetic:nothere").find(tmp_path)


def test_a_file_that_is_no_picture(tmp_path):
    (tmp_path / "d.png").write_text("hello")
    with pytest.raises(UnreadablePicture, match="plain text"):
        Sample("x", tmp_path / "d.png").load()
