"""One encoder per format: levels as they are to be stored, to the bytes of a file with all its metadata."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from daybreak.errors import MissingExtra
from daybreak.image import containers, exif
from daybreak.image.photo import UNSAID_DPI, Photo
from daybreak.image.profile import Space
from daybreak.image.vips import load_vips, tiff_options
from daybreak.types import Array

_LARGE = 1 << 20  # px, from which on threads are worth their while


@dataclass
class Ready:
    """What goes into a file.

    Attributes:
        levels: H×W, H×W×2 (gray with alpha), H×W×3, H×W×4 (RGB with alpha, or CMYK), uint8 or uint16.
        space: what the channels mean.
        alpha: whether the last channel is alpha.
        bits: of each level; between 8 and 16 the lowest bits of uint16 are empty.
        quality: 1 to 100, for the lossy formats.
        lossless: for WebP, in place of a quality.
        icc, xmp: as they are written.
        photo: the rest of what travels.
    """

    levels: Array
    space: Space
    alpha: bool
    bits: int
    quality: int
    lossless: bool
    icc: bytes | None
    xmp: bytes | None
    photo: Photo

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.levels.shape[0])

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.levels.shape[1])

    def exif(self, maker_note: bool = True) -> bytes:
        """The EXIF block as it is written."""
        metadata = self.photo.metadata
        return exif.refreshed(
            metadata.exif, width=self.width, height=self.height, dpi=metadata.dpi, maker_note=maker_note
        )


def encode_jpeg(ready: Ready) -> bytes:
    """Colour at full resolution, or at half where the picture came with it so."""
    metadata = ready.photo.metadata
    mode = "on" if ready.photo.half_chroma else "off"
    data = _jpeg(ready, 16 if mode == "on" else 8, Q=ready.quality, subsample_mode=mode, keep="none")
    block = ready.exif()
    if len(block) > containers.LARGEST_EXIF_IN_JPEG:
        block = ready.exif(maker_note=False)
    if len(block) > containers.LARGEST_EXIF_IN_JPEG:
        block = exif.refreshed(None, width=ready.width, height=ready.height, dpi=metadata.dpi)
    return containers.into_jpeg(
        data,
        exif=block,
        xmp=ready.xmp,
        iptc=metadata.iptc,
        icc=ready.icc,
        dpi=None if ready.space == "cmyk" else metadata.dpi,  # JFIF knows gray and YCbCr only
    )


def _jpeg(ready: Ready, unit: int, **options: Any) -> bytes:
    """Without metadata. A large RGB picture in strips, at most as many as OpenCV may use threads.

    For that each row of units ends in a restart marker (ITU-T T.81, B.2.1), whatever the threads: nothing in
    a row depends on the one before, and the same picture is the same bytes.

    Args:
        ready: what goes into the file.
        unit: px, rows that are coded together.
        options: of libvips.
    """
    if ready.space != "rgb" or ready.height * ready.width < _LARGE:
        bare: bytes = _image(ready).jpegsave_buffer(**options)
        return bare
    markers = containers.RESTARTS * unit  # rows until the markers, which are counted, begin again
    rows = -(-ready.height // (markers * max(cv2.getNumThreads(), 1))) * markers

    def encoded(top: int) -> bytes:
        strip = replace(ready, levels=ready.levels[top : top + rows])
        data: bytes = _image(strip).jpegsave_buffer(**options, restart_interval=-(-ready.width // unit))
        return data

    tops = range(0, ready.height, rows)
    if len(tops) == 1:
        return encoded(0)
    with ThreadPoolExecutor(len(tops)) as pool:
        return containers.joined_jpegs(list(pool.map(encoded, tops)), ready.height)


def encode_png(ready: Ready) -> bytes:
    """Always true colour or gray, never a palette."""
    metadata = ready.photo.metadata
    data = _image(ready).pngsave_buffer(compression=2, filter="up", keep="none")
    return containers.into_png(
        data, exif=ready.exif(), xmp=ready.xmp, icc=ready.icc, dpi=metadata.dpi, text=metadata.text
    )


def encode_tiff(ready: Ready) -> bytes:
    """LZW, three times as fast as deflate."""
    metadata = ready.photo.metadata
    return exif.into_tiff(
        _image(ready).tiffsave_buffer(**tiff_options(ready.levels.nbytes), keep="none"),
        ready.exif(),
        dpi=metadata.dpi,
        xmp=ready.xmp,
        iptc=metadata.iptc,
        icc=ready.icc,
    )


def encode_webp(ready: Ready) -> bytes:
    """Lossless, unseen colours too, where it came as lossless WebP and no quality was asked for."""
    kind: dict[str, Any] = {"lossless": True, "exact": True} if ready.lossless else {"Q": ready.quality}
    data = _image(ready).webpsave_buffer(**kind, effort=2, keep="none")
    return containers.into_webp(
        data,
        width=ready.width,
        height=ready.height,
        alpha=ready.alpha,
        exif=ready.exif(),
        xmp=ready.xmp,
        icc=ready.icc,
    )


def encode_avif(ready: Ready) -> bytes:
    """12 bits go in as the upper ones of 16. EXIF passes through libexif, the only way in here."""
    vips = load_vips()
    image = _image(ready)
    dpi = ready.photo.metadata.dpi
    if dpi is not None:
        image = image.copy(xres=dpi[0] / 25.4, yres=dpi[1] / 25.4)
        image.set_type(vips.GValue.gstr_type, "resolution-unit", "in")
    blocks = {"exif-data": b"Exif\0\0" + ready.exif(), "xmp-data": ready.xmp, "icc-profile-data": ready.icc}
    for name, block in blocks.items():
        if block:
            image.set_type(vips.GValue.blob_type, name, block)
    encoded: bytes = image.heifsave_buffer(
        Q=ready.quality, bitdepth=ready.bits, compression="av1", effort=1, subsample_mode="off"
    )
    return encoded


def encode_bmp(ready: Ready) -> bytes:
    """24 bits, 32 with alpha, 8 for gray; BMP holds no metadata that readers look at."""
    levels = ready.levels
    if ready.space == "rgb":
        levels = cv2.cvtColor(levels, cv2.COLOR_RGBA2BGRA if ready.alpha else cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".bmp", levels)
    return bytes(encoded)


def encode_heif(ready: Ready) -> bytes:
    """By x265, with 10 bits for anything over 8."""
    try:
        import pillow_heif
    except ImportError:
        raise MissingExtra("writing HEIC", "heif") from None
    mode = ("RGBA" if ready.alpha else "RGB") + (";16" if ready.bits > 8 else "")
    out = io.BytesIO()
    pillow_heif.encode(
        mode,
        (ready.width, ready.height),
        ready.levels.tobytes(),
        out,
        quality=ready.quality,
        chroma=444,
        exif=b"Exif\0\0" + ready.exif(),
        xmp=ready.xmp,
        icc_profile=ready.icc,
    )
    return out.getvalue()


ENCODERS = {
    "jpeg": encode_jpeg,
    "png": encode_png,
    "tiff": encode_tiff,
    "webp": encode_webp,
    "avif": encode_avif,
    "bmp": encode_bmp,
    "heif": encode_heif,
}
"""Format name -> its encoder."""


def _image(ready: Ready) -> Any:
    """The levels as a libvips image that shares their memory."""
    bands = 1 if ready.levels.ndim == 2 else ready.levels.shape[2]
    wide = ready.levels.dtype == np.uint16
    image = load_vips().Image.new_from_memory(
        ready.levels, ready.width, ready.height, bands, "ushort" if wide else "uchar"
    )
    meaning = {"gray": "grey16" if wide else "b-w", "rgb": "rgb16" if wide else "srgb", "cmyk": "cmyk"}
    image = image.copy(interpretation=meaning[ready.space])
    if ready.photo.metadata.dpi is None:  # a TIFF has to state one; libvips' own, 1 per mm, would be 25.4 dpi
        image = image.copy(xres=UNSAID_DPI / 25.4, yres=UNSAID_DPI / 25.4)
    return image
