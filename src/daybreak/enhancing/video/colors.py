"""Frames of a codec to RGB levels and back, by swscale, with the matrix and range that the stream names."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from av import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from daybreak.enhancing.video.hdr import HLG, PQ, put_back
from daybreak.image.depth import to_levels
from daybreak.image.rows import Levels, Rows
from daybreak.types import Array

_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}  # AVColorSpace -> swscale's
_RGB = 0  # AVColorSpace
_HD = 720  # rows: without a tag, players take BT.709 from here on and BT.601 below
_HOW = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


@dataclass(frozen=True)
class Colors:
    """What the numbers of a stream mean.

    Attributes:
        matrix, range, primaries, transfer: the tags as FFmpeg numbers them; 2 (range: 0) is unknown. Of RGB
            those of the YCbCr that is made of it.
        high: more than 8 bits.
        full: whether levels use the full range, by the tag or the pixel format.
        rows: height of a frame, which decides where the matrix is not tagged.
    """

    matrix: int
    range: int
    primaries: int
    transfer: int
    high: bool
    full: bool
    rows: int

    @property
    def hdr(self) -> bool:
        """PQ or HLG."""
        return self.transfer in (PQ, HLG)

    @property
    def deep(self) -> bool:
        """Whether levels are worked on in 16 bits; those of HDR lie too far apart in 8 of sRGB."""
        return self.high or self.hdr

    @property
    def _sws(self) -> int:
        return _MATRICES.get(self.matrix, _usual_matrix(self.rows))


def _usual_matrix(rows: int) -> int:
    return 1 if rows >= _HD else 5


def colors_of(frame: VideoFrame) -> Colors:
    """Read them off a decoded frame."""
    name = frame.format.name
    full = frame.color_range == 2 or name.startswith("yuvj") or frame.format.is_rgb
    high = frame.format.components[0].bits > 8
    tags = (frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc)
    matrix, range_, primaries, transfer = (int(tag) for tag in tags)
    if frame.format.is_rgb or matrix == _RGB:
        matrix = _usual_matrix(frame.height)
    return Colors(matrix, 2 if full else range_, primaries, transfer, high, full, frame.height)


class ToLevels:
    """Frames to RGB; one for each thread."""

    def __init__(self, colors: Colors) -> None:
        self.colors = colors
        self._reformatter = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> Levels:
        """H×W×3 `Levels`, of 8 bits, or of 16 where the frame has more than 8 or is HDR; on its own scale."""
        format = "rgb48le" if self.colors.deep else "rgb24"
        if frame.format.name != format:
            frame = self._reformatter.reformat(
                frame,
                format=format,
                src_colorspace=self.colors._sws,
                dst_colorspace=self.colors._sws,
                interpolation=_HOW,
                src_color_range=ColorRange.JPEG if self.colors.full else ColorRange.MPEG,
                dst_color_range=ColorRange.JPEG,
                threads=1,
            )
        return Levels(frame.to_ndarray(), 65535 if self.colors.deep else 255)


class FromLevels:
    """RGB to frames of an encoder's format; one for each thread.

    Args:
        colors: of the stream to be written.
        format: its pixel format.
    """

    def __init__(self, colors: Colors, format: str) -> None:
        self.colors = colors
        self.format = format
        self._reformatter = VideoReformatter()

    def __call__(self, rows: Rows, size: tuple[int, int], hdr: Array | None = None) -> VideoFrame:
        """A frame of a size (height, width), to which the last row and column are repeated.

        Args:
            rows: H×W×3, sRGB.
            size: H and W, or a little more.
            hdr: of an HDR stream: the levels that its frame had, as for `put_back`.
        """
        whole = rows_to_levels(rows, self.colors.deep)
        if hdr is not None:
            whole = put_back(whole, hdr, self.colors.transfer)
        below, right = size[0] - whole.shape[0], size[1] - whole.shape[1]
        if below or right:
            whole = cv2.copyMakeBorder(whole, 0, below, 0, right, cv2.BORDER_REPLICATE)
        frame = VideoFrame.from_ndarray(
            np.ascontiguousarray(whole), "rgb48le" if self.colors.deep else "rgb24"
        )
        made = self._reformatter.reformat(
            frame,
            format=self.format,
            src_colorspace=self.colors._sws,
            dst_colorspace=self.colors._sws,
            interpolation=_HOW,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.JPEG if self.colors.full else ColorRange.MPEG,
            threads=1,
        )
        made.colorspace, made.color_range = self.colors.matrix, self.colors.range
        made.color_primaries, made.color_trc = self.colors.primaries, self.colors.transfer
        return made


def rows_to_levels(rows: Rows, high: bool) -> Array:
    """H×W×3 uint8, or uint16 where `high`."""
    bits = 16 if high else 8
    if isinstance(rows, Levels):
        if (rows.peak > 255) == high:
            return rows.whole
        return to_levels(rows[:], bits)
    return to_levels(rows, bits)
