"""`daybreak evaluate`: score methods on a data set under a protocol that is printed with the numbers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from daybreak.cli.console import DONE, INTERRUPTED, SOME_FAILED, complain, terminal_width
from daybreak.cli.options import complete_methods
from daybreak.cli.progress import progress
from daybreak.enhancing.page import check_page_path
from daybreak.evaluation.lists import open_list
from daybreak.evaluation.models import load_models, metric_names, pristine_name
from daybreak.evaluation.protocol import Protocol
from daybreak.evaluation.report import write_report
from daybreak.evaluation.results import check_results_path, write_results
from daybreak.evaluation.run import Options, Run
from daybreak.evaluation.subjects import parse_subjects
from daybreak.evaluation.tables import footnotes, text_table
from daybreak.evaluation.verdicts import differences
from daybreak.files import make_folder
from daybreak.text import printable


def evaluate(
    methods: Annotated[
        list[str],
        typer.Option(
            "-m",
            "--methods",
            help="Names with commas between them; NAME:KEY=VALUE for a setting, input for the input itself, "
            "folder:DIR for another program's results. May repeat.",
            autocompletion=complete_methods,
            show_default=False,
        ),
    ],
    dataset: Annotated[str, typer.Option("-d", "--dataset", metavar="DATASET[:SPLIT]", show_default=False)],
    root: Annotated[Path, typer.Option("--root", help="Where the data set lies.", show_default=False)],
    metrics: Annotated[
        str,
        typer.Option(
            "--metrics", help="Names with commas, or all.", show_default="psnr,ssim,lpips-alex,niqe"
        ),
    ] = "",
    gt_mean: Annotated[
        Literal["both", "on", "off"],
        typer.Option("--gt-mean", help="Scale outputs to their references' mean, in columns of their own."),
    ] = "both",
    channel: Annotated[
        Literal["rgb", "gray", "y"] | None,
        typer.Option("--channel", help="What the metrics look at, where they have the choice."),
    ] = None,
    truncate: Annotated[
        bool, typer.Option("--truncate", help="Cut outputs down to 8 bits, as some repositories save.")
    ] = False,
    crop: Annotated[int, typer.Option("--crop", min=0, help="Pixels cut from each side before scoring.")] = 0,
    niqe_model: Annotated[
        Path | None, typer.Option("--niqe-model", help="A model that daybreak niqe-fit wrote.")
    ] = None,
    save: Annotated[Path | None, typer.Option("--save", help="A folder for the outputs as scored.")] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write every score and its protocol.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page with table and pictures.")] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> int:
    """Score methods on a data set: means, intervals, which differences are real, and how it was all taken."""
    if html:  # what cannot be written is known before the work, not after it
        check_page_path(html, "--html")
    if json:
        check_results_path(json)
    if save:
        make_folder(save)
    subjects = parse_subjects(methods)
    pictures = open_list(dataset, root)
    names = metric_names(metrics, pictures.paired)
    models, unavailable = load_models(names, niqe_model, pictures.paired)
    protocol = Protocol(
        images="",
        channel=channel or "",
        rounding="truncate" if truncate else "round",
        crop=crop,
        niqe=pristine_name(models),
    )
    run = Run(pictures, subjects, Options(names, gt_mean, protocol, models, unavailable, save))
    whole = score_all(run, quiet)
    if not run.done:
        return INTERRUPTED
    results = run.results()
    for problem in results.problems:
        complain(problem)
    for line in (*text_table(results, width=terminal_width()), "", *footnotes(results)):
        print(printable(line))
    if json:
        write_results(results, json, {"differences": differences(results)})
    if html:
        write_report(html, results, run)
    if not whole:
        return INTERRUPTED
    return SOME_FAILED if results.problems else DONE


def score_all(run: Run, quiet: bool) -> bool:
    """Score every picture; False where Ctrl-C stopped it, which is told. A second Ctrl-C ends the process."""
    try:
        for _ in run if quiet or not sys.stderr.isatty() else progress(run, len(run)):
            pass
    except KeyboardInterrupt:
        rest = "what was scored follows" if run.done else "nothing is written"
        complain(f"stopped after {run.done} of {len(run)} pictures; {rest}")
        return False
    return True
