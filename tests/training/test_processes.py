"""Two processes learn what one does; the first of them tells, locks and writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from daybreak.errors import BadSetting, TrainingError
from daybreak.training import checkpoint as checkpoints
from daybreak.training.processes import Crew

RECIPE = """
network = "neid"
tag = "tiny"
steps = 6
log_every = 1
save_every = 3
score_every = 3
ema = 0.9
precision = "fp32"
settings.width = 4
settings.init = "kaiming"
data.crop = 32
data.batch = 4
data.darkened = 0.5
data.darken_highs = true
optimiser.lr = 1e-2
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve pairs, one of which is kept to validate on, and a recipe."""
    tmp_path = tmp_path_factory.mktemp("processes")
    random = np.random.default_rng(0)
    for side, peak in (("low", 60), ("high", 250)):
        (tmp_path / "data" / side).mkdir(parents=True)
        for n in range(12):
            levels = random.integers(0, peak, (36, 48, 3), dtype=np.uint8)
            cv2.imwrite(str(tmp_path / "data" / side / f"{n}.png"), levels)
    (tmp_path / "tiny.toml").write_text(RECIPE)
    return tmp_path


def train(folder, out, *words, launcher=(sys.executable, "-m", "daybreak")):
    command = [
        *launcher,
        "train",
        str(folder / "tiny.toml"),
        "--data",
        str(folder / "data"),
        "--out",
        str(out),
    ]
    return subprocess.run(
        [*command, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={key: value for key, value in os.environ.items() if key != "WORLD_SIZE"},
    )


def losses(out):
    return np.loadtxt(out / "loss.csv", delimiter=",", skiprows=1)


@pytest.fixture(scope="module")
def alone(folder):
    """A run of one process: its folder and what it said."""
    done = train(folder, folder / "one")
    assert done.returncode == 0, done.stderr
    return folder / "one", done.stderr


def test_two_processes_equal_one_and_the_first_alone_tells(folder, alone):
    (one, said), two = alone, folder / "two"
    done = train(folder, two, "--devices", "2")
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(losses(two), losses(one), atol=1e-4)
    assert np.ptp(losses(one)[:, 1]) > 1e-2, "so little happened that 1e-4 says nothing"
    single, shared = (checkpoints.load(out / checkpoints.LAST)["state_dict"] for out in (one, two))
    apart = [float((shared[key] - value).abs().mean()) for key, value in single.items()]
    assert max(apart) < 1e-5, "where gradients are next to 0, Adam makes much of a rounding, but of few"
    lines = done.stderr.splitlines()
    assert done.stdout == ""
    assert [line.split(":")[0] for line in lines[:2]] == ["step 3 of 6", "step 6 of 6"]
    assert sum("trained all 6 steps" in line for line in lines) == 1
    assert len(lines) == len(said.splitlines()), lines
    assert json.loads((two / "run.json").read_text())["processes"] == 2
    assert json.loads((two / "run.json").read_text())["report"]["step"] == 6
    assert {path.name for path in two.iterdir()} == {path.name for path in one.iterdir()}


def test_two_processes_stop_and_go_on_together_and_fail_in_one_line(folder, alone):
    (whole, _), parts = alone, folder / "parts"
    stopped = train(folder, parts, "--devices", "2", "--max-time", "0s")
    assert stopped.returncode == 0, stopped.stderr
    assert stopped.stderr.count("time is up after 1 steps") == 1
    again = train(folder, parts, "--devices", "2")
    assert again.returncode == 1
    assert again.stderr.count("\n") == again.stderr.count("holds a run already") == 1
    assert train(folder, parts, "--devices", "2", "--resume", "auto").returncode == 0
    np.testing.assert_allclose(losses(parts), losses(whole), atol=1e-4)


def test_what_processes_cannot_share_is_refused(monkeypatch):
    with pytest.raises(TrainingError, match=r"a batch of 5 for 2 processes; .* Type --set data\.batch=4"):
        Crew(2).check(5)
    Crew(2, 2).check(8)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(BadSetting, match="where torchrun started 4 processes"):
        Crew(2).check(8)


@pytest.mark.parametrize(
    ("environment", "first", "leads"),
    [
        ({}, True, True),
        ({"LOCAL_RANK": "0", "NODE_RANK": "0"}, True, True),
        ({"LOCAL_RANK": "1", "NODE_RANK": "0"}, False, False),
        ({"LOCAL_RANK": "0", "NODE_RANK": "1"}, False, True),
        ({"RANK": "2", "LOCAL_RANK": "0"}, False, True),
        ({"SLURM_PROCID": "0", "SLURM_LOCALID": "0"}, True, True),
        ({"SLURM_PROCID": "3", "SLURM_LOCALID": "1"}, False, False),
    ],
)
def test_the_first_process_is_known_by_its_launcher(monkeypatch, environment, first, leads):
    for name in ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID", "SLURM_LOCALID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert (Crew(2, 2).first(), Crew(2, 2).leads()) == (first, leads)
    assert Crew().first()
