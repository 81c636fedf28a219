"""A training run: starts or goes on, and ends with a checkpoint and a report."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import lightning as L

from daybreak.errors import OutputExists, TrainingError
from daybreak.losses.perceptual import Features
from daybreak.training import checkpoint as checkpoints
from daybreak.training.crops import Bytes, Crops
from daybreak.training.keeper import Keeper
from daybreak.training.lesson import Lesson
from daybreak.training.pictures import digest
from daybreak.training.recipe import Recipe
from daybreak.training.report import Progress, Report, write_run
from daybreak.training.stop import Stop


class _Batches:
    """The training data as Lightning wants it: an iterable, which begins at the step the run is at."""

    def __init__(self, crops: Crops, lesson: Lesson) -> None:
        self._crops = crops
        self._lesson = lesson

    def __iter__(self) -> Iterator[Bytes]:
        return self._crops.since(self._lesson.global_step)


def fit(
    recipe: Recipe,
    pictures: Mapping[str, Bytes],
    out: Path,
    *,
    pairs: Sequence[tuple[Bytes, Bytes]] = (),
    resume: bool = False,
    stop: Stop | None = None,
    features: Features | None = None,
    watch: Callable[[Progress], None] = lambda _: None,
) -> Report:
    """Train a network.

    Args:
        recipe: what and how.
        pictures: name -> H×W×3 uint8 to train on.
        out: the run's folder; made where it is not there.
        pairs: low and high of H×W×3 uint8 to choose the best checkpoint by; never trained on.
        resume: go on from the folder's last checkpoint where there is one.
        stop: ends the run early; its time counts from when it was made.
        features: extractor of a perceptual loss.
        watch: told after every step.

    Raises:
        TrainingError: too few or too small pictures, a loss that is not finite (with the step and the last
            good checkpoint), a checkpoint of another recipe, or one that cannot be written or read.
        OutputExists: the folder holds a run already and `resume` is False.
        KeyboardInterrupt: Ctrl-C for the second time.
    """
    began = time.monotonic()
    crops = Crops(pictures, recipe.data.crop, recipe.data.batch, recipe.seed)
    last = out / checkpoints.LAST
    if last.exists() and not resume:
        raise OutputExists(
            f"{out} holds a run already", hint="Go on with --resume auto, or give another --out"
        )
    if last.exists():
        checkpoints.check_same(recipe, checkpoints.load(last), last)
    out.mkdir(parents=True, exist_ok=True)
    data_sha256 = digest(pictures)
    write_run(out, recipe, len(pictures), data_sha256)
    lesson = Lesson(recipe, features)
    stop = stop or Stop()
    keeper = Keeper(lesson, out, pairs, stop, watch)
    with _quiet(), stop.on_interrupt():
        _run(recipe, lesson, keeper, _Batches(crops, lesson), last)
    report = Report(
        ended=keeper.ended,
        step=lesson.trainer.global_step,
        seconds=time.monotonic() - began,
        checkpoint=last,
        best=out / checkpoints.BEST if lesson.best else None,
        best_step=lesson.best[0] if lesson.best else None,
        best_score=lesson.best[1] if lesson.best else None,
    )
    write_run(out, recipe, len(pictures), data_sha256, report)
    return report


def _run(recipe: Recipe, lesson: Lesson, keeper: Keeper, batches: _Batches, last: Path) -> None:
    trainer = L.Trainer(
        accelerator="auto",
        devices=1,
        precision="bf16-mixed" if recipe.precision == "bf16" else "32-true",
        max_steps=recipe.steps,
        max_epochs=-1,
        gradient_clip_val=recipe.optimiser.clip,
        callbacks=[keeper],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    try:
        trainer.fit(lesson, batches, ckpt_path=last if last.exists() else None, weights_only=True)
    except TrainingError as error:
        good = f"The last good checkpoint is {last}, of step {keeper.saved}" if keeper.saved else ""
        raise TrainingError(error.came, error.expected, error.hint or good) from None
    except SystemExit:  # what Lightning makes of a second Ctrl-C
        raise KeyboardInterrupt from None
    finally:
        keeper.close()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning's own notes off the terminal; its warnings still come through."""
    logger = logging.getLogger("lightning.pytorch")
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)
