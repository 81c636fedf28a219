"""`daybreak data`: what data sets there are, how to get them, and checking, dividing and packing them."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from daybreak.cli.console import DONE, SOME_FAILED, USAGE, complain
from daybreak.cli.data_text import card_sheet, card_table, check_lines
from daybreak.cli.lazy import HELP_NAMES
from daybreak.cli.progress import progress
from daybreak.errors import BadSetting, UnknownName
from daybreak.files import make_folder, write_whole
from daybreak.text import printable

T = TypeVar("T")
Root = Annotated[Path, typer.Argument(metavar="ROOT", help="A folder.", show_default=False)]

app = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=HELP_NAMES)


@app.callback(invoke_without_command=True)
def _data(context: typer.Context) -> None:
    """List, check, split and pack data sets. Nothing is downloaded: `where` tells how to get a set."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(USAGE)


@app.command("list")
def list_(
    pattern: Annotated[
        str, typer.Argument(help="A pattern such as 'lol*' for a shorter list.", show_default=False)
    ] = "*",
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list of cards.")] = False,
) -> int:
    """List the data sets that can be read."""
    import dataclasses

    from daybreak.data.registry import get_dataset, list_datasets

    names = list_datasets(pattern)
    if not names:
        raise UnknownName("data set", pattern, list_datasets())
    cards = [get_dataset(name).card for name in names]
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(card) for card in cards], indent=2, ensure_ascii=False))
    else:
        typer.echo("\n".join(card_table(cards)))
    return DONE


@app.command()
def where(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A data set's name.", show_default=False)],
) -> int:
    """Tell how to get a data set, and all else about it."""
    from daybreak.data.registry import get_dataset

    typer.echo(printable_lines(card_sheet(get_dataset(name).card)))
    return DONE


@app.command()
def check(
    root: Root,
    against: Annotated[
        Path | None,
        typer.Option(help="Another folder: find the scenes that the two share.", show_default=False),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Read ROOT as this data set. Else every (pair of) folder(s).", show_default=False),
    ] = None,
    to_json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all of it.", show_default=False)
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page with pictures.", show_default=False),
    ] = None,
) -> int:
    """Open every picture and look for what is wrong.

    That is: pictures without a partner or of another size, misaligned pairs, equal pictures, and scenes that
    are in two parts. Exit code 1 where a picture cannot be used; misaligned pairs and shared
    scenes are for you to judge.
    """
    from daybreak.data.check import check as run_check
    from daybreak.data.check_report import MARK, as_json
    from daybreak.data.registry import get_dataset
    from daybreak.documents import check_document
    from daybreak.enhancing.page import check_page_path

    if html:  # what cannot be written is known before the work, not after it
        check_page_path(html, "--html")
    if to_json:
        check_document(to_json, (".json",), MARK, "--json")
    report = run_check(root, against, get_dataset(name) if name else None, watched)
    typer.echo(printable_lines(check_lines(report)))
    for fault in report.faults:
        complain(f"{fault.where}: {fault.why}")
    if to_json:
        write_whole(to_json, (json.dumps(as_json(report), indent=1) + "\n").encode("ascii"), overwrite=True)
    if html:
        from daybreak.evaluation.check_page import write_check_page

        write_check_page(report, html)
    return DONE if report.sound else SOME_FAILED


@app.command()
def split(
    root: Root,
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write.", show_default=False)],
    scenes: Annotated[
        bool,
        typer.Option("--scenes/--pictures", help="Keep scenes together, or draw single pictures."),
    ] = True,
    val: Annotated[float, typer.Option(help="Part of the pictures to validate on.")] = 0.1,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw.")] = 0,
    join: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIRST-LAST",
            help="Pictures that show one scene though they look different; may repeat.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Draw a validation part that shares no scene.

    Its names go into a text file; all other pictures are the training part.
    """
    from daybreak.data.drawing import draw
    from daybreak.data.splits import write_split

    if out.exists():
        raise BadSetting(f"{out} is there already", "a new file")
    make_folder(out.parent)
    drawn = draw(root, val, seed, by_scene=scenes, joined=join or (), watch=watched)
    typed = ["daybreak", "data", "split", root.resolve().name, "--scenes" if scenes else "--pictures"]
    typed += [
        "--val",
        f"{val:g}",
        "--seed",
        str(seed),
        *(word for text in join or () for word in ("--join", text)),
    ]
    told = f"{len(drawn.names)} of {drawn.of} pictures"
    told += f", {drawn.scenes} of {drawn.of_scenes} scenes" if scenes else ""
    write_split(
        out, drawn.names, f"Validation part: {told}; all others are the training part.\n{shlex.join(typed)}"
    )
    typer.echo(f"{told} into {printable(str(out))}")
    return DONE


@app.command()
def pack(
    name: Annotated[
        str, typer.Argument(metavar="NAME[:SPLIT]", help="Both training splits, or one.", show_default=False)
    ],
    root: Annotated[Path, typer.Option(help="Where the data set lies.", show_default=False)],
    out: Annotated[Path, typer.Option("-o", "--out", help="An empty folder.", show_default=False)],
    max_bytes: Annotated[str, typer.Option(metavar="SIZE", help="Of each shard, such as 60MB.")] = "60MB",
    shards: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many there may be: references become JPEG if they must. Else as many as it takes.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Pack a training set into a few checked files.

    The inputs keep every pixel; references too, as long as they fit.
    """
    from daybreak.data.packing import write_pack
    from daybreak.data.registry import parse_dataset

    dataset, chosen = parse_dataset(name)
    splits = [chosen] if name == f"{dataset.card.name}:{chosen}" else []
    report = write_pack(
        dataset, root, out, splits=splits, max_bytes=parse_size(max_bytes), shards=shards, watch=watched
    )
    for told in report.left_out:
        complain(told)
    for file, size in report.files.items():
        typer.echo(f"{printable(str(out / file))}  {size / 1e6:.1f} MB")
    typer.echo(f"{report.samples} samples, inputs lossless, references {report.references}")
    return SOME_FAILED if report.left_out else DONE


@app.command()
def unpack(
    packed: Annotated[Path, typer.Argument(metavar="PACK", help="A folder.", show_default=False)],
    out: Annotated[Path, typer.Option("-o", "--out", help="A folder.", show_default=False)],
) -> int:
    """Write the pictures of a pack as files, checked."""
    from daybreak.data.pack import unpack as run_unpack

    count = run_unpack(packed, out)
    typer.echo(f"{count} samples into {printable(str(out))}")
    return DONE


def watched(items: Iterable[T], total: int) -> Iterable[T]:
    """The items, with a bar at a terminal."""
    return progress(items, total) if sys.stderr.isatty() else items


def printable_lines(lines: Iterable[str]) -> str:
    """Lines for the terminal, whatever they hold."""
    return "\n".join(map(printable, lines))


def parse_size(text: str) -> int:
    """Bytes in a text such as 60MB, 64MiB or 1.5GB.

    Raises:
        BadSetting: anything else.

    >>> parse_size("60MB"), parse_size("64 MiB")
    (60000000, 67108864)
    """
    units = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "ki": 1024, "mi": 1024**2, "gi": 1024**3}
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmg]i?)?b?", text.strip().lower())
    if not found or not float(found[1]):
        raise BadSetting(f"a size of {text}", "a number with a unit, such as 60MB or 64MiB")
    return int(float(found[1]) * units[found[2] or ""])
