"""`daybreak export`: a checkpoint becomes a weight."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from daybreak.cli.console import DONE
from daybreak.errors import BadSetting, MissingExtra
from daybreak.weights.store import FOLDER, list_weights, own_folder


def export(
    checkpoint: Annotated[Path, typer.Argument(help="best.ckpt or last.ckpt of a run.", show_default=False)],
    name: Annotated[str, typer.Argument(help="NETWORK.TAG of the weight.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder for the three files; without it the one where `-m NAME` finds them.",
            show_default=False,
        ),
    ] = None,
    root: Annotated[
        Path | None, typer.Option("--root", help="Where the data sets to score on lie.", show_default=False)
    ] = None,
    scores: Annotated[
        list[str] | None,
        typer.Option(
            "--score",
            metavar="DATASET[:SPLIT]",
            help="Score on it for the card; may repeat. The first also decides on half precision.",
        ),
    ] = None,
    notes: Annotated[str, typer.Option("--notes", help="For the card.")] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a weight of that name.")] = False,
) -> int:
    """Write a weight's safetensors, ONNX graph and card, proved equal to the checkpoint."""
    if out is None and name in list_weights(FOLDER):
        raise BadSetting(f"{name}, the name of a weight that ships", f"{name.partition('.')[0]}.ANOTHER")
    folder = own_folder() if out is None else out
    try:
        from daybreak.training.export import export as make
        from daybreak.training.export import read_pairs
    except ImportError:
        raise MissingExtra("daybreak export", "train") from None
    if scores and root is None:
        raise typer.BadParameter("--score needs --root, the folder with the data sets")
    pairs = {text: read_pairs(text, root) for text in scores or [] if root is not None}
    card = make(checkpoint, name, folder, pairs=pairs, notes=notes, overwrite=overwrite)
    print(f"{card.name}: {card.parameters:,} parameters in {card.precision}, {folder / card.name}.toml")
    for score in card.scores:
        ssim = "" if score.ssim is None else f" / {score.ssim:.3f}"
        print(f"{score.dataset}: {score.psnr:.2f} dB{ssim} ({score.images} pictures, {score.protocol})")
    there = "" if out is None else f", with {out} as DAYBREAK_WEIGHTS in the environment"
    print(f"Try it: daybreak enhance PHOTO -m {name}{there}")
    return DONE
