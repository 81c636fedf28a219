"""Every row of the table on training in docs/bad-input.md, made and run."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from daybreak.cli.main import run
from daybreak.training import checkpoint as checkpoints
from daybreak.training import fit as training
from daybreak.training.lesson import Lesson
from daybreak.training.processes import alone

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec"),
    pytest.mark.filterwarnings("default:no feature extractor"),
]
DOC = Path(__file__).parents[2] / "docs/bad-input.md"
ROWS = {
    cells[0]: (int(cells[2]), cells[3])
    for line in DOC.read_text(encoding="utf-8").splitlines()
    if len(cells := [c.strip() for c in line.strip("|").split("|")]) == 5 and cells[2].isdigit()
}
TINY = {
    "data.crop": "32",
    "data.batch": "2",
    "settings.width": "4",
    "steps": "6",
    "save_every": "2",
    "score_every": "9",
}
REFUSED = {
    "unknown-key": {"lr": "3"},
    "bad-value": {"optimiser.lr": "-1"},
    "bad-duration": {"--max-time": "soon"},
    "no-data": {"--data": ""},
    "missing-root": {"--data": "nowhere"},
    "too-few": {"data.batch": "8"},
    "too-small": {"data.crop": "96"},
    "nothing-to-darken": {"data.darkened": "0.5"},
    "uneven-batch": {"data.batch": "3", "--devices": "2"},
}
BEGUN = {"run-there", "two-runs", "another-recipe", "other-pictures", "another-version", "cut-checkpoint"}
BROKEN_OFF = {"full-disk", "not-a-number", "interrupted"}


@pytest.fixture
def folder(tmp_path):
    """Five pairs of one's own."""
    for side, peak in (("low", 60), ("high", 250)):
        (tmp_path / "data" / side).mkdir(parents=True)
        for n in range(5):
            levels = np.random.default_rng(n).integers(0, peak, (36, 48, 3), dtype=np.uint8)
            cv2.imwrite(str(tmp_path / "data" / side / f"{n}.png"), levels)
    return tmp_path


def train(folder, recipe="neid.lol", *words, **changes):
    options = (
        {"--data": str(folder / "data"), "--out": str(folder / "run"), "--precision": "fp32"} | TINY | changes
    )
    for key, value in options.items():
        if key.startswith("--"):
            words += (key, str(folder / value) if value == "nowhere" else value) if value else ()
        else:
            words += ("--set", f"{key}={value}")
    return run(["train", recipe, *words])


def expect(case, code, told):
    """The exit code and the line that the document promises, and no other."""
    promised, line = ROWS[case]
    assert code == promised, told
    pattern = ".*".join(re.escape(part) for part in line.split("…"))
    assert re.fullmatch(rf"{pattern}.*", told.strip()), told


def state(path):
    return checkpoints.load(path)["state_dict"]


def test_the_document_and_the_tests_name_the_same_cases():
    assert set(ROWS) == REFUSED.keys() | BEGUN | BROKEN_OFF


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_begin_writes_nothing(case, folder, capsys):
    expect(case, train(folder, **REFUSED[case]), capsys.readouterr().err)
    assert [path.name for path in folder.iterdir()] == ["data"]


@pytest.mark.parametrize("case", sorted(BEGUN))
def test_a_run_that_is_there_stays_as_it_was(case, folder, capsys):
    assert train(folder, steps="1") == 0
    capsys.readouterr()
    last = folder / "run" / checkpoints.LAST
    if case == "another-version":
        kept = checkpoints.load(last)
        kept["state_dict"]["average.head.close.bias"] = torch.zeros(5)
        torch.save(kept, last)
    if case == "cut-checkpoint":
        last.write_bytes(last.read_bytes()[:-1000])
    if case == "other-pictures":
        for side in ("low", "high"):
            (folder / "data" / side / "0.png").rename(folder / "data" / side / "x.png")
    before = {path: path.read_bytes() for path in (folder / "run").rglob("*") if path.is_file()}
    changes = {"--resume": "auto", "steps": "1"}
    if case == "run-there":
        del changes["--resume"]
    if case == "two-runs":
        with alone(folder / "run"):
            code = train(folder, **changes)
    elif case == "another-recipe":
        words = (
            "cascade.lol",
            "--data",
            str(folder / "data"),
            "--out",
            str(folder / "run"),
            "--resume",
            "auto",
        )
        code = run(
            ["train", *words, "--set=settings.perceptual=0", "--set=data.crop=32", "--set=data.batch=2"]
        )
    else:
        code = train(folder, **changes)
    expect(case, code, capsys.readouterr().err)
    assert {path: path.read_bytes() for path in (folder / "run").rglob("*") if path.is_file()} == before


def test_interrupted(folder, capsys, monkeypatch):
    fit = training.fit

    def interrupted(*args, **kwargs):
        def watch(now):
            if now.step == 2:
                os.kill(os.getpid(), signal.SIGINT)

        return fit(*args, **kwargs | {"watch": watch})

    monkeypatch.setattr(training, "fit", interrupted)
    expect("interrupted", train(folder), capsys.readouterr().err)
    assert checkpoints.load(folder / "run" / checkpoints.LAST)["global_step"] == 3


def test_a_second_ctrl_c_breaks_off_at_once(folder, capsys, monkeypatch):
    step = Lesson.training_step

    def pressed(self, batch, index):
        if self.done == 2:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
        return step(self, batch, index)

    monkeypatch.setattr(Lesson, "training_step", pressed)
    assert train(folder) == 130
    assert checkpoints.load(folder / "run" / checkpoints.LAST)["global_step"] == 2


def test_not_a_number(folder, capsys, monkeypatch):
    step = Lesson.training_step

    def spoiled(self, batch, index):
        if self.done == 3:
            self.network.head.close.bias.data.fill_(float("nan"))
        return step(self, batch, index)

    monkeypatch.setattr(Lesson, "training_step", spoiled)
    expect("not-a-number", train(folder), capsys.readouterr().err)
    assert all(value.isfinite().all() for value in state(folder / "run" / checkpoints.LAST).values())


def test_full_disk(folder, capsys, monkeypatch):
    """A disk of a size that takes one checkpoint and not a second beside it."""
    small = folder / "run"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(small)]
    if (
        not sys.platform.startswith("linux")
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        pytest.skip("no small disk can be mounted here")
    try:
        code = train(folder)
        expect("full-disk", code, capsys.readouterr().err)
        assert checkpoints.load(small / checkpoints.LAST)["global_step"] == 2
        assert not list(small.glob(".daybreak-*"))
    finally:
        subprocess.run(["umount", str(small)], check=True)
