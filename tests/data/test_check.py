from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from daybreak.data.check import check
from daybreak.data.check_report import as_json
from daybreak.data.lol import EVAL15
from daybreak.data.registry import get_dataset
from daybreak.errors import DataError

DATA = Path(os.environ.get("DAYBREAK_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
needs_lol = pytest.mark.skipif(not (DATA / "LOL" / "our485").is_dir(), reason="LOL v1 is not here")
needs_kodak = pytest.mark.skipif(not (DATA / "clean" / "Kodak24").is_dir(), reason="Kodak24 is not here")


def room(seed, height=96, width=144):
    """A picture of thirty random boxes, uint8 BGR, another scene for each seed."""
    rng = np.random.default_rng(seed)
    canvas = np.full((height, width, 3), 100, np.uint8)
    for _ in range(30):
        x, y = (int(v) for v in (rng.integers(0, width - 10), rng.integers(0, height - 10)))
        w, h = (int(v) for v in rng.integers(5, 40, 2))
        cv2.rectangle(canvas, (x, y), (x + w, y + h), tuple(int(v) for v in rng.integers(0, 256, 3)), -1)
    return canvas


def pair(root, name, bright, dark=None):
    for side, levels in (("low", bright // 6 if dark is None else dark), ("high", bright)):
        path = root / side / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), levels)


@pytest.fixture
def root(tmp_path):
    """Two parts: train with all that can be wrong, test with one scene of it."""
    for n in range(4):
        pair(tmp_path / "train", n, room(n))
    pair(tmp_path / "train", "moved", room(7), dark=np.roll(room(7), 9, axis=1) // 6)
    pair(tmp_path / "train", "twin", room(8))
    pair(tmp_path / "train", "twin2", room(8), dark=room(8) // 9)
    pair(tmp_path / "train", "stranger", room(20), dark=room(30) // 6)
    pair(tmp_path / "train", "size", room(9), dark=room(9)[:50] // 6)
    pair(tmp_path / "train", "deep", room(10).astype(np.uint16) * 257, dark=room(10) // 6)
    pair(tmp_path / "train", "cut", room(11))
    cut = tmp_path / "train" / "high" / "cut.png"
    cut.write_bytes(cut.read_bytes()[:99])
    (tmp_path / "train" / "low" / "alone.png").write_bytes((tmp_path / "train/low/1.png").read_bytes())
    pair(tmp_path / "test", "a", (room(2) * 0.7).astype(np.uint8))
    pair(tmp_path / "test", "b", room(40))
    return tmp_path


def test_everything_that_is_wrong_is_found_and_the_rest_counted(root):
    report = check(root)
    test, train = report.parts
    assert (test.name, train.name) == ("test", "train")
    assert (test.pictures, test.usable) == (2, 2)
    assert (train.pictures, train.usable) == (11, 9)
    assert train.mixed_depths == 1
    assert train.reference.depths == {8: 8, 16: 1}
    assert train.input.sizes == {"144×96": 9}
    assert sum(train.input.histogram) == pytest.approx(1, abs=1e-3)
    assert train.input.brightness[0] < train.reference.brightness[0]
    faults = {fault.where: fault.why for fault in report.faults}
    assert set(faults) == {"train", "train/cut", "train/size"}
    assert "alone.png" in faults["train"]
    assert "144×50 pixels and its reference 144×96" in faults["train/size"]
    assert "cut.png" in faults["train/cut"]
    assert not report.sound
    assert [shift.where for shift in report.shifted] == ["train/moved"]
    assert report.shifted[0].alignment.dx == pytest.approx(9, abs=0.5)
    assert [shift.where for shift in report.untold] == ["train/stranger"]
    assert [(twins.side, twins.where) for twins in report.twins] == [
        ("reference", ("train/twin", "train/twin2"))
    ]
    assert {(pair.first, pair.second) for pair in report.shared} == {("test/a", "train/2")}
    assert report.shared_scenes("train") == ["train/2"]
    assert not report.shared[0].identical


def test_a_part_within_a_part_is_counted_for_itself(tmp_path):
    for place, n in (("a", 1), ("a", 2), ("a/b", 2), ("c", 9)):
        path = tmp_path / place / f"{n}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), room(n))
    report = check(tmp_path)
    assert report.shared_scenes("a") == ["a/2"]
    assert report.shared_scenes("a/b") == ["a/b/2"]
    assert report.shared_scenes("c") == []


def test_the_report_is_json_with_all_but_the_samples(root):
    report = check(root)
    told = json.loads(json.dumps(as_json(report)))
    assert told["shared"][0]["second"] == "train/2"
    assert told["shared_scenes"] == {"test": ["test/a"], "train": ["train/2"]}
    assert told["parts"][1]["reference"]["depths"] == {"8": 8, "16": 1}
    assert told["shifted"][0]["alignment"]["dx"] == pytest.approx(9, abs=0.5)
    assert "samples" not in told
    assert set(report.samples) >= {"test/a", "train/cut"}


def test_another_folder_is_only_compared_with(root, tmp_path):
    report = check(root / "test", root / "train")
    own, other = report.parts
    assert (own.name, own.other, other.name, other.other) == ("test", False, "train", True)
    assert [pair.first for pair in report.shared] == ["test/a"]
    assert not report.shifted
    assert not report.twins


def test_the_same_picture_in_two_folders(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / f"{folder}.png"), room(1))
    report = check(tmp_path / "one", tmp_path / "two")
    assert [pair.identical for pair in report.shared] == [True]
    assert report.sound


def test_the_splits_of_a_data_set_without_those_that_lie_within_another(tmp_path):
    for stem in EVAL15:
        pair(tmp_path / "eval15", stem, room(int(stem)))
    for stem in ("2", "5", "43"):  # 43 is of the validation part
        pair(tmp_path / "our485", stem, room(1000 + int(stem)))
    report = check(tmp_path, dataset=get_dataset("lol-v1"))
    assert [(part.name, part.usable) for part in report.parts] == [("test", 15), ("our485", 3)]
    with pytest.raises(DataError, match="no "):
        check(tmp_path, dataset=get_dataset("lsrw"))


def test_folders_of_one_name_are_told_apart(tmp_path):
    for parent in ("x", "y"):
        (tmp_path / parent / "night").mkdir(parents=True)
        cv2.imwrite(str(tmp_path / parent / "night" / "1.png"), room(len(parent)))
    report = check(tmp_path / "x" / "night", tmp_path / "y" / "night")
    assert [part.name for part in report.parts] == ["night", "night (2)"]


def test_progress_is_told(root):
    seen = []

    def watch(items, total):
        for item in items:
            seen.append(total)
            yield item

    check(root, watch=watch)
    assert seen == [13] * 13


@pytest.mark.parametrize(("make", "told"), [(True, "no picture in"), (False, "no folder")])
def test_nothing_to_check(tmp_path, make, told):
    if make:
        (tmp_path / "x" / "low").mkdir(parents=True)
    with pytest.raises(DataError, match=told):
        check(tmp_path / "x")


def linked(target, folder, stems):
    """A folder with links to some of the pairs of another."""
    for side in ("low", "high"):
        (target / side).mkdir(parents=True)
        for path in (folder / side).iterdir():
            if path.stem in stems:
                (target / side / path.name).symlink_to(path.resolve())


@needs_lol
def test_lol_leaks_at_least_14_of_the_15_test_scenes(tmp_path):
    # every partner of a test scene has a number close by, so a quarter of the set tells what the whole does
    close = {str(int(stem) + step) for stem in EVAL15 for step in range(-3, 4)}
    linked(tmp_path / "our485", DATA / "LOL" / "our485", close | {"648", "570", "600"})
    linked(tmp_path / "eval15", DATA / "LOL" / "eval15", set(EVAL15))
    report = check(tmp_path)
    assert report.sound
    assert {name.removeprefix("eval15/") for name in report.shared_scenes("eval15")} == {*EVAL15} - {"179"}
    assert {"our485/648", "our485/570"} <= {shift.where for shift in report.shifted}
    assert not any(shift.where.startswith("eval15/") for shift in (*report.shifted, *report.untold))


@needs_kodak
def test_two_halves_of_kodak_share_nothing(tmp_path):
    pictures = sorted((DATA / "clean" / "Kodak24").iterdir())
    for half, part in (("first", pictures[:12]), ("second", pictures[12:])):
        (tmp_path / half).mkdir()
        for path in part:
            (tmp_path / half / path.name).symlink_to(path.resolve())
    report = check(tmp_path / "first", tmp_path / "second")
    assert [part.usable for part in report.parts] == [12, 12]
    assert not report.shared
    assert not report.twins
