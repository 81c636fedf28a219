"""What a run writes down while it goes: curves as CSV and for TensorBoard, and pictures for the latter."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from daybreak.files import writing
from daybreak.networks.base import Batch
from daybreak.training.curve import Curve
from daybreak.training.lesson import Lesson

SHOWN = 4
"""Samples on a sheet of panels."""


class Board:
    """The curves of one run, which go on where the run goes on.

    Args:
        out: the run's folder.
        since: the step that the run starts from; what was written of later ones is dropped.

    Raises:
        UnwritablePicture: the folder cannot be written.
    """

    def __init__(self, out: Path, since: int) -> None:
        self._out, self._since = out, since
        self._folder = out / "tensorboard"
        with writing(self._folder):
            self._writer = SummaryWriter(str(self._folder), purge_step=since + 1)
        self._scores = Curve(out / "score.csv", ("psnr",), since, self._writer)
        self._losses: Curve | None = None  # its columns are known after the first step

    def add_losses(self, step: int, values: dict[str, float], lr: float, rate: float) -> None:
        """Write a step's loss and terms; for TensorBoard the learning rate and pictures per second too."""
        if self._losses is None:
            self._losses = Curve(self._out / "loss.csv", tuple(values), self._since, self._writer)
        with writing(self._folder):
            self._losses.add(step, **values)
            self._writer.add_scalar("learning_rate", lr, step)
            self._writer.add_scalar("pictures_per_second", rate, step)

    def add_score(self, step: int, psnr: float) -> None:
        """Write a score in dB."""
        with writing(self._folder):
            self._scores.add(step, psnr=psnr)

    @torch.no_grad()
    def add_panels(self, step: int, lesson: Lesson, batch: Batch) -> None:
        """Show up to four samples, a row each, with what the objective shows side by side."""
        high, alpha = (part if part is None else part[:SHOWN] for part in (batch.high, batch.alpha))
        network = lesson.network.eval()
        panels = lesson.objective.panels(Batch(batch.low[:SHOWN], high, alpha))
        network.train()
        size = panels["input"].shape[2:]
        columns = [nn.functional.interpolate(panel.float(), size) for panel in panels.values()]
        sheet = torch.cat([torch.cat(list(column), dim=1) for column in columns], dim=2)  # 3×4h×nw
        with writing(self._folder):
            self._writer.add_image(" | ".join(panels), sheet.clamp(0, 1), step)

    def close(self) -> None:
        """Close all files; what a full disk did not take has been told of."""
        self._scores.close()
        if self._losses:
            self._losses.close()
        with suppress(OSError):
            self._writer.close()
