"""Where the frames of a live stream go: an address, a file, or a pipe of raw frames."""

from __future__ import annotations

import os
import re
import stat
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, Protocol, cast

import av
import cv2
from av.error import FFmpegError
from av.video.stream import VideoStream

from daybreak.enhancing.video.colors import Colors, FromLevels
from daybreak.enhancing.video.encoder import DEFAULT_QUALITY, KEY_SECONDS, Encoding
from daybreak.enhancing.video.options import Codec
from daybreak.enhancing.video.priority import usual_priority
from daybreak.enhancing.video.raw import RawFormat, write_raw
from daybreak.errors import OutputExists, UnwritablePicture
from daybreak.image.rows import Levels, Rows
from daybreak.text import printable

_CLOCK = Fraction(1, 90_000)  # of MPEG-TS and RTP
_RATE = Fraction(25)  # frames a second
_FORMATS = {
    "rtsp": "rtsp",
    "rtmp": "flv",
    "udp": "mpegts",
    "tcp": "mpegts",
    "srt": "mpegts",
    "rtp": "rtp_mpegts",
}
_ADDRESS = re.compile(r"(?!file:)\w{2,}:")  # what FFmpeg takes for no file; one letter is a drive


class Sink(Protocol):
    """Takes frames."""

    @property
    def may_stall(self) -> bool:
        """Whether it may take nothing more for ever, as a pipe that nobody reads; a file does not."""

    def write(self, rows: Rows, seconds: float) -> None:
        """Take one, with its time since the beginning; those of one sink may change their size."""

    def close(self) -> None:
        """Take no more."""


class RawSink:
    """Writes raw rgb24 frames of one size.

    Args:
        pipe: what is written to.
        raw: what the reader expects.
    """

    def __init__(self, pipe: IO[bytes], raw: RawFormat) -> None:
        self.pipe, self.raw = pipe, raw

    @property
    def may_stall(self) -> bool:
        """See `Sink`."""
        try:
            return _stalls(os.fstat(self.pipe.fileno()))
        except OSError:  # it lies in memory, say
            return True

    def write(self, rows: Rows, seconds: float) -> None:  # noqa: ARG002 - raw streams have no times
        """Write one, resized where it is of another size."""
        write_raw(self.pipe, _sized(rows, (self.raw.height, self.raw.width)))

    def close(self) -> None:
        """The pipe is not ours."""


class EncodedSink:
    """Encodes frames and sends them off, without holding any back.

    Args:
        where: an address, a file name, or "pipe:1" for stdout, which gets MPEG-TS.
        codec: "h264" or another that the container holds.
        quality: 1 to 100; None for the default.
        rate: frames a second that are expected; None for 25.
        overwrite: replace a file of that name; pipes and devices are written to in any case.

    Raises:
        OutputExists: there is a file and `overwrite` is False.
    """

    def __init__(
        self,
        where: str,
        codec: Codec = "h264",
        quality: int | None = None,
        rate: Fraction | None = None,
        *,
        overwrite: bool = False,
    ) -> None:
        self.where, self.codec, self.rate, self.overwrite = where, codec, rate or _RATE, overwrite
        self.quality = quality or DEFAULT_QUALITY
        self._check()
        self._out: av.container.OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._to_frame: FromLevels | None = None
        self._last = self._key = -1  # times of the last frame and of the last that was told to be a key frame

    @property
    def may_stall(self) -> bool:
        """See `Sink`."""
        if self.where == "pipe:1":
            return _stalls(os.fstat(1))
        if (told := _told(self.where)) is not None:
            return _stalls(told)
        return _ADDRESS.match(self.where) is not None  # else a file that is still to be made

    def write(self, rows: Rows, seconds: float) -> None:
        """Encode one and send it.

        Raises:
            OutputExists: there is a file by now and `overwrite` is False.
            UnwritablePicture: the other side refuses it.
        """
        try:
            if self._stream is None:
                self._open(rows)
            assert self._stream is not None
            assert self._to_frame is not None
            size = (self._stream.codec_context.height, self._stream.codec_context.width)
            frame = self._to_frame(_sized(rows, size), size)
            self._last = max(round(seconds / _CLOCK), self._last + 1)
            frame.pts, frame.time_base = self._last, _CLOCK
            if (self._last - self._key) * _CLOCK >= KEY_SECONDS:  # by time: a slow method makes few frames
                frame.pict_type, self._key = 1, self._last
            self._mux(self._stream.encode(frame))
        except (FFmpegError, ValueError, OSError) as error:
            raise self._refused(error) from None

    def close(self) -> None:
        """Send what is left and end the stream."""
        if self._out is None or self._stream is None:
            return
        try:
            self._mux(self._stream.encode(None))
            self._out.close()
        except (FFmpegError, OSError) as error:
            raise self._refused(error) from None
        finally:
            self._out = None

    def _check(self) -> None:
        if not self.overwrite and is_file(self.where):
            came = f"{printable(self.where)} is there already"
            raise OutputExists(came, hint="Choose another name, or type --overwrite")

    def _open(self, rows: Rows) -> None:
        self._check()  # a source may have been silent for hours
        height, width = (side + side % 2 for side in rows.shape[:2])
        colors = Colors(2, 1, 2, 2, high=False, full=False, rows=height)
        encoding = Encoding(
            self.codec, "yuv420p", width, height, colors, _CLOCK, self.rate, None, self.quality, "fast", True
        )
        format = _FORMATS.get(self.where.partition("://")[0], "") or _guessed(self.where)
        options = {"flush_packets": "1"}
        self._out = av.open(self.where, "w", format=format, container_options=options)
        self._stream = cast(VideoStream, self._out.add_stream(encoding.encoder, rate=self.rate))
        encoding.apply(self._stream.codec_context)
        with usual_priority():
            self._out.start_encoding()
        self._to_frame = FromLevels(colors, "yuv420p")

    def _mux(self, packets: list[Any]) -> None:
        assert self._out is not None
        for packet in packets:
            self._out.mux_one(packet)

    def _refused(self, error: BaseException) -> UnwritablePicture:
        reason = getattr(error, "strerror", None) or error
        return UnwritablePicture(f"{printable(self.where)} cannot be written ({reason})")


def _stalls(told: os.stat_result) -> bool:
    return not stat.S_ISREG(told.st_mode)


def is_file(where: str) -> bool:
    """Whether an address is that of a regular file that is there: no pipe, no device, none on a network."""
    told = _told(where)
    return told is not None and stat.S_ISREG(told.st_mode)


def is_stdin(where: str) -> bool:
    """Whether an address is that of the very file that stdin reads, as in `stream - -o a.ts < a.ts`."""
    told = _told(where)
    try:
        return told is not None and stat.S_ISREG(told.st_mode) and os.path.samestat(told, os.fstat(0))
    except OSError:  # stdin is closed
        return False


def _told(where: str) -> os.stat_result | None:
    """What the system tells of an address; None where that is none of a file system."""
    try:
        return Path(where.removeprefix("file:")).stat()  # FFmpeg takes such a prefix
    except (OSError, ValueError):
        return None


def _guessed(name: str) -> str:
    endings = {".mp4": "mp4", ".mkv": "matroska", ".mov": "mov", ".flv": "flv"}
    return next((format for ending, format in endings.items() if name.lower().endswith(ending)), "mpegts")


def _sized(rows: Rows, size: tuple[int, int]) -> Rows:
    """At a size (height, width); one row or column short of it is left to be repeated."""
    height, width = rows.shape[:2]
    if size[0] - height in (0, 1) and size[1] - width in (0, 1) and size[0] % 2 == size[1] % 2 == 0:
        return rows
    if (height, width) == size:
        return rows
    whole = rows.whole if isinstance(rows, Levels) else rows
    made: Any = cv2.resize(whole, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    return Levels(made, rows.peak) if isinstance(rows, Levels) else made
