"""`daybreak train` from the words that are typed to the exit code."""

from __future__ import annotations

import os
import signal

import cv2
import numpy as np
import pytest

from daybreak.cli.main import run
from daybreak.cli.train import parse_duration
from daybreak.data import lol
from daybreak.errors import BadSetting
from daybreak.training import fit as training

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec"),
    pytest.mark.filterwarnings("default:no feature extractor"),
]
SMALL = ["--set=data.crop=24", "--set=data.batch=2", "--set=precision=fp32", "--set=score_every=2"]


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A data set laid out as LOL v1: five pairs to train on and one to score on."""
    random = np.random.default_rng(0)
    for side, gain in (("low", 1), ("high", 3)):
        folder = tmp_path / "data" / "our485" / side
        folder.mkdir(parents=True)
        for n in range(6):
            cv2.imwrite(str(folder / f"{n}.png"), random.integers(0, 80 * gain, (26, 40, 3), dtype=np.uint8))
    monkeypatch.setattr(lol, "validation_stems", lambda: frozenset({"3"}))
    return tmp_path / "data"


def typed(root, *words):
    return ["train", "cascade.lol", "--data", str(root), "--out", str(root.parent / "run"), *SMALL, *words]


def test_a_run_and_its_end(root, capsys):
    assert run(typed(root, "--set", "steps=4", "--seed", "7")) == 0
    told = capsys.readouterr().err
    assert "step 2 of 4: loss" in told
    assert "trained all 4 steps; checkpoint" in told
    assert "dB at step" in told
    assert "perceptual loss counts as 0" in told
    assert '"seed": 7' in (root.parent / "run" / "run.json").read_text()


def test_time_and_resume(root, capsys):
    assert run(typed(root, "--set", "steps=4", "--max-time", "0s")) == 0
    assert "time is up after 1 steps" in capsys.readouterr().err
    assert run(typed(root, "--set", "steps=4")) == 1
    assert "holds a run already" in capsys.readouterr().err
    assert run(typed(root, "--set", "steps=4", "--resume", "auto")) == 0
    assert "trained all 4 steps" in capsys.readouterr().err


@pytest.mark.parametrize(("presses", "sentence"), [({1}, "Go on with --resume auto"), ({1, 2}, "")])
def test_ctrl_c_is_130(root, capsys, monkeypatch, presses, sentence):
    fit = training.fit

    def interrupted(*args, **kwargs):
        def watch(now):
            if now.step in presses:
                os.kill(os.getpid(), signal.SIGINT)

        return fit(*args, **kwargs | {"watch": watch})

    monkeypatch.setattr(training, "fit", interrupted)
    assert run(typed(root)) == 130
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--set", "lr=3"], 2, "no key of a recipe named 'lr'"),
        (["--set", "data.batch=9", "--set", "data.crop=8"], 2, "gives 'data.batch' twice"),
        (["--set", "optimiser.lr=-1"], 2, "optimiser.lr=-1"),
        (["--max-time", "soon"], 2, "expected a duration such as"),
    ],
)
def test_what_is_wrong_is_one_line(root, capsys, words, code, sentence):
    assert run(typed(root, *words)) == code
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1


def test_a_data_root_that_is_missing_or_too_small_is_named(root, capsys):
    words = ["train", "cascade.lol", "--out", str(root.parent / "run"), "--data"]
    assert run([*words, str(root / "nowhere")]) == 1
    assert "there is no folder" in capsys.readouterr().err
    assert run([*words, str(root)]) == 1
    assert "there are 5 pictures to train on; expected at least one batch of 8" in capsys.readouterr().err
    assert run([*words, str(root), "--set", "data.batch=2"]) == 1
    assert "0.png is 40×26 pixels; expected at least the crop, 96×96" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["9", "m", "1d", "-3m", "9 m"])
def test_durations_that_are_none(text):
    with pytest.raises(BadSetting, match="such as 90s"):
        parse_duration(text)
