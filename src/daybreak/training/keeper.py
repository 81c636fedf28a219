"""What happens around a training step: curves, checkpoints, scoring, progress and the end of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import lightning as L

from daybreak.networks.base import Batch
from daybreak.training import checkpoint as checkpoints
from daybreak.training.board import Board
from daybreak.training.lesson import Lesson
from daybreak.training.pictures import Bytes, spread
from daybreak.training.report import Ended, Progress
from daybreak.training.scoring import mean_psnr
from daybreak.training.stop import Stop

_REASONS: tuple[Literal["time", "interrupted"], ...] = ("time", "interrupted")


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
        self._pairs = spread(pairs, lesson.recipe.score_pairs)
        self._out, self.stop, self._watch = out, stop, watch
        self._board: Board | None = None
        self._score: float | None = None
        self.saved: int | None = None
        self.ended: Ended = "finished"

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:  # noqa: ARG002
        """Open the curves where the run starts or goes on; of several processes, the first one writes."""
        self._since, self._began = self._lesson.done, time.monotonic()
        self.saved = self._since or None
        self.stop.listen()  # Lightning would end at SIGTERM without a checkpoint
        if trainer.is_global_zero:
            self._board = Board(self._out, self._since)

    def on_train_batch_end(self, trainer: L.Trainer, _: Any, __: Any, batch: Batch, ___: int) -> None:
        """Log, score, show, save and tell, each in its own rhythm; the last step does all."""
        step, told = self._lesson.done, self._recipe
        over = step == told.steps
        rate = told.data.batch * (step - self._since) / (time.monotonic() - self._began)  # pictures a second
        if self._board and (over or step % told.log_every == 0):
            lr = trainer.optimizers[0].param_groups[0]["lr"]
            self._board.add_losses(step, self._lesson.last, lr, rate)
        if self._pairs and (over or step % told.score_every == 0):
            self._rate(trainer, step)
        if self._board and told.panels_every and (over or step % told.panels_every == 0):
            self._board.add_panels(step, self._lesson, batch)
        reason = self._agreed(trainer)
        if over or reason or step % told.save_every == 0:
            checkpoints.save(trainer, self._out / checkpoints.LAST)
            self.saved = step
        if reason and not over:
            self.ended = reason
            trainer.should_stop = True
        if trainer.is_global_zero:
            left = (told.steps - step) * told.data.batch / rate
            loss = self._lesson.last["loss"]
            self._watch(Progress(step, told.steps, loss, rate, left, self._score))

    def _agreed(self, trainer: L.Trainer) -> Literal["time", "interrupted"] | None:
        """Why the run has to end now, in any of its processes."""
        reason = self.stop.reason()
        if trainer.world_size == 1:
            return reason
        for known in _REASONS:
            if trainer.strategy.reduce_boolean_decision(reason == known, all=False):
                return known
        return None

    def _rate(self, trainer: L.Trainer, step: int) -> None:
        score = 0.0
        if trainer.is_global_zero:
            score = mean_psnr(self._lesson.shown, self._pairs)
        self._score = float(trainer.strategy.broadcast(score))
        if self._board:
            self._board.add_score(step, self._score)
        if self._lesson.best is None or self._score > self._lesson.best[1]:
            self._lesson.best = (step, self._score)
            checkpoints.save(trainer, self._out / checkpoints.BEST)

    def close(self) -> None:
        """Close the curves, whatever ended the run."""
        if self._board:
            self._board.close()
