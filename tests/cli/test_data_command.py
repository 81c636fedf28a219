"""`daybreak data` and its actions, from the words that are typed to the exit code."""

from __future__ import annotations

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from daybreak.cli.data import parse_size
from daybreak.cli.main import run
from daybreak.data.registry import DATASETS
from daybreak.data.splits import read_split
from daybreak.errors import BadSetting

ACTIONS = ("list", "where", "check", "split", "pack", "unpack")


@pytest.fixture
def root(tmp_path):
    """Five pairs of 40×60."""
    random = np.random.default_rng(0)
    for side, peak in (("low", 40), ("high", 256)):
        (tmp_path / "set" / side).mkdir(parents=True)
        for n in range(5):
            levels = random.integers(0, peak, (40, 60, 3), dtype=np.uint8, endpoint=False)
            cv2.imwrite(str(tmp_path / "set" / side / f"{n}.png"), levels)
    return tmp_path / "set"


def typed(*words):
    return run(["data", *map(str, words)])


def test_the_list_has_every_data_set(capsys):
    assert typed("list") == 0
    told = capsys.readouterr().out
    for dataset in DATASETS:
        assert dataset.card.name in told
    assert typed("list", "lol-v2*") == 0
    assert "lol-v1" not in capsys.readouterr().out
    assert typed("list", "--json") == 0
    cards = json.loads(capsys.readouterr().out)
    assert [card["name"] for card in cards] == [dataset.card.name for dataset in DATASETS]


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.card.name)
def test_where_tells_all_and_fetches_nothing(dataset, capsys):
    assert typed("where", dataset.card.name) == 0
    told = " ".join(capsys.readouterr().out.split())
    for part in (dataset.card.title, dataset.card.home, dataset.card.terms, *dataset.card.splits):
        assert part in told
    assert " ".join(dataset.card.get.split()) in told


def test_a_sound_set(root, capsys):
    assert typed("check", root) == 0
    told = capsys.readouterr()
    assert "set: 5 of 5 pairs can be used" in told.out
    assert "5 of 60×40; 8 bits" in told.out
    assert not told.err


def test_what_is_wrong_is_told_and_written(root, tmp_path, capsys):
    (root / "low" / "3.png").write_bytes(b"")
    report, page = tmp_path / "check.json", tmp_path / "check.html"
    assert typed("check", root, "--json", report, "--html", page) == 1
    told = capsys.readouterr()
    assert "4 of 5 pairs" in told.out
    assert "set/3: " in told.err
    assert "is empty" in told.err
    assert json.loads(report.read_text())["faults"][0]["where"] == "set/3"
    assert "is empty" in page.read_text()
    assert typed("check", root, "--json", report) == 1  # written again without ado


def test_check_as_a_data_set_and_against_a_folder(root, tmp_path, capsys):
    assert typed("check", root, "--name", "paired", "--against", root / "high") == 0
    told = capsys.readouterr().out
    assert "5 of all show a scene of another part" in told
    assert typed("check", root, "--name", "lol-v1") == 1
    assert "daybreak data where lol-v1" in capsys.readouterr().err


def test_a_page_must_be_named_like_one(root, tmp_path, capsys):
    assert typed("check", root, "--html", tmp_path / "page.png") == 2
    assert "ends in .html" in capsys.readouterr().err


def test_split_writes_a_file_that_tells_how_it_was_made(root, tmp_path, capsys):
    out = tmp_path / "val.txt"
    assert typed("split", root, "--scenes", "--val", "0.4", "--seed", "1", "--join", "0-1", "-o", out) == 0
    assert "2 of 5 pictures" in capsys.readouterr().out
    assert len(read_split(out)) == 2
    assert "daybreak data split set --scenes --val 0.4 --seed 1 --join 0-1\n" in out.read_text()
    again = tmp_path / "again.txt"
    assert typed("split", root, "--val", "0.4", "--seed", "1", "--join", "0-1", "-o", again) == 0
    assert again.read_text() == out.read_text()
    assert typed("split", root, "-o", out) == 2
    assert "is there already" in capsys.readouterr().err


def test_pack_and_unpack(root, tmp_path, capsys):
    words = ("pack", "paired", "--root", root, "--max-bytes", "30kB", "-o", tmp_path / "pack")
    assert typed(*words) == 0
    told = capsys.readouterr().out
    assert "paired-1.tar" in told
    assert "5 samples, inputs lossless, references lossless" in told
    assert typed("unpack", tmp_path / "pack", "-o", tmp_path / "files") == 0
    for n in range(5):
        before = cv2.imread(str(root / "low" / f"{n}.png"))
        after = cv2.imread(str(tmp_path / "files" / "all" / "input" / f"{n}.webp"))
        assert np.array_equal(before, after)
    assert typed(*words) == 1
    assert "not empty" in capsys.readouterr().err


def test_a_pair_that_is_left_out_is_code_1(root, tmp_path, capsys):
    (root / "low" / "3.png").unlink()
    assert typed("pack", "paired:all", "--root", root, "-o", tmp_path / "pack") == 1
    told = capsys.readouterr()
    assert "4 samples" in told.out
    assert "3.png" in told.err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((), 2, "Commands:"),
        (("chek",), 2, "No such command 'chek'. Did you mean 'check'? See: daybreak data --help"),
        (("check",), 2, "Missing argument"),
        (("check", "/nowhere"), 1, "no folder /nowhere"),
        (("where", "lol"), 2, "Did you mean lol-v1"),
        (("list", "zz*"), 2, "no data set named 'zz*'"),
        (("check", ".", "--name", "lol"), 2, "Did you mean lol-v1"),
        (("split", "/nowhere", "-o", "x", "--val", "2"), 2, "validation part of 2"),
        (("pack", "lol-v1:tset", "--root", ".", "-o", "x"), 2, "Did you mean test"),
        (("pack", "lol-v1", "--root", ".", "-o", "x", "--max-bytes", "much"), 2, "such as 60MB"),
        (("unpack", "/nowhere", "-o", "x"), 1, "no pack in /nowhere"),
    ],
)
def test_a_wrong_line(words, code, told, capsys):
    assert typed(*words) == code
    err = capsys.readouterr().err
    assert told in err
    assert not words or err.count("\n") == 1


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_has_help(action, capsys):
    assert typed(action, "--help") == 0
    told = capsys.readouterr().out
    assert f"Usage: daybreak data {action}" in told
    assert "Args:" not in told


def test_the_list_of_actions_is_not_cut(capsys):
    assert typed("--help") == 0
    told = capsys.readouterr().out
    assert all(action in told for action in ACTIONS)
    assert "..." not in told.partition("Commands:")[2]


def test_the_shell_completes_actions():
    done = subprocess.run(
        [sys.executable, "-m", "daybreak"],
        capture_output=True,
        text=True,
        env={"_DAYBREAK_COMPLETE": "complete_bash", "COMP_WORDS": "daybreak data ch", "COMP_CWORD": "2"},
    )
    assert done.stdout.split() == ["check"]


@pytest.mark.parametrize("text", ["", "MB", "-3MB", "0", "60 bananas", "1e9"])
def test_what_is_no_size(text):
    with pytest.raises(BadSetting):
        parse_size(text)


@pytest.mark.parametrize(
    "words",
    [("check", "--json", "R.json"), ("check", "--html", "R.html"), ("split", "--val", "0.4", "-o", "R")],
    ids=str,
)
def test_missing_folders_are_made_and_what_cannot_be_is_told_before_the_work(root, tmp_path, capsys, words):
    action, *rest = words
    there = [str(tmp_path / "new" / "er" / word) if word[0] == "R" else word for word in rest]
    assert typed(action, root, *there) == 0
    assert (tmp_path / "new" / "er" / rest[-1]).is_file()
    if action == "check":  # an older one is replaced
        assert typed(action, root, *there) == 0
    capsys.readouterr()
    (tmp_path / "file").touch()
    nowhere = [str(tmp_path / "file" / word) if word[0] == "R" else word for word in rest]
    assert typed(action, root, *nowhere) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "cannot be made" in told.err
