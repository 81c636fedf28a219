"""A live stream enhanced as it comes: the newest frame wins, so the delay stays bounded.

A thread reads and decodes; it keeps one frame, the newest. Whoever enhances takes that one when ready; those
that it missed are counted. A source that falls silent is opened again, at longer and longer intervals.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import av
import numpy as np
from av import VideoFrame
from av.container import InputContainer
from av.error import (
    DemuxerNotFoundError,
    ExitError,
    FFmpegError,
    FileNotFoundError,
    PermissionError,
    ProtocolNotFoundError,
)

from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.video.colors import ToLevels, colors_of
from daybreak.enhancing.video.hdr import shown_levels
from daybreak.enhancing.video.raw import RawFormat, read_raw
from daybreak.enhancing.video.sink import Sink
from daybreak.enhancing.video.source import picture_stream
from daybreak.enhancing.video.stages import Behind
from daybreak.enhancing.video.steady import SECONDS, Steady
from daybreak.errors import BadSetting, UnreadablePicture
from daybreak.image.rows import Levels, Rows
from daybreak.methods.base import FILM
from daybreak.text import printable

SILENCE = 5.0  # s without a frame after which a source counts as lost
BACK_OFF = (0.5, 10.0)  # s before the first new attempt and at most; each wait is twice the one before
_HOPELESS = (DemuxerNotFoundError, FileNotFoundError, PermissionError, ProtocolNotFoundError)
_PIPE = "pipe:"  # what FFmpeg calls a file descriptor
_GIVE_UP = 2.0  # s that an output that may stall has at the end to take what is on its way
_LOOK = "1000000"  # µs of the stream, at most, from which its kind is told


@dataclass(frozen=True)
class LiveResult:
    """What became of a stream.

    Attributes:
        received: frames that came.
        enhanced: frames that went out.
        reconnects: times that the source was lost and found again.
        latency_median, latency_95, latency_most: seconds from the moment a frame is decoded to the moment its
            result is handed to the sink; None where no frame went out.
        seconds: wall time.
        stalled: whether the output took nothing at the end, so that its last frames are lost.
    """

    received: int
    enhanced: int
    reconnects: int
    latency_median: float | None
    latency_95: float | None
    latency_most: float | None
    seconds: float
    stalled: bool = False

    @property
    def dropped(self) -> int:
        """Frames that a newer one overtook."""
        return self.received - self.enhanced


@dataclass(frozen=True)
class _Arrived:
    """A frame and when it came (monotonic seconds); its time in the stream is that since the first."""

    levels: Levels
    at: float
    pts: float


class _Newest:
    """Reads a source in a thread of its own and keeps its newest frame."""

    def __init__(self, source: str, tell: Callable[[str], None]) -> None:
        self.source, self.tell = source, tell
        self.received = self.reconnects = 0
        self._frame: tuple[VideoFrame, float] | None = None
        self._news = threading.Condition()
        self._lost = self._over = self._stop = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="daybreak-live", daemon=True)
        self._thread.start()

    def take(self, timeout: float) -> tuple[VideoFrame, float] | None:
        """The newest frame and when it came, once; None when none comes in time."""
        with self._news:
            self._news.wait_for(lambda: self._frame is not None or self._over, timeout)
            frame, self._frame = self._frame, None
            return frame

    @property
    def over(self) -> bool:
        """Whether the source has ended for good and its last frame was taken.

        Raises:
            UnreadablePicture: it cannot be opened and never will be.
        """
        with self._news:
            if self._error is not None and self._frame is None:
                raise self._error
            return self._over and self._frame is None

    def close(self) -> None:
        """Stop reading; a read that hangs is left to its timeout."""
        self._stop = True
        self._thread.join(timeout=1.0)

    def _run(self) -> None:
        wait, once = BACK_OFF[0] / 2.0, self.source.startswith(_PIPE)
        try:
            while not self._stop:
                before = self.received
                reason = self._read()
                if once or self._stop:
                    return
                self._lost = self.received > 0
                wait = BACK_OFF[0] if self.received > before else min(2.0 * wait, BACK_OFF[1])
                self.tell(f"{printable(self.source)}: {reason}; trying again in {wait:g} s")
                end = time.monotonic() + wait
                while time.monotonic() < end and not self._stop:
                    time.sleep(0.05)
        except BaseException as error:
            self._error = error
        finally:
            with self._news:
                self._over = True
                self._news.notify_all()

    def _read(self) -> str:
        """Read until the source is lost; say why.

        Raises:
            UnreadablePicture: it is of no use to try again.
        """
        try:
            with _open(self.source) as stream:
                video = picture_stream(stream, Path(self.source))
                video.thread_type = "SLICE"  # threads by frames hold frames back
                for packet in stream.demux(video):
                    self._decode(packet)
                    if self._stop:
                        break
            return "the stream ended"
        except _HOPELESS as error:
            if self.received:  # a camera that was unplugged, perhaps for a moment
                return str(error.strerror)
            came = f"{printable(self.source)} cannot be opened ({error.strerror})"
            raise UnreadablePicture(came, "an address such as rtsp://… or udp://…, or a device") from None
        except UnreadablePicture as error:  # no picture
            if self.received:
                return error.came
            raise
        except ExitError:  # the timeout of `_open`
            return f"nothing came for {SILENCE:g} s"
        except (FFmpegError, EOFError) as error:
            return getattr(error, "strerror", None) or type(error).__name__

    def _decode(self, packet: Any) -> None:
        try:
            frames = packet.decode()
        except FFmpegError:  # a packet lost on the way
            return
        for frame in frames:
            with self._news:
                self._frame = (frame, time.monotonic())
                self.received += 1
                self.reconnects += self._lost
                self._lost = False
                self._news.notify_all()


def _open(source: str) -> InputContainer:
    options = {"analyzeduration": _LOOK}
    if source.startswith("/dev/video"):
        return av.open(source, "r", format="v4l2", timeout=SILENCE)
    if source.startswith("rtsp"):
        options["rtsp_transport"] = "tcp"  # lost packets look worse than a little delay
    return av.open(source, "r", options=options, timeout=None if source.startswith(_PIPE) else SILENCE)


def enhance_live(
    source: str | IO[bytes],
    sink: Sink,
    enhancer: Enhancer,
    *,
    raw: RawFormat | None = None,
    steady: float = SECONDS,
    seconds: float | None = None,
    stop: Callable[[], bool] | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> LiveResult:
    """Enhance a stream until it ends or is told to stop.

    Args:
        source: an address that FFmpeg opens (rtsp://, udp://, …), a V4L2 device, or a pipe. An address that
            is lost is opened again; a pipe that ends has ended.
        sink: where the results go.
        enhancer: the method, its settings and its amount.
        raw: for a pipe of raw frames: what they are. Every one of them is enhanced then, and the pipe waits.
        steady: see `VideoOptions`.
        seconds: stop after this time; None for no end.
        stop: asked before each frame, and while the sink takes none.
        tell: called from another thread with a line about a source that is lost.

    Raises:
        UnreadablePicture: the source, of which nothing has come yet, cannot be opened and never will be.
        UnwritablePicture: the sink refuses the results.
    """
    begun = time.monotonic()
    latencies: deque[float] = deque(maxlen=100_000)
    if not isinstance(source, str):
        if raw is None:
            raise BadSetting("a pipe of raw frames whose size is not said", "WIDTHxHEIGHT@FPS")
        frames: Iterator[_Arrived] = _every(source, raw)
        newest = None
    else:
        newest = _Newest(source, tell)
        frames = _newest_frames(newest, begun)
    calm = Steady(steady) if steady else None
    last: float | None = None

    def send(item: tuple[Rows, float, float]) -> None:
        rows, pts, at = item
        sink.write(rows, pts)
        latencies.append(time.monotonic() - at)

    def over() -> bool:
        asked = stop is not None and stop()
        return asked or (seconds is not None and time.monotonic() - begun > seconds)

    writer = Behind(send, 1)
    ended = stalled = False
    enhanced = 0
    try:
        for arrived in frames:
            if over():
                break
            if arrived.levels is _NOTHING:
                continue
            rows = enhancer.run(arrived.levels, FILM).rows
            if calm is not None:
                rows = calm(arrived.levels, rows, 0.0 if last is None else arrived.pts - last)
            last = arrived.pts
            if not writer.put((rows, arrived.pts, arrived.at), over):
                break
            enhanced += 1
        ended = True
    finally:
        if newest is not None:
            newest.close()
        stalled = not writer.close(told=ended, patience=_GIVE_UP if sink.may_stall else None)
        if not stalled:
            sink.close()
    result = _result(newest, enhanced, latencies, time.monotonic() - begun)
    return replace(result, stalled=stalled)


_NOTHING = Levels(
    np.zeros((1, 1, 3), np.uint8), 255
)  # stands for "no frame yet", so that the loop can look up


def _every(pipe: IO[bytes], raw: RawFormat) -> Iterator[_Arrived]:
    for count, levels in enumerate(read_raw(pipe, raw)):
        yield _Arrived(levels, time.monotonic(), float(count / raw.rate))


def _newest_frames(newest: _Newest, begun: float) -> Iterator[_Arrived]:
    convert: ToLevels | None = None
    while not newest.over:
        taken = newest.take(0.2)
        if taken is None:
            yield _Arrived(_NOTHING, 0.0, 0.0)
            continue
        frame, at = taken
        colors = colors_of(frame)
        if convert is None or convert.colors != colors:
            convert = ToLevels(colors)
        levels = convert(frame)
        if colors.hdr:  # the sink is a plain stream
            levels = shown_levels(levels, colors.transfer)
        yield _Arrived(levels, at, at - begun)


def _result(newest: _Newest | None, enhanced: int, latencies: deque[float], seconds: float) -> LiveResult:
    received, reconnects = (enhanced, 0) if newest is None else (newest.received, newest.reconnects)
    if not latencies:
        return LiveResult(received, enhanced, reconnects, None, None, None, seconds)
    median, most = (float(np.percentile(latencies, share)) for share in (50, 95))
    return LiveResult(received, enhanced, reconnects, median, most, max(latencies), seconds)
