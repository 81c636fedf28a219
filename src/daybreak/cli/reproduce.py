"""`daybreak reproduce`: the tables and figures of the five papers beside ours."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from daybreak.cli.console import DONE, SOME_FAILED, complain
from daybreak.cli.progress import progress
from daybreak.evaluation.documents import around, write_between
from daybreak.evaluation.published import pick_papers
from daybreak.evaluation.reproduce import conclude, plan
from daybreak.evaluation.reproduced import as_markdown, as_text
from daybreak.files import make_folder
from daybreak.text import printable


def reproduce(
    papers: Annotated[
        list[str] | None, typer.Argument(help="paper0 to paper4; all where none is named.")
    ] = None,
    root: Annotated[
        Path,
        typer.Option("--root", help="A folder with the data sets that you have.", envvar="DAYBREAK_DATA"),
    ] = Path(),
    figures: Annotated[
        Path | None, typer.Option("--figures", help="A folder for the papers' figures as PNG.")
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(
            "--write", help="A new Markdown page, or one with <!-- reproduce --> and <!-- /reproduce -->."
        ),
    ] = None,
) -> int:
    """Run every published row that can be run with what is on the disk, and say what the others need."""
    chosen = pick_papers(papers or [])
    if write:
        around(write, "reproduce")  # what cannot be written is known before the work, not after it
        make_folder(write.parent)
    if figures:
        make_folder(figures)
    jobs = plan(chosen)
    for job in jobs:
        run = job.start(root)
        if run is not None:
            for _ in progress(run, len(run)) if sys.stderr.isatty() else run:
                pass
            job.finish(run)
    problems = dict.fromkeys(f"{job.data}: {problem}" for job in jobs for problem in job.problems)
    for problem in problems:
        complain(problem)
    found = conclude(chosen, jobs)
    for line in as_text(chosen, found):
        print(printable(line))
    if write:
        write_between(write, "reproduce", "\n".join(as_markdown(chosen, found)))
    if figures:
        from daybreak.evaluation.plates import draw_figures

        for line in draw_figures(chosen, root, figures):
            print(printable(line))
    return SOME_FAILED if problems else DONE
