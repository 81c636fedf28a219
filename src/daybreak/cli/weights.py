"""`daybreak weights`: the trained weights that ship and one's own, listed and verified."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import typer

from daybreak.cli.console import DONE, SOME_FAILED, complain
from daybreak.errors import WeightsError
from daybreak.text import printable
from daybreak.weights import Weight, find_weight, list_weights
from daybreak.weights.store import FOLDER, unreadable


def weights(
    action: Annotated[
        Literal["list", "verify"],
        typer.Argument(help="list them, or verify (hash) the files against their cards."),
    ] = "list",
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Which; all where none is named.", metavar="[NAME...]", show_default=False),
    ] = None,
) -> int:
    """List the trained weights, or verify that their files are what their cards say.

    Your own, which `daybreak export` makes, are kept in DAYBREAK_WEIGHTS.
    """
    chosen = [find_weight(name) for name in names or list_weights()]
    faults = [] if names else unreadable()
    for fault in faults:
        complain(str(fault))
    if action == "verify":
        return verify(chosen) or (SOME_FAILED if faults else DONE)
    typer.echo("\n".join(map(printable, table(chosen))))
    return SOME_FAILED if faults else DONE


def table(chosen: Sequence[Weight]) -> Iterator[str]:
    """Two lines for each weight: name, parameters and summary; what it was trained on."""
    wide = max((len(weight.card.name) for weight in chosen), default=0)
    for weight in chosen:
        card = weight.card
        yield f"{card.name:<{wide}}  {card.parameters:>10,}  {card.summary}"
        yield f"{'':<{wide}}  {'':>10}  {card.steps:,} steps on {card.training_data}"
        if weight.onnx.parent != FOLDER:
            yield f"{'':<{wide}}  {'':>10}  yours, in {weight.onnx.parent}"
    yield from ("", "More about one: daybreak explain NAME")


def verify(chosen: Sequence[Weight]) -> int:
    """Hash one after the other; a file that is not what its card says is told of and the rest is verified."""
    failed = False
    for weight in chosen:
        try:
            weight.verify()
        except WeightsError as error:
            complain(str(error))
            failed = True
        else:
            typer.echo(f"{weight.card.name}  as on its card")
    return SOME_FAILED if failed else DONE
