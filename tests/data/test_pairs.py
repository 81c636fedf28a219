from __future__ import annotations

import pytest

from daybreak.data.lol import lol_v1
from daybreak.data.pairs import pair_folders, pictures_in
from daybreak.errors import DataError


@pytest.fixture
def folders(tmp_path):
    def make(low: list[str], high: list[str]):
        for side, names in (("low", low), ("high", high)):
            (tmp_path / side).mkdir()
            for name in names:
                (tmp_path / side / name).touch()
        return tmp_path / "low", tmp_path / "high"

    return make


def test_pairs_by_stem_in_natural_order_whatever_the_extension(folders):
    low, high = folders(
        ["10.PNG", "2.webp", "1.png", "notes.txt", ".hidden.png"], ["1.JPG", "2.jpeg", "10.tif"]
    )
    pairs = pair_folders(low, high)
    assert [(pair.stem, pair.low.name, pair.high.name) for pair in pairs] == [
        ("1", "1.png", "1.JPG"),
        ("2", "2.webp", "2.jpeg"),
        ("10", "10.PNG", "10.tif"),
    ]


def test_prefixes_and_suffixes_are_stripped(folders):
    low, high = folders(["low00690.png", "low00691.png"], ["normal00690.png", "00691_gt.png"])
    assert [p.stem for p in pair_folders(low, high, strip=("low", "normal", "_gt"))] == ["00690", "00691"]


def test_a_name_that_is_only_the_prefix_is_kept(folders):
    low, high = folders(["low.png"], ["low.jpg"])
    assert [pair.stem for pair in pair_folders(low, high, strip=("low",))] == ["low"]


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (["1.png", "2.png"], ["1.png"], "2.png in .*low without a partner in .*high"),
        (["1.png"], ["1.png", "3.png"], "3.png in .*high without a partner in .*low"),
        ([f"{i}.png" for i in range(9)], ["0.png"], "and 3 more"),
        (["1.png", "1.jpg"], ["1.png"], "both stand for '1'"),
        ([], ["1.png"], "no picture in .*low"),
    ],
)
def test_what_does_not_fit_is_named(folders, low, high, told):
    with pytest.raises(DataError, match=told):
        pair_folders(*folders(low, high))


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DataError, match=r"no folder .*nowhere"):
        pictures_in(tmp_path / "nowhere")


def test_folders_that_are_not_lol_are_refused(tmp_path):
    for part in ("our485", "eval15"):
        for side in ("low", "high"):
            (tmp_path / part / side).mkdir(parents=True)
            (tmp_path / part / side / "1.png").touch()
    with pytest.raises(DataError, match="holds 1 of the 15 pairs of LOL v1 and 0 others"):
        lol_v1(tmp_path, "test")
    with pytest.raises(DataError, match="lacks"):
        lol_v1(tmp_path, "train")
