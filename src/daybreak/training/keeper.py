"""What happens around a training step: curves, checkpoints, scoring, progress and the end of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import lightning as L
import torch
from torch import nn

from daybreak.networks.base import Batch
from daybreak.training import checkpoint as checkpoints
from daybreak.training.curve import Curve
from daybreak.training.lesson import Lesson
from daybreak.training.material import Bytes
from daybreak.training.report import Ended, Progress
from daybreak.training.scoring import mean_psnr
from daybreak.training.stop import Stop

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class Keeper(L.Callback):
    """Writes down how a run goes.

    Args:
        lesson: what learns.
        out: the run's folder.
        pairs: low and high of H×W×3 uint8 to score on; none means no scoring.
        stop: looked at after every step.
        watch: told after every step.

    Attributes:
        stop: looked at after every step.
        saved: step of the last checkpoint, or None before the first.
        ended: why the run ended.
    """

    def __init__(
        self,
        lesson: Lesson,
        out: Path,
        pairs: Sequence[tuple[Bytes, Bytes]],
        stop: Stop,
        watch: Callable[[Progress], None],
    ) -> None:
        self._lesson, self._recipe = lesson, lesson.recipe
        self._out, self._pairs, self.stop, self._watch = out, pairs, stop, watch
        self._score: float | None = None
        self.saved: int | None = None
        self.ended: Ended = "finished"

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:  # noqa: ARG002
        """Open the curves where the run starts or goes on; of several processes, the first one writes."""
        self._since, self._began = self._lesson.done, time.monotonic()
        self.saved = self._since or None
        self._board: SummaryWriter | None = None
        self._scores: Curve | None = None
        self._losses: Curve | None = None  # its columns are known after the first step
        if trainer.is_global_zero:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(self._out / "tensorboard"), purge_step=self._since + 1)
            self._scores = Curve(self._out / "score.csv", ("psnr",), self._since, self._board)

    def on_train_batch_end(self, trainer: L.Trainer, _: Any, __: Any, batch: Batch, ___: int) -> None:
        """Log, score, show, save and tell, each in its own rhythm; the last step does all."""
        step, told = self._lesson.done, self._recipe
        over = step == told.steps
        if trainer.is_global_zero and (over or step % told.log_every == 0):
            self._log(step)
        if self._pairs and (over or step % told.score_every == 0):
            self._rate(trainer, step)
        if told.panels_every and (over or step % told.panels_every == 0) and self._board:
            self._show(step, batch)
        reason = self._agreed(trainer)
        if over or reason or step % told.save_every == 0:
            checkpoints.save(trainer, self._out / checkpoints.LAST)
            self.saved = step
        if reason and not over:
            self.ended = reason
            trainer.should_stop = True
        if trainer.is_global_zero:
            self._tell(step)

    def _agreed(self, trainer: L.Trainer) -> Literal["time", "interrupted"] | None:
        """Why the run has to end now: what the first process says that has a reason."""
        reason = self.stop.reason()
        if trainer.world_size == 1:
            return reason
        reasons: tuple[Literal["time", "interrupted"], ...] = ("time", "interrupted")
        for known in reasons:
            if trainer.strategy.reduce_boolean_decision(reason == known, all=False):
                return known
        return None

    def _log(self, step: int) -> None:
        values = self._lesson.last
        if self._losses is None:
            self._losses = Curve(self._out / "loss.csv", tuple(values), self._since, self._board)
        self._losses.add(step, **values)

    def _rate(self, trainer: L.Trainer, step: int) -> None:
        score = 0.0
        if trainer.is_global_zero:
            score = mean_psnr(self._lesson.shown, self._pairs)
        self._score = float(trainer.strategy.broadcast(score))
        if self._scores is not None:
            self._scores.add(step, psnr=self._score)
        if self._lesson.best is None or self._score > self._lesson.best[1]:
            self._lesson.best = (step, self._score)
            checkpoints.save(trainer, self._out / checkpoints.BEST)

    @torch.no_grad()
    def _show(self, step: int, batch: Batch) -> None:
        """A picture of up to four samples, a row each, what the objective shows side by side."""
        assert self._board is not None
        high, alpha = (part if part is None else part[:4] for part in (batch.high, batch.alpha))
        some = Batch(batch.low[:4], high, alpha)
        network = self._lesson.network.eval()
        panels = self._lesson.objective.panels(some)
        network.train()
        size = panels["input"].shape[2:]
        rows = [nn.functional.interpolate(panel.float(), size) for panel in panels.values()]
        sheet = torch.cat([torch.cat(list(panel), dim=1) for panel in rows], dim=2)  # 3×4h×nw
        self._board.add_image(" | ".join(panels), sheet.clamp(0, 1), step)

    def _tell(self, step: int) -> None:
        each = (time.monotonic() - self._began) / (step - self._since)  # seconds a step
        batch, left = self._recipe.data.batch, self._recipe.steps - step
        loss = self._lesson.last["loss"]
        self._watch(Progress(step, self._recipe.steps, loss, batch / each, each * left, self._score))

    def close(self) -> None:
        """Close the curves, whatever ended the run."""
        for name in ("_scores", "_losses", "_board"):
            opened = getattr(self, name, None)
            if opened is not None:
                opened.close()
