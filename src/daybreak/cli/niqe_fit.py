"""`daybreak niqe-fit`: a pristine model for NIQE from one's own sharp photographs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from daybreak.cli.console import DONE, SOME_FAILED, complain
from daybreak.cli.progress import progress
from daybreak.errors import BadSetting, DaybreakError, OutputExists
from daybreak.files import make_folder
from daybreak.image.depth import to_levels
from daybreak.image.formats import is_picture_name
from daybreak.image.read import read_photo
from daybreak.metrics.niqe_fit import fit_pristine, save_pristine
from daybreak.text import printable
from daybreak.types import Array


def niqe_fit(
    folder: Annotated[Path, typer.Argument(help="Of sharp, undistorted photographs.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The model. [default: the folder's name with .npz, here]"),
    ] = None,
    recursive: Annotated[bool, typer.Option("-r", "--recursive", help="The folders below it too.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an older model.")] = False,
) -> int:
    """Make a NIQE model of your own sharp photographs; its name then stands beside each score."""
    pictures = find_pictures(folder, recursive)
    target = output or Path(f"{folder.resolve().name}.npz")
    if target.suffix != ".npz":
        raise BadSetting(f"-o {str(target)!r}", "a name that ends in .npz")
    if target.exists() and not overwrite:
        raise OutputExists(f"{str(target)!r} is there already", hint="Type --overwrite to replace it")
    make_folder(target.parent)  # what cannot be written is known before the work, not after it
    failed: list[Path] = []
    model = fit_pristine(read(pictures, failed), target.stem)
    save_pristine(model, target, overwrite=overwrite)
    done = f"{len(pictures) - len(failed)} of {len(pictures)} photographs"
    print(printable(f"{folder} -> {target}: the model {model.name!r} of {done}"), file=sys.stderr)
    return SOME_FAILED if failed else DONE


def find_pictures(folder: Path, recursive: bool) -> list[Path]:
    """The pictures in a folder by their suffix, sorted.

    Raises:
        BadSetting: no such folder, or no picture in it.
    """
    if not folder.is_dir():
        raise BadSetting(f"{str(folder)!r} is no folder", "a folder of photographs")
    below = folder.rglob("*") if recursive else folder.iterdir()
    found = sorted(path for path in below if is_picture_name(path) and path.is_file())
    if not found:
        hint = "" if recursive else "Type -r to look in the folders below it"
        raise BadSetting(f"{str(folder)!r} holds no picture", "photographs", hint)
    return found


def read(pictures: list[Path], failed: list[Path]) -> Iterator[Array]:
    """H×W×3 uint8 of each that can be read; the others are told of and added to `failed`."""
    for path in progress(pictures, len(pictures)) if sys.stderr.isatty() else pictures:
        try:
            yield to_levels(read_photo(path).pixels, 8)
        except DaybreakError as error:
            complain(str(error))
            failed.append(path)
