"""`daybreak watch`: each picture that arrives in a folder is brightened once."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from daybreak.cli.console import INTERRUPTED, complain
from daybreak.cli.enhance import result_line
from daybreak.cli.interrupt import stop_asked
from daybreak.cli.options import (
    DepthOption,
    DeviceOption,
    ExposureOption,
    FormatOption,
    MethodOption,
    PrecisionOption,
    QualityOption,
    SetsOption,
    StrengthOption,
    SuffixOption,
    ThreadsOption,
    UpscaleOption,
    chosen_depth,
    chosen_enhancer,
    chosen_format,
)
from daybreak.enhancing.batch import Output
from daybreak.enhancing.evidence import check_repeatable
from daybreak.enhancing.manifest import check_manifest_path
from daybreak.enhancing.watching import News, Watched, check_watched
from daybreak.enhancing.watching import watch as watch_folder
from daybreak.text import printable


def watch(
    folder: Annotated[Path, typer.Argument(help="Where pictures arrive.", show_default=False)],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The folder for the results.", show_default=False)
    ],
    method: MethodOption = "auto",
    strength: StrengthOption = 1.0,
    exposure: ExposureOption = None,
    upscale: UpscaleOption = None,
    sets: SetsOption = None,
    device: DeviceOption = "cpu",
    precision: PrecisionOption = "auto",
    threads: ThreadsOption = None,
    recursive: Annotated[
        bool, typer.Option("-r", "--recursive", help="With all folders below; keeps the tree.")
    ] = False,
    suffix: SuffixOption = "_daybreak",
    format: FormatOption = "keep",
    quality: QualityOption = None,
    bit_depth: DepthOption = "keep",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results when an original changes.")
    ] = False,
    move_to: Annotated[
        Path | None, typer.Option("--move-to", help="Move originals here once they are done.")
    ] = None,
    settle: Annotated[
        float, typer.Option("--settle", min=0.0, help="Seconds without a change: then a file is written.")
    ] = Watched.settle,
    poll: Annotated[
        float | None,
        typer.Option("--poll", min=0.1, help="Look every so many seconds (network folders)."),
    ] = None,
    attempts: Annotated[
        int, typer.Option("--attempts", min=1, help="Failures after which a file is moved to OUT/failed.")
    ] = Watched.attempts,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Pictures at the same time, one core each.")
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option("--evidence", help="Add a line for each to this .jsonl, for `daybreak verify`."),
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")] = False,
) -> int:
    """Brighten each picture that arrives in a folder, once, until Ctrl-C; survives restarts."""
    enhancer = chosen_enhancer(
        method, strength, exposure, upscale, sets, device=device, precision=precision, threads=threads
    )
    kept, depth = chosen_format(format), chosen_depth(bit_depth)
    written = Output(kept, quality, depth, overwrite, evidence=evidence is not None)
    if evidence:
        check_repeatable(enhancer, kept)
        check_manifest_path(evidence, ".jsonl", ())
    watched = Watched(folder, output, recursive, suffix, move_to, settle, poll, attempts, evidence, jobs)
    check_watched(watched)
    done: Counter[str] = Counter()
    try:
        with stop_asked() as asked:
            if not quiet:
                print(printable(f"watching {folder} into {output}; Ctrl-C ends"), file=sys.stderr)
            for news in watch_folder(watched, enhancer, written, asked):
                done[news.what] += 1
                tell(news, quiet)
    except KeyboardInterrupt:
        told = f"{done['done']} done, {done['set aside']} set aside"
        complain(f"stopped; {told}; the same command again does the rest")
    return INTERRUPTED


def tell(news: News, quiet: bool) -> None:
    """One line."""
    if news.what == "done" and news.result is not None:
        if not quiet:
            print(result_line(news.result), file=sys.stderr, flush=True)
        if news.text:
            complain(news.text)
    elif news.result is None or news.what == "blocked":
        complain(f"{news.text}; trying again")
    elif news.what == "set aside" or not quiet:
        complain(f"{news.result.error} ({news.text})")
