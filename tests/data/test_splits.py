from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.data.lol import EVAL15, MISALIGNED, lol_v1, validation_stems
from daybreak.data.scenes import Scene, agreeing_points, correlations, describe, same_scenes, scene_groups
from daybreak.data.splits import draw_scenes, read_split, write_split
from daybreak.errors import DataError

DATA = Path(os.environ.get("DAYBREAK_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
needs_lol = pytest.mark.skipif(not (DATA / "LOL" / "our485").is_dir(), reason="LOL v1 is not here")
needs_kodak = pytest.mark.skipif(not (DATA / "clean" / "Kodak24").is_dir(), reason="Kodak24 is not here")


def load(path: Path) -> np.ndarray:
    half = cv2.imread(str(path), cv2.IMREAD_REDUCED_COLOR_2)  # half the size is enough and twice as fast
    return cv2.cvtColor(half, cv2.COLOR_BGR2RGB).astype(np.float32) / np.float32(255)


def room(seed: int, height: int = 200, width: int = 300) -> np.ndarray:
    """A picture of thirty random boxes: enough corners for key points, another scene for each seed."""
    rng = np.random.default_rng(seed)
    canvas = np.full((height, width, 3), 0.4, np.float32)
    for _ in range(30):
        x, y = (int(v) for v in (rng.integers(0, width - 20), rng.integers(0, height - 20)))
        w, h = (int(v) for v in rng.integers(8, 60, 2))
        cv2.rectangle(canvas, (x, y), (x + w, y + h), tuple(float(v) for v in rng.random(3)), -1)
    return canvas


def views(scenes: list[Scene]) -> list[Scene]:
    """One picture of each view: exposures of one view correlate at 0.97 and more."""
    alike = correlations(scenes, scenes) > 0.95
    return [scene for i, scene in enumerate(scenes) if not alike[i, :i].any()]


def test_another_exposure_and_a_shifted_view_are_the_same_scene():
    view = room(1)
    dark = (view**1.8 * 0.5).astype(np.float32)
    moved = np.roll(view, (5, 8), axis=(0, 1))
    scenes = [describe(picture) for picture in (view, dark, moved, room(2), room(3))]
    assert scene_groups(scenes) == [[0, 1, 2], [3], [4]]


def test_a_smooth_scene_is_told_by_its_thumbnail():
    y, x = np.mgrid[0:120, 0:180].astype(np.float32) / 40
    smooth = np.repeat((0.5 + 0.2 * np.sin(x) * np.cos(y))[..., None], 3, axis=2).astype(np.float32)
    first, second = describe(smooth), describe((smooth * 0.6).astype(np.float32))
    assert len(first.points) < 8
    assert correlations([first], [second])[0, 0] > 0.9


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (1, 500), (500, 1)], ids=str)
def test_tiny_and_flat_pictures_match_nothing(shape):
    tiny = describe(np.full((*shape, 3), 0.5, np.float32))
    assert same_scenes([tiny], [describe(room(1))]) == []
    assert agreeing_points(tiny, tiny) == 0


def test_nothing_compared_with_nothing():
    assert same_scenes([]) == []


@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=40),
    part=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_draw_takes_whole_scenes_and_no_more_than_its_part(sizes, part, seed):
    groups = [[f"{i}-{k}" for k in range(size)] for i, size in enumerate(sizes)]
    drawn = draw_scenes(groups, part, seed)
    assert drawn == draw_scenes(groups, part, seed)
    assert len(drawn) <= round(part * sum(sizes))
    for group in groups:
        assert len(set(group) & set(drawn)) in (0, len(group))


def test_split_files_come_back_and_bad_ones_are_refused(tmp_path):
    path = tmp_path / "val.txt"
    write_split(path, ["1", "a b"], "how\nit was made")
    assert read_split(path) == ["1", "a b"]
    path.write_text("# nothing\n")
    with pytest.raises(DataError, match="0 pictures"):
        read_split(path)
    path.write_text("1\n1\n")
    with pytest.raises(DataError, match="1 of them distinct"):
        read_split(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_split(tmp_path / "none.txt")


def test_the_committed_split_keeps_test_pictures_and_the_misaligned_pair_out():
    held = validation_stems()
    assert 40 <= len(held) <= 49
    assert not held & (MISALIGNED | set(EVAL15))


@needs_lol
def test_parts_of_lol_v1():
    train, val, test = (lol_v1(DATA / "LOL", part) for part in ("train", "val", "test"))
    assert [len(train) + len(val), len(test)] == [484, 15]
    assert {pair.stem for pair in val} == validation_stems()
    assert not {pair.stem for pair in train} & {pair.stem for pair in val}
    assert all(pair.low.stem == pair.high.stem for pair in train + val + test)


@needs_lol
def test_leaks_into_eval15_are_found_and_the_committed_split_has_none():
    train, val, test = (lol_v1(DATA / "LOL", part) for part in ("train", "val", "test"))
    with ThreadPoolExecutor(2) as pool:  # OpenCV lets go of the interpreter
        train_scenes, val_scenes, test_scenes = (
            list(pool.map(lambda pair: describe(load(pair.high)), pairs)) for pairs in (train, val, test)
        )
    train_views, val_views = views(train_scenes), views(val_scenes)
    leaks = same_scenes(test_scenes, train_views + val_views)
    leaked = {test[pair.first].stem for pair in leaks}
    assert leaked == set(EVAL15) - {"179"}  # 179 alone has no near-identical view in our485
    assert same_scenes(val_views, train_views) == []


@needs_kodak
def test_two_halves_of_kodak_share_no_scene():
    scenes = [describe(load(path)) for path in sorted((DATA / "clean" / "Kodak24").iterdir())]
    assert len(scenes) == 24
    assert same_scenes(scenes[:12], scenes[12:]) == []
    assert same_scenes(scenes) == []
