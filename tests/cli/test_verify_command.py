"""`daybreak enhance --evidence` and `daybreak verify` as they are typed."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from daybreak.cli.main import run


def picture(path, seed=0):
    path.parent.mkdir(exist_ok=True)
    rng = np.random.default_rng(seed)
    Image.fromarray(rng.integers(0, 40, (24, 32, 3), dtype=np.uint8)).save(path)
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate("abc"):
        picture(tmp_path / "in" / f"{name}.png", seed)
    return tmp_path


def test_a_batch_is_confirmed_and_its_seal_is_printed_twice(folder, capsys):
    assert run(["enhance", "in", "-o", "out", "--jobs", "2", "--evidence", "e.json"]) == 0
    seal = hashlib.sha256((folder / "e.json").read_bytes()).hexdigest()
    assert seal in capsys.readouterr().err
    assert run(["verify", "e.json"]) == 0
    told = capsys.readouterr().out
    assert told.count("confirmed bit for bit") == 4
    assert "3 confirmed bit for bit, 0 not" in told
    assert seal in told


def test_a_retouched_result_is_exit_1_and_told(folder, capsys):
    assert run(["enhance", "in", "-o", "out", "--evidence", "e.json", "-q"]) == 0
    retouched = np.array(Image.open(folder / "out/b_daybreak.png"))
    retouched[5, 5] ^= 1
    Image.fromarray(retouched).save(folder / "out/b_daybreak.png")
    capsys.readouterr()
    assert run(["verify", "e.json"]) == 1
    told = capsys.readouterr().out
    assert "b_daybreak.png: NOT confirmed" in told
    assert "pixels differ by at most 1 level of 255, in 1 of 768 pixels" in told
    assert "2 confirmed bit for bit, 1 not" in told


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (["enhance", "in/large.png", "-o", "out"], "the result"),
        (["compare", "in/large.png", "-m", "gamma", "-o", "out.png"], "the comparison"),
    ],
)
def test_a_picture_of_too_many_pixels_is_not_read(command, what, folder, capsys):
    Image.new("L", (1010, 1000), 9).save(folder / "in/large.png")
    assert run([*command, "--evidence", "e.json"]) == 0
    assert run(["verify", "e.json", "--max-pixels", "1"]) == 1
    told = capsys.readouterr().out
    assert f"{what} cannot be made again: in/large.png claims 1010x1000 pixels" in told
    assert "Type --max-pixels MILLIONS" in told
    assert run(["verify", "e.json", "--max-pixels", "2"]) == 0


def test_another_version_is_told_and_confirmed(folder, capsys):
    assert run(["enhance", "in/a.png", "-o", "out", "--evidence", "e.json", "-q"]) == 0
    text = (folder / "e.json").read_text()
    told = json.loads(text)
    told["entries"][0]["environment"]["daybreak"] = "0.0.9"
    (folder / "e.json").write_text(json.dumps(told))
    assert run(["verify", "e.json"]) == 0
    assert "daybreak was 0.0.9 and is" in capsys.readouterr().out


def test_what_failed_is_in_the_manifest(folder, capsys):
    (folder / "in/bad.png").write_bytes(b"")
    assert run(["enhance", "in", "-o", "out", "--evidence", "e.json"]) == 1
    assert run(["verify", "e.json"]) == 0
    assert "nothing was made of in/bad.png: in/bad.png is empty" in capsys.readouterr().err


def test_a_manifest_is_not_replaced_but_an_unfinished_one_is_completed(folder, capsys):
    words = ["enhance", "in", "-o", "out", "--evidence", "e.json"]
    assert run(words) == 0
    whole = (folder / "e.json").read_bytes()
    assert run(words) == 2
    assert "evidence is not replaced" in capsys.readouterr().err
    assert (folder / "e.json").read_bytes() == whole
    (folder / "e.json").write_text(json.dumps(json.loads(whole) | {"complete": False}))
    assert run(words) == 0
    assert json.loads((folder / "e.json").read_text())["complete"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["enhance", "-", "--evidence", "e.json"], "nobody can look at again"),
        (["enhance", "in", "-o", "out", "--evidence", "e.txt"], "ends in .json"),
        (["enhance", "in", "-o", "out", "--evidence", "e.json", "--format", "avif"], "AVIF is packed"),
        (["enhance", "in", "--evidence", "e.json", "-m", "lime", "--set", "denoise=bm3d"], "cannot vouch"),
        (["enhance", "in", "--evidence", "e.json", "--report", "e.json"], "a name of its own"),
        (["verify", "nowhere.json"], "cannot be read (No such file"),
        (["verify", "in/a.png"], "is no manifest of daybreak"),
    ],
)
def test_a_line_to_be_corrected_does_nothing(words, told, folder, capsys):
    before = sorted(folder.rglob("*"))
    assert run(words) == 2
    assert told in capsys.readouterr().err
    assert sorted(folder.rglob("*")) == before
