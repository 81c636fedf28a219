"""Read a picture file of any known format into a `Photo`: upright, sRGB, float32, with all that travels."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from daybreak.errors import PictureTooLarge, UnreadablePicture
from daybreak.image import exif, xmp
from daybreak.image.decode import Decoded, NotDecodable, bmp_sides, decode, is_raw_tiff
from daybreak.image.depth import to_float, to_levels
from daybreak.image.formats import FORMATS, describe_stranger, format_of, sniff
from daybreak.image.paths import beginning, read_bytes, shown
from daybreak.image.photo import Metadata, Photo
from daybreak.image.profile import Space, fits, is_srgb, to_srgb
from daybreak.image.rows import Levels
from daybreak.image.vips import load_vips, one_line
from daybreak.types import Array

_START = 1 << 16  # bytes from the start of a file, in which a camera's RAW has its first directory
_MOST_DPI = 1e6  # a nonsense resolution is dropped: the fields for it hold 32 bits

MAX_PIXELS = 1 << 28
"""268 million: the largest camera sensors have 200 million, and float32 RGB of more would pass 3.2 GB."""


def read_photo(source: Path | str | bytes, *, max_pixels: int = MAX_PIXELS, name: str | None = None) -> Photo:
    """Read a picture.

    What the file holds decides how it is read, never its suffix. Of an animation or of several pages the
    first is read and a note says so.

    Args:
        source: a path, or the bytes of a picture file.
        max_pixels: refuse a picture of more before allocating for it.
        name: what to call the picture in messages; None takes the path.

    Raises:
        UnreadablePicture: missing, empty, cut short, damaged, too large or no picture; the message names
            the file and says what to do.
        MissingExtra: HEIC or RAW without the optional part that reads it.
    """
    if isinstance(source, bytes):
        data, name = source, name or "the data given"
        if not data:
            raise UnreadablePicture(f"{name} is empty (0 bytes)", "the bytes of a picture file")
    else:
        path = Path(source)
        data, name = read_bytes(path), name or shown(path)
    format = _recognise(data, name, None if isinstance(source, bytes) else Path(source))

    def check(width: int, height: int) -> None:
        if width < 1 or height < 1:
            raise NotDecodable(f"its header claims {width}x{height} pixels")
        if width * height > max_pixels:
            raise PictureTooLarge(
                f"{name} claims {width}x{height} pixels ({width * height / 1e6:,.0f} million)",
                f"at most {max_pixels / 1e6:,.0f} million",
                "Scale it down first",
            )

    try:
        return _to_photo(decode(data, format, check), format)
    except NotDecodable as error:
        raise UnreadablePicture(
            f"{name} cannot be read as {format.upper()}: {error}", hint="Copy it again from its source"
        ) from None
    except (load_vips().Error, cv2.error) as error:
        raise UnreadablePicture(f"{name} cannot be read as {format.upper()}: {one_line(error)}") from None
    except OSError as error:  # a colour profile goes through a temporary file
        raise UnreadablePicture(f"{name} cannot be read: no temporary file ({error.strerror})") from None
    except MemoryError:
        raise UnreadablePicture(f"{name} does not fit in memory", hint="Scale it down first") from None


def read_record(source: Path | str | bytes) -> dict[str, str] | None:
    """What daybreak wrote into a picture about how it was made; only the header is read.

    Args:
        source: a path, or the bytes of a picture file.

    Returns:
        The `record` of `encode_photo`; None where there is none, or no readable picture at all.
    """
    try:
        place = source if isinstance(source, bytes) else Path(source)
        format = sniff(place[:4096] if isinstance(place, bytes) else beginning(place, 4096))
        if format is None or not FORMATS[format].tags:
            return None
        packet = _packet(place, format)
    except (OSError, ValueError, RuntimeError, load_vips().Error):
        return None
    return xmp.read_record(packet) if packet else None


@dataclass(frozen=True)
class Outline:
    """What a picture's header tells of the memory it will take.

    Attributes:
        pixels: of the picture. Of RAW, whose headers lie deep, the size of the file stands in: it holds a
            byte or more for each. HEIC is coded in blocks, with up to 63 rows and columns more than shown.
        deep: more than 8 bits a value.
        profiled: its colours go through a profile, both ways.
        alpha: has transparency.
    """

    pixels: int
    deep: bool = False
    profiled: bool = False
    alpha: bool = False


def read_outline(source: Path | bytes) -> Outline | None:
    """What a file's header tells; no pixel is decoded. None where it does not say, or nobody reads it."""
    try:
        format, start = _kind(source)
        if format == "bmp":
            width, height = bmp_sides(start)
            return Outline(abs(width * height))
        if format == "raw":
            return Outline(len(source) if isinstance(source, bytes) else source.stat().st_size, deep=True)
        if format == "heif":  # of its tiles and of the whole; telephones have a profile in nearly all
            sizes = (struct.unpack_from(">II", start, box.end() + 4) for box in re.finditer(b"ispe", start))
            most = max((width * height for width, height in sizes), default=None)
            return None if most is None else Outline(most, profiled=True)
        header = _header(source, format) if format else None
        return None if header is None else _outline(header)
    except (OSError, ValueError, RuntimeError, struct.error, load_vips().Error):
        return None


def _outline(header: Any) -> Outline:
    """Of an image of libvips."""
    space: Space = "gray" if header.interpretation in ("b-w", "grey16") else "rgb"
    icc = header.get("icc-profile-data") if header.get_typeof("icc-profile-data") else None
    return Outline(
        int(header.width * header.height),
        deep=header.format not in ("uchar", "char"),
        profiled=header.interpretation == "cmyk" or (icc is not None and _converts(icc, space)),
        alpha=bool(header.hasalpha()),
    )


def _converts(icc: bytes, space: Space) -> bool:
    """Whether the colours of a file with this profile have to be converted."""
    return fits(icc, space) and not is_srgb(icc, space)


def read_size(path: Path) -> int | None:
    """How many pixels a picture has, as `read_outline`."""
    outline = read_outline(path)
    return None if outline is None else outline.pixels


def comes_whole(path: Path) -> bool:
    """Whether a file is of a format that is decoded all at once or not at all: RAW and HEIF."""
    try:
        return _kind(path)[0] in ("raw", "heif")
    except OSError:
        return False


def _kind(source: Path | bytes) -> tuple[str | None, bytes]:
    """The format of a file, and its beginning, by which that is known."""
    if isinstance(source, bytes):
        start, path = source[:_START], None
    else:
        start, path = beginning(source, _START), source
    format = sniff(start)
    return "raw" if format == "tiff" and _is_raw(start, path) else format, start


_LOADERS = {
    "jpeg": "jpegload",
    "png": "pngload",
    "tiff": "tiffload",
    "webp": "webpload",
    "avif": "heifload",
    "gif": "gifload",
}
"""Format -> the loader of libvips that reads it."""


def _header(source: Path | bytes, format: str) -> Any:
    """The picture as an image of libvips that has decoded nothing yet; None for what it does not read."""
    if format not in _LOADERS:
        return None
    image, loader = load_vips().Image, _LOADERS[format]
    if isinstance(source, bytes):
        return getattr(image, f"{loader}_buffer")(source, access="sequential")
    return getattr(image, loader)(str(source), access="sequential")


def _heif_header(source: Path | bytes) -> Any:
    """A HEIC file of pillow-heif that has decoded nothing yet; None where either is broken or missing."""
    try:
        import pillow_heif

        return pillow_heif.open_heif(source)
    except Exception:  # damaged files make it fail in any way, an IndexError for one
        return None


def _packet(source: Path | bytes, format: str) -> bytes | None:
    """The XMP packet of a file, without its pixels."""
    if format == "heif":
        file = _heif_header(source)
        return (file.info.get("xmp") or None) if file is not None else None
    image = _header(source, format)
    return image.get("xmp-data") if image is not None and image.get_typeof("xmp-data") else None


def _recognise(data: bytes, name: str, path: Path | None) -> str:
    format = sniff(data)
    if format is None:
        kinds = ", ".join(row.name.upper() for row in FORMATS.values())
        told = describe_stranger(data)
        hint = "Films: daybreak video" if told == "a video" else ""
        raise UnreadablePicture(f"{name} is {told}, no picture", f"one of {kinds}", hint)
    return "raw" if format == "tiff" and _is_raw(data, path) else format


def _is_raw(data: bytes, path: Path | None) -> bool:
    """Whether what begins like a TIFF is a camera RAW, by its first directory or its suffix."""
    suffix = format_of(path) if path else None
    return is_raw_tiff(data) or (suffix is not None and suffix.name == "raw")


def _to_photo(decoded: Decoded, format: str) -> Photo:
    """Turn upright, split off alpha, go to sRGB, go to float; in that order, the cheapest first."""
    upright = turn_upright(decoded.levels, decoded.orientation)
    decoded.levels = upright  # the stored one is free to go
    colour, alpha = _split(upright, decoded.alpha)
    notes = decoded.notes
    icc, beyond = decoded.icc, None
    if icc is not None and not fits(icc, decoded.space):
        notes.append("the embedded colour profile is broken or of another kind of pixels; taken as sRGB")
        icc = None
    deep = colour.dtype != np.uint8
    peak = decoded.peak
    if decoded.space == "cmyk" or (icc is not None and not is_srgb(icc, decoded.space)):
        if colour.dtype.kind == "f" or peak not in (255, 65_535):
            colour = _to_full_range(colour, peak)
        colour, beyond = to_srgb(colour, decoded.space, icc)
        peak = 65_535
    return Photo(
        _three(colour) if colour.dtype.kind == "f" else Levels(_three(colour), peak),
        _alpha_plane(alpha, decoded.peak),
        bit_depth=16 if deep else 8,
        format=format,
        gray=decoded.space == "gray",
        cmyk=decoded.space == "cmyk",
        icc=icc,
        beyond=beyond,
        metadata=_checked(decoded.metadata, notes),
        half_chroma=decoded.half_chroma,
        lossless=decoded.lossless,
        orientation=decoded.orientation,
        notes=tuple(notes),
    )


def turn_upright(levels: Array, orientation: int) -> Array:
    """Apply an EXIF orientation (Exif 2.32, 4.6.4 A) to H×W or H×W×C; values other than 1 to 8 do nothing."""
    if orientation not in range(2, 9):
        return levels
    out = np.asarray(cv2.transpose(levels)) if orientation >= 5 else levels
    flips = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}  # OpenCV: 1 left-right, 0 upside down, -1 both
    if orientation in flips:
        out = np.asarray(cv2.flip(out, flips[orientation]))
    return np.asarray(out.reshape(*out.shape[:2], *levels.shape[2:]))


def _split(levels: Array, has_alpha: bool) -> tuple[Array, Array | None]:
    """Colour (H×W for gray) and alpha, each contiguous."""
    shape = levels.shape[:2]
    if not has_alpha:
        return (levels.reshape(shape) if levels.ndim == 3 and levels.shape[2] == 1 else levels), None
    *colours, alpha = cv2.split(levels)
    colour = colours[0].reshape(shape) if len(colours) == 1 else cv2.merge(colours).reshape(*shape, -1)
    return colour, np.asarray(alpha).reshape(shape)


def _to_full_range(levels: Array, peak: int) -> Array:
    """Levels of another peak, or float in [0, 1], to uint16 of the whole range."""
    values = levels if levels.dtype.kind == "f" else to_float(levels, peak)
    return to_levels(values, 16)


def _three(colour: Array) -> Array:
    if colour.ndim == 3:
        return np.ascontiguousarray(colour)
    return np.asarray(cv2.merge([colour] * 3)).reshape(*colour.shape, 3)


def _alpha_plane(alpha: Array | None, peak: int) -> Array | None:
    """Alpha as float; None also where every pixel is opaque in a file that need not have said so."""
    if alpha is None:
        return None
    return alpha.astype(np.float32) if alpha.dtype.kind == "f" else to_float(alpha, peak)


def _checked(metadata: Metadata, notes: list[str]) -> Metadata:
    """Metadata without the blocks that nobody can read, each with a note."""
    block, packet = metadata.exif, metadata.xmp
    if block is not None and not exif.is_readable(block):
        notes.append("the EXIF block is broken and was left out")
        block = None
    if packet is not None and not xmp.is_readable(packet):
        notes.append("the XMP packet is broken or too large and was left out")
        packet = None
    elif packet is not None:
        if xmp.tells_gain_map(packet):
            notes.append("the gain map for HDR screens was left out")
        if xmp.tells_film(packet):
            notes.append("the film of the motion photo was left out")
    dpi = metadata.dpi
    if dpi is not None and not all(0 < value <= _MOST_DPI for value in dpi):
        dpi = None
    return Metadata(block, packet, metadata.iptc, dpi, metadata.text)
