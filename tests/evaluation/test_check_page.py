"""The page of a check as a file: what it shows, and that nothing in it is taken for markup."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from daybreak.data.check import check
from daybreak.errors import BadSetting
from daybreak.evaluation import check_page
from daybreak.evaluation.check_page import write_check_page


def room(seed, height=120, width=180):
    rng = np.random.default_rng(seed)
    canvas = np.full((height, width, 3), 100, np.uint8)
    for _ in range(30):
        x, y = (int(v) for v in (rng.integers(0, width - 10), rng.integers(0, height - 10)))
        w, h = (int(v) for v in rng.integers(5, 40, 2))
        cv2.rectangle(canvas, (x, y), (x + w, y + h), tuple(int(v) for v in rng.integers(0, 256, 3)), -1)
    return canvas


def pair(root, name, bright, dark):
    for side, levels in (("low", dark), ("high", bright)):
        (root / side).mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(root / side / f"{name}.png"), levels)


@pytest.fixture
def root(tmp_path):
    pair(tmp_path / "train", "moved", room(1), np.roll(room(1), 9, axis=1) // 6)
    pair(tmp_path / "train", "<b>bold&", room(2), room(2) // 6)
    pair(tmp_path / "train", "twin", room(2), room(2) // 9)
    pair(tmp_path / "train", "stranger", room(5), room(6) // 6)
    pair(tmp_path / "test", "seen", (room(2) * 0.8).astype(np.uint8), room(2) // 7)
    (tmp_path / "train" / "low" / "lonely.png").write_bytes(b"")
    return tmp_path


def test_every_finding_is_on_the_page(root, tmp_path):
    page = tmp_path / "check.html"
    write_check_page(check(root), page)
    told = page.read_text(encoding="utf-8")
    for words in (
        "5 of 5 samples can be used",
        "Cannot be used",
        "lonely.png",
        "Misaligned pairs: 1",
        "9.0 px right of its reference",
        "too little in common to compare them: 1",
        "Scenes in two parts: 1",
        "test/seen and 2 in other parts",
        "Equal pictures: 1",
        "train/&lt;b&gt;bold&amp;",
        "Brightness histogram of train",
    ):
        assert words in told, words
    assert "<b>" not in told
    assert told.count('<svg class="histogram"') == 2
    assert "http" not in told.replace("http-equiv", "")


def test_a_long_list_is_cut_and_says_so(root, tmp_path, monkeypatch):
    monkeypatch.setattr(check_page, "SHOWN", 0)
    page = tmp_path / "check.html"
    write_check_page(check(root), page)
    told = page.read_text(encoding="utf-8")
    assert "Misaligned pairs: 1 (the first 0 are shown)" in told
    assert "<img" not in told


def test_a_picture_that_went_missing_since_is_told(root, tmp_path):
    report = check(root)
    (root / "train" / "low" / "moved.png").unlink()
    write_check_page(report, tmp_path / "check.html")
    assert "moved.png does not exist" in (tmp_path / "check.html").read_text(encoding="utf-8")


def test_nothing_found_is_a_short_page(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), room(1))
    report = check(tmp_path)
    write_check_page(report, tmp_path / "check.html")
    told = (tmp_path / "check.html").read_text(encoding="utf-8")
    assert "1 of 1 samples can be used, 0 are misaligned" in told
    assert "<img" not in told
    with pytest.raises(BadSetting, match="html"):
        write_check_page(report, tmp_path / "check.png")
