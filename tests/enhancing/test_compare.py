"""The comparison sheet."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak.enhancing.compare import (
    CELL,
    GAP,
    LABEL,
    ORIGINAL,
    compare_page,
    compare_sheet,
    write_label,
)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).random((height, width, 3), dtype=np.float32) * np.float32(0.3)


@pytest.mark.parametrize(
    "size", [(1, 1), (3, 3), (1, 5000), (5000, 1), (40, 60), (90, 50), (700, 900)], ids=str
)
@pytest.mark.parametrize("count", [1, 4])
def test_any_size_gives_a_sheet_of_whole_cells(size, count):
    original = noise(*size)
    before = original.copy()
    sheet = compare_sheet(original, {f"m{n}": np.clip(original * (n + 2), 0, 1) for n in range(count)})
    assert sheet.dtype == np.float32
    assert sheet.min() >= 0
    assert sheet.max() <= 1
    assert 300 < sheet.shape[0] < 4000
    assert 300 < sheet.shape[1] < 4000
    assert np.array_equal(original, before)


def test_each_picture_stands_in_its_place():
    original = np.full((50, 100, 3), 0.2, np.float32)
    sheet = compare_sheet(original, {"half": original + np.float32(0.3)})
    row = sheet[GAP + LABEL + 40]
    first, second = row[GAP + 300], row[2 * GAP + CELL + 300]
    assert np.allclose(first, 0.2, atol=0.003)
    assert np.allclose(second, 0.5, atol=0.003)


def test_a_result_twice_as_large_takes_the_same_room():
    original = noise(40, 60)
    same = compare_sheet(original, {"x": original})
    double = compare_sheet(original, {"x": original.repeat(2, axis=0).repeat(2, axis=1)})
    assert same.shape == double.shape
    assert np.abs(same - double).mean() < 0.01


@pytest.mark.parametrize("width", [90, 640])
@pytest.mark.parametrize("words", ["he", "a-long-name-of-a-method-with-many-words", "naïve 夜"])
def test_a_label_is_readable_and_stays_in_its_strip(words, width):
    strip = np.zeros((LABEL, width, 3), np.uint8)
    write_label(strip, words)
    rows, columns = np.nonzero(strip[:, :, 0] > 100)
    assert rows.size > 30, "nothing to be seen"
    assert columns.max() < width - 1
    assert rows.min() > 0
    assert rows.max() < LABEL - 1
    if words == "he":
        assert np.ptp(rows) >= 12, "letters at least 12 px high"


def test_different_names_get_different_labels():
    original = noise(40, 60)
    one, other = (compare_sheet(original, {name: original}) for name in ("lime", "npe"))
    assert not np.array_equal(one, other)


def test_the_page_holds_all_pictures_once_and_escapes_their_names():
    original = noise(40, 60)
    page = compare_page("<b>.jpg", original, {"<i>": original, "b": original}).decode()
    assert page.count("image/jpeg") == 3
    assert page.count("image/png") == 6
    assert f">{ORIGINAL}</option>" in page
    assert "<i>" not in page
    assert "<b>" not in page
