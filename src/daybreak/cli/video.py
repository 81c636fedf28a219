"""`daybreak video`: a film in, a brighter film out, with all that lies beside its picture."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from daybreak.cli.console import DONE, INTERRUPTED, complain
from daybreak.cli.interrupt import stop_asked
from daybreak.cli.options import (
    DeviceOption,
    ExposureOption,
    MethodOption,
    PrecisionOption,
    SetsOption,
    StrengthOption,
    ThreadsOption,
    chosen_enhancer,
    parse_seconds,
)
from daybreak.text import counted, printable

if TYPE_CHECKING:
    from daybreak.enhancing.video import Progress, VideoResult


def video(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A video file.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The result: .mp4, .mov, .mkv, .m4v or .webm.")
    ],
    method: MethodOption = "auto",
    strength: StrengthOption = 1.0,
    exposure: ExposureOption = None,
    sets: SetsOption = None,
    device: DeviceOption = "cpu",
    precision: PrecisionOption = "auto",
    threads: ThreadsOption = None,
    codec: Annotated[
        Literal["keep", "h264", "hevc", "av1"],
        typer.Option("--codec", help="keep: that of the input, else H.264; AV1 in .webm."),
    ] = "keep",
    quality: Annotated[
        int | None, typer.Option("--quality", min=1, max=100, help="1 small, 100 as the input; 70 if unsaid.")
    ] = None,
    speed: Annotated[
        Literal["fast", "medium", "slow"],
        typer.Option("--speed", help="Of the encoder: fast makes larger files."),
    ] = "medium",
    start: Annotated[str, typer.Option("--start", help="Begin here: 90, 90s or 1:30.")] = "0",
    end: Annotated[str | None, typer.Option("--end", help="End here.")] = None,
    preview: Annotated[
        str | None, typer.Option("--preview", metavar="10s", help="Only so much, from --start on.")
    ] = None,
    denoise: Annotated[
        float,
        typer.Option(
            "--denoise-time", min=1, max=32, help="Frames averaged where nothing moves; fixed cameras."
        ),
    ] = 1.0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that was stopped; keep it when stopped again.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a result, or an unfinished run's part.")
    ] = False,
    evidence: Annotated[
        Path | None,
        typer.Option("--evidence", help="Write a .json manifest that `daybreak verify` can do again."),
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")] = False,
) -> int:
    """Brighten a film, without flicker; sound, subtitles, chapters and times stay as they are."""
    from daybreak.enhancing.manifest import check_manifest_path, placed, write_manifest
    from daybreak.enhancing.video import Stopped, VideoOptions, enhance_video
    from daybreak.enhancing.video.evidence import film_entry, repeatable
    from daybreak.errors import BadSetting

    if end is not None and preview is not None:
        raise BadSetting("--end and --preview together", "one of the two")
    begin = parse_seconds("--start", start)
    last = parse_seconds("--end", end) if end is not None else None
    if preview is not None:
        length = parse_seconds("--preview", preview)
        if not length:
            raise BadSetting(f"--preview {preview!r}", "a length above 0, 10s for example")
        last = begin + length
    enhancer = chosen_enhancer(
        method, strength, exposure, None, sets, device=device, precision=precision, threads=threads
    )
    options = VideoOptions(quality=quality, speed=speed, start=begin, end=last, denoise=denoise)
    options = replace(options, overwrite=overwrite, resume=resume, codec=None if codec == "keep" else codec)
    if evidence:
        check_manifest_path(evidence, ".json", (source, output))
        options = repeatable(enhancer, options)
    try:
        with stop_asked() as asked, _bar(quiet) as tell:
            result = enhance_video(source, output, enhancer, options, progress=tell, stop=asked.is_set)
    except (KeyboardInterrupt, Stopped):
        left = "the same command goes on where it was" if resume else "nothing is left of it"
        complain(f"stopped; {left}")
        return INTERRUPTED
    if not quiet:
        print(printable(_line(result)), file=sys.stderr)
    if evidence:
        film = placed(film_entry(enhancer, options, result), source, output, evidence)
        sealed = write_manifest(evidence, (), {}, films=[film])
        print(printable(f"evidence {evidence}: SHA-256 {sealed}"), file=sys.stderr)
    return DONE


def _line(result: VideoResult) -> str:
    """A finished film in a line."""
    rate = (result.frames - result.resumed) / result.seconds if result.seconds > 0 else 0.0
    resumed = f" ({result.resumed} of them from the run before)" if result.resumed else ""
    told = "; ".join(filter(None, (result.note, *result.notes)))
    return (
        f"{result.source} -> {result.target}: {result.method or 'left as it was'}, {result.codec}, "
        f"{counted(result.frames, 'frame')}{resumed}{', ' + told if told else ''}, "
        f"{result.seconds:.1f} s, {rate:.1f} frames a second"
    )


@contextmanager
def _bar(quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    """A line with frames, rate and time left on stderr, for people at a terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), TextColumn("{task.fields[told]}"), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, told="")

        def tell(progress: Progress) -> None:
            bar.update(task, total=progress.total, completed=progress.frames, told=_told(progress))

        yield tell


def _told(progress: Progress) -> str:
    of = f"/{progress.total}" if progress.total else ""
    seconds = progress.seconds_left
    left = "" if seconds is None else f", {int(seconds) // 60}:{int(seconds) % 60:02} left"
    return f"{progress.frames}{of} frames, {progress.fps:.1f}/s{left}"
