"""A film that is read: what is in it, and its frames one by one with their times."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av import VideoFrame
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from daybreak.enhancing.video.clock import Jump, PictureClock
from daybreak.enhancing.video.colors import Colors, ToLevels, colors_of
from daybreak.enhancing.video.hdr import shown_levels
from daybreak.errors import UnreadablePicture
from daybreak.image.paths import shown
from daybreak.image.rows import Levels
from daybreak.types import Array

_FAST = 120  # frames a second: what says more is looked at
_FEW = 60  # frames by which the rate is told
_USUAL_TICK = Fraction(1, 90_000)
_FAR = 5.0  # s: what is nearer to the beginning is reached by decoding
ATTACHED = 1 << 10  # the disposition of a cover picture
_ANY_START = 1 << 9  # AVFMT_TS_DISCONT, of a format


def any_start(film: InputContainer) -> bool:
    """Whether the clock of such a file may begin anywhere, and jump: that of MPEG streams."""
    return bool(film.format.flags & _ANY_START)


@dataclass(frozen=True)
class About:
    """What a film says of its picture.

    Attributes:
        path: of the file.
        codec: "h264", "vp9" …
        width, height: in pixels as stored.
        format: of the pixels: "yuv420p" …
        colors: what the numbers mean.
        time_base: seconds in a unit of time.
        rate: frames a second, on average.
        begins: time of the first frame, in units.
        aspect: of a pixel, width over height; None where it is not said.
        matrix: the nine numbers by which a player turns the picture; None for none.
        frames: how many, by the file's word; None where it has none.
        length: of the stream, in units of time; None where the file does not say.
        index: of the stream in its file.
        interlaced: two fields in a frame.
        alpha: whether it has transparency, which is not kept.
    """

    path: Path
    codec: str
    width: int
    height: int
    format: str
    colors: Colors
    time_base: Fraction
    rate: Fraction
    begins: int
    aspect: Fraction | None
    matrix: tuple[int, ...] | None
    frames: int | None
    length: int | None
    index: int
    interlaced: bool
    alpha: bool

    @property
    def frame_units(self) -> int:
        """Length of a frame in units of time, on average."""
        return max(1, round(1 / (self.rate * self.time_base)))


@dataclass(frozen=True)
class Shot:
    """One frame.

    Attributes:
        levels: H×W×3, sRGB.
        pts: when it is shown, in units of the film's time base.
        duration: until the next, in the same units.
        hdr: of an HDR film: the frame's own levels, H×W×3 uint16.
    """

    levels: Levels
    pts: int
    duration: int
    hdr: Array | None = None


def open_film(path: Path, formats: str = "") -> InputContainer:
    """Open a file for reading.

    Args:
        path: of the file.
        formats: FFmpeg's names of those that are taken, with commas; "" for all, playlists too.

    Raises:
        UnreadablePicture: missing, empty, no permission, or nothing that FFmpeg knows.
    """
    name = shown(path)
    try:
        if path.is_dir():
            raise UnreadablePicture(f"{name} is a folder", "a video file")
        if path.stat().st_size == 0:
            raise UnreadablePicture(f"{name} is empty (0 bytes)", "a video", "Copy it again from its source")
        whole = str(path.absolute())  # FFmpeg takes what stands before a colon for a protocol: a:b.mp4
        taken = {"format_whitelist": formats} if formats else None
        return av.open(whole, "r", options=taken, metadata_errors="replace")
    except FileNotFoundError:
        raise UnreadablePicture(f"{name} does not exist", hint="Check the name and the folder") from None
    except PermissionError:
        raise UnreadablePicture(f"{name} may not be read", hint="Ask its owner for permission") from None
    except FFmpegError as error:
        raise UnreadablePicture(f"{name} cannot be read as a video ({error.strerror})", hint=_CUT) from None
    except OSError as error:
        raise UnreadablePicture(f"{name} cannot be read ({error.strerror})") from None


_CUT = "A recording that was cut off may need a repair tool first"


def picture_stream(film: InputContainer, path: Path) -> VideoStream:
    """The stream to be enhanced: the first that is no cover picture and can be decoded.

    Raises:
        UnreadablePicture: there is none.
    """
    moving = [stream for stream in film.streams.video if not stream.disposition & ATTACHED]
    if not moving:
        kinds = ", ".join(sorted({stream.type for stream in film.streams})) or "nothing"
        raise UnreadablePicture(f"there is no video stream in {shown(path)}, only {kinds}", "a video")
    stream = moving[0]
    if stream.codec_context is None:
        raise UnreadablePicture(f"{shown(path)}: its video codec is not known here", hint="Convert it first")
    stream.thread_type = "AUTO"
    return stream


class Film:
    """A film's frames in the order they are shown.

    Args:
        path: a file.

    Raises:
        UnreadablePicture: as `open_film` and `picture_stream`, or not one frame can be decoded.

    Attributes:
        about: what is known before decoding it all.
        broken: frames and packets that could not be decoded, so far.
        resized: frames of another size than the first, brought to that, so far.
        jumps: of the clock, in the frames that were read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.broken = self.resized = 0
        self.jumps: list[Jump] = []
        self.about = self._look()

    def _look(self) -> About:
        with open_film(self.path) as film:
            stream = picture_stream(film, self.path)
            decoded = self._decode(film, stream)
            first = next(decoded, None)
            if first is None:
                raise UnreadablePicture(
                    f"no frame of {shown(self.path)} can be decoded", "a sound video", _CUT
                )
            base = stream.time_base or _USUAL_TICK
            rate = stream.average_rate
            if rate is None or rate > _FAST:
                rate = _pace([first.pts, *(frame.pts for frame in islice(decoded, _FEW))], base)
            self.broken = 0
            frames = stream.frames
            if length := _length(film, stream):  # of an MP4 that was cut, what is hidden counts as frames too
                by_time = round(length * rate)
                frames = min(frames or by_time, by_time)
            return About(
                path=self.path,
                codec=stream.codec_context.name.removeprefix("lib").replace("dav1d", "av1"),
                width=first.width,
                height=first.height,
                format=first.format.name,
                colors=colors_of(first),
                time_base=base,
                rate=rate,
                begins=first.pts or 0,
                aspect=stream.sample_aspect_ratio,
                matrix=_display_matrix(first),
                frames=frames or None,
                length=stream.duration,
                index=stream.index,
                interlaced=bool(first.interlaced_frame),
                alpha=_has_alpha(stream, first),
            )

    def frames(self, start: int, end: int | None) -> Iterator[Shot]:
        """The frames with start ≤ pts < end, in units of the time base; no two have one pts.

        What cannot be decoded is counted and left out.
        """
        convert = ToLevels(self.about.colors)
        size = (self.about.height, self.about.width)
        held: Shot | None = None
        for frame, pts in self._timed(start):
            if end is not None and pts >= end:
                if held is not None:
                    yield replace(held, duration=min(pts, end) - held.pts)
                return
            if held is not None:
                yield replace(held, duration=pts - held.pts)
                held = None
            if pts >= start:
                levels = convert(frame)
                if levels.shape[:2] != size:
                    levels = _resized(levels, size)
                    self.resized += 1
                own = None
                if self.about.colors.hdr:
                    own, levels = levels.whole, shown_levels(levels, self.about.colors.transfer)
                held = Shot(levels, pts, frame.duration or self.about.frame_units, own)
        if held is not None:
            yield held

    def _timed(self, start: int) -> Iterator[tuple[VideoFrame, int]]:
        """Frames from at or before `start` on, each with a time after the last one's."""
        last: int | None = None
        for frame in self._near(start):
            pts = frame.pts
            if pts is None or (last is not None and pts <= last):
                pts = self.about.begins if last is None else last + self.about.frame_units
            last = pts
            yield frame, pts

    def _near(self, start: int) -> Iterator[VideoFrame]:
        """Frames from the key frame before `start` on; all where that is near, or cannot be found."""
        far = (start - self.about.begins) * self.about.time_base > _FAR
        if far and not self._jumps_before(start):
            with open_film(self.path) as film:
                stream = picture_stream(film, self.path)
                frames: Iterator[VideoFrame] = iter(())
                with suppress(FFmpegError):  # a file without times cannot be sought in
                    film.seek(start, stream=stream, backward=True)
                    frames = self._decode(film, stream)
                first = next(frames, None)
                if first is not None and first.pts is not None and first.pts <= start:
                    yield first
                    yield from frames
                    return
        with open_film(self.path) as film:
            yield from self._decode(film, picture_stream(film, self.path))

    def _jumps_before(self, start: int) -> bool:
        """Whether the clock jumps before a time, so that there may be several of that time in the file."""
        clock = PictureClock()
        with open_film(self.path) as film, suppress(FFmpegError):
            if any_start(film):
                for packet in film.demux(picture_stream(film, self.path)):
                    clock(packet)
                    if packet.dts is not None and packet.dts > start:
                        break
        return bool(clock.jumps)

    def _decode(self, film: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        clock = PictureClock()
        self.jumps = clock.jumps
        packets = film.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError:  # what comes after a hole in the file that no demuxer finds its way over
                self.broken += 1
                packet = None
            if packet is not None:
                clock(packet)
            try:
                frames = stream.decode(packet)
            except (FFmpegError, EOFError) as error:
                self.broken += not isinstance(error, EOFError)
                frames = []
            for frame in frames:
                self.broken += bool(frame.is_corrupt)
                yield frame
            if packet is None or packet.size == 0:
                return


def _pace(times: list[int | None], base: Fraction) -> Fraction:
    """Frames a second by the times of the first ones, for a file whose word is none or the clock's tick.

    Whoever records as frames come, as browsers do, says no rate, and FFmpeg takes it from the finest step.
    """
    known = [time for time in times if time is not None]
    steps = sorted(after - before for before, after in pairwise(known) if after > before)
    if not steps:
        return Fraction(25)
    usual = [step for step in steps if step <= 2 * steps[len(steps) // 2]]  # without the pauses
    return (len(usual) / (sum(usual) * base)).limit_denominator(1001)


def _length(film: InputContainer, stream: VideoStream) -> float:
    """Seconds, by the stream's or the file's word; 0 where neither says."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return film.duration / av.time_base if film.duration else 0.0


def _has_alpha(stream: VideoStream, frame: VideoFrame) -> bool:
    """Whether there is transparency; a GIF's frames always have room for some, VP9's lies beside them."""
    told = stream.metadata.get("alpha_mode") == "1"
    return told or (stream.name != "gif" and any(part.is_alpha for part in frame.format.components))


def _display_matrix(frame: VideoFrame) -> tuple[int, ...] | None:
    try:
        data = cast(Any, frame.side_data).get("DISPLAYMATRIX")
    except ValueError:  # PyAV 18 fails on all of it where one is of a kind that it does not know, EXIF say
        return _turned(frame.rotation)
    return None if data is None else tuple(int(value) for value in np.frombuffer(bytes(data), np.int32))


def _turned(degrees: int) -> tuple[int, ...] | None:
    """The nine numbers of a turn to the left, as FFmpeg's `av_display_rotation_get` reads them."""
    if not degrees:
        return None
    cosine, sine = (round(65536 * turn(math.radians(degrees))) for turn in (math.cos, math.sin))
    return cosine, -sine, 0, sine, cosine, 0, 0, 0, 1 << 30


def _resized(levels: Levels, size: tuple[int, int]) -> Levels:
    """A stream may change its size on the way; the result cannot."""
    import cv2

    whole = cv2.resize(levels.whole, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    return Levels(whole, levels.peak)
