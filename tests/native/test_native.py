"""The compiled part: when it is taken and when it is not, and what it refuses."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from daybreak import native
from daybreak.methods import get_method

pytestmark = pytest.mark.skipif(not native.compiled(), reason="no compiler where it was installed")


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Copies of the source and the library, looked at in their place."""
    for name in ("_SOURCE", "_LIBRARY"):
        copy = tmp_path / getattr(native, name).name
        shutil.copy(getattr(native, name), copy)
        monkeypatch.setattr(native, name, copy)
    forget()
    yield tmp_path
    forget()


def forget():
    native._found.cache_clear()
    native._source.cache_clear()


def test_what_was_made_of_this_source_is_taken(elsewhere):
    assert native.compiled()
    assert len(native.made_of()) == 12


@pytest.mark.parametrize("name", ["libdaybreak.so", "developing.c"])
def test_a_library_of_another_source_or_machine_is_not(name, elsewhere):
    with (elsewhere / name).open("r+b") as file:
        file.write(b"/* changed */")
    assert not native.compiled()
    assert native.made_of() == ""


def test_where_there_is_none_numpy_does_it(elsewhere, monkeypatch):
    pixels = np.random.default_rng(0).random((40, 50, 3), dtype=np.float32) * np.float32(0.2)
    method = get_method("daybreak")
    with_it = method.enhance(pixels)
    monkeypatch.setattr(native, "_LIBRARY", elsewhere / "none.so")
    forget()
    assert not native.compiled()
    np.testing.assert_allclose(method.enhance(pixels), with_it, atol=2e-6)


def test_it_is_left_out_as_long_as_somebody_asks():
    with native.left_out():
        with native.left_out(), native.left_out(False):
            assert not native.compiled()
        assert not native.compiled()
        assert native.made_of() != ""
    assert native.compiled()


@pytest.mark.parametrize("kind", [np.float64, np.int16, ">u2"])
def test_numbers_of_other_kinds_are_refused(kind):
    with pytest.raises(KeyError):
        native.Window(np.zeros((8, 8, 3), kind), 1.0, (0, 0), (8, 8))


@pytest.mark.parametrize("shape", [(8, 9, 3), (7, 8, 3), (8, 8, 4)])
def test_a_result_of_another_size_is_refused(shape):
    window = native.Window(np.zeros((8, 8, 3), np.uint8), 255.0, (0, 0), (8, 8))
    with pytest.raises(ValueError, match="columns"):
        window.developed(np.zeros((8, 2, 2), np.float32), 0, 8, np.zeros(shape, np.uint8))


def test_maps_of_another_number_are_refused():
    window = native.Window(np.zeros((8, 8, 3), np.uint8), 255.0, (0, 0), (8, 8))
    with pytest.raises(ValueError, match="7 maps"):
        window.developed(np.zeros((7, 2, 2), np.float32), 0, 8, np.zeros((8, 8, 3), np.uint8))


def test_sums_of_a_row_of_millions_of_white_pixels():
    pixels = np.full((1, 17_000_000, 3), 255, np.uint8)
    window, into = native.Window(pixels, 255.0, (0, 0), pixels.shape), np.empty_like(pixels)
    maps = np.ones((8, 2, 2 * -(-pixels.shape[1] // 16)), np.float32)
    sums = window.developed(maps, 0, 1, into)
    assert into.min() == 255
    assert sums.tolist() == [255 * 17_000_000] * 3
