"""A picture and all that travels with it: what was read from a file and has to come out of it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import cv2
import numpy as np

from daybreak.errors import BadPixels
from daybreak.image.rows import Levels, Rows
from daybreak.types import Array, Pixels, Plane

UNSAID_DPI = 72.0
"""The resolution that is written where the picture has none and the format or its writer wants one."""


@dataclass(frozen=True)
class Metadata:
    """What a file says about its picture, as raw blocks that are carried along.

    Attributes:
        exif: a TIFF structure (without the "Exif\\0\\0" in front), as it came; what is stale in it
            (orientation, thumbnail, size) is put right on writing.
        xmp: an XMP packet, UTF-8.
        iptc: IPTC-IIM records.
        dpi: horizontal and vertical resolution in pixels per inch.
        text: the whole tEXt, zTXt and iTXt chunks of a PNG, which only a PNG takes up again.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    dpi: tuple[float, float] | None = None
    text: bytes = b""


@dataclass(frozen=True, eq=False)
class Photo:
    """One picture with everything that has to come out as it went in.

    Attributes:
        stored: the picture, upright, sRGB-encoded RGB: H×W×3 float32 in [0, 1], or `Levels` where the file's
            own whole numbers are that already; `pixels` gives it as float32 in any case.
        alpha: H×W float32 in [0, 1] (1 opaque), or None.
        bit_depth: 8 or 16 (anything over 8), of the file it came from.
        format: a key of `FORMATS`, of the file it came from.
        gray: came as gray and goes out as gray.
        cmyk: came as CMYK; goes out as CMYK where the format can hold it.
        icc: the embedded colour profile; None means sRGB (or, for CMYK, libvips' own CMYK profile).
        beyond: H×W×3 float16 or None: the colour of the file that sRGB cannot hold, in the file's own RGB
            and relative to the pixel's brightest channel (see `daybreak.image.profile`).
        metadata: EXIF, XMP, IPTC, resolution.
        half_chroma: the JPEG stored its colour at half resolution (4:2:0).
        lossless: the WebP was lossless.
        orientation: as the file's EXIF told it, 1 to 8; the pixels are upright already.
        notes: for people: what could not be kept or was decided while reading.
        record: what daybreak did to the pixels, as text by name; kept in the XMP of the file that is written.
    """

    stored: Rows
    alpha: Plane | None = None
    bit_depth: int = 8
    format: str = "png"
    gray: bool = False
    cmyk: bool = False
    icc: bytes | None = None
    beyond: Array | None = None
    metadata: Metadata = field(default_factory=Metadata)
    half_chroma: bool = False
    lossless: bool = False
    orientation: int = 1
    notes: tuple[str, ...] = ()
    record: Mapping[str, str] | None = None

    @cached_property
    def pixels(self) -> Pixels:
        """H×W×3 float32, sRGB-encoded RGB in [0, 1], upright."""
        return self.stored[:] if isinstance(self.stored, Levels) else self.stored

    @cached_property
    def hidden(self) -> Array | None:
        """Where it is fully transparent, H×W bool; None where it is nowhere, or everywhere."""
        return clear(self.alpha)

    @classmethod
    def from_pixels(cls, pixels: Pixels, alpha: Plane | None = None, bit_depth: int = 16) -> Photo:
        """A photo made of pixels alone, with nothing else to travel.

        Args:
            pixels: H×W×3 float32 sRGB in [0, 1].
            alpha: H×W float32 in [0, 1], or None.
            bit_depth: how finely to store it where the format can (8 or 16).
        """
        return cls(pixels, alpha, bit_depth)

    def with_pixels(self, pixels: Rows) -> Photo:
        """The same photo with other pixels; what lies beside each pixel is resized along with them.

        Args:
            pixels: H×W×3 float32 sRGB in [0, 1], of any size, or `Levels`.

        Raises:
            BadPixels: another shape or dtype.
        """
        if isinstance(pixels, np.ndarray) and (
            pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.float32 or not pixels.size
        ):
            raise BadPixels(f"pixels of shape {pixels.shape} and dtype {pixels.dtype}", "H×W×3 float32")
        if pixels.shape == self.stored.shape:
            return replace(self, stored=pixels)
        height, width = pixels.shape[:2]
        alpha = None if self.alpha is None else _resize(self.alpha, height, width)
        beyond = self.beyond
        if beyond is not None:
            beyond = _resize(beyond.astype(np.float32), height, width).astype(np.float16)
        return replace(self, stored=pixels, alpha=alpha, beyond=beyond)


def clear(alpha: Plane | None) -> Array | None:
    """Where an alpha is 0, H×W bool; None where it is nowhere, or everywhere, so that there is no cut-out."""
    if alpha is None or alpha.min() > 0.0 or alpha.max() <= 0.0:
        return None
    return np.asarray(alpha <= 0.0)


def _resize(plane: Array, height: int, width: int) -> Array:
    """Bilinear, so that nothing leaves the range it came in; float32 H×W or H×W×3."""
    resized = cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.float32).reshape(height, width, *plane.shape[2:])
