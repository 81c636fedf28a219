"""A film from file to file: decode, enhance and encode at the same time, then put it all together."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from av.error import FFmpegError

from daybreak.enhancing.cores import opencv_threads
from daybreak.enhancing.enhancer import Enhancer, Outcome
from daybreak.enhancing.memory import jobs_for
from daybreak.enhancing.record import asked
from daybreak.enhancing.video.denoise import TemporalDenoiser
from daybreak.enhancing.video.encoder import Encoder, Encoding, plan_encoding
from daybreak.enhancing.video.mux import container_of, mux, wanted_codec, what_fits
from daybreak.enhancing.video.options import Chosen, Progress, VideoOptions, VideoResult, check_stop
from daybreak.enhancing.video.packets import PacketLog, log_path
from daybreak.enhancing.video.source import About, Film, Shot
from daybreak.enhancing.video.span import expected_frames, shorter, span_of
from daybreak.enhancing.video.stages import Behind, ahead, in_order
from daybreak.enhancing.video.steady import State, Steady
from daybreak.errors import BadSetting, OutputExists, UnreadablePicture, UnwritablePicture
from daybreak.files import make_folder, same_file, whole_path, writing
from daybreak.image.paths import shown
from daybreak.image.read import Outline
from daybreak.image.rows import Rows
from daybreak.methods.base import FILM
from daybreak.text import counted
from daybreak.types import Array
from daybreak.version import __version__

_QUEUE = 3  # frames between two stages: enough to even out, little memory
_SETTLES = 3.0  # times as many frames as are averaged: the first then weighs e⁻³, a twentieth


DEFAULTS = VideoOptions()

_END = 1 << 20  # bytes


@dataclass
class _Told:
    """What the loop learns on its way."""

    frames: int = 0
    method: str = ""
    note: str = ""
    bright: bool = True
    missed: int = 0
    durations: dict[int, int] = field(default_factory=dict)
    choices: list[Chosen] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Count one more frame."""
        now = Chosen(self.frames, outcome.method, outcome.settings, outcome.strength)
        if not self.choices or replace(now, frame=self.choices[-1].frame) != self.choices[-1]:
            self.choices.append(now)
        self.frames += 1
        self.method = outcome.method
        if not self.note or (self.bright and outcome.strength):  # what was done tells more than what was not
            self.note, self.bright = outcome.note, not outcome.strength
        self.missed += bool(outcome.missed)


def enhance_video(
    source: Path,
    target: Path,
    enhancer: Enhancer,
    options: VideoOptions = DEFAULTS,
    *,
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> VideoResult:
    """Enhance every frame of a film; everything beside the picture is copied as it is.

    The picture is held steady over time (`steady.Steady`). Until all is done the result lies encoded in a
    hidden file beside the target; the target appears whole or not at all.

    Args:
        source: a video file.
        target: where to; its suffix decides the container.
        enhancer: the method, its settings and its amount.
        options: see `VideoOptions`.
        progress: called after each frame, from this thread.
        stop: asked before each frame and packet; True ends the run with `Stopped`.

    Raises:
        UnreadablePicture: the source is missing or no video, or nothing of it can be decoded.
        UnwritablePicture: the target cannot be written, or its container cannot hold the sound or subtitles.
        OutputExists: the target is there, or is the source, or another run is at work on it; or an unfinished
            one is there which is not to be gone on with, or was asked something else.
        BadSetting: an option out of its range, or a target that is no name of a video.
        Stopped: `stop` said so. Without `options.resume` nothing is left.
    """
    begun = time.perf_counter()
    options.check()
    _check_target(source, target, options.overwrite)
    film = Film(source)
    scale = int(getattr(enhancer.settings, "upscale", enhancer.method.card.scale))
    codec = wanted_codec(options.codec, target)
    encoding, notes = plan_encoding(film.about, scale, codec, options.quality, options.speed)
    encoding = replace(encoding, threads=options.threads or enhancer.threads)
    container = container_of(target, encoding.codec)
    streams, left_out = what_fits(film.about, container)
    span = span_of(film.about, options)
    make_folder(target.parent)
    fingerprint = _asked(enhancer, options, encoding, source)
    log = PacketLog(log_path(target), fingerprint, resume=options.resume, overwrite=options.overwrite)
    keep = options.resume
    try:
        told = _Told()
        resumed = len(log.entries())
        told.frames = resumed
        with writing(target):
            _enhance(film, enhancer, options, encoding, log, span, told, progress, stop)
        ends = max((entry.pts + entry.duration for entry in log.entries()), default=0)
        try:
            frames = _put_together(log, encoding, film, target, container, streams, span, options, stop)
        except (OutputExists, UnwritablePicture) as error:
            keep = True  # hours of work, and whatever is in its way can be mended
            again = f"All frames lie encoded in {shown(log.path)}: the same with --resume goes on from there"
            hint = ". ".join(filter(None, (error.hint, again)))
            raise type(error)(error.came, error.expected, hint) from error
        keep = False
    finally:
        log.close(remove=not keep)
    if options.end is None:
        notes += shorter(film.about, ends)
    if told.missed:
        notes.append(f"the exposure asked for was not reached in {counted(told.missed, 'frame')}")
    if film.about.alpha:
        notes.append("its transparency was left out")
    if film.resized:
        first = f"{film.about.width}×{film.about.height}"
        notes.append(f"{counted(film.resized, 'frame')} of another size brought to {first}, as it began")
    if film.broken:
        notes.append(f"{film.broken} damaged frames or packets were left out or repaired by the decoder")
    return VideoResult(
        source,
        target,
        frames,
        resumed,
        encoding.codec,
        encoding.format,
        encoding.width,
        encoding.height,
        told.method,
        told.note,
        film.broken,
        time.perf_counter() - begun,
        (*notes, *left_out),
        tuple(told.choices) if enhancer.method.choose else (),
    )


def _put_together(
    log: PacketLog,
    encoding: Encoding,
    film: Film,
    target: Path,
    container: str,
    streams: list[int],
    span: tuple[int, int | None],
    options: VideoOptions,
    stop: Callable[[], bool] | None,
) -> int:
    """Write the target; give back how many frames it has.

    Raises:
        OutputExists: the target is there by now.
        UnwritablePicture: the disk or the container refuses it.
    """
    cut = options.start > 0.0 or options.end is not None
    with whole_path(target, overwrite=options.overwrite) as hidden:
        try:
            return mux(log, encoding, film.about, hidden, container, streams, span, cut, film.jumps, stop)
        except FFmpegError as error:
            if isinstance(error, OSError):  # the disk's doing
                raise
            came = f"{shown(target)} cannot be put together ({error.strerror})"
            other = target.with_suffix(".mp4" if container == "matroska" else ".mkv")
            rename = f"{shown(log.path)} to {shown(log_path(other))}"
            raise UnwritablePicture(came, hint=f"Rename {rename}, and give -o {shown(other)}") from error


def _check_target(source: Path, target: Path, overwrite: bool) -> None:
    """Refuse what could destroy something, before any work.

    Raises:
        OutputExists: the target is there, or is the source.
        BadSetting: it is a folder.
    """
    if target.is_dir():
        came, example = f"{shown(target)} is a folder", target / f"{source.stem}_daybreak{source.suffix}"
        raise BadSetting(came, "the name of a film", f"Type for example: -o {example}")
    if same_file(target, source):
        raise OutputExists(f"{shown(target)} is the input", hint="Give another -o")
    if os.path.lexists(target) and not overwrite:
        came = f"{shown(target)} is there already"
        raise OutputExists(came, hint="Choose another name, or type --overwrite (in Python overwrite=True)")


def _asked(enhancer: Enhancer, options: VideoOptions, encoding: Encoding, source: Path) -> dict[str, str]:
    """All that a run depends on, by name."""
    parts = {key: str(getattr(options, key)) for key in ("start", "end", "denoise", "steady")}
    made = {"source": _identity(source), "encoding": str(encoding.told()), "version": __version__}
    return asked(enhancer) | parts | made


def _identity(source: Path) -> str:
    """What tells a film from others without reading gigabytes: its size, and SHA-256 of both ends."""
    with source.open("rb") as file:
        digest = hashlib.sha256(file.read(_END))
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _END))
        digest.update(file.read())
    return f"{size} {digest.hexdigest()}"


def _enhance(
    film: Film,
    enhancer: Enhancer,
    options: VideoOptions,
    encoding: Encoding,
    log: PacketLog,
    span: tuple[int, int | None],
    told: _Told,
    progress: Callable[[Progress], None] | None,
    stop: Callable[[], bool] | None,
) -> None:
    """Bring the frames that are not in the log into it."""
    start = span[0] if log.mark is None else log.mark.pts
    done_before = sorted(entry.pts for entry in log.entries())
    steady = Steady(options.steady or 1.0, None if log.mark is None else log.mark.state)
    watch = _Watch(expected_frames(film.about, options), told.frames, progress)
    encoder = Encoder(encoding)

    def write(item: tuple[Rows, Array | None, int, bool, State | None]) -> None:
        rows, hdr, pts, key, state = item
        if key:
            log.note(pts, state)
        for packet in encoder.encode(rows, pts, key=key, hdr=hdr):
            log.add(packet, told.durations.pop(packet.pts or 0, 0))

    shots = ahead(_shots(film, options.denoise, start, span[1], done_before), _QUEUE)
    writer = Behind(write, _QUEUE)
    done, last = False, done_before[-1] if done_before else start
    try:
        with _workers(film.about, enhancer, options) as workers:
            results = in_order(lambda shot: (shot, enhancer.run(shot.levels, FILM)), shots, workers)
            for shot, outcome in results:
                check_stop(stop)
                key = (told.frames % encoding.key_frames) == 0
                state = steady.state
                seconds = float((shot.pts - last) * film.about.time_base)
                rows = steady(shot.levels, outcome.rows, seconds) if options.steady else outcome.rows
                told.durations[shot.pts] = shot.duration
                writer.put((rows, shot.hdr, shot.pts, key, state))
                last = shot.pts
                told.add(outcome)
                watch(told.frames)
        done = True
    finally:
        with suppress(RuntimeError):  # a generator that is at work ends by itself
            shots.close()
        writer.close(told=done)
    for packet in encoder.finish():
        log.add(packet, told.durations.pop(packet.pts or 0, 0))
    if told.frames == 0:
        raise UnreadablePicture(f"no frame of {shown(film.path)} lies between start and end", "another span")


def _shots(film: Film, denoise: float, start: int, end: int | None, before: list[int]) -> Iterator[Shot]:
    """The frames from `start` on, with less noise where that is asked for.

    Args:
        film: the source.
        denoise: see `VideoOptions`.
        start, end: as for `Film.frames`.
        before: times of the frames that an earlier run did, in order; the average begins with the last of
            them, so that it is what it was.
    """
    if denoise <= 1.0:
        yield from film.frames(start, end)
        return
    known = before[-round(_SETTLES * denoise) :]
    average = TemporalDenoiser(denoise)
    for shot in film.frames(known[0] if known else start, end):
        levels = average(shot.levels)
        if shot.pts >= start:
            yield replace(shot, levels=levels)


@contextmanager
def _workers(about: About, enhancer: Enhancer, options: VideoOptions) -> Iterator[int]:
    """How many frames to work on at the same time; the cores are shared out among them."""
    cores = enhancer.threads or os.cpu_count() or 1
    count = options.workers or jobs_for(enhancer, cores, Outline(about.width * about.height), FILM)
    with opencv_threads(cores // count or 1):
        yield count


class _Watch:
    """Tells how far a run is."""

    def __init__(self, total: int | None, done: int, tell: Callable[[Progress], None] | None) -> None:
        self.total, self.before, self.tell = total, done, tell
        self.begun = time.perf_counter()

    def __call__(self, frames: int) -> None:
        if self.tell is None:
            return
        seconds = max(time.perf_counter() - self.begun, 1e-6)
        fps = (frames - self.before) / seconds
        left = None if self.total is None or fps <= 0.0 else max(self.total - frames, 0) / fps
        self.tell(Progress(frames, self.total, fps, left))
