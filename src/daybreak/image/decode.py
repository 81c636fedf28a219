"""One decoder per kind of file: bytes to levels as they are stored, with what lies beside them.

Every decoder looks at the size in the header first (`SizeCheck`) and allocates after that.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import cv2
import numpy as np

from daybreak.errors import DaybreakError, MissingExtra
from daybreak.image import containers, exif, ifd
from daybreak.image.photo import Metadata
from daybreak.image.profile import Space
from daybreak.image.vips import load_vips, one_line, pixels_of
from daybreak.types import Array

SizeCheck = Callable[[int, int], None]
"""Called with width and height before anything of that size is allocated; raises to refuse."""


class NotDecodable(Exception):
    """The file is damaged, cut short or of a sort that is not supported; the text is a clause saying so."""


@dataclass
class Decoded:
    """A picture as it is stored.

    Attributes:
        levels: H×W×C or H×W: gray, RGB or CMYK, with alpha as the last channel if `alpha`; uint8 or uint16,
            or float32 in [0, 1].
        space: what the channels mean.
        alpha: whether there is an alpha channel.
        peak: the level that means 1.0.
        orientation: as in EXIF, 1 to 8, still to be applied.
    """

    levels: Array
    space: Space
    alpha: bool = False
    peak: int = 255
    orientation: int = 1
    icc: bytes | None = None
    metadata: Metadata = field(default_factory=Metadata)
    half_chroma: bool = False
    lossless: bool = False
    notes: list[str] = field(default_factory=list)


# What each loader must refuse. JPEG: even warnings, the only sign of a hole in the middle of the data; the
# others warn about harmless things (an unknown TIFF tag) and report damage as errors.
_LOADERS: dict[str, tuple[str, str]] = {
    "jpeg": ("jpegload_buffer", "warning"),
    "png": ("pngload_buffer", "error"),
    "tiff": ("tiffload_buffer", "error"),
    "webp": ("webpload_buffer", "error"),
    "avif": ("heifload_buffer", "error"),
    "gif": ("gifload_buffer", "error"),
}
_SPACES: dict[str, Space] = {"b-w": "gray", "grey16": "gray", "srgb": "rgb", "rgb16": "rgb", "rgb": "rgb",
                             "scrgb": "rgb", "cmyk": "cmyk"}  # fmt: skip
_OPENCV_MESSAGES = Lock()
_COLOURS = {"gray": 1, "rgb": 3, "cmyk": 4}


def decode(data: bytes, format: str, check: SizeCheck) -> Decoded:
    """Decode a file of a known format.

    Args:
        data: the whole file.
        format: a key of `FORMATS`.
        check: refuses sizes.

    Raises:
        NotDecodable: damaged, cut short, or a sort of that format that is not supported.
        MissingExtra: RAW or HEIC without the part that reads them.
    """
    if format == "bmp":
        return _decode_bmp(data, check)
    if format == "heif":
        return _decode_heif(data, check)
    if format == "raw":
        return _decode_raw(data, check)
    return _decode_vips(data, format, check)


def _decode_vips(data: bytes, format: str, check: SizeCheck) -> Decoded:
    try:
        return _load(data, format, _LOADERS[format][1], check)
    except load_vips().Error as error:
        reason = one_line(error)
    if format != "jpeg" or "extraneous bytes" not in reason:
        raise NotDecodable(reason)
    try:  # filler between segments, which some cameras write: there is no block of pixels missing
        decoded = _load(data, format, "error", check)
    except load_vips().Error as error:
        raise NotDecodable(one_line(error)) from None
    decoded.notes.append("the JPEG data holds bytes that belong to nothing; a part may be damaged")
    return decoded


def _load(data: bytes, format: str, fail_on: str, check: SizeCheck) -> Decoded:
    """Let libvips read the header, look at it, then let it read the pixels."""
    loader = getattr(load_vips().Image, _LOADERS[format][0])
    image = loader(data, access="sequential", fail_on=fail_on)
    check(image.width, image.height)
    decoded = _describe(image, data, format)
    levels = pixels_of(image)
    decoded.levels = _checked_float(levels) if levels.dtype.kind == "f" else levels
    if format == "avif":  # 10 and 12 bits arrive shifted up to 16, the lowest bits empty
        bits = _get(image, "bits-per-sample") or 8
        decoded.peak = 255 if bits == 8 else ((1 << bits) - 1) << (16 - bits)
    decoded.metadata = _metadata(image, data, format)
    decoded.lossless = format == "webp" and containers.webp_is_lossless(data)
    return decoded


def _describe(image: Any, data: bytes, format: str) -> Decoded:
    """All but pixels and metadata, refusing what is no gray, RGB or CMYK of a known depth."""
    alpha = bool(image.hasalpha())
    space = _SPACES.get(image.interpretation)
    if space is None or image.format not in ("uchar", "ushort", "float"):
        raise NotDecodable(f"its pixels are {image.interpretation} {image.format}, which is not supported")
    if image.bands != _COLOURS[space] + alpha:
        raise NotDecodable(f"it has {image.bands} channels, which is not supported")
    notes = []
    frames = containers.png_frames(data) if format == "png" else _get(image, "n-pages") or 1
    if frames > 1:
        pages = format in ("tiff", "avif")
        notes.append(
            f"only the first page of {frames}" if pages else f"animated: only the first of {frames} frames"
        )
    return Decoded(
        np.empty(0),
        space,
        alpha=alpha,
        peak=65_535 if image.format == "ushort" else 255,
        orientation=1
        if format == "avif"
        else _get(image, "orientation") or 1,  # AVIF is turned by its decoder
        icc=_get(image, "icc-profile-data"),
        half_chroma=_get(image, "jpeg-chroma-subsample") == "4:2:0",
        notes=notes,
    )


def _checked_float(levels: Array) -> Array:
    """Float TIFF: taken as sRGB-encoded in [0, 1], which is how array libraries write it."""
    low, high = float(levels.min()), float(levels.max())
    if not (low >= 0.0 and high <= 1.0):
        raise NotDecodable(
            f"its float values run from {low:g} to {high:g}; only sRGB-encoded values in [0, 1] are read"
        )
    return levels


def _get(image: Any, name: str) -> Any:
    return image.get(name) if image.get_typeof(name) else None


def _metadata(image: Any, data: bytes, format: str) -> Metadata:
    block: bytes | None = exif.from_tiff(data) if format == "tiff" else _get(image, "exif-data")
    block = (block or b"").removeprefix(b"Exif\0\0")
    iptc = _get(image, "iptc-data")
    return Metadata(
        exif=block or None,
        xmp=_get(image, "xmp-data"),
        iptc=containers.iptc_records(iptc) if iptc else None,
        dpi=exif.resolution(block) or _resolution(image, format),
        text=containers.png_text(data) if format == "png" else b"",
    )


def _resolution(image: Any, format: str) -> tuple[float, float] | None:
    """Pixels per inch outside EXIF; libvips fills in 1 or 2.834 per millimetre where a file says nothing."""
    said = image.xres != 2.834 if format == "png" else _get(image, "resolution-unit") is not None
    return (round(image.xres * 25.4, 2), round(image.yres * 25.4, 2)) if said and image.xres != 1.0 else None


def _decode_bmp(data: bytes, check: SizeCheck) -> Decoded:
    """OpenCV reads every sort of BMP, but tells of damage only on stderr, so the size is checked before."""
    try:
        offset, header = struct.unpack_from("<II", data, 10)
        width, height = bmp_sides(data)
        bits, packing = struct.unpack_from("<H", data, 24 if header == 12 else 28)[0], 0
        if header != 12:
            (packing,) = struct.unpack_from("<I", data, 30)
    except struct.error:
        raise NotDecodable("the header is cut short") from None
    check(width, abs(height))
    if bits not in (1, 4, 8, 16, 24, 32) or packing not in (0, 1, 2, 3):
        raise NotDecodable(f"it has {bits} bits a pixel, packed in way {packing}, which is not supported")
    if packing in (0, 3) and len(data) < offset + (width * bits + 31) // 32 * 4 * abs(height):
        raise NotDecodable("the data is cut short")
    levels = _quietly_decode(data)
    if levels is None or levels.dtype != np.uint8:
        raise NotDecodable("the data is damaged")
    if levels.ndim == 2:
        return Decoded(levels.reshape(abs(height), width), "gray")
    alpha = levels.shape[2] == 4
    return Decoded(cv2.cvtColor(levels, cv2.COLOR_BGRA2RGBA if alpha else cv2.COLOR_BGR2RGB), "rgb", alpha)


def bmp_sides(data: bytes) -> tuple[int, int]:
    """Width and height by the header, the height negative where the rows begin at the top.

    Raises:
        struct.error: the header is cut short.
    """
    (header,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if header == 12 else "<ii", data, 18)  # 12: OS/2
    return width, height


def _quietly_decode(data: bytes) -> Array | None:
    """OpenCV's decoder without its messages on stderr; their level is one for the process, hence the lock."""
    with _OPENCV_MESSAGES:
        before = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        try:
            return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        finally:
            cv2.utils.logging.setLogLevel(before)


def _decode_heif(data: bytes, check: SizeCheck) -> Decoded:
    try:
        import pillow_heif
    except ImportError:
        raise MissingExtra("reading HEIC", "heif") from None
    try:
        file = pillow_heif.open_heif(data, convert_hdr_to_8bit=False)  # the header alone
        check(*file.size)
        levels = np.asarray(file)
    except DaybreakError:
        raise
    except Exception as error:  # damaged files make it fail in any way, an IndexError for one
        raise NotDecodable(str(error).splitlines()[0] if str(error) else "the data is damaged") from None
    told = file.info
    bits = int(told.get("bit_depth") or 8)
    peak = 255 if levels.dtype == np.uint8 else ((1 << bits) - 1) << (16 - bits)
    gray = file.mode.startswith("L") or file.mode.startswith("I")
    block = (told.get("exif") or b"").removeprefix(b"Exif\0\0")
    return Decoded(
        _divided_by_alpha(levels, peak) if "a" in file.mode else levels,
        "gray" if gray else "rgb",
        alpha="a" in file.mode.lower(),
        peak=peak,
        icc=told.get("icc_profile") or None,
        metadata=Metadata(exif=block or None, xmp=told.get("xmp") or None, dpi=exif.resolution(block)),
        notes=[f"only the main picture of {len(file)}"] if len(file) > 1 else [],
    )


def _divided_by_alpha(levels: Array, peak: int) -> Array:
    """H×W×C whose colours were multiplied by alpha, the last channel, as before that; black where clear."""
    alpha = levels[..., -1:]
    full = np.float32(peak)
    scale = np.divide(full, alpha, out=np.zeros(alpha.shape, np.float32), where=alpha > 0)
    colour = np.minimum(np.rint(levels[..., :-1] * scale), full).astype(levels.dtype)
    return np.concatenate([colour, alpha], axis=-1)


def _decode_raw(data: bytes, check: SizeCheck) -> Decoded:
    """Developed with the camera's white balance to sRGB, without LibRaw's automatic brightening."""
    try:
        import rawpy
    except ImportError:
        raise MissingExtra("reading camera RAW", "raw") from None
    try:
        with rawpy.imread(io.BytesIO(data)) as raw:
            check(raw.sizes.width, raw.sizes.height)
            levels = raw.postprocess(
                use_camera_wb=True, no_auto_bright=True, output_bps=16, gamma=(2.4, 12.92)
            )
    except rawpy.LibRawError as error:
        told = error.args[0] if error.args else "the data is damaged"
        raise NotDecodable(told.decode(errors="replace") if isinstance(told, bytes) else str(told)) from None
    block = exif.from_tiff(data)
    metadata = Metadata(exif=block, dpi=exif.resolution(block) if block else None)
    notes = ["developed from RAW with the camera's white balance"]
    return Decoded(levels, "rgb", peak=65_535, metadata=metadata, notes=notes)


def is_raw_tiff(data: bytes) -> bool:
    """Whether a file that begins like a TIFF is a camera RAW (DNG, CR2, NEF, ARW, PEF …)."""
    if data[8:10] == b"CR":  # Canon
        return True
    try:
        directory, order = ifd.read(data), ifd.byte_order(data)
    except ifd.BadDirectory:
        return False
    if 0xC612 in directory:  # DNGVersion
        return True
    photometric = directory.get(0x0106)
    mosaic = isinstance(photometric, ifd.Entry) and ifd.numbers(order, photometric)[:1] == (32_803,)
    return mosaic or (0x014A in directory and 0x010F in directory)  # sub-pictures and a camera maker
