"""The pictures of a run: from folders or from a pack, they are the same."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from daybreak.data import lol
from daybreak.data.packing import write_pack
from daybreak.data.registry import get_dataset
from daybreak.data.sample import Sample
from daybreak.errors import DataError, UnknownName
from daybreak.training.pictures import digest, find_pairs, read_both, read_lows


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Six pairs laid out as LOL v1, two of them to validate on."""
    monkeypatch.setattr(lol, "validation_stems", lambda: frozenset({"3", "4"}))
    for side, peak in (("low", 40), ("high", 250)):
        folder = tmp_path / "data" / "our485" / side
        folder.mkdir(parents=True)
        for n in range(6):
            levels = np.random.default_rng(n).integers(0, peak, (16, 20, 3), dtype=np.uint8)
            cv2.imwrite(str(folder / f"{n}.webp"), levels, [cv2.IMWRITE_WEBP_QUALITY, 101])
    return tmp_path / "data"


def test_a_pack_gives_what_its_folder_gives(root, tmp_path):
    write_pack(get_dataset("lol-v1"), root, tmp_path / "pack", max_bytes=100_000)
    folder, pack = (find_pairs("lol-v1", place) for place in (root, tmp_path / "pack"))
    assert [[pair.name for pair in part] for part in pack] == [["0", "1", "2", "5"], ["3", "4"]]
    assert list(read_lows(folder[0])) == ["0.webp", "1.webp", "2.webp", "5.webp"]
    assert digest(read_lows(pack[0])) == digest(read_lows(folder[0]))
    for ours, theirs in zip(read_both(pack[1], 2), read_both(folder[1], 2), strict=True):
        assert all(np.array_equal(*sides) for sides in zip(ours, theirs, strict=True))


def test_what_cannot_be_trained_on_is_refused(root, tmp_path):
    with pytest.raises(UnknownName, match="lol-v1"):
        find_pairs("lol-v2", root)
    write_pack(get_dataset("synthetic:low"), root / "our485", tmp_path / "other", max_bytes=100_000)
    with pytest.raises(DataError, match="holds synthetic:low; expected lol-v1"):
        find_pairs("lol-v1", tmp_path / "other")
    with pytest.raises(DataError, match="no reference"):
        read_both([Sample("a", Path("a.png"))], 1)
