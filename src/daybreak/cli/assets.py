"""`daybreak assets`: files that are used and not shipped, listed, fetched and verified."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from daybreak import assets as store
from daybreak.cli.console import DONE, SOME_FAILED, complain
from daybreak.errors import AssetError, BadSetting
from daybreak.text import printable


def assets(
    action: Annotated[
        Literal["list", "fetch", "verify"],
        typer.Argument(help="list what there is, fetch it, or verify (hash) what was fetched."),
    ] = "list",
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Which; all where none is named.", metavar="[NAME...]", show_default=False),
    ] = None,
    from_folder: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FOLDER",
            help="fetch: copy from a folder of files under their published names; needs no network.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """List, fetch or verify the files that are used and not shipped. They are kept in DAYBREAK_CACHE."""
    chosen = [store.get_asset(name) for name in names or ()]
    if action == "fetch":
        return fetch(chosen or found_in(from_folder), from_folder)
    if from_folder is not None:
        raise BadSetting(f"--from with {action}", "--from with fetch")
    states = store.verify([asset.name for asset in chosen], quick=action == "list")
    typer.echo("\n".join(map(printable, table(states))))
    return SOME_FAILED if "damaged" in states.values() else DONE


def table(states: dict[str, store.State]) -> Iterator[str]:
    """Two lines for each asset: name, state, size and what it is for; licence."""
    wide = max(map(len, states))
    for name, state in states.items():
        asset = store.get_asset(name)
        yield f"{name:<{wide}}  {state:<7}  {megabytes(asset.size):>9}  {asset.summary}"
        yield f"{'':<{wide + 22}}{asset.licence}"
    yield from ("", f"Kept in {store.cache_folder()}")
    missing = [name for name, state in states.items() if state != "here"]
    if missing:
        yield f"To fetch them: daybreak assets fetch {' '.join(missing)}"


def megabytes(size: int) -> str:
    """A size in bytes as people read it.

    >>> megabytes(6009), megabytes(244_408_911)
    ('0.006 MB', '244 MB')
    """
    return f"{size / 1e6:.3f} MB" if size < 1e6 else f"{size / 1e6:.0f} MB"


def found_in(folder: Path | None) -> Sequence[store.Asset]:
    """Every asset, or those whose files a folder holds.

    Raises:
        BadSetting: the folder holds none.
    """
    if folder is None:
        return store.ASSETS
    found = [asset for asset in store.ASSETS if (folder / asset.file).is_file()]
    if not found:
        files = ", ".join(asset.file for asset in store.ASSETS)
        raise BadSetting(f"--from {str(folder)!r} holds none of the files", files)
    return found


def fetch(chosen: Sequence[store.Asset], folder: Path | None) -> int:
    """Fetch one after the other; one that fails is told of and the rest is fetched."""
    failed = False
    for asset in chosen:
        try:
            with _shown(asset) as watch:
                path = store.fetch(asset.name, folder, watch)
        except AssetError as error:
            complain(str(error))
            failed = True
        else:
            print(printable(f"{asset.name} -> {path}"), file=sys.stderr)
    return SOME_FAILED if failed else DONE


@contextmanager
def _shown(asset: store.Asset) -> Iterator[Callable[[int], None]]:
    """A bar for a download, at a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn(asset.name), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=asset.size)
        yield lambda arrived: bar.update(task, completed=arrived)
