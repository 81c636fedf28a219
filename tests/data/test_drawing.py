from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.data.drawing import draw, join
from daybreak.errors import BadSetting, DataError


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Ten scenes in two exposures each, by pairs of names: 0 and 1, 2 and 3, …"""
    folder = tmp_path_factory.mktemp("set")
    for scene in range(10):
        rng = np.random.default_rng(scene)
        canvas = np.full((120, 180, 3), 100, np.uint8)
        for _ in range(30):
            x, y = (int(v) for v in (rng.integers(0, 170), rng.integers(0, 110)))
            w, h = (int(v) for v in rng.integers(5, 40, 2))
            cv2.rectangle(canvas, (x, y), (x + w, y + h), tuple(int(v) for v in rng.integers(0, 256, 3)), -1)
        for exposure, gain in enumerate((1.0, 0.6)):
            cv2.imwrite(str(folder / f"{2 * scene + exposure}.png"), (canvas * gain).astype(np.uint8))
    return folder


def test_whole_scenes_are_drawn_and_the_seed_decides(root):
    drawn = draw(root, 0.3, 0)
    assert (len(drawn.names), drawn.of, drawn.scenes, drawn.of_scenes) == (6, 20, 3, 10)
    assert all(str(int(name) ^ 1) in drawn.names for name in drawn.names)
    assert drawn == draw(root, 0.3, 0)
    assert any(draw(root, 0.3, seed) != drawn for seed in (1, 2, 3))


def test_pictures_can_be_joined_by_hand(root):
    drawn = draw(root, 0.9, 0, joined=["0-9"])
    assert drawn.of_scenes == 6
    assert len({int(name) // 10 for name in drawn.names} & {0}) in (0, 1)
    held = {int(name) for name in drawn.names}
    assert len(held & set(range(10))) in (0, 10)


def test_single_pictures(root):
    drawn = draw(root, 0.25, 0, by_scene=False)
    assert (len(drawn.names), drawn.of_scenes) == (5, 20)


@given(
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=12),
    edges=st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), max_size=4),
)
def test_joining_loses_nothing_and_joins_all_that_is_asked(sizes, edges):
    total = sum(sizes)
    places = iter(range(total))
    groups = [[next(places) for _ in range(size)] for size in sizes]
    ranges = [range(start % total, min(start % total + length, total)) for start, length in edges]
    merged = join(groups, ranges)
    assert sorted(index for group in merged for index in group) == list(range(total))
    for wanted in [*ranges, *groups]:
        assert sum(not set(group).isdisjoint(wanted) for group in merged) == 1


@pytest.mark.parametrize("text", ["1", "1-", "5-2", "1-1", "1-99", "x-y"])
def test_what_joins_nothing_is_refused(root, text):
    with pytest.raises(BadSetting, match="FIRST-LAST"):
        draw(root, 0.3, 0, joined=[text])


@pytest.mark.parametrize("part", [0, 1, -0.1, float("nan")])
def test_a_part_out_of_range(root, part):
    with pytest.raises(BadSetting, match="validation part"):
        draw(root, part, 0)


def test_a_part_that_is_too_small(root):
    with pytest.raises(DataError, match="Raise --val"):
        draw(root, 0.01, 0)


def test_one_set_of_pictures_is_divided_at_a_time(root, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.png").touch()
    with pytest.raises(DataError, match=r"holds 2 sets of pictures: a, b.*such as .*a"):
        draw(tmp_path, 0.5, 0)
    for side in ("low", "high"):
        (tmp_path / "c" / side).mkdir(parents=True)
        (tmp_path / "c" / side / f"{side}1.png").touch()
    (tmp_path / "c" / "low" / "low2.png").touch()
    with pytest.raises(DataError, match=r"low2.png .*without a partner"):
        draw(tmp_path / "c", 0.5, 0)
