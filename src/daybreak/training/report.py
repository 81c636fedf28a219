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

from daybreak.files import write_whole
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
class Row:
    """One line of a validation table: means over all validation pairs, RGB, 8 bit, no crop.

    Attributes:
        checkpoint: name of the file.
        step: it was written at.
        pairs: how many there are.
        psnr, ssim: in dB, and None where a picture is smaller than SSIM's window.
        psnr_gt_mean, ssim_gt_mean: the same with each output scaled to its reference's mean brightness.
    """

    checkpoint: str
    step: int
    pairs: int
    psnr: float
    ssim: float | None
    psnr_gt_mean: float
    ssim_gt_mean: float | None


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
        rows: of the validation table, where all steps are done and there are pairs to validate on.
        sheet: picture of samples, where all steps are done.
    """

    ended: Ended
    step: int
    seconds: float
    checkpoint: Path
    best: Path | None
    best_step: int | None
    best_score: float | None
    rows: tuple[Row, ...] = ()
    sheet: Path | None = None


def write_run(
    out: Path, recipe: Recipe, material: Material, processes: int, report: Report | None = None
) -> None:
    """Write `run.json`: what runs, on what, by which versions, and how it ended once it has.

    Args:
        out: the run's folder.
        recipe: written out with every default, beside its hash.
        material: what is learned from.
        processes: how many share each batch.
        report: None while the run goes on.

    Raises:
        UnwritablePicture: the file cannot be written.
    """
    values: dict[str, Any] = {
        "recipe": recipe.complete(),
        "recipe_sha256": recipe.digest(),
        "pictures": len(material),
        "pictures_sha256": material.digest,
        "data": material.told,
        "processes": processes,
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
    write_whole(out / NAME, (json.dumps(values, indent=2, default=str) + "\n").encode(), overwrite=True)


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
