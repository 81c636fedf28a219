"""A run: ends well for each reason, and is written down."""

from __future__ import annotations

import json
import os
import signal

import pytest
import torch

from daybreak.errors import OutputExists, TrainingError
from daybreak.training import checkpoint as checkpoints
from daybreak.training.fit import fit
from daybreak.training.lesson import Lesson
from daybreak.training.material import Material
from daybreak.training.processes import alone
from daybreak.training.stop import Stop

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec"),
]


def weights(out):
    return checkpoints.load(out / checkpoints.LAST)


def rows(path):
    return [line.split(",") for line in path.read_text().splitlines()[1:]]


def test_the_loss_falls_and_the_run_is_written_down(tmp_path, tiny, material):
    recipe = tiny()
    report = fit(recipe, material, tmp_path)
    losses = [float(row[1]) for row in rows(tmp_path / "loss.csv")]
    assert losses[-1] < losses[0] * 0.7
    assert report.ended == "finished"
    told = json.loads((tmp_path / "run.json").read_text())
    assert told["recipe_sha256"] == recipe.digest()
    assert told["recipe"]["optimiser"]["betas"] == [0.9, 0.999]
    assert told["versions"]["torch"] == torch.__version__
    assert told["pictures_sha256"] == material.digest
    assert (told["pictures"], told["processes"]) == (16, 1)
    assert told["git_commit"] is None or len(told["git_commit"].rstrip("+")) == 40
    assert told["report"]["step"] == 12
    assert told["report"]["best_score"] == max(float(row[1]) for row in rows(tmp_path / "score.csv"))
    assert told["report"]["rows"][0]["pairs"] == 2
    assert {path.name for path in tmp_path.iterdir()} == {
        *("run.json", "loss.csv", "score.csv", "tensorboard", "samples.png", ".lock"),
        *(checkpoints.LAST, checkpoints.BEST),
    }


def test_time_ends_a_run_with_a_checkpoint(tmp_path, tiny, material):
    report = fit(tiny(), material, tmp_path, stop=Stop(0.0))
    assert (report.ended, report.step, report.sheet) == ("time", 1, None)
    assert weights(tmp_path)["global_step"] == 1
    assert fit(tiny(), material, tmp_path, resume=True).ended == "finished"
    again = fit(tiny(), material, tmp_path, resume=True)
    assert (again.ended, again.step) == ("finished", 12), "a finished run has nothing left to do"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_a_cluster_end_a_run_with_a_checkpoint(tmp_path, tiny, material, number):
    def interrupt(now):
        if now.step == 2:
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    report = fit(tiny(), material, tmp_path, watch=interrupt)
    assert report.ended == "interrupted"
    assert report.step == weights(tmp_path)["global_step"] == 3
    assert signal.getsignal(number) is before


@pytest.mark.parametrize(("what", "value"), [("loss", "nan"), ("gradient", "inf")])
def test_nan_stops_a_run_and_names_the_step_and_the_last_good_checkpoint(
    tmp_path, tiny, material, monkeypatch, what, value
):
    step = Lesson.training_step

    def spoiled(self, batch, index):
        if self.done == 7:  # the step that is saved
            first = self.network.illumination.head[0].bias
            if what == "loss":
                first.data.fill_(float("nan"))
            else:
                first.register_hook(lambda gradient: gradient / 0)
        return step(self, batch, index)

    monkeypatch.setattr(Lesson, "training_step", spoiled)
    sentence = rf"the {what} is (nan|inf) at step 8\. The last good .*last\.ckpt, of step 4"
    with pytest.raises(TrainingError, match=sentence):
        fit(tiny(), material, tmp_path)
    assert all(v.isfinite().all() for v in weights(tmp_path)["state_dict"].values())


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, tiny, material):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(now):
        if now.step == 5:
            held = max(path.stat().st_size for path in (tmp_path / "tensorboard").iterdir())
            resource.setrlimit(resource.RLIMIT_FSIZE, (held + 5000, before[1]))

    try:
        with pytest.raises(TrainingError, match=r"last\.ckpt cannot be written.*; the one before is whole"):
            fit(tiny(score_every=100), Material(material.lows), tmp_path, watch=fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert weights(tmp_path)["global_step"] == 4
    assert not list(tmp_path.glob(".daybreak-*"))
    assert fit(tiny(score_every=100), Material(material.lows), tmp_path, resume=True).step == 12


def test_a_folder_with_a_run_and_another_recipe_are_refused(tmp_path, tiny, material):
    fit(tiny(steps=1), material, tmp_path)
    with pytest.raises(OutputExists, match="--resume auto"):
        fit(tiny(steps=1), material, tmp_path)
    with pytest.raises(TrainingError, match="another recipe: steps was 1 and is 2"):
        fit(tiny(steps=2), material, tmp_path, resume=True)
    with pytest.raises(TrainingError, match=r"another recipe: network was 'cascade' and is 'neid'"):
        fit(tiny("neid", steps=1), material, tmp_path, resume=True)


def test_two_runs_in_one_folder_are_refused(tmp_path, tiny, material):
    with alone(tmp_path), pytest.raises(OutputExists, match="another run is at work in"):
        fit(tiny(), material, tmp_path, resume=True)
    assert not (tmp_path / "run.json").exists()


def test_a_run_without_pairs_has_samples_and_no_scores(tmp_path, tiny, material):
    report = fit(tiny(steps=2), Material(material.lows), tmp_path)
    assert (report.best, report.rows) == (None, ())
    assert report.sheet
    assert report.sheet.is_file()
