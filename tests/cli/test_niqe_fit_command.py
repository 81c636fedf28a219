"""`daybreak niqe-fit`."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from daybreak import metrics
from daybreak.cli.main import run


@pytest.fixture
def folder(tmp_path):
    """Two pictures of 36 blocks each, and one below."""
    rng = np.random.default_rng(0)
    where = tmp_path / "sharp"
    (where / "below").mkdir(parents=True)
    for name in ("a.png", "b.png", "below/c.png"):
        picture = np.clip(128 + 12 * rng.normal(size=(576, 576, 3)), 0, 255).astype(np.uint8)
        cv2.imwrite(str(where / name), picture)
    return where


def test_a_folder_becomes_a_model_of_its_name(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["niqe-fit", "sharp"]) == 0
    assert "the model 'sharp' of 2 of 2 photographs" in capsys.readouterr().err
    model = metrics.load_pristine(tmp_path / "sharp.npz", "sharp")
    pictures = [
        cv2.cvtColor(cv2.imread(str(folder / name)), cv2.COLOR_BGR2RGB) for name in ("a.png", "b.png")
    ]
    expected = metrics.fit_pristine(pictures, "sharp")
    assert np.array_equal(model.mean, expected.mean)
    assert run(["niqe-fit", "sharp"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert run(["niqe-fit", "sharp", "-r", "--overwrite"]) == 0
    assert "3 of 3 photographs" in capsys.readouterr().err
    assert not np.array_equal(metrics.load_pristine(tmp_path / "sharp.npz").mean, expected.mean)


def test_one_corrupt_photograph_is_told_of_and_left_out(folder, tmp_path, capsys):
    (folder / "night.jpg").write_bytes(b"\xff\xd8\xff\xe0 nothing")
    assert run(["niqe-fit", str(folder), "-o", str(tmp_path / "x.npz")]) == 1
    told = capsys.readouterr().err
    assert "night.jpg" in told
    assert "2 of 3 photographs" in told
    assert (tmp_path / "x.npz").is_file()


def test_too_few_blocks_leave_no_file(folder, tmp_path, capsys):
    (folder / "b.png").unlink()
    assert run(["niqe-fit", str(folder), "-o", str(tmp_path / "x.npz")]) == 1
    assert "36 sharp blocks of 96×96 pixels; expected at least 37" in capsys.readouterr().err
    assert not (tmp_path / "x.npz").exists()


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["{}/nowhere"], "is no folder"),
        (["{}/empty"], "holds no picture"),
        (["{}/sharp", "-o", "{}/x.txt"], "a name that ends in .npz"),
    ],
)
def test_a_wrong_line_is_code_2(args, told, folder, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert run(["niqe-fit", *(arg.format(tmp_path) for arg in args)]) == 2
    assert told in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_told_before_the_work(folder, tmp_path, capsys):
    assert run(["niqe-fit", str(folder), "-o", str(tmp_path / "new" / "m.npz")]) == 0
    (folder / "notes.png").write_text("no picture")  # would be told of if it were looked at
    (tmp_path / "file").touch()
    capsys.readouterr()
    assert run(["niqe-fit", str(folder), "-o", str(tmp_path / "file" / "m.npz")]) == 1
    (told,) = capsys.readouterr().err.splitlines()
    assert "cannot be made" in told
