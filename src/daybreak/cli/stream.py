"""`daybreak stream`: a live stream in, a brighter one out, with as little delay as the method allows."""

from __future__ import annotations

import sys
from io import FileIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Literal

import typer

from daybreak.cli.console import DONE, INTERRUPTED, SOME_FAILED, complain
from daybreak.cli.interrupt import stop_asked
from daybreak.cli.options import (
    DeviceOption,
    MethodOption,
    PrecisionOption,
    SetsOption,
    StrengthOption,
    ThreadsOption,
    chosen_enhancer,
    parse_seconds,
)
from daybreak.text import counted

if TYPE_CHECKING:
    from daybreak.enhancing.video.live import LiveResult


def stream(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="rtsp://…, udp://…, /dev/video0, or - for a pipe.")
    ],
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="SINK", help="udp://…, rtsp://…, a file, or - (stdout).")
    ] = "-",
    method: MethodOption = "auto",
    strength: StrengthOption = 1.0,
    sets: SetsOption = None,
    device: DeviceOption = "cpu",
    precision: PrecisionOption = "auto",
    threads: ThreadsOption = None,
    raw: Annotated[
        str | None,
        typer.Option("--raw", metavar="WxH@FPS", help="Frames of rgb24 through stdin and stdout."),
    ] = None,
    codec: Annotated[
        Literal["h264", "hevc", "av1"] | None, typer.Option("--codec", help="Of the output. [default: h264]")
    ] = None,
    quality: Annotated[
        int | None, typer.Option("--quality", min=1, max=100, help="1 small, 100 best; 70 if unsaid.")
    ] = None,
    lasting: Annotated[str | None, typer.Option("--for", metavar="10s", help="Stop after this time.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
    evidence: Annotated[
        Path | None, typer.Option("--evidence", help="Only of a recording: says how to make both.")
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")] = False,
) -> int:
    """Brighten a stream as it comes: the newest frame wins; the delay is told at the end."""
    from daybreak.enhancing.video.live import enhance_live
    from daybreak.enhancing.video.raw import parse_raw
    from daybreak.enhancing.video.sink import EncodedSink, RawSink, Sink, is_file, is_stdin
    from daybreak.errors import BadSetting, OutputExists

    if evidence is not None:
        raise BadSetting(
            f"evidence of {source}, which nobody can look at again",
            "a recording of it",
            f"Type: ffmpeg -i {source} -c copy film.mkv, then: daybreak video film.mkv -o bright.mkv "
            f"--evidence {evidence}",
        )
    enhancer = chosen_enhancer(
        method, strength, None, None, sets, device=device, precision=precision, threads=threads
    )
    seconds = parse_seconds("--for", lasting) if lasting is not None else None
    format = parse_raw(raw) if raw is not None else None
    if source != "-" and is_file(source):
        raise BadSetting(
            f"{source} is a file, not a stream", "an address, a device or -", "Type: daybreak video"
        )
    if output == "-" and sys.stdout.isatty():
        raise BadSetting("a stream to the terminal", "an -o, or a pipe")
    if source == "-" and is_stdin(output):
        raise OutputExists(f"{output} is the input", hint="Give another -o")
    if format is not None and "-" not in (source, output):
        raise BadSetting(f"--raw {raw} without a pipe", "- in place of the source, of the output, or of both")
    sink: Sink
    if format is not None and output == "-":
        for option, value in (("--codec", codec), ("--quality", quality)):
            if value is not None:
                raise BadSetting(f"{option} {value} of raw frames", "an -o, or no --raw")
        pipe = FileIO(sys.stdout.fileno(), "w", closefd=False)  # without a lock, for which an exit would wait
        sink = RawSink(pipe, format)
    else:
        where = "pipe:1" if output == "-" else output
        rate = None if format is None else format.rate
        sink = EncodedSink(where, codec or "h264", quality, rate, overwrite=overwrite)
    came: str | IO[bytes] = source
    if source == "-":
        came = "pipe:0" if format is None else sys.stdin.buffer
    with stop_asked() as asked:
        result = enhance_live(
            came, sink, enhancer, raw=format, seconds=seconds, stop=asked.is_set, tell=complain
        )
    if not quiet:
        print(_line(result), file=sys.stderr)
    if result.stalled:
        complain(f"{output} takes nothing more; the last frames are lost")
    if asked.is_set():
        return INTERRUPTED
    if not result.received:
        complain(f"nothing came from {source}")
    return DONE if result.received and not result.stalled else SOME_FAILED


def _line(result: LiveResult) -> str:
    """A stream that has ended, in a line."""
    delay = "no frame went out"
    if (
        result.latency_median is not None
        and result.latency_95 is not None
        and result.latency_most is not None
    ):
        times = (result.latency_median, result.latency_95, result.latency_most)
        delay = "delay {:.0f} ms (95 of 100 within {:.0f}, at most {:.0f})".format(*(1e3 * t for t in times))
    again = f", {counted(result.reconnects, 'reconnection')}" if result.reconnects else ""
    rate = result.enhanced / result.seconds if result.seconds > 0 else 0.0
    came = counted(result.received, "frame")
    return (
        f"{came} came, {result.enhanced} went out, {result.dropped} were overtaken{again}; "
        f"{delay}; {result.seconds:.1f} s, {rate:.1f} frames a second"
    )
