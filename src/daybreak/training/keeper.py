"""What happens around a training step: curves, checkpoints, scoring, progress and the end of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import lightning as L

from daybreak.training import checkpoint as checkpoints
from daybreak.training.crops import Bytes
from daybreak.training.curve import Curve
from daybreak.training.lesson import Lesson
from daybreak.training.report import Ended, Progress
from daybreak.training.scoring import mean_psnr
from daybreak.training.stop import Stop


class Keeper(L.Callback):
    """Writes down how a run goes.

    Args:
        lesson: what learns.
        out: the run's folder.
        pairs: low and high of H×W×3 uint8 to score on; none means no scoring.
        stop: looked at after every step.
        watch: told after every step.

    Attributes:
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
        self._out, self._pairs, self._stop, self._watch = out, pairs, stop, watch
        self._score: float | None = None
        self.saved: int | None = None
        self.ended: Ended = "finished"

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:  # noqa: ARG002
        """Open the curves where the run starts or goes on."""
        from torch.utils.tensorboard import SummaryWriter

        self._since, self._began = trainer.global_step, time.monotonic()
        self.saved = self._since or None
        self._board = SummaryWriter(str(self._out / "tensorboard"), purge_step=self._since + 1)
        self._scores = Curve(self._out / "score.csv", ("psnr",), self._since, self._board)
        self._losses: Curve | None = None  # its columns are known after the first step

    def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        """Log, score, save and tell, each in its own rhythm; the last step does all."""
        step, told = trainer.global_step, self._recipe
        over = step == told.steps
        if over or step % told.log_every == 0:
            self._log(step)
        if self._pairs and (over or step % told.score_every == 0):
            self._rate(trainer, step)
        reason = self._stop.reason()
        if over or reason or step % told.save_every == 0:
            checkpoints.save(trainer, self._out / checkpoints.LAST)
            self.saved = step
        if reason and not over:
            self.ended = reason
            trainer.should_stop = True
        self._tell(step)

    def _log(self, step: int) -> None:
        values = self._lesson.last
        if self._losses is None:
            self._losses = Curve(self._out / "loss.csv", tuple(values), self._since, self._board)
        self._losses.add(step, **values)

    def _rate(self, trainer: L.Trainer, step: int) -> None:
        self._score = mean_psnr(self._lesson.network, self._pairs)
        self._scores.add(step, psnr=self._score)
        if self._lesson.best is None or self._score > self._lesson.best[1]:
            self._lesson.best = (step, self._score)
            checkpoints.save(trainer, self._out / checkpoints.BEST)

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
