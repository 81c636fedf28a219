"""What a training run tells: after each step, at its end, and in the `run.json` of its folder."""

from __future__ import annotations

import json
import platform
import subprocess
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import lightning
import numpy as np
import torch

from daybreak.training.material import Material
from daybreak.training.recipe import Recipe

NAME = "run.json"
Ended = Literal["finished", "time", "interrupted"]


@dataclass(frozen=True)
class Progress:
    """Where a run stands after a step.

    Attributes:
        step, steps: done, and in all.
        loss: of this step.
        rate: pictures per second since the run started or went on.
        seconds_left: at this rate.
        score: PSNR in dB of the last scoring, or None.
    """

    step: int
    steps: int
    loss: float
    rate: float
    seconds_left: float
    score: float | None


@dataclass(frozen=True)
class Report:
    """How a run ended.

    Attributes:
        ended: "finished" all steps, "time" was up, or "interrupted" by Ctrl-C.
        step: steps done, those before a resume included.
        seconds: of this part, reading the pictures included.
        checkpoint: the last one.
        best: the one with the best score, or None where nothing was scored.
        best_step, best_score: its step and its PSNR in dB.
    """

    ended: Ended
    step: int
    seconds: float
    checkpoint: Path
    best: Path | None
    best_step: int | None
    best_score: float | None


def write_run(out: Path, recipe: Recipe, material: Material, report: Report | None = None) -> None:
    """Write `run.json`: what runs, on what, by which versions, and how it ended once it has.

    Args:
        out: the run's folder.
        recipe: written out with every default, beside its hash.
        material: what is learned from.
        report: None while the run goes on.
    """
    values: dict[str, Any] = {
        "recipe": recipe.complete(),
        "recipe_sha256": recipe.digest(),
        "pictures": len(material),
        "pictures_sha256": material.digest(),
        "data": material.told,
        "git_commit": _commit(),
        "versions": {
            "daybreak": version("daybreak"),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "lightning": lightning.__version__,
            "numpy": np.__version__,
        },
        "report": asdict(report) if report else None,
    }
    path = out / NAME
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(values, indent=2, default=str) + "\n", encoding="utf-8")
    part.replace(path)


def _commit() -> str | None:
    """The commit of the checkout that this package runs from, with a + where it was changed since."""
    folder = Path(__file__).parent
    try:
        asked = [["rev-parse", "HEAD"], ["status", "--porcelain", "--", "."]]
        head, changed = (
            subprocess.run(
                ["git", *words], cwd=folder, capture_output=True, text=True, check=True
            ).stdout.strip()
            for words in asked
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return head + ("+" if changed else "")
