"""`daybreak enhance`: pictures, folders and globs in, brighter pictures out."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from daybreak.cli.console import DONE, INTERRUPTED, SOME_FAILED, complain
from daybreak.cli.options import (
    DepthOption,
    DeviceOption,
    ExposureOption,
    FormatOption,
    MemoryOption,
    MethodOption,
    PixelsOption,
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
    chosen_memory,
)
from daybreak.cli.places import Where, check_documents_of_places, enhance_places
from daybreak.cli.progress import progress
from daybreak.enhancing.batch import Output, Result, run_batch, run_stream
from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.finding import Refusal
from daybreak.enhancing.memory import keep_memory
from daybreak.enhancing.one import made_before
from daybreak.enhancing.plan import STDIN, STDOUT, Job, plan, plan_stream
from daybreak.enhancing.report import check_documents, write_evidence, write_report
from daybreak.errors import BadSetting, DaybreakError, UnwritablePicture
from daybreak.text import counted, printable

PREVIEW = 960  # px, longest side of the pictures in a gallery

_STATES = {
    "enhanced": "enhanced",
    "unchanged": "left as they were",
    "done before": "done before",
    "failed": "failed",
}


def enhance(
    paths: Annotated[
        list[str], typer.Argument(help="Files, folders, globs, a URL, or - for stdin to stdout.")
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "-o", "--output", help="A folder (several folders keep their names in it), a file, or a URL."
        ),
    ] = None,
    method: MethodOption = "auto",
    strength: StrengthOption = 1.0,
    exposure: ExposureOption = None,
    upscale: UpscaleOption = None,
    sets: SetsOption = None,
    device: DeviceOption = "cpu",
    precision: PrecisionOption = "auto",
    threads: ThreadsOption = None,
    max_memory: MemoryOption = None,
    max_pixels: PixelsOption = None,
    recursive: Annotated[
        bool, typer.Option("-r", "--recursive", help="Folders with all below; keeps the tree.")
    ] = False,
    suffix: SuffixOption = "_daybreak",
    format: FormatOption = "keep",
    quality: QualityOption = None,
    bit_depth: DepthOption = "keep",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results made by other settings.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Pictures at the same time, one core each.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", help="Write a JSON report of every file.")
    ] = None,
    gallery: Annotated[Path | None, typer.Option("--gallery", help="Write a before/after HTML page.")] = None,
    evidence: Annotated[
        Path | None,
        typer.Option("--evidence", help="Write a .json manifest that `daybreak verify` can do again."),
    ] = None,
    engine: Annotated[
        Literal["local", "ray"], typer.Option("--engine", help="Who works: this process, or a Ray cluster.")
    ] = "local",
    address: Annotated[
        str | None, typer.Option("--address", help="Of the Ray cluster, HOST:PORT; else one is started here.")
    ] = None,
    worker_cpus: Annotated[
        float | None, typer.Option("--worker-cpus", help="CPUs of each worker on Ray. [default: 1]")
    ] = None,
    worker_gpus: Annotated[
        float | None, typer.Option("--worker-gpus", help="GPUs of each; 0.25 shares one. [default: 0]")
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")] = False,
) -> int:
    """Brighten dark pictures; the originals stay as they are."""
    enhancer = chosen_enhancer(
        method,
        strength,
        exposure,
        upscale,
        sets,
        device=device,
        precision=precision,
        threads=threads,
        max_memory=chosen_memory(max_memory),
    )
    if max_memory is None:
        keep_memory()
    kept, depth = chosen_format(format), chosen_depth(bit_depth)
    written = Output(kept, quality, depth, overwrite)
    if max_pixels:
        written = replace(written, max_pixels=max_pixels * 1_000_000)
    where = Where(engine, address, jobs, worker_cpus, worker_gpus)
    if where.asks_for_places(paths, output):
        check_documents_of_places(report, gallery, evidence)
        return enhance_places(
            paths, output, enhancer, written, suffix=suffix, where=where, dry_run=dry_run, quiet=quiet
        )
    if output == "-":
        raise BadSetting(
            "-o -, which would be a folder of that name",
            "a folder, or the name of a picture",
            "For a pipe type: daybreak enhance - < night.jpg > bright.jpg",
        )
    folder = None if output is None else Path(output)
    written = replace(written, preview=PREVIEW if gallery else 0, evidence=evidence is not None)
    if evidence:
        _check_evidence(paths, enhancer, kept)
    piped = plan_stream(paths, output=folder, format=kept) if "-" in paths else None
    planned: Sequence[Job | Refusal] = (
        [piped]
        if piped
        else plan(paths, output=folder, recursive=recursive, suffix=suffix, format=kept, overwrite=overwrite)
    )
    if dry_run:
        return _show(planned, enhancer, written)
    check_documents(planned, report, gallery, evidence)
    done, lacking = _Told(len(planned), quiet), list[str]()
    try:
        if piped:
            work = run_stream(piped, sys.stdin.buffer, enhancer, written, sys.stdout.buffer)
        else:
            work = run_batch(planned, enhancer, written, jobs)
        results = done.watch(work)
        if gallery:
            from daybreak.enhancing.gallery import gallery_entry, write_gallery

            with _noted(lacking):  # no page, but the pictures all the same
                write_gallery(map(gallery_entry, results), gallery, "Before and after")
        for _ in results:
            pass
    except KeyboardInterrupt:
        complain(f"stopped after {len(done.results)} of {len(planned)}; the same command again does the rest")
        return INTERRUPTED
    finally:
        complete = len(done.results) == len(planned)
        if report:
            with _noted(lacking):
                write_report(done.results, enhancer, report, complete=complete)
        if evidence:
            with _noted(lacking):
                sealed = write_evidence(done.results, evidence, complete=complete)
                print(printable(f"evidence {evidence}: SHA-256 {sealed}"), file=sys.stderr)
        for why in lacking:
            complain(why)
    return max(done.summary(), SOME_FAILED if lacking else DONE)


@contextmanager
def _noted(lacking: list[str]) -> Iterator[None]:
    """Go on where a document cannot be written, and note why."""
    try:
        yield
    except UnwritablePicture as error:
        lacking.append(str(error))


def _check_evidence(paths: Sequence[str], enhancer: Enhancer, format: str | None) -> None:
    """Refuse, before any work, what evidence cannot be of.

    Raises:
        BadSetting: a pipe, or what `check_repeatable` refuses.
    """
    if "-" in paths:
        raise BadSetting("evidence of a picture from stdin, which nobody can look at again", "a file")
    from daybreak.enhancing.evidence import check_repeatable

    check_repeatable(enhancer, format)


def _show(planned: Sequence[Job | Refusal], enhancer: Enhancer, output: Output) -> int:
    """What a dry run prints: one line a file on stdout, what would be refused on stderr."""
    code = DONE
    for job in planned:
        try:
            if isinstance(job, Refusal):
                raise job.error
            told = f"{job.source} -> {job.target}{_there(job, enhancer, output)}"
            print(printable(told))
        except DaybreakError as error:
            complain(str(error))
            code = SOME_FAILED
    return code


def _there(job: Job, enhancer: Enhancer, output: Output) -> str:
    """What a run would find at the job's target, in brackets; raises what it would be refused for."""
    if job.target == STDOUT or not job.target.exists():
        return ""
    found = job.source != STDIN and made_before(job, enhancer, output)
    return " (done before)" if found else " (replaced)" if output.overwrite else " (is there already)"


def result_line(result: Result) -> str:
    """One finished picture in a line."""
    what = result.state if result.state == "done before" else result.method or result.state
    notes = "; ".join((*result.notes, *result.lost))
    target = f" -> {result.target}" if result.target else ""
    return printable(
        f"{result.source}{target}: {what}{', ' + notes if notes else ''}, {result.seconds:.2f} s"
    )


class _Told:
    """Collects the results of a batch and tells the person at the terminal about them."""

    def __init__(self, total: int, quiet: bool) -> None:
        self.total, self.quiet = total, quiet
        self.results: list[Result] = []
        self.start = time.perf_counter()

    def watch(self, results: Iterator[Result]) -> Iterator[Result]:
        """Pass results on; failures are told at once, and progress where stderr is a terminal."""
        if not self.quiet and self.total > 1 and sys.stderr.isatty():
            results = progress(results, self.total)
        for result in results:
            self.results.append(replace(result, before=None, after=None))
            if result.error:
                complain(result.error)
            yield result

    def summary(self) -> int:
        """Print the last line and give back the exit code."""
        states = Counter(result.state for result in self.results)
        failed = states["failed"]
        if not self.quiet:
            seconds = time.perf_counter() - self.start
            told = ", ".join(f"{count} {_STATES[state]}" for state, count in states.items())
            if self.total == 1 and not failed:
                print(result_line(self.results[0]), file=sys.stderr)
            else:
                rate = f", {self.total / seconds:.1f} a second" if seconds > 0 else ""
                lines = Counter(line for each in self.results for line in (*each.remarkable, *each.lost))
                for line, times in lines.items():
                    print(f"{counted(times, 'picture')}: {line}", file=sys.stderr)
                told = told or "nothing to do (folders below are looked into with -r; films: daybreak video)"
                print(f"{counted(self.total, 'picture')}: {told}; {seconds:.1f} s{rate}", file=sys.stderr)
        return SOME_FAILED if failed else DONE
