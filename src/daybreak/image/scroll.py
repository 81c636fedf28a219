"""Pictures larger than memory: rows read from a file from top to bottom, rows written to one as they come.

Reading is libvips' sequential access. For writing, libvips has no call that takes rows one after the other,
so they go to it as a PNG that is not compressed (stored blocks, RFC 1951 section 3.2.4), a format it reads as
a stream; what it saves as TIFF, PNG or JPEG never lies in memory as a whole either.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from daybreak.errors import UnreadablePicture, UnwritablePicture
from daybreak.image.containers import LARGEST_IPTC_IN_JPEG, iptc_records, iptc_resource
from daybreak.image.paths import shown
from daybreak.image.photo import UNSAID_DPI
from daybreak.image.profile import Space, is_srgb
from daybreak.image.rows import Levels
from daybreak.image.vips import load_vips, one_line, tiff_options
from daybreak.types import Array

_LOADERS = {"jpeg": "jpegload", "png": "pngload", "tiff": "tiffload"}
_IPTC, _CHROMA = "iptc-data", "jpeg-chroma-subsample"
_BLOCKS = ("icc-profile-data", "xmp-data", _IPTC)  # what travels along
_CHUNK = 1 << 20  # bytes of a PNG chunk
_LINES = 32  # of a PNG that are packed at a time

STREAMED = ("tiff", "png", "jpeg")
"""Formats that can be read and written row by row."""


class Scroll:
    """A picture file whose rows are read where they are looked at; satisfies `daybreak.image.rows.Bands`.

    Args:
        path: of a file.
        format: a key of `FORMATS`.

    Raises:
        UnreadablePicture: it cannot be read row by row: another format, or transparency, a colour profile
            that is not sRGB, an orientation to turn, or an interlaced file.
    """

    def __init__(self, path: Path, format: str) -> None:
        self._path, self._format = path, format
        self._top, self._rows = 0, np.empty((0, 0, 3), np.uint8)
        self._region: Any = None
        if format not in _LOADERS:
            raise UnreadablePicture(self._told(f"it is {format.upper()}"), *_WAY_OUT)
        image = self._open()
        reason = _reason_against(image)
        if reason:
            raise UnreadablePicture(self._told(reason), *_WAY_OUT)
        self.shape = (int(image.height), int(image.width), 3)
        self.gray = image.bands == 1
        self.peak = 255 if image.format == "uchar" else 65_535
        said = image.xres != 1.0  # what libvips fills in
        self.resolution = (image.xres, image.yres) if said else (UNSAID_DPI / 25.4,) * 2
        self.half_chroma = image.get_typeof(_CHROMA) != 0 and image.get(_CHROMA) == "4:2:0"
        self.may_have_exif = format == "tiff" or image.get_typeof("exif-data") != 0  # libvips reads no TIFF's
        self.blocks = {name: image.get(name) for name in _BLOCKS if image.get_typeof(name)}
        records = iptc_records(self.blocks.pop(_IPTC, b""))
        if records:
            self.blocks[_IPTC] = records

    def band(self, top: int, bottom: int) -> Levels:
        """The rows from the first to before the second; going back up begins at the file's start again.

        Raises:
            UnreadablePicture: the file is damaged there.
        """
        if top < self._top:
            self._open()
        held = self._rows
        missing = max(top, self._top + len(held))
        if bottom > missing:
            new = self._fetch(missing, bottom)
            held = np.concatenate([held[top - self._top :], new]) if top < missing else new
        else:
            held = held[top - self._top :]
        self._rows, self._top = held, top
        return Levels(held[: bottom - top], self.peak)

    def _open(self) -> Any:
        loader = getattr(load_vips().Image, _LOADERS[self._format])
        fail = "warning" if self._format == "jpeg" else "error"
        try:
            image = loader(str(self._path), access="sequential", fail_on=fail)
        except load_vips().Error as error:
            raise UnreadablePicture(f"{shown(self._path)} cannot be read: {one_line(error)}") from None
        self._region = load_vips().Region.new(image)
        self._image = image
        self._rows, self._top = np.empty((0, image.width, 3), np.uint8), 0
        return image

    def _fetch(self, top: int, bottom: int) -> Array:
        image = self._image
        try:
            data = self._region.fetch(0, top, image.width, bottom - top)
        except load_vips().Error as error:
            raise UnreadablePicture(f"{shown(self._path)} cannot be read: {one_line(error)}") from None
        kind = np.uint8 if self.peak == 255 else np.uint16
        rows = np.frombuffer(data, kind).reshape(bottom - top, image.width, image.bands)
        return np.repeat(rows, 3, axis=2) if image.bands == 1 else rows

    def _told(self, reason: str) -> str:
        return f"{shown(self._path)} does not fit into memory and cannot be read row by row: {reason}"


_WAY_OUT = (
    "an opaque, upright JPEG, PNG or TIFF in sRGB or gray",
    "Give it more with --max-memory, or convert it first",
)


def _reason_against(image: Any) -> str:
    """Why a file cannot be read row by row; "" where it can."""
    if image.interpretation not in ("b-w", "grey16", "srgb", "rgb16", "rgb") or image.bands not in (1, 3):
        return "it is not opaque RGB or gray"
    if image.format not in ("uchar", "ushort"):
        return f"its levels are {image.format}"
    if image.get_typeof("orientation") and image.get("orientation") not in (0, 1):
        return "it is stored turned"
    if image.get_typeof("interlaced") and image.get("interlaced"):
        return "it is interlaced or progressive"
    if image.get_typeof("icc-profile-data"):
        space: Space = "gray" if image.bands == 1 else "rgb"
        return "" if is_srgb(image.get("icc-profile-data"), space) else "its colours are not sRGB"
    return ""


def save_rows(
    bands: Iterator[Array],
    height: int,
    width: int,
    bits: int,
    path: Path,
    format: str,
    *,
    quality: int | None,
    resolution: tuple[float, float],
    blocks: dict[str, bytes],
    gray: bool,
    half_chroma: bool,
) -> None:
    """Write rows into a picture file as they come.

    Args:
        bands: h×W×3 uint8 or uint16, together H×W×3; asked for as the file is written.
        height, width: of the whole, px.
        bits: 8 or 16.
        path: of a file that may be overwritten.
        format: one of `STREAMED`.
        quality: of a JPEG, 1 to 100.
        resolution: pixels a millimetre, across and down.
        blocks: what travels along, by libvips' names; of IPTC the records alone.
        gray: one channel is written.
        half_chroma: a JPEG stores its colour at half resolution.

    Raises:
        UnwritablePicture: libvips could not; an error of the bands comes out as it is.
    """
    vips = load_vips()
    stream = _Stream(_png(bands, height, width, bits, gray))
    source = vips.SourceCustom()
    source.on_read(stream.read)
    try:
        image = vips.Image.pngload_source(source, access="sequential", fail_on="error")
        image = image.copy(xres=resolution[0], yres=resolution[1])
        for name, block in blocks.items():
            held = _iptc_for(format, block) if name == _IPTC else block
            if held is not None:
                image.set_type(vips.GValue.blob_type, name, held)
        if format == "tiff":
            size = height * width * (1 if gray else 3) * bits // 8
            image.tiffsave(str(path), **tiff_options(size))
        elif format == "png":
            image.pngsave(str(path), compression=2, filter="up")
        else:
            image.jpegsave(str(path), Q=quality or 95, subsample_mode="on" if half_chroma else "off")
    except vips.Error as error:
        if stream.error is not None:
            raise stream.error from None
        raise UnwritablePicture(f"{format.upper()} could not be made ({one_line(error)})") from None
    if stream.error is not None:
        raise stream.error


def _iptc_for(format: str, records: bytes) -> bytes | None:
    """IPTC records as libvips is to be given them for a format; None where it holds none, or not so much."""
    if format == "jpeg":
        return iptc_resource(records) if len(records) < LARGEST_IPTC_IN_JPEG else None
    if format == "tiff":
        return records.ljust(4 * len(records), b"\0")  # it writes as many bytes as there are words of four
    return None


class _Stream:
    """Chunks as a stream that libvips reads; it calls from a thread of its own and takes no exceptions."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, memoryview(b"")
        self.error: BaseException | None = None

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end, or where making them failed."""
        try:
            while not self._rest:
                self._rest = memoryview(next(self._chunks))
        except StopIteration:
            return b""
        except BaseException as error:  # Ctrl-C too: it comes out of `save_rows`
            self.error = error
            return b""
        given, self._rest = bytes(self._rest[:size]), self._rest[size:]
        return given


def _png(bands: Iterator[Array], height: int, width: int, bits: int, gray: bool) -> Iterator[bytes]:
    """An uncompressed PNG, piece by piece (PNG specification, third edition, sections 5 and 9)."""
    header = struct.pack(">IIBBBBB", width, height, bits, 0 if gray else 2, 0, 0, 0)
    yield b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header)
    packer = zlib.compressobj(0)
    kind = np.dtype(">u2") if bits == 16 else np.dtype(np.uint8)
    for band in bands:
        for top in range(0, len(band), _LINES):
            some = band[top : top + _LINES]
            planes = cv2.cvtColor(some, cv2.COLOR_RGB2GRAY) if gray else some
            flat = np.ascontiguousarray(planes.reshape(len(some), -1).astype(kind)).view(np.uint8)
            lines = np.zeros((len(some), 1 + flat.shape[1]), np.uint8)  # each begins with its filter, 0
            lines[:, 1:] = flat
            yield from _data(packer.compress(lines.data))
    yield from _data(packer.flush())
    yield _chunk(b"IEND", b"")


def _data(packed: bytes) -> Iterator[bytes]:
    for start in range(0, len(packed), _CHUNK):
        yield _chunk(b"IDAT", packed[start : start + _CHUNK])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
