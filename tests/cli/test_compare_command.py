"""`daybreak compare`."""

from __future__ import annotations

import json

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


@pytest.mark.parametrize("path", ["", ".", "/"])
def test_a_folder_is_no_picture(path, capsys):
    assert run(["compare", path, "-m", "gamma"]) == 1
    assert "is a folder" in capsys.readouterr().err


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


def test_evidence_of_a_sheet_and_of_a_page_is_confirmed(picture, tmp_path, capsys):
    sheet, page = tmp_path / "s.png", tmp_path / "p.html"
    for target, manifest in ((sheet, "s.json"), (page, "p.json")):
        line = ["compare", str(picture), "-m", "gamma,auto,cascade", "-o", str(target)]
        assert run([*line, "--evidence", str(tmp_path / manifest)]) == 0
    assert "SHA-256" in capsys.readouterr().err
    (told,) = json.loads((tmp_path / "s.json").read_text())["comparisons"]
    assert (told["input"]["path"], told["output"]["path"]) == (picture.name, "s.png")
    assert told["asked"] == {"methods": ["gamma", "auto", "cascade"], "format": "png"}
    assert [ran["method"] for ran in told["ran"]] == ["gamma", "daybreak.best", "cascade"]
    assert [ran["weights_sha256"] != "" for ran in told["ran"]] == [False, True, True]
    steps = [(step["operation"], step.get("of", "")) for step in told["operations"]]
    assert steps[:3] == [("read", ""), ("orient", ""), ("to sRGB", "")]
    assert ("choose", "auto") in steps
    assert steps[-2:] == [("draw a sheet", ""), ("encode", "")]
    assert run(["verify", str(tmp_path / "s.json"), str(tmp_path / "p.json")]) == 0
    assert "2 confirmed bit for bit, 0 not" in capsys.readouterr().out


def test_the_same_comparison_comes_out_at_any_number_of_threads(picture, tmp_path):
    made = set()
    before = cv2.getNumThreads()
    for threads in (1, 3):
        cv2.setNumThreads(threads)
        for name in ("s.png", "p.html"):
            assert (
                run(["compare", str(picture), "-m", "crm,clahe", "-o", str(tmp_path / name), "--overwrite"])
                == 0
            )
        made.add(((tmp_path / "s.png").read_bytes(), (tmp_path / "p.html").read_bytes()))
    cv2.setNumThreads(before)
    assert len(made) == 1


def test_what_was_changed_in_a_comparison_is_told(picture, tmp_path, capsys):
    sheet, page, manifest = tmp_path / "s.png", tmp_path / "p.html", tmp_path / "e.json"
    line = ["compare", str(picture), "-m", "gamma,he", "-o"]
    assert run([*line, str(sheet), "--evidence", str(manifest)]) == 0
    assert run([*line, str(page), "--evidence", str(tmp_path / "f.json")]) == 0
    retouched = cv2.imread(str(sheet))
    retouched[5:7, 5:8] ^= 1
    cv2.imwrite(str(sheet), retouched)
    page.write_bytes(page.read_bytes().replace(b"<h1>night", b"<h1>Night"))
    assert run(["verify", str(manifest), str(tmp_path / "f.json")]) == 1
    told = capsys.readouterr().out
    assert "at most 1 level of 255, in 6 of" in told
    assert "another text in 1 line" in told
    other = json.loads(manifest.read_text())
    other["comparisons"][0]["ran"][1]["settings"]["mode"] = "y"
    manifest.write_text(json.dumps(other))
    assert run(["verify", str(manifest)]) == 1
    assert "of he: another choice, other settings or other weights" in capsys.readouterr().out
    picture.write_bytes(picture.read_bytes() + b"x")
    assert run(["verify", str(manifest)]) == 1
    assert "so the comparison could not be made again" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        (["-o", "c.avif", "--evidence", "e.json"], "a name that ends in .png"),
        (["-o", "c.png", "--evidence", "e.txt"], ".json"),
        (["-o", "c.png", "--evidence", "there.json"], "evidence is not replaced"),
    ],
)
def test_evidence_that_cannot_be_had_is_refused_before_any_work(
    more, wanted, picture, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.json").write_text("{}")
    assert run(["compare", str(picture), "-m", "gamma", *more]) == 2
    assert wanted in capsys.readouterr().err
    assert sorted(file.name for file in tmp_path.iterdir()) == [picture.name, "there.json"]
