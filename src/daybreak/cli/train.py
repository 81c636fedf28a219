"""`daybreak train`: a network from a recipe; stops when told, and goes on where it stopped."""

from __future__ import annotations

import os
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from daybreak.cli.console import DONE, INTERRUPTED, SOME_FAILED, complain
from daybreak.cli.options import parse_sets
from daybreak.errors import BadSetting, DaybreakError, MissingExtra
from daybreak.text import counted

if TYPE_CHECKING:
    from daybreak.training.report import Progress, Report

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}


def train(
    recipe: Annotated[str, typer.Argument(help="Of the package (cascade.lol), or a .toml file.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="The run's folder; runs/NETWORK.TAG without.")
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            "--data",
            help="The data set, a pack of it, or a folder of pairs; twice: dark pictures, then normal ones.",
            show_default=False,
        ),
    ] = None,
    normal: Annotated[
        list[Path] | None,
        typer.Option("--from-normal", help="Photos whose dark side is made; alone or beside --data."),
    ] = None,
    max_time: Annotated[
        str | None, typer.Option("--max-time", help="End with a checkpoint after, say, 9m or 1h30m.")
    ] = None,
    resume: Annotated[
        Literal["auto"] | None, typer.Option("--resume", help="Go on from the folder's last checkpoint.")
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A key of the recipe (optimiser.lr); may repeat."),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Instead of the recipe's.")] = None,
    precision: Annotated[
        Literal["auto", "fp32", "bf16"] | None, typer.Option("--precision", help="Instead of the recipe's.")
    ] = None,
    devices: Annotated[int, typer.Option("--devices", min=1, help="Processes that share each batch.")] = 1,
    nodes: Annotated[int, typer.Option("--nodes", min=1, help="Machines, each with as many.")] = 1,
) -> int:
    """Train a network from a recipe. Ctrl-C ends with a checkpoint; --resume auto goes on from it."""
    seconds = parse_duration(max_time) if max_time else None
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # its processes warn of what costs nothing here
    try:
        from daybreak.training import fit as training
        from daybreak.training.lesson import features_of
        from daybreak.training.material import gather
        from daybreak.training.processes import Crew
        from daybreak.training.recipe import implied, load_recipe
        from daybreak.training.stop import Stop
    except ImportError:
        raise MissingExtra("daybreak train", "train") from None
    stop, crew = Stop(seconds), Crew(devices, nodes)
    given = {"seed": seed, "precision": precision}
    typed = parse_sets(sets or []) | {key: str(value) for key, value in given.items() if value is not None}
    try:
        chosen = load_recipe(recipe, typed)
        chosen = load_recipe(recipe, implied(chosen, len(data or ()), bool(normal)) | typed)
        references = chosen.sampling != "low" or chosen.data.darken_highs
        with _shown(chosen.steps, crew.first()) as watch:
            report = training.fit(
                chosen,
                gather(
                    chosen.data.source,
                    data or (),
                    normal or (),
                    references=references,
                    sensor=chosen.data.sensor > 0,
                ),
                out or Path("runs") / chosen.name,
                resume=resume == "auto",
                stop=stop,
                features=features_of(chosen),
                crew=crew,
                watch=watch,
            )
    except DaybreakError:
        if crew.leads():
            raise
        return SOME_FAILED  # the first process of this machine says the same
    if crew.first():
        print(tell(report), file=sys.stderr)
    return INTERRUPTED if report.ended == "interrupted" else DONE


def parse_duration(text: str) -> float:
    """Seconds in a text such as 90s, 9m or 1h30m.

    Raises:
        BadSetting: anything else.

    >>> parse_duration("1h30m")
    5400.0
    """
    if not re.fullmatch(r"(\d+(\.\d+)?[hms])+", text):
        raise BadSetting(f"--max-time {text}", "a duration such as 90s, 9m or 1h30m")
    return sum(float(n) * _UNITS[unit] for n, unit in re.findall(r"([\d.]+)([hms])", text))


def tell(report: Report) -> str:
    """How a run ended: a sentence or two, then the validation table and where the samples lie."""
    ended = {
        "finished": "trained all",
        "time": "time is up after",
        "interrupted": "stopped after",
    }[report.ended]
    text = f"{ended} {report.step} steps; checkpoint {report.checkpoint}"
    if report.best:
        text += f"; best {report.best_score:.2f} dB at step {report.best_step}: {report.best}"
    if report.ended != "finished":
        return text + ". Go on with --resume auto"
    lines = [text]
    if report.rows:
        head = f"validation, {counted(report.rows[0].pairs, 'pair')}"
        lines.append(f"{head:24}   PSNR   SSIM   GT-mean: PSNR   SSIM")
        lines += [
            f"{f'{row.checkpoint}, step {row.step}':24} {row.psnr:6.2f} {_part(row.ssim)}"
            f"          {row.psnr_gt_mean:6.2f} {_part(row.ssim_gt_mean)}"
            for row in report.rows
        ]
    return "\n".join([*lines, f"samples {report.sheet}"])


def _part(value: float | None) -> str:
    return "     -" if value is None else f"{value:6.4f}"


@contextmanager
def _shown(steps: int, first: bool) -> Iterator[Callable[[Progress], None]]:
    """A bar at a terminal, lines elsewhere, of the first process; warnings as one line each."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(lightning|torch|tensorboard|google)\b")
        warnings.showwarning = lambda message, *_: complain(str(message)) if first else None
        if not (first and sys.stderr.isatty()):
            yield _lines()
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar

        text = TextColumn("{task.description}")
        with Bar(BarColumn(), MofNCompleteColumn(), text, console=Console(stderr=True)) as bar:
            task: Any = bar.add_task("", total=steps)
            yield lambda now: bar.update(task, completed=now.step, description=values(now))


def values(now: Progress) -> str:
    """Loss, rate, time left and, where there is one, the last score."""
    hours, seconds = divmod(round(now.seconds_left), 3600)
    left = f"{hours}:{seconds // 60:02}:{seconds % 60:02} left"
    score = "" if now.score is None else f", {now.score:.2f} dB"
    return f"loss {now.loss:.4g}, {now.rate:.1f} images/s, {left}{score}"


def _lines(every: float = 60.0) -> Callable[[Progress], None]:
    """A line per scoring, and one whenever so many seconds went by without."""
    told: list[float | None] = [None]
    when = [time.monotonic()]

    def show(now: Progress) -> None:
        if now.score != told[0] or time.monotonic() - when[0] >= every:
            told[0], when[0] = now.score, time.monotonic()
            print(f"step {now.step} of {now.steps}: {values(now)}", file=sys.stderr, flush=True)

    return show
