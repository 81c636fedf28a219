"""`daybreak leaderboard`: one table from the results files of many runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from daybreak.cli.console import DONE, complain, terminal_width
from daybreak.errors import BadSetting, UnknownName
from daybreak.evaluation.leaderboard import merge
from daybreak.evaluation.results import read_results
from daybreak.evaluation.tables import footnotes, markdown_table, text_table
from daybreak.text import printable


def leaderboard(
    paths: Annotated[
        list[Path], typer.Argument(help="Files that evaluate --json wrote.", show_default=False)
    ],
    sort: Annotated[str, typer.Option("--sort", help="A metric.", show_default="the first column")] = "",
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot", help="A .png, .svg or .pdf: quality against speed and parameters, of one list."
        ),
    ] = None,
) -> int:
    """Join runs into one table for each list of pictures; protocols are never mixed in a column."""
    if plot:
        from daybreak.evaluation.plots import check_plot_path, plot_cost

        check_plot_path(plot)
    runs = {str(path): read_results(path) for path in dict.fromkeys(paths)}
    tables = merge(runs)
    known = list(dict.fromkeys(column.metric for table in tables for column in table.columns))
    if sort and sort not in known:
        raise UnknownName("metric in these results", sort, known)
    if plot and len(tables) > 1:
        titles = ", ".join(table.title for table in tables)
        raise BadSetting(f"--plot of {len(tables)} lists of pictures ({titles})", "results of one list")
    for table in tables:
        for problem in table.problems:  # of those runs, and no failure of this one
            complain(f"{table.title}: {problem}")
    for place, table in enumerate(tables):
        lines = [""] if place else []
        if markdown:
            lines += markdown_table(table, sort)
        else:
            lines += [*text_table(table, sort, terminal_width()), "", *footnotes(table)]
        for line in lines:
            print(printable(line))
    if plot:
        plot_cost(tables[0], plot, sort)
    return DONE
