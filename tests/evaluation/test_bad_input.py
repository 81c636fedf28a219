"""What bad input gets from `daybreak evaluate`: a clear line, the rest scored, n as it is, exit 1."""

from __future__ import annotations

import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest

from daybreak.cli.main import run
from daybreak.evaluation import subjects
from daybreak.evaluation.subjects import Produced
from daybreak.methods import get_method

ONE = ("-m", "gamma", "--metrics", "psnr", "--gt-mean", "off")


def counts(results):
    return [(row.name, row.n) for row in results.rows]


def test_a_picture_without_a_partner(evaluate, pairs):
    (pairs / "high" / "4.png").unlink()
    code, _, errors, results = evaluate(*ONE)
    assert (code, counts(results), len(results.images)) == (1, [("gamma", 5)], 5)
    assert len(errors) == 1
    assert "4.png" in errors[0]
    assert "without a partner" in errors[0]


def test_two_sizes(evaluate, pairs):
    cv2.imwrite(str(pairs / "high" / "2.png"), np.full((30, 60, 3), 90, np.uint8))
    code, out, errors, results = evaluate(*ONE)
    assert (code, counts(results)) == (1, [("gamma", 5)])
    assert errors == [line for line in errors if "60×40" in line and "60×30" in line]
    assert "5 pictures" in out


def test_another_extension_is_no_matter(evaluate, pairs):
    path = pairs / "high" / "2.png"
    cv2.imwrite(str(path.with_suffix(".bmp")), cv2.imread(str(path)))
    path.unlink()
    code, _, errors, results = evaluate(*ONE)
    assert (code, errors, counts(results)) == (0, [], [("gamma", 6)])


@pytest.mark.parametrize("side", ["low", "high"])
def test_one_corrupt_picture(evaluate, pairs, side):
    path = pairs / side / "5.png"
    path.write_bytes(path.read_bytes()[:200])
    code, _, errors, results = evaluate(*ONE)
    assert (code, counts(results)) == (1, [("gamma", 5)])
    assert [image.name for image in results.images] == ["1", "2", "3", "4", "6"]
    assert len(errors) == 1
    assert f"{side}/5.png" in errors[0]


@pytest.mark.parametrize("made", [False, True])
def test_no_folder_and_an_empty_one(evaluate, tmp_path, made):
    root = tmp_path / "nothing"
    if made:
        root.mkdir()
    code, out, errors, results = evaluate(*ONE, root=root)
    assert (code, out, results, len(errors)) == (1, "", None, 1)
    assert "nothing" in errors[0]


def test_mixed_bit_depths_are_scored_at_8_and_said(evaluate, pairs):
    path = pairs / "high" / "2.png"
    deep = cv2.imread(str(path)).astype(np.uint16) * 257
    exact = evaluate(*ONE)[3]
    cv2.imwrite(str(path), deep)
    code, out, errors, results = evaluate(*ONE)
    assert (code, errors) == (0, [])
    assert "1 picture (2): stored with 8 and 16 bits, scored at 8" in out
    assert results.images_sha256 == exact.images_sha256
    assert results.rows[0].scores == exact.rows[0].scores


def test_an_input_of_16_bits_is_brought_to_8_before_a_method_sees_it(evaluate, pairs):
    exact = evaluate("-m", "input,gamma", "--metrics", "psnr")[3]
    rng = np.random.default_rng(0)
    for path in (pairs / "low").iterdir():
        levels = cv2.imread(str(path)).astype(np.int32) * 257
        deep = np.clip(levels + rng.integers(-128, 129, levels.shape), 0, 65535)  # the same 8-bit levels
        cv2.imwrite(str(path), deep.astype(np.uint16))
    code, _, errors, results = evaluate("-m", "input,gamma", "--metrics", "psnr")
    assert (code, errors) == (0, [])
    assert results.images_sha256 == exact.images_sha256
    assert [row.scores for row in results.rows] == [row.scores for row in exact.rows]


def test_a_picture_that_was_reduced_for_want_of_memory_is_told(evaluate, pairs, monkeypatch):
    def hungry(pixels, _):
        if pixels.shape[:2] == (90, 120):
            raise MemoryError
        return np.sqrt(pixels)

    method = replace(get_method("mf"), run=hungry, prepare=None)
    monkeypatch.setattr("daybreak.enhancing.enhancer.get_method", lambda _: method)
    for side in ("low", "high"):
        path = pairs / side / "3.png"
        cv2.imwrite(str(path), cv2.resize(cv2.imread(str(path)), (120, 90)))
    code, _, errors, results = evaluate("-m", "mf", "--metrics", "psnr", "--gt-mean", "off")
    assert (code, counts(results)) == (1, [("mf", 6)])
    assert len(errors) == 1
    assert errors[0].startswith("daybreak: mf: 1 picture (3): learnt from a copy of ")
    assert errors[0].endswith("for want of memory; scored all the same")


def test_a_picture_too_small_for_a_metric_is_scored_by_the_others(evaluate, pairs):
    for side in ("low", "high"):
        cv2.imwrite(str(pairs / side / "3.png"), np.full((8, 60, 3), 60, np.uint8))
    code, out, errors, results = evaluate("-m", "gamma", "--metrics", "psnr,ssim", "--gt-mean", "off")
    assert code == 1
    assert [score.n for score in results.rows[0].scores] == [6, 5]
    assert errors == [line for line in errors if "ssim of gamma" in line and "1 picture (3)" in line]
    assert "n=5" in out


def test_nan_in_an_output_is_no_score(evaluate, monkeypatch):
    whole = subjects.Enhancer.run

    def limited(self, pixels):
        outcome = whole(self, pixels)
        if outcome.pixels.mean() > limited.limit:
            outcome.pixels[0, 0, 0] = np.nan
        return outcome

    limited.limit = 0.55
    monkeypatch.setattr(subjects.Enhancer, "run", limited)
    code, _, errors, results = evaluate("-m", "input,gamma", "--metrics", "psnr", "--gt-mean", "off")
    (_, kept), (_, scored) = counts(results)
    assert (code, kept) == (1, 6)
    assert 0 < scored < 6
    assert len(errors) == 1
    assert f"gamma: {6 - scored} pictures" in errors[0] or "gamma: 1 picture" in errors[0]
    assert "NaN" in errors[0]


def test_an_output_of_another_size_is_no_score(evaluate, pairs, tmp_path):
    shutil.copytree(pairs / "high", tmp_path / "theirs")
    cv2.imwrite(str(tmp_path / "theirs" / "1.png"), np.zeros((80, 120, 3), np.uint8))
    code, _, errors, results = evaluate("-m", f"input,folder:{tmp_path / 'theirs'}", "--metrics", "psnr")
    assert (code, [n for _, n in counts(results)]) == (1, [6, 5])
    assert "120×80" in errors[0]


def test_a_row_with_fewer_pictures_is_not_called_the_best(evaluate, pairs, tmp_path):
    (tmp_path / "theirs").mkdir()
    shutil.copy(pairs / "high" / "1.png", tmp_path / "theirs")
    _, out, errors, results = evaluate("-m", f"input,folder:{tmp_path / 'theirs'}", "--metrics", "psnr,ssim")
    assert [n for _, n in counts(results)] == [6, 1]
    assert len(errors) == 1  # one cause that befell five pictures
    theirs = next(line for line in out.splitlines() if line.startswith("folder:"))
    assert "*" not in theirs


def test_nothing_at_all_can_be_scored(evaluate, pairs):
    for path in pairs.rglob("*.png"):
        path.write_bytes(b"")
    code, out, errors, results = evaluate(*ONE)
    assert (code, results.images) == (1, ())
    assert len(errors) == 6
    assert "gamma" in out


@pytest.mark.parametrize("option", ["--save", "--html", "--json"])
def test_a_folder_that_cannot_be_written_is_named_before_the_work(pairs, tmp_path, capsys, option):
    (tmp_path / "file").write_text("in the way")
    place = tmp_path / "file" / ("deep" if option == "--save" else f"r.{option[2:]}")
    code = run(["evaluate", "-d", "paired", "--root", str(pairs), *ONE, option, str(place)])
    told = capsys.readouterr()
    assert (code, told.out) == (1, "")
    assert told.err.count("\n") == 1
    assert str(tmp_path / "file") in told.err


def test_an_output_of_infinities_is_no_score(evaluate, monkeypatch):
    monkeypatch.setattr(subjects.Enhancer, "run", lambda self, pixels: Produced(np.full_like(pixels, np.inf)))
    code, out, errors, results = evaluate(*ONE)
    assert (code, counts(results)) == (1, [("gamma", 0)])
    assert len(errors) == 1
    assert out.splitlines()[1].split()[:3] == ["gamma", "0", "-"] or "-" in out.splitlines()[2]
