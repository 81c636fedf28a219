"""Commands that are imported only when they run, so that `daybreak --help` need not wait for OpenCV."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand

from daybreak.cli.start import started

HELP_NAMES = {"help_option_names": ["-h", "--help"]}


class LazyCommand(TyperCommand):
    """A stand-in that knows a command's name and one line of help, and becomes the command when called.

    Args:
        name: as typed after `daybreak`.
        target: "package.module:name" of a function, whose signature is the command's and what it returns the
            exit code, or of a `typer.Typer` with several such functions as actions.
        summary: one line for the list of commands, at most 60 characters.
    """

    def __init__(self, name: str, target: str, summary: str) -> None:
        super().__init__(name, help=summary, rich_markup_mode=None)
        self.target = target

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Load the real command and let it parse; the context carries it, so that is what runs."""
        module, _, name = self.target.partition(":")
        app = getattr(import_module(module), name)
        started()
        if not isinstance(app, typer.Typer):
            function = app
            app = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=HELP_NAMES)
            app.command(self.name)(function)
        return typer.main.get_command(app).make_context(info_name, args, parent=parent, **extra)
