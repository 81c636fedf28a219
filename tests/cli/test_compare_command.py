"""`daybreak compare`."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from daybreak.cli.main import run


@pytest.fixture
def picture(tmp_path):
    """A small dark PNG."""
    path = tmp_path / "night one.png"
    rng = np.random.default_rng(0)
    cv2.imwrite(str(path), rng.integers(0, 60, (60, 90, 3), dtype=np.uint8))
    return path


def test_the_sheet_lands_beside_the_picture_and_shows_each_method(picture, capsys):
    before = picture.read_bytes()
    assert run(["compare", str(picture), "-m", "gamma"]) == 0
    one = cv2.imread(str(picture.with_name("night one_compare.png")))
    assert one.dtype == np.uint8
    assert "night one_compare.png" in capsys.readouterr().err
    assert run(["compare", str(picture), "-m", "gamma,clahe,he", "--overwrite"]) == 0
    more = cv2.imread(str(picture.with_name("night one_compare.png")))
    assert more.shape[0] * more.shape[1] > 1.5 * one.shape[0] * one.shape[1]
    assert picture.read_bytes() == before


def test_a_page_and_a_folder(picture, tmp_path):
    page = tmp_path / "new" / "c.html"
    assert run(["compare", str(picture), "-m", "g*,he", "-o", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "<h1>night one.png</h1>" in text
    assert ">he</option>" in text
    (tmp_path / "there").mkdir()
    assert run(["compare", str(picture), "-m", "gamma", "-o", str(tmp_path / "there")]) == 0
    assert (tmp_path / "there" / "night one_compare.png").is_file()


def test_nothing_is_replaced_unless_asked(picture, tmp_path, capsys):
    old = tmp_path / "old.png"
    old.write_bytes(b"precious")
    assert run(["compare", str(picture), "-m", "gamma", "-o", str(old)]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert old.read_bytes() == b"precious"


def test_the_picture_itself_is_never_replaced(picture, tmp_path, capsys):
    before = picture.read_bytes()
    (tmp_path / "link.png").symlink_to(picture)
    for name in ("night one.png", "link.png"):
        args = ["compare", str(picture), "-m", "gamma", "-o", str(tmp_path / name), "--overwrite"]
        assert run(args) == 1
        assert "itself" in capsys.readouterr().err
    assert picture.read_bytes() == before


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        (["-m", "gama"], "gamma"),
        (["-m", ","], "methods"),
        (["-m", "gamma", "-o", "c.txt"], ".html"),
        (["-m", "gamma", "-o", "c.gif"], ".html"),
    ],
)
def test_a_wrong_line_is_refused_before_any_work(args, wanted, picture, capsys):
    assert run(["compare", str(picture), *args]) == 2
    told = capsys.readouterr().err
    assert wanted in told
    assert told.count("\n") == 1
    assert len(list(picture.parent.iterdir())) == 1


@pytest.mark.parametrize("content", [None, b"", b"hello", b"\x89PNG\r\n\x1a\n broken"])
def test_a_picture_that_cannot_be_read_is_named(content, tmp_path, capsys):
    path = tmp_path / "bad.png"
    if content is not None:
        path.write_bytes(content)
    assert run(["compare", str(path), "-m", "gamma"]) == 1
    told = capsys.readouterr().err
    assert "bad.png" in told
    assert told.count("\n") == 1
    assert len(list(tmp_path.iterdir())) == (content is not None)


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (1, 400)], ids=str)
def test_tiny_pictures_are_compared_too(size, tmp_path):
    path = tmp_path / "tiny.png"
    cv2.imwrite(str(path), np.full((*size, 3), 9, np.uint8))
    assert run(["compare", str(path), "-m", "gamma,clahe"]) == 0
    assert (tmp_path / "tiny_compare.png").is_file()
