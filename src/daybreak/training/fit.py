"""A training run: starts or goes on, and ends with a checkpoint and a report."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import lightning as L
import torch
from filelock import FileLock, Timeout
from lightning.pytorch.utilities import rank_zero_only

from daybreak.errors import OutputExists, TrainingError
from daybreak.losses.perceptual import Features
from daybreak.networks.base import Batch
from daybreak.training import checkpoint as checkpoints
from daybreak.training.keeper import Keeper
from daybreak.training.lesson import Lesson
from daybreak.training.machine import keep_memory, precision
from daybreak.training.material import Material
from daybreak.training.recipe import Recipe
from daybreak.training.report import Progress, Report, write_run
from daybreak.training.sampler import Sampler
from daybreak.training.stop import Stop


class _Batches:
    """The training data as Lightning wants it: an iterable, which begins at the step the run is at."""

    def __init__(self, material: Material, lesson: Lesson) -> None:
        self._material = material
        self._lesson = lesson

    def __iter__(self) -> Iterator[Batch]:
        lesson, trainer = self._lesson, self._lesson.trainer
        told = lesson.recipe
        sampler = Sampler(self._material, told.data, told.sampling, told.seed, lesson.device)
        return sampler.since(lesson.done, trainer.global_rank, trainer.world_size)


def fit(
    recipe: Recipe,
    material: Material,
    out: Path,
    *,
    resume: bool = False,
    stop: Stop | None = None,
    features: Features | None = None,
    devices: int = 1,
    nodes: int = 1,
    watch: Callable[[Progress], None] = lambda _: None,
) -> Report:
    """Train a network.

    Args:
        recipe: what and how.
        material: what to learn from, and to choose the best checkpoint by.
        out: the run's folder; made where it is not there.
        resume: go on from the folder's last checkpoint where there is one.
        stop: ends the run early; its time counts from when it was made.
        features: extractor of a perceptual loss.
        devices: processes on this machine, a GPU each where there are any; they share every batch out.
        nodes: machines, each with as many.
        watch: told after every step.

    Raises:
        TrainingError: too few or too small pictures, a loss that is not finite (with the step and the last
            good checkpoint), a checkpoint of another recipe, or one that cannot be written or read; a batch
            that the processes cannot share evenly.
        OutputExists: the folder holds a run already and `resume` is False, or another run is at work in it.
        KeyboardInterrupt: Ctrl-C for the second time.
    """
    began = time.monotonic()
    if recipe.data.batch % (devices * nodes):
        raise TrainingError(
            f"a batch of {recipe.data.batch} for {devices * nodes} processes", "one they can share evenly"
        )
    Sampler(material, recipe.data, recipe.sampling, recipe.seed)  # complains before anything is written
    last = out / checkpoints.LAST
    first = (
        int(getattr(rank_zero_only, "rank", 0) or 0) == 0
    )  # of the processes that Lightning or torchrun starts
    if last.exists() and not resume and first:
        raise OutputExists(
            f"{out} holds a run already", hint="Go on with --resume auto, or give another --out"
        )
    out.mkdir(parents=True, exist_ok=True)
    with _alone(out) if first else nullcontext():
        if last.exists():
            checkpoints.check_same(recipe, checkpoints.load(last), last)
        if first:
            write_run(out, recipe, material)
        keep_memory()
        lesson = Lesson(recipe, features, {"data": material.told, "terms": material.terms})
        keeper = Keeper(lesson, out, material.pairs, stop or Stop(), watch)
        with _quiet(), keeper.stop.on_interrupt():
            _run(recipe, lesson, keeper, _Batches(material, lesson), last, (devices, nodes))
        report = Report(
            ended=keeper.ended,
            step=lesson.done,
            seconds=time.monotonic() - began,
            checkpoint=last,
            best=out / checkpoints.BEST if lesson.best else None,
            best_step=lesson.best[0] if lesson.best else None,
            best_score=lesson.best[1] if lesson.best else None,
        )
        if first:
            write_run(out, recipe, material, report)
    return report


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Hold the run's folder; the lock goes with the process, however it ends."""
    lock = FileLock(out / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise OutputExists(
            f"another run is at work in {out}", hint="Wait for it to end, or give another --out"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _run(
    recipe: Recipe, lesson: Lesson, keeper: Keeper, batches: _Batches, last: Path, size: tuple[int, int]
) -> None:
    trainer = L.Trainer(
        accelerator="auto",
        devices=size[0],
        num_nodes=size[1],
        # phases freeze each other's parameters, so each backward pass reaches only some of them
        strategy="ddp_find_unused_parameters_true" if size != (1, 1) else "auto",
        sync_batchnorm=size != (1, 1) and torch.cuda.is_available(),
        precision="bf16-mixed" if precision(recipe.precision) == "bf16" else "32-true",
        max_steps=recipe.steps * len(lesson.phases),
        max_epochs=-1,
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
