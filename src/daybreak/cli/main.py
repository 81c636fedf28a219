"""The command `daybreak`: what it can do. Each command's module is imported when it runs, not before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, cast

import typer
from typer.completion import get_completion_inspect_parameters, install_callback, show_callback
from typer.core import TyperGroup

from daybreak.cli.console import USAGE, run_command
from daybreak.cli.lazy import HELP_NAMES, LazyCommand
from daybreak.version import __version__

COMMANDS = {
    "enhance": ("daybreak.cli.enhance:enhance", "Brighten pictures, folders and globs of them."),
    "watch": ("daybreak.cli.watch:watch", "Brighten each picture that arrives in a folder."),
    "verify": ("daybreak.cli.verify:verify", "Make evidence again and compare it bit for bit."),
    "video": ("daybreak.cli.video:video", "Brighten a film, sound and subtitles kept."),
    "stream": ("daybreak.cli.stream:stream", "Brighten a live stream as it comes."),
    "compare": ("daybreak.cli.compare:compare", "Show one picture through several methods."),
    "methods": ("daybreak.cli.methods:methods", "List the methods, or tell all about one."),
    "doctor": ("daybreak.cli.doctor:doctor", "Whether every device here gives the right picture."),
    "explain": ("daybreak.cli.explain:explain", "A network's settings, their sources, its layers."),
    "weights": ("daybreak.cli.weights:weights", "List or verify the trained weights, yours too."),
    "assets": ("daybreak.cli.assets:assets", "Fetch files that are used and not shipped."),
    "niqe-fit": ("daybreak.cli.niqe_fit:niqe_fit", "Make a NIQE model of your own photographs."),
    "data": ("daybreak.cli.data:app", "List, check, split and pack data sets."),
    "evaluate": ("daybreak.cli.evaluate:evaluate", "Score methods on a data set."),
    "leaderboard": ("daybreak.cli.leaderboard:leaderboard", "One table from many results files."),
    "benchmark": ("daybreak.cli.benchmark:benchmark", "How fast methods are on this machine."),
    "reproduce": ("daybreak.cli.reproduce:reproduce", "The papers' tables and figures beside ours."),
    "train": ("daybreak.cli.train:train", "Train a network from a recipe."),
    "serve": ("daybreak.cli.serve:serve", "The web page and the HTTP API."),
    "export": ("daybreak.cli.export:export", "Make a weight of a checkpoint."),
}

Shell = Literal["bash", "zsh", "fish", "powershell", "pwsh"]

app = typer.Typer(rich_markup_mode=None, context_settings=HELP_NAMES, add_completion=False)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
    install_completion: Annotated[  # noqa: ARG001 - Typer's own takes the shell that called, and fails without
        Shell | None,
        typer.Option(
            "--install-completion", callback=install_callback, help="Have this shell complete what is typed."
        ),
    ] = None,
    show_completion: Annotated[  # noqa: ARG001
        Shell | None,
        typer.Option("--show-completion", callback=show_callback, help="Print what makes this shell do so."),
    ] = None,
) -> None:
    """Turn dark pictures into clear ones. To begin: daybreak enhance night.jpg"""
    if version:
        typer.echo(f"daybreak {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(USAGE)


def run(args: Sequence[str] | None = None) -> int:
    """Run the command line and give back its exit code (0 done, 1 some failed, 2 usage, 130 interrupted)."""
    get_completion_inspect_parameters()  # has what completes in each shell registered
    group = cast(TyperGroup, typer.main.get_command(app))
    for name, (target, summary) in COMMANDS.items():
        group.add_command(LazyCommand(name, target, summary))
    return run_command(group, args)
