"""A run: ends well for each reason, and a killed one goes on as if nothing had happened."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import textwrap

import pytest
import torch

from daybreak.errors import OutputExists, TrainingError
from daybreak.training import checkpoint as checkpoints
from daybreak.training.fit import fit
from daybreak.training.lesson import Lesson
from daybreak.training.stop import Stop

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec"),
]

KILLED = """
    import os, pickle, signal, sys
    from pathlib import Path
    import torch
    from daybreak.training.fit import fit
    torch.set_num_threads(1)  # as here: another number of threads adds up in another order
    recipe, pictures, pairs = pickle.loads(Path(sys.argv[1]).read_bytes())
    def watch(now):
        if now.step == 10:  # two steps after the last checkpoint
            os.kill(os.getpid(), signal.SIGKILL)
    fit(recipe, pictures, Path(sys.argv[2]), pairs=pairs, watch=watch)
"""


def weights(out):
    return checkpoints.load(out / checkpoints.LAST)


def rows(path):
    return [line.split(",") for line in path.read_text().splitlines()[1:]]


def test_a_killed_run_goes_on_and_equals_the_unbroken_one(tmp_path, tiny, pictures, pairs):
    recipe = tiny()
    whole = fit(recipe, pictures, tmp_path / "whole", pairs=pairs)
    (tmp_path / "run.pickle").write_bytes(pickle.dumps((recipe, pictures, pairs)))
    broken = subprocess.run(
        [
            sys.executable,
            "-c",
            textwrap.dedent(KILLED),
            str(tmp_path / "run.pickle"),
            str(tmp_path / "broken"),
        ],
        check=False,
        capture_output=True,
    )
    assert broken.returncode == -signal.SIGKILL, broken.stderr.decode()
    assert weights(tmp_path / "broken")["global_step"] == 8
    steps = []
    report = fit(
        recipe,
        pictures,
        tmp_path / "broken",
        pairs=pairs,
        resume=True,
        watch=lambda now: steps.append(now.step),
    )
    assert steps == [9, 10, 11, 12]
    assert (report.step, report.best_step, report.best_score) == (12, whole.best_step, whole.best_score)
    for name in (checkpoints.LAST, checkpoints.BEST):
        one, other = (checkpoints.load(tmp_path / run / name) for run in ("whole", "broken"))
        for key, value in one["state_dict"].items():
            torch.testing.assert_close(
                other["state_dict"][key], value, atol=1e-6, rtol=0, msg=f"{name} {key}"
            )
        for key, value in one["optimizer_states"][0]["state"].items():
            assert torch.allclose(
                other["optimizer_states"][0]["state"][key]["exp_avg"], value["exp_avg"], atol=1e-6
            )
        assert one["lr_schedulers"][0]["last_epoch"] == other["lr_schedulers"][0]["last_epoch"]
    for name in ("loss.csv", "score.csv"):
        assert rows(tmp_path / "whole" / name) == rows(tmp_path / "broken" / name)
    assert [row[0] for row in rows(tmp_path / "broken" / "loss.csv")] == [str(n) for n in range(1, 13)]


def test_the_loss_falls_and_the_run_is_written_down(tmp_path, tiny, pictures, pairs):
    recipe = tiny()
    report = fit(recipe, pictures, tmp_path, pairs=pairs)
    losses = [float(row[1]) for row in rows(tmp_path / "loss.csv")]
    assert losses[-1] < losses[0] * 0.7
    assert report.ended == "finished"
    told = json.loads((tmp_path / "run.json").read_text())
    assert told["recipe_sha256"] == recipe.digest()
    assert told["recipe"]["optimiser"]["betas"] == [0.9, 0.999]
    assert told["versions"]["torch"] == torch.__version__
    assert told["report"]["step"] == 12
    assert told["report"]["best_score"] == max(float(row[1]) for row in rows(tmp_path / "score.csv"))
    assert list((tmp_path / "tensorboard").iterdir())
    assert not list(tmp_path.glob("*.part"))


def test_time_ends_a_run_with_a_checkpoint(tmp_path, tiny, pictures):
    report = fit(tiny(), pictures, tmp_path, stop=Stop(0.0))
    assert (report.ended, report.step) == ("time", 1)
    assert weights(tmp_path)["global_step"] == 1
    assert fit(tiny(), pictures, tmp_path, resume=True).ended == "finished"


def test_ctrl_c_ends_a_run_with_a_checkpoint(tmp_path, tiny, pictures):
    def interrupt(now):
        if now.step == 2:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    report = fit(tiny(), pictures, tmp_path, watch=interrupt)
    assert report.ended == "interrupted"
    assert report.step == weights(tmp_path)["global_step"] == 3
    assert signal.getsignal(signal.SIGINT) is before


def test_a_loss_that_is_not_finite_names_the_step_and_the_last_good_checkpoint(
    tmp_path, tiny, pictures, monkeypatch
):
    step = Lesson.training_step

    def spoiled(self, batch, index):
        if self.global_step == 6:
            self.network.illumination.head[0].bias.data.fill_(float("nan"))
        return step(self, batch, index)

    monkeypatch.setattr(Lesson, "training_step", spoiled)
    with pytest.raises(TrainingError, match=r"loss is nan at step 7\. The last good .*last\.ckpt, of step 4"):
        fit(tiny(), pictures, tmp_path)
    assert all(v.isfinite().all() for v in weights(tmp_path)["state_dict"].values())


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(tmp_path, tiny, pictures, monkeypatch):
    import lightning

    save = lightning.Trainer.save_checkpoint

    def full(self, path):
        if self.global_step == 8:
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")
        save(self, path)

    monkeypatch.setattr(lightning.Trainer, "save_checkpoint", full)
    with pytest.raises(TrainingError, match=r"No space left on device\. The one before is whole"):
        fit(tiny(), pictures, tmp_path)
    assert weights(tmp_path)["global_step"] == 4
    assert not list(tmp_path.glob("*.part"))


def test_a_folder_with_a_run_and_another_recipe_are_refused(tmp_path, tiny, pictures):
    fit(tiny(steps=1), pictures, tmp_path)
    with pytest.raises(OutputExists, match="--resume auto"):
        fit(tiny(steps=1), pictures, tmp_path)
    with pytest.raises(TrainingError, match="another recipe: steps was 1 and is 2"):
        fit(tiny(steps=2), pictures, tmp_path, resume=True)


def test_what_is_no_checkpoint_is_refused(tmp_path):
    for content in (b"", b"PK\x03\x04 cut short", b"hello"):
        (tmp_path / "x.ckpt").write_bytes(content)
        with pytest.raises(TrainingError, match=r"x\.ckpt is no checkpoint of a daybreak run"):
            checkpoints.load(tmp_path / "x.ckpt")
    torch.save({"state_dict": {}}, tmp_path / "x.ckpt")
    with pytest.raises(TrainingError, match="is no checkpoint of a daybreak run"):
        checkpoints.load(tmp_path / "x.ckpt")
