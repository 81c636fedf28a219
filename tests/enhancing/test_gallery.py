"""The gallery as a file; how it behaves in a browser is in test_pages_in_browser.py."""

from __future__ import annotations

import base64
import re

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.enhancing.gallery import GalleryEntry, preview, write_gallery
from daybreak.errors import BadSetting, UnwritablePicture


def entry(name="night.jpg", height=12, width=20, **more):
    before = np.full((height, width, 3), 20, np.uint8)
    return GalleryEntry(name, before=before, after=before + 100, method="gamma", **more)


def written(tmp_path, *entries, title="A run"):
    path = tmp_path / "gallery.html"
    write_gallery(entries, path, title)
    assert [file.name for file in tmp_path.iterdir()] == ["gallery.html"], "something else was left"
    return path.read_text(encoding="utf-8")


@settings(max_examples=30, deadline=None)
@given(height=st.integers(1, 90), width=st.integers(1, 90), longest=st.integers(1, 60))
def test_a_preview_is_at_most_as_large_as_asked_and_keeps_the_mean(height, width, longest):
    pixels = np.random.default_rng(height * width).random((height, width, 3), dtype=np.float32)
    small = preview(pixels, longest)
    assert small.dtype == np.uint8
    assert small.shape[2] == 3
    assert max(small.shape[:2]) == min(longest, max(height, width))
    exact = height % small.shape[0] == 0 and width % small.shape[1] == 0
    assert abs(small.mean() / 255 - pixels.mean()) < (0.003 if exact else 0.1)


def test_a_small_picture_is_only_rounded():
    levels = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 256, 3)
    assert np.array_equal(preview(levels.astype(np.float32) / np.float32(255)), levels)


def test_the_pictures_in_the_page_are_the_right_way_round(tmp_path):
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 200
    page = written(tmp_path, GalleryEntry("r.png", before=red // 8, after=red, method="gamma"))
    found = re.findall(r'class="(left|right)[^>]*src="data:image/jpeg;base64,([^"]+)"', page)
    shown = {
        side: cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)[8, 8]
        for side, data in found
    }
    assert np.abs(shown["right"].astype(int) - (0, 0, 200)).max() < 6  # BGR
    assert np.abs(shown["left"].astype(int) - (0, 0, 25)).max() < 6


NASTY = "<script>alert(1)</script>\"' onerror=x\n\x1b[31m.jpg"


def test_any_name_and_any_error_is_shown_and_never_markup(tmp_path):
    page = written(
        tmp_path,
        entry(NASTY, note="<b>note</b>", settings={"<i>": "<u>"}),
        GalleryEntry(NASTY, error="cannot read <img src=x>"),
        entry("夜 \udcff.jpg"),
        title="<em>&",
    )
    for markup in ("<script>alert", "<b>", "<i>", "<u>", "<img src", "<em>", "\x1b"):
        assert markup not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;" in page
    assert r"\n\x1b[31m.jpg" in page
    assert r"夜 \udcff.jpg" in page


def test_facts_and_failures_are_told(tmp_path):
    page = written(
        tmp_path,
        entry(
            brightness_before=0.05,
            brightness_after=0.42,
            seconds=0.13,
            note="dark",
            settings={"gamma": 2.2},
        ),
        GalleryEntry("lit.jpg", note="already well lit"),
        GalleryEntry("gone.jpg", error="gone.jpg is empty"),
    )
    assert "gamma (gamma=2.2) · mean brightness 0.05 → 0.42 · 0.13 s" in page
    assert "left as it is" in page
    assert "already well lit" in page
    assert "2 pictures, " in page
    assert "1 failed" in page
    assert "<strong>gone.jpg</strong>: gone.jpg is empty" in page


def test_a_filter_comes_with_many_pictures(tmp_path):
    assert 'id="filter"' not in written(tmp_path, *[entry()] * 7)
    assert 'id="filter"' in written(tmp_path, *[entry()] * 8)


def test_entries_are_taken_one_by_one(tmp_path):
    alive = []

    def entries():
        for number in range(5):
            alive.append(number)
            yield entry(f"{number}.jpg")

    write_gallery(entries(), tmp_path / "new" / "deep" / "g.html", "Lazy")
    assert alive == [0, 1, 2, 3, 4]
    assert (tmp_path / "new" / "deep" / "g.html").read_text(encoding="utf-8").count("<article") == 5


def test_a_run_that_breaks_leaves_the_old_page_and_nothing_else(tmp_path):
    old = written(tmp_path, entry("old.jpg"))

    def entries():
        yield entry("new.jpg")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_gallery(entries(), tmp_path / "gallery.html", "New")
    assert [file.name for file in tmp_path.iterdir()] == ["gallery.html"]
    assert (tmp_path / "gallery.html").read_text(encoding="utf-8") == old


def test_a_page_must_be_named_like_one(tmp_path):
    picture = tmp_path / "night.jpg"
    picture.write_bytes(b"precious")
    with pytest.raises(BadSetting, match=r"\.html"):
        write_gallery([entry()], picture, "Oops")
    assert picture.read_bytes() == b"precious"


def test_a_folder_that_cannot_be_made_is_told_before_any_work(tmp_path):
    (tmp_path / "file").write_text("")
    taken = []
    with pytest.raises(UnwritablePicture, match=r"folder .*file cannot be made"):
        write_gallery((taken.append(n) for n in range(3)), tmp_path / "file" / "g.html", "No")
    assert not taken
