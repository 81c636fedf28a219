"""A killed run goes on as if nothing had happened: weights, averages, optimisers, pools, curves."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from daybreak.training import checkpoint as checkpoints
from daybreak.training.fit import fit
from daybreak.training.lesson import OURS

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec"),
]

KILLED = """
    import os, pickle, signal, sys
    from pathlib import Path
    from daybreak.training.fit import fit
    recipe, material = pickle.loads(Path(sys.argv[1]).read_bytes())
    def watch(now):
        if now.step == 10:  # two steps after the last checkpoint
            os.kill(os.getpid(), signal.SIGKILL)
    fit(recipe, material, Path(sys.argv[2]), watch=watch)
"""


def killed(recipe, material, folder: Path) -> Path:
    """Run to the tenth step in a process of its own, which dies there."""
    (folder / "run.pickle").write_bytes(pickle.dumps((recipe, material)))
    out = folder / "broken"
    words = [sys.executable, "-c", textwrap.dedent(KILLED), str(folder / "run.pickle"), str(out)]
    done = subprocess.run(words, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    return out


def leaves(value, path=""):
    """Every tensor and plain value in a checkpoint, by where it is."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, f"{path}/{key}")
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value):
            yield from leaves(part, f"{path}/{number}")
    else:
        yield path, value


@pytest.mark.parametrize("kind", ["cascade", "neid", "gan"])
def test_a_killed_run_equals_the_unbroken_one(tmp_path, tiny, material, kind):
    recipe = tiny(kind)
    whole = fit(recipe, material, tmp_path / "whole")
    broken = killed(recipe, material, tmp_path)
    phases = 2 if kind == "gan" else 1
    assert checkpoints.load(broken / checkpoints.LAST)["global_step"] == 8 * phases
    steps = []
    report = fit(recipe, material, broken, resume=True, watch=lambda now: steps.append(now.step))
    assert steps == [9, 10, 11, 12]
    assert (report.step, report.best_step) == (12, whole.best_step)
    assert report.best_score == pytest.approx(whole.best_score, abs=1e-6)
    for name in (checkpoints.LAST, checkpoints.BEST):
        one, other = (checkpoints.load(folder / name) for folder in (tmp_path / "whole", broken))
        for part in ("state_dict", "optimizer_states", "lr_schedulers", OURS):
            kept = dict(leaves(other[part]))
            assert kept.keys() == dict(leaves(one[part])).keys()
            for key, value in leaves(one[part]):
                where = f"{name} {part}{key}"
                if isinstance(value, torch.Tensor):
                    torch.testing.assert_close(kept[key], value, atol=1e-6, rtol=0, msg=where)
                else:
                    assert kept[key] == pytest.approx(value, abs=1e-6), where
    for name in ("loss.csv", "score.csv"):
        ours, theirs = (
            [float(v) for line in (folder / name).read_text().splitlines()[1:] for v in line.split(",")]
            for folder in (tmp_path / "whole", broken)
        )
        assert ours == pytest.approx(theirs, abs=1e-5)
    if kind == "gan":
        assert len(one[OURS]["objective"]["pool_high"]["pictures"]) == 3
    if kind == "neid":
        state = one["state_dict"]
        assert any(
            not torch.equal(state[key], state[f"average.{key[8:]}"]) for key in state if key[:8] == "network."
        )


def test_a_run_that_ends_before_its_first_checkpoint_begins_anew(tmp_path, tiny, material):
    def die(now):
        if now.step == 3:
            raise RuntimeError("as if killed")

    with pytest.raises(RuntimeError, match="as if killed"):
        fit(tiny(score_every=100), material, tmp_path, watch=die)
    steps = []
    fit(tiny(score_every=100), material, tmp_path, resume=True, watch=lambda now: steps.append(now.step))
    assert steps == list(range(1, 13))
    rows = (tmp_path / "loss.csv").read_text().splitlines()[1:]
    assert [row.partition(",")[0] for row in rows] == [str(n) for n in range(1, 13)]
