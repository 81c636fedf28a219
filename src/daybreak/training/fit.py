"""A training run: starts or goes on, and ends with a checkpoint and a report."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import lightning as L
import torch

from daybreak.errors import OutputExists, TrainingError
from daybreak.files import make_folder
from daybreak.losses.perceptual import Features
from daybreak.networks.base import Batch
from daybreak.training import checkpoint as checkpoints
from daybreak.training.finish import SHEET, draw_sheet, validate
from daybreak.training.keeper import Keeper
from daybreak.training.lesson import Lesson, begun_from, check_crop
from daybreak.training.machine import keep_memory, precision
from daybreak.training.material import Material
from daybreak.training.processes import Crew, alone
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
    crew: Crew | None = None,
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
        crew: the processes that share every batch out, a GPU each where there are any; None for this one.
        watch: told after every step, in the first process.

    Raises:
        TrainingError: too few or too small pictures, crops that the network cannot take, a loss that is not
            finite (with the step and the last good checkpoint), a checkpoint of another recipe or version
            or of other pictures, or one that cannot be written or read; a batch that the processes cannot
            share evenly.
        OutputExists: the folder holds a run already and `resume` is False, or another run is at work in it.
        UnwritablePicture: the folder or a file in it other than a checkpoint cannot be written.
        KeyboardInterrupt: Ctrl-C for the second time.
    """
    began, crew = time.monotonic(), crew or Crew()
    crew.check(recipe.data.batch)
    Sampler(material, recipe.data, recipe.sampling, recipe.seed)  # complains before anything is written
    check_crop(recipe)
    first, last = crew.first(), out / checkpoints.LAST
    make_folder(out)
    with alone(out) if first else nullcontext():
        if first and last.exists() and not resume:
            raise OutputExists(
                f"{out} holds a run already", hint="Go on with --resume auto, or give another --out"
            )
        cards = [weight.card for weight in begun_from(recipe).values()]  # what they have seen, it has seen
        about = {
            "data": "; before that ".join(dict.fromkeys([material.told, *(c.training_data for c in cards)])),
            "terms": "; ".join(dict.fromkeys([material.terms, *(c.training_terms for c in cards)])),
            "pictures": material.digest,
        }
        about["perceptual"] = "vgg16" if features else ""
        lesson = Lesson(recipe, features, about)
        if last.exists():
            checkpoints.check(lesson, checkpoints.load(last), last)
        if first:
            write_run(out, recipe, material, crew.size)
        keep_memory()
        keeper = Keeper(lesson, out, material.pairs, stop or Stop(), watch)
        with _quiet(), keeper.stop.on_interrupt():
            _run(lesson, keeper, _Batches(material, lesson), last, crew)
        best = lesson.best or (None, None)
        report = Report(
            ended=keeper.ended,
            step=lesson.done,
            seconds=time.monotonic() - began,
            checkpoint=last,
            best=out / checkpoints.BEST if lesson.best else None,
            best_step=best[0],
            best_score=best[1],
        )
        if first:
            if report.ended == "finished":
                report = _finished(report, out, lesson, material)
            write_run(out, recipe, material, crew.size, report)
    return report


def _finished(report: Report, out: Path, lesson: Lesson, material: Material) -> Report:
    """Score the last and the best checkpoint on all validation pairs, and draw samples of the best."""
    shown, rows = lesson.shown, []
    if material.pairs:
        rows.append(validate(shown, material.pairs, report.checkpoint.name, report.step))
    if report.best and report.best_step != report.step:
        shown = checkpoints.network_of(checkpoints.load(report.best), report.best).to(lesson.device)
        rows.append(validate(shown, material.pairs, report.best.name, report.best_step or 0))
    draw_sheet(shown, material, out / SHEET)
    return replace(report, rows=tuple(rows), sheet=out / SHEET)


def _run(lesson: Lesson, keeper: Keeper, batches: _Batches, last: Path, crew: Crew) -> None:
    recipe, several = lesson.recipe, crew.size > 1
    trainer = L.Trainer(
        accelerator="auto",
        devices=crew.devices,
        num_nodes=crew.nodes,
        # phases freeze each other's parameters, so each backward pass reaches only some of them
        strategy="ddp_find_unused_parameters_true" if several else "auto",
        sync_batchnorm=several and torch.cuda.is_available(),  # torch has it for GPUs alone
        precision="bf16-mixed" if precision(recipe.precision) == "bf16" else "32-true",
        max_steps=recipe.steps * len(lesson.phases),
        max_epochs=-1,
        callbacks=[keeper],
        plugins=[checkpoints.WholeFiles()],
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
    loggers = [logging.getLogger(f"lightning.{part}") for part in ("pytorch", "fabric")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
