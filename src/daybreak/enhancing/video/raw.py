"""Raw rgb24 frames through pipes, as `ffmpeg -f rawvideo -pix_fmt rgb24` makes and takes them.

A raw stream has no times, so each frame that comes in gives one that goes out. A pipe that is not read waits,
so the delay stays at the frames that are in work.
"""

from __future__ import annotations

import re
import select
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import IO

import numpy as np

from daybreak.enhancing.video.colors import rows_to_levels
from daybreak.errors import BadSetting, UnreadablePicture, UnwritablePicture
from daybreak.image.rows import Levels, Rows

_MOST = 1 << 15  # px, the longest side
_LOOK = 0.5  # s at most between attempts at a pipe that takes nothing just now


@dataclass(frozen=True)
class RawFormat:
    """Size and rate of a raw stream.

    Attributes:
        width, height: in pixels.
        rate: frames a second.
    """

    width: int
    height: int
    rate: Fraction

    @property
    def bytes(self) -> int:
        """Of one frame."""
        return self.width * self.height * 3


def parse_raw(text: str) -> RawFormat:
    """Read WxH@fps.

    Raises:
        BadSetting: it reads otherwise.

    >>> parse_raw("640x360@30000/1001").rate
    Fraction(30000, 1001)
    """
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})(?:@(\d{1,6}(?:\.\d{1,6}|/\d{1,6})?))?", text.strip())
    try:
        if found is None:
            raise ValueError
        raw = RawFormat(int(found[1]), int(found[2]), Fraction(found[3] or "25"))
        if not (0 < raw.width <= _MOST and 0 < raw.height <= _MOST and raw.rate > 0):
            raise ValueError
    except (ValueError, ZeroDivisionError):
        raise BadSetting(f"--raw {text!r}", "WIDTHxHEIGHT@FPS, for example 640x360@25") from None
    return raw


def read_raw(pipe: IO[bytes], raw: RawFormat) -> Iterator[Levels]:
    """The frames of a raw stream, until it ends.

    Raises:
        UnreadablePicture: it ends within a frame.
    """
    while data := _all(pipe, raw.bytes):
        if len(data) < raw.bytes:
            came = f"the raw stream ends with {len(data)} bytes of a frame of {raw.bytes}"
            raise UnreadablePicture(came, hint=f"Is it rgb24 and {raw.width}x{raw.height}?")
        yield Levels(np.frombuffer(data, np.uint8).reshape(raw.height, raw.width, 3), 255)


def _all(pipe: IO[bytes], size: int) -> bytearray:
    """As many bytes, or those before the end."""
    data = bytearray()
    while len(data) < size and (part := pipe.read(size - len(data))):
        data += part
    return data


def write_raw(pipe: IO[bytes], rows: Rows) -> None:
    """Write a frame.

    Raises:
        UnwritablePicture: nobody reads on.
    """
    try:
        left = np.ascontiguousarray(rows_to_levels(rows, high=False)).data.cast("B")
        while left:
            taken = pipe.write(left)
            if taken is None:  # a pipe that somebody made non-blocking
                select.select([], [pipe], [], _LOOK)
            left = left[taken or 0 :]
        pipe.flush()
    except BrokenPipeError:
        raise UnwritablePicture("what reads the output has ended") from None
