"""The encoders: which one, at what quality, in what pixel format; and frames into packets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, cast

import cv2
from av import CodecContext, VideoFrame
from av.codec.codec import Codec as FFmpegCodec
from av.codec.codec import UnknownCodecError
from av.codec.context import Flags
from av.error import FFmpegError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext

from daybreak.enhancing.video.colors import Colors, FromLevels
from daybreak.enhancing.video.options import Codec, Speed
from daybreak.enhancing.video.priority import usual_priority
from daybreak.enhancing.video.source import About
from daybreak.errors import UnwritablePicture
from daybreak.image.rows import Rows
from daybreak.types import Array

DEFAULT_QUALITY = 70
KEY_SECONDS = 5.0  # between key frames at most: how exactly a player can jump, and what a resumed run redoes

_AVX512 = 13  # AVX-512F, as OpenCV numbers what a processor can do


@dataclass(frozen=True)
class _Kind:
    """An encoder of FFmpeg's.

    Attributes:
        name: its own.
        best, worst: its constant rate factor for quality 100 and 1.
        presets: by our word for the speed.
        extra: options that it always gets.
    """

    name: str
    best: int
    worst: int
    presets: dict[Speed, str]
    extra: dict[str, str]


_KINDS: dict[str, _Kind] = {
    "h264": _Kind(
        "libx264", 10, 45, {"fast": "veryfast", "medium": "medium", "slow": "slow"}, {"forced-idr": "1"}
    ),
    "hevc": _Kind(
        "libx265",
        12,
        46,
        {"fast": "ultrafast", "medium": "fast", "slow": "slow"},
        {"forced-idr": "1", "x265-params": "log-level=none:open-gop=0"},  # closed groups can be joined
    ),
    "av1": _Kind("libsvtav1", 15, 60, {"fast": "11", "medium": "8", "slow": "5"}, {}),
}


def kept_codec(codec: str) -> Codec:
    """The codec of a result that keeps its source's: itself where it can be written, else H.264.

    >>> kept_codec("hevc"), kept_codec("mjpeg")
    ('hevc', 'h264')
    """
    return cast(Codec, codec) if codec in _KINDS else "h264"


@dataclass(frozen=True)
class Encoding:
    """All that an encoder is told; two encoders told the same make streams that can be joined.

    Attributes:
        codec: "h264", "hevc" or "av1".
        format: of the pixels.
        width, height: in pixels.
        colors: what the numbers mean.
        time_base: seconds in a unit of time.
        rate: frames a second, on average.
        aspect: of a pixel; None where it is not said.
        quality: 1 to 100.
        speed: see `VideoOptions`.
        live: no frame waits for those after it.
        threads: of the encoder, on which the bytes of H.264 and HEVC depend; None for one a core.
    """

    codec: Codec
    format: str
    width: int
    height: int
    colors: Colors
    time_base: Fraction
    rate: Fraction
    aspect: Fraction | None
    quality: int
    speed: Speed
    live: bool = False
    threads: int | None = None

    @property
    def encoder(self) -> str:
        """FFmpeg's name for it."""
        return _KINDS[self.codec].name

    @property
    def key_frames(self) -> int:
        """Frames from one key frame to the next, at most."""
        return max(2, round(KEY_SECONDS * float(self.rate)))

    def options(self) -> dict[str, str]:
        """The encoder's own options."""
        kind = _KINDS[self.codec]
        factor = round(kind.worst + (self.quality - 1) / 99 * (kind.best - kind.worst))
        options = {"crf": str(factor), "preset": kind.presets[self.speed], **kind.extra}
        return options | ({"tune": "zerolatency"} if self.live and self.codec != "av1" else {})

    def _instructions(self) -> dict[str, str]:
        """What keeps one thread's H.264 the same every time where the processor has AVX-512.

        With it x264 (core 165, one thread) now and then makes other packets of the same frames: 35 of
        8,763 short films on a busy machine, none of 3,965 with AVX2, whose bytes are the usual ones of both.
        So it is no part of `options`, which evidence tells: elsewhere the same bytes come without it.
        """
        avx512 = self.threads == 1 and self.codec == "h264" and cv2.checkHardwareSupport(_AVX512)
        return {"x264-params": "asm=avx2"} if avx512 else {}

    def apply(self, context: VideoCodecContext) -> None:
        """Tell a codec context that is not open yet."""
        context.width, context.height, context.pix_fmt = self.width, self.height, self.format
        context.time_base, context.framerate = self.time_base, self.rate
        context.bit_rate = 0
        context.gop_size = self.key_frames
        if self.aspect is not None:
            context.sample_aspect_ratio = self.aspect
        context.color_range = self.colors.range
        context.colorspace, context.color_trc = self.colors.matrix, self.colors.transfer
        context.color_primaries = self.colors.primaries
        context.options = self.options() | self._instructions()
        context.thread_count = self.threads or os.cpu_count() or 1
        if self.codec == "av1":
            os.environ.setdefault("SVT_LOG", "1")  # its greeting on stderr is no news

    def told(self) -> dict[str, Any]:
        """As JSON values."""
        return {key: str(value) for key, value in asdict(self).items()}


def plan_encoding(
    about: About, scale: int, codec: Codec | None, quality: int | None, speed: Speed
) -> tuple[Encoding, list[str]]:
    """How the result is encoded, and what that cannot keep of the source.

    Args:
        about: the source.
        scale: sides of a result over those of its frame.
        codec, quality, speed: see `VideoOptions`.

    Raises:
        UnwritablePicture: the encoder is not in this installation.
    """
    chosen = codec or kept_codec(about.codec)
    notes: list[str] = []
    format = _pixel_format(about, chosen, notes)
    width, height = about.width * scale, about.height * scale
    across, down = (1 if "444" in format else 2), (2 if "420" in format else 1)
    even = (-(-width // across) * across, -(-height // down) * down)
    if even != (width, height):
        notes.append(f"{width}x{height} became {even[0]}x{even[1]}, for {format} holds even sizes only")
    if about.interlaced:
        notes.append("interlaced frames were enhanced as they are and are marked as progressive now")
    if about.colors.hdr:
        notes.append("HDR: up to white it was enhanced, highlights are as far above white as they were")
    colors = about.colors
    return (
        Encoding(
            chosen,
            format,
            *even,
            colors,
            about.time_base,
            about.rate,
            about.aspect,
            quality or DEFAULT_QUALITY,
            speed,
        ),
        notes,
    )


def _pixel_format(about: About, codec: Codec, notes: list[str]) -> str:
    """The encoder's format that keeps most of the source's."""
    try:
        known = {format.name for format in FFmpegCodec(_KINDS[codec].name, "w").video_formats or []}
    except UnknownCodecError:
        came = f"this installation of PyAV has no encoder for {codec}"
        raise UnwritablePicture(came, hint="Choose another --codec") from None
    name = about.format
    grid = next((grid for grid in ("444", "422", "420") if grid in name), "420")
    if name.startswith(("gbr", "rgb", "bgr")):
        grid = "444"
    deep = (
        next((bits for bits in ("12", "16", "14") if f"p{bits}" in name), "10") if about.colors.high else ""
    )
    wanted = f"yuv{grid}p" + (f"{deep}le" if deep else "")
    if wanted in known:
        return wanted
    if deep not in ("", "10") and (found := f"yuv{grid}p10le") in known:
        notes.append(f"{deep} bits became 10, for {codec} here holds no more")
        return found
    notes.append(f"{name} became 4:2:0, for {codec} here holds nothing finer")
    return "yuv420p10le" if deep else "yuv420p"


class Encoder:
    """Turns results into packets; used from one thread.

    Args:
        encoding: what it is told.

    Raises:
        UnwritablePicture: the encoder refuses it.
    """

    def __init__(self, encoding: Encoding) -> None:
        self.encoding = encoding
        self._to_frame = FromLevels(encoding.colors, encoding.format)
        self.context = cast(VideoCodecContext, CodecContext.create(encoding.encoder, "w"))
        encoding.apply(self.context)
        self.context.flags |= Flags.global_header
        try:
            with usual_priority():
                self.context.open()
        except FFmpegError as error:
            size = f"{encoding.width}x{encoding.height} in {encoding.format}"
            came = f"the {encoding.codec} encoder refuses {size} ({error.strerror})"
            raise UnwritablePicture(came, hint="Try another --codec") from None

    def encode(
        self, rows: Rows, pts: int, *, key: bool = False, hdr: Array | None = None
    ) -> list[Packet[Any]]:
        """Packets that are ready after one more frame; `hdr` as for `FromLevels`."""
        frame: VideoFrame = self._to_frame(rows, (self.encoding.height, self.encoding.width), hdr)
        frame.pts, frame.time_base = pts, self.encoding.time_base
        frame.pict_type = 1 if key else 0
        return self.context.encode(frame)

    def finish(self) -> Iterator[Packet[Any]]:
        """The packets that were waiting for frames to come."""
        yield from self.context.encode(None)
