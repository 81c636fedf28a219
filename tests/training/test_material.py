"""What a run learns from, from wherever it comes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from daybreak.data import lol
from daybreak.data.packing import write_pack
from daybreak.data.registry import get_dataset
from daybreak.data.sample import Sample
from daybreak.errors import BadSetting, DataError, UnknownName
from daybreak.evaluation.leaks import leak
from daybreak.training.material import Material, gather
from daybreak.training.pictures import LARGEST, picture_name, read_pair, reduced, spread


def save(folder, count, peak, first=0, size=(16, 20)):
    folder.mkdir(parents=True)
    for n in range(count):
        levels = np.random.default_rng(first + n).integers(0, peak, (*size, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{n}.webp"), levels, [cv2.IMWRITE_WEBP_QUALITY, 101])  # a pack's own
    return folder


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Six pairs laid out as LOL v1, two of them to validate on."""
    monkeypatch.setattr(lol, "validation_stems", lambda: frozenset({"3", "4"}))
    for side, peak in (("low", 40), ("high", 250)):
        save(tmp_path / "data/our485" / side, 6, peak)
    return tmp_path / "data"


def same(one, other):
    return all(
        np.array_equal(a, b)
        for mine, yours in zip(one, other, strict=True)
        for a, b in zip(mine, yours, strict=True)
    )


def test_a_pack_gives_what_its_folder_gives(root, tmp_path):
    write_pack(get_dataset("lol-v1"), root, tmp_path / "pack", max_bytes=100_000)
    folder, pack = (gather("lol-v1", [place]) for place in (root, tmp_path / "pack"))
    assert [Path(name).stem for name in folder.lows] == ["0", "1", "2", "5"]
    assert len(folder.pairs) == 2
    assert pack.digest == folder.digest
    assert same(pack.pairs, folder.pairs)
    assert pack.told == folder.told
    assert "4 pairs" in folder.told
    lol = get_dataset("lol-v1").card
    assert leak(folder.told, lol, "test"), "a weight's card must name what leaks are known by"


def test_references_are_read_where_they_are_needed_alone(root):
    alone = gather("lol-v1", [root], references=False)
    assert (len(alone), len(alone.highs), len(alone.pairs)) == (4, 0, 2)
    assert alone.told.endswith("4 dark pictures")


@pytest.mark.parametrize("packed", [False, True])
def test_ones_own_pairs_keep_a_tenth_to_validate_on(tmp_path, packed):
    for side, peak in (("low", 40), ("high", 250)):
        save(tmp_path / "mine" / side, 20, peak)
    where = tmp_path / "mine"
    if packed:
        write_pack(get_dataset("paired"), where, tmp_path / "pack", max_bytes=1_000_000)
        where = tmp_path / "pack"
    mine = gather("lol-v1", [where])
    assert (len(mine.lows), len(mine.pairs)) == (18, 2)
    assert mine.lows.keys() == mine.highs.keys()
    assert mine.told == "pairs of one's own, 18 pairs"
    assert not any(np.array_equal(low, kept) for low in mine.lows.values() for kept, _ in mine.pairs)


def test_ones_own_pairs_may_lie_in_folders_called_as_those_of_lol(tmp_path):
    for side, peak in (("input", 40), ("target", 250)):
        save(tmp_path / "mine" / "train" / side, 20, peak)
    for where in ("mine", "mine/train"):
        assert len(gather("lol-v1", [tmp_path / where])) == 36
    with pytest.raises(DataError, match="our485/low or Train/input"):
        gather("lol-v1", [save(tmp_path / "alone", 3, 40)])


def test_what_is_wrong_with_pairs_is_said_and_hidden_by_no_other_layout(root, tmp_path):
    for side, peak in (("low", 40), ("high", 250)):
        save(tmp_path / "mine" / side, 20, peak)
    next((tmp_path / "mine" / "low").iterdir()).unlink()
    with pytest.raises(DataError, match="partner"):
        gather("lol-v1", [tmp_path / "mine"])
    for side in ("low", "high"):
        (root / "our485" / side / "3.webp").unlink()
    with pytest.raises(DataError, match="lacks 3"):
        gather("lol-v1", [root])


def test_two_folders_are_no_pairs(tmp_path):
    unpaired = gather("", [save(tmp_path / "dark", 3, 40), save(tmp_path / "light", 5, 250, 9)])
    assert (len(unpaired.lows), len(unpaired.highs), len(unpaired.pairs)) == (3, 5, 0)


def test_photos_are_darkened_to_validate_on_and_reduced(tmp_path):
    photos = save(tmp_path / "photos", 20, 250)
    darkened = gather("", normal=[photos])
    assert (len(darkened.clean), len(darkened.pairs), len(darkened.lows)) == (18, 2, 0)
    assert all(low.mean() < high.mean() for low, high in darkened.pairs)
    assert same(darkened.pairs, gather("", normal=[photos]).pairs)
    assert reduced(np.zeros((LARGEST * 2, 30, 3), np.uint8)).shape == (LARGEST, 15, 3)


def test_folders_and_parts_with_equal_names_hide_no_picture(tmp_path):
    photos = [save(tmp_path / part / "train", 2, 250, first=10 * n) for n, part in enumerate("ab")]
    assert list(gather("", normal=photos).clean) == [f"{n}-train/{k}.webp" for n in (1, 2) for k in range(2)]
    assert list(gather("", normal=photos[:1]).clean) == [f"train/{n}.webp" for n in range(2)]
    part = tmp_path / "Huawei/1.jpg"
    assert picture_name(Sample("Huawei/1", part)) == "Huawei/1.jpg"
    assert picture_name(Sample("1", part)) == "1.jpg"


def test_photos_beside_pairs(root, tmp_path):
    both = gather("lol-v1", [root], [save(tmp_path / "photos", 20, 250)])
    assert (len(both.lows), len(both.highs), len(both.clean)) == (4, 4, 18)
    assert len(both.pairs) == 2, "photographed darkness decides"
    assert "darkened by paper 3's generator" in both.told


def test_the_digest_tells_kinds_names_and_pixels_apart():
    one, other = np.zeros((4, 4, 3), np.uint8), np.ones((4, 4, 3), np.uint8)
    digests = {
        Material(lows={"a": one}).digest,
        Material(highs={"a": one}).digest,
        Material(lows={"b": one}).digest,
        Material(lows={"a": other}).digest,
        Material(lows={"a": one.reshape(2, 8, 3)}).digest,
    }
    assert len(digests) == 5


def test_what_cannot_be_trained_on_is_refused(root, tmp_path):
    with pytest.raises(UnknownName, match="lol-v1"):
        gather("lol-v9", [root])
    with pytest.raises(BadSetting, match="no folders to learn from; expected one --data of pairs"):
        gather("lol-v1")
    with pytest.raises(BadSetting, match="3 folders"):
        gather("lol-v1", [root] * 3)
    with pytest.raises(DataError, match="nowhere"):
        gather("lol-v1", [root / "nowhere"])
    with pytest.raises(DataError, match="no reference"):
        read_pair(Sample("a", root / "our485/low/0.webp"))


def test_spread_takes_both_ends():
    assert spread(range(10), 3) == [0, 4, 9]
    assert spread(range(2), 5) == [0, 1]
    assert spread([], 5) == []
