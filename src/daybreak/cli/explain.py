"""`daybreak explain`: a network's hyper-parameters, where each is from, and its layers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from daybreak.cli.console import DONE
from daybreak.cli.methods import sheet
from daybreak.errors import MissingExtra, UnknownName
from daybreak.methods.registry import get_method, list_methods
from daybreak.text import printable


def explain(
    name: Annotated[
        str, typer.Argument(help="A network, or NETWORK.TAG of a recipe or weight.", show_default=False)
    ],
    write: Annotated[
        Path | None,
        typer.Option(
            "--write",
            metavar="FOLDER",
            help="Write NAME.md and NAME.svg; here NAME may be a pattern such as '*'.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Tell every hyper-parameter of a network with where it is from, and its layers.

    A method that was not trained is told as by `daybreak methods NAME`.
    """
    try:
        from daybreak.training import explain as explaining
    except ImportError:
        if name in list_methods() and write is None:
            typer.echo("\n".join(sheet(get_method(name).card)))
            return DONE
        raise MissingExtra("daybreak explain", "train") from None
    if write is not None:
        for path in explaining.write(name, write):
            print(printable(f"written: {path}"), file=sys.stderr)
        return DONE
    try:
        text = explaining.explain(name)
    except UnknownName as error:
        if name not in list_methods():
            known = dict.fromkeys([*error.known, *list_methods()])
            raise UnknownName("network or method", name, known) from None
        text = "\n".join(sheet(get_method(name).card))
    typer.echo(text.rstrip("\n"))
    return DONE
