"""`daybreak train`: a network from a recipe; stops when told, and goes on where it stopped."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from daybreak.cli.console import DONE, INTERRUPTED, complain
from daybreak.cli.options import parse_sets
from daybreak.errors import BadSetting, MissingExtra

if TYPE_CHECKING:
    from daybreak.training.report import Progress, Report

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}


def train(
    recipe: Annotated[str, typer.Argument(help="Of the package (cascade.lol), or a .toml file.")],
    out: Annotated[Path, typer.Option("--out", help="The run's folder.", show_default=False)],
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
    try:
        from daybreak.training import fit as training
        from daybreak.training.lesson import features_of
        from daybreak.training.material import gather
        from daybreak.training.recipe import implied, load_recipe
        from daybreak.training.stop import Stop
    except ImportError:
        raise MissingExtra("daybreak train", "train") from None
    stop = Stop(seconds)
    given = {"seed": seed, "precision": precision}
    changes = {key: str(value) for key, value in given.items() if value is not None}
    changes = implied(len(data or ()), bool(normal)) | parse_sets(sets or []) | changes
    chosen = load_recipe(recipe, changes)
    with _shown(chosen.steps) as watch:
        material = gather(
            chosen.data.source,
            data or (),
            normal or (),
            references=chosen.sampling != "low" or chosen.data.darken_highs,
            score_pairs=chosen.score_pairs,
        )
        report = training.fit(
            chosen,
            material,
            out,
            resume=resume == "auto",
            stop=stop,
            features=features_of(chosen),
            devices=devices,
            nodes=nodes,
            watch=watch,
        )
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
    """How a run ended, in a sentence or two."""
    ended = {
        "finished": "trained all",
        "time": "time is up after",
        "interrupted": "stopped after",
    }[report.ended]
    text = f"{ended} {report.step} steps; checkpoint {report.checkpoint}"
    if report.best:
        text += f"; best {report.best_score:.2f} dB at step {report.best_step}: {report.best}"
    return text if report.ended == "finished" else text + ". Go on with --resume auto"


@contextmanager
def _shown(steps: int) -> Iterator[Callable[[Progress], None]]:
    """A bar at a terminal, a line per scoring elsewhere; warnings as one line each."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(lightning|torch|tensorboard|google)\b")
        warnings.showwarning = lambda message, *_: complain(str(message))
        if not sys.stderr.isatty():
            yield _lines()
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        text = TextColumn("{task.description}")
        with Bar(
            BarColumn(), MofNCompleteColumn(), text, TimeRemainingColumn(), console=Console(stderr=True)
        ) as bar:
            task: Any = bar.add_task("", total=steps)
            yield lambda now: bar.update(task, completed=now.step, description=_values(now))


def _values(now: Progress) -> str:
    score = "" if now.score is None else f", {now.score:.2f} dB"
    return f"loss {now.loss:.4g}, {now.rate:.1f} pictures/s{score}"


def _lines() -> Callable[[Progress], None]:
    told: list[float | None] = [None]

    def show(now: Progress) -> None:
        if now.score != told[0]:
            told[0] = now.score
            print(f"step {now.step} of {now.steps}: {_values(now)}", file=sys.stderr)

    return show
