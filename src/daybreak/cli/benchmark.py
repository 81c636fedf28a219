"""`daybreak benchmark`: how fast methods are here, beside the JPEG codec, and whether that changed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from daybreak.benchmark.compare import TOLERANCE, confirmed, regressions
from daybreak.benchmark.results import Benchmark, check_benchmark_path, read_benchmark, write_benchmark
from daybreak.benchmark.run import Run, cases_of, parse_size
from daybreak.benchmark.show import markdown_table, plot_quality
from daybreak.cli.console import DONE, INTERRUPTED, SOME_FAILED, complain
from daybreak.cli.options import PrecisionOption, complete_methods, parse_methods
from daybreak.cli.progress import progress
from daybreak.errors import BadSetting
from daybreak.evaluation.plots import check_plot_path
from daybreak.evaluation.results import read_results
from daybreak.text import printable


def benchmark(
    methods: Annotated[
        str,
        typer.Option("-m", "--methods", help="Names with commas.", autocompletion=complete_methods),
    ] = "auto,gamma,daybreak.curve,cascade,daybreak",
    sizes: Annotated[str, typer.Option("--size", help="600x400, 1080p, 12mp or WIDTHxHEIGHT.")] = (
        "600x400,1080p,12mp"
    ),
    threads: Annotated[str, typer.Option("--threads", help="Numbers with commas.")] = "1,2",
    devices: Annotated[str, typer.Option("--device", help="Where networks run, with commas.")] = "cpu",
    precision: PrecisionOption = "fp32",
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="Of each case, at the least.")] = 5,
    json: Annotated[Path | None, typer.Option("--json", help="Write every figure and the machine.")] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw quality against speed; needs --scores.")
    ] = None,
    scores: Annotated[
        Path | None, typer.Option("--scores", help="What `daybreak evaluate --json` wrote.")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option("--compare", metavar="OLD.json", help="Fail where this run is worse.")
    ] = None,
    tolerance: Annotated[
        float, typer.Option("--tolerance", min=0.0, help="Share by which a figure may grow.")
    ] = TOLERANCE,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> int:
    """Time methods on this machine, as multiples of what decoding and encoding the picture takes."""
    if (plot is None) != (scores is None):
        raise BadSetting("one of --plot and --scores", "both, or neither")
    if plot:
        check_plot_path(plot)
    if json:
        check_benchmark_path(json)
    old = read_benchmark(compare) if compare else None
    scored = read_results(scores) if scores else None
    cases = cases_of(
        parse_methods(methods),
        [parse_size(size) for size in _parts(sizes)],
        [_count(number) for number in _parts(threads)],
        _parts(devices),
        "bf16" if precision == "bf16" else "fp32",
    )

    def measure(run: Run) -> Benchmark:
        for _ in run if quiet or not sys.stderr.isatty() else progress(iter(run), len(run.cases)):
            pass
        return run.found()

    run, stopped = Run(cases, repeats), False
    try:
        measure(run)
    except KeyboardInterrupt:
        complain(f"stopped after {len(run.rows)} of {len(cases)} cases; what was measured follows")
        stopped = True
    found = run.found()
    for problem in found.problems:
        complain(problem)
    for line in markdown_table(found):
        print(printable(line))
    if json:
        write_benchmark(found, json)
    if plot and scored:
        plot_quality(found, scored, plot)
    worse = regressions(old, found, tolerance) if old else []
    if old and worse and not stopped:
        complain("some are worse; they are measured again")
        try:
            worse = confirmed(worse, old, lambda again: measure(Run(again, repeats)), tolerance)
        except KeyboardInterrupt:
            complain("stopped before it was sure; measured once:")
            stopped = True
    for change in worse:
        complain(f"worse than in {compare}: {change}")
    if stopped:
        return INTERRUPTED
    return SOME_FAILED if worse or found.problems else DONE


def _parts(text: str) -> list[str]:
    return [part for part in map(str.strip, text.split(",")) if part]


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise BadSetting(f"--threads {text!r}", "numbers from 1 on, with commas between them")
    return int(text)
