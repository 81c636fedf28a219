"""Put metadata blocks around encoded pixels: JPEG segments, PNG chunks, WebP chunks.

libvips would rewrite EXIF by way of libexif, which drops fields it does not know; written here, a block keeps
every byte. Sources: ISO/IEC 10918-1 B, JFIF 1.02, ICC.1:2010 B.4, XMP specification part 3; PNG (third
edition); WebP container specification.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence

_SEGMENT = 65_533  # most bytes in one JPEG segment, its own length not counted
_XMP_START = b"http://ns.adobe.com/xap/1.0/\0"
_ICC_START = b"ICC_PROFILE\0"
_IPTC_START = b"Photoshop 3.0\0"
_IPTC_RESOURCE = 0x0404

RESTARTS = 8
"""Restart markers of JPEG, which are numbered in turn."""

LARGEST_EXIF_IN_JPEG = _SEGMENT - 6
LARGEST_XMP_IN_JPEG = _SEGMENT - len(_XMP_START)
LARGEST_IPTC_IN_JPEG = _SEGMENT - 100  # more does not fit in one segment, and the rest is not read


def into_jpeg(
    data: bytes,
    *,
    exif: bytes,
    xmp: bytes | None,
    iptc: bytes | None,
    icc: bytes | None,
    dpi: tuple[float, float] | None,
) -> bytes:
    """A bare JPEG with application segments after its start marker. A JFIF header is written for `dpi`."""
    parts = [data[:2]]
    if dpi is not None:
        x, y = (min(max(round(value), 1), 65_535) for value in dpi)
        parts.append(_segment(0xE0, b"JFIF\0" + struct.pack(">HBHHBB", 0x0102, 1, x, y, 0, 0)))
    parts.append(_segment(0xE1, b"Exif\0\0" + exif))
    if xmp:
        parts.append(_segment(0xE1, _XMP_START + xmp))
    if iptc and len(iptc) < LARGEST_IPTC_IN_JPEG:
        parts.append(_segment(0xED, iptc_resource(iptc)))
    if icc:
        room = _SEGMENT - len(_ICC_START) - 2
        pieces = [icc[at : at + room] for at in range(0, len(icc), room)]
        for number, piece in enumerate(pieces, 1):
            parts.append(_segment(0xE2, _ICC_START + bytes((number, len(pieces))) + piece))
    return b"".join([*parts, data[2:]])


def joined_jpegs(strips: Sequence[bytes], height: int) -> bytes:
    """Baseline JPEGs of the strips of one picture as one (ITU-T T.81, B.1.1.2 and B.2.2).

    Args:
        strips: top to bottom, coded alike; each but the last of a multiple of `RESTARTS` restart intervals.
        height: px, of the whole.
    """
    frame, _ = _frame_and_scan(strips[0])
    parts = [strips[0][: frame + 5], struct.pack(">H", height), strips[0][frame + 7 : -2]]
    for strip in strips[1:]:
        parts += [bytes((0xFF, 0xD0 + RESTARTS - 1)), strip[_frame_and_scan(strip)[1] : -2]]
    return b"".join([*parts, strips[0][-2:]])


def _frame_and_scan(data: bytes) -> tuple[int, int]:
    """Where the frame header of a baseline JPEG begins, and the coded data of its one scan."""
    at, frame = 2, 0
    while data[at + 1] != 0xDA:
        if data[at + 1] == 0xC0:
            frame = at
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return frame, at + 2 + int.from_bytes(data[at + 2 : at + 4])


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def iptc_resource(records: bytes) -> bytes:
    """IPTC-IIM records as the set of Photoshop resources that a JPEG holds."""
    size = struct.pack(">HHI", _IPTC_RESOURCE, 0, len(records))
    return _IPTC_START + b"8BIM" + size + records + bytes(len(records) % 2)


def iptc_records(block: bytes) -> bytes | None:
    """The IPTC-IIM records in a block that is just those (TIFF) or a set of Photoshop resources (JPEG)."""
    if block.startswith(b"\x1c"):
        return block
    at = len(_IPTC_START) if block.startswith(_IPTC_START) else 0
    while block[at : at + 4] == b"8BIM" and at + 12 <= len(block):
        (kind,) = struct.unpack_from(">H", block, at + 4)
        name = 1 + block[at + 6]
        at += 6 + name + name % 2
        (length,) = struct.unpack_from(">I", block.ljust(at + 4, b"\0"), at)
        if kind == _IPTC_RESOURCE:
            return block[at + 4 : at + 4 + length] or None
        at += 4 + length + length % 2
    return None


def png_chunks(data: bytes) -> Iterator[tuple[bytes, slice]]:
    """Name and place (length and checksum included) of each chunk, as far as the file goes."""
    at = 8
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], slice(at, end)
        at = end


def png_text(data: bytes) -> bytes:
    """The text chunks of a PNG that speak about the picture: without XMP (it travels alone) and Software."""
    kept = []
    for name, place in png_chunks(data):
        if name not in (b"tEXt", b"zTXt", b"iTXt"):
            continue
        chunk = data[place]
        keyword = chunk[8:88].split(b"\0")[0]
        told = keyword in (b"XML:com.adobe.xmp", b"Software") or b"rofile type" in keyword
        if not told:
            kept.append(chunk)
    return b"".join(kept)


def png_frames(data: bytes) -> int:
    """How many frames an animated PNG has; 1 for a still one."""
    for name, place in png_chunks(data):
        if name == b"acTL":
            return int.from_bytes(data[place][8:12], "big")
        if name == b"IDAT":
            break
    return 1


def into_png(
    data: bytes,
    *,
    exif: bytes,
    xmp: bytes | None,
    icc: bytes | None,
    dpi: tuple[float, float] | None,
    text: bytes,
) -> bytes:
    """A bare PNG with chunks after its header; the resolution that libvips makes up is taken out."""
    parts = [data[:33]]
    if icc:
        parts.append(_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc)))
    if dpi is not None:
        x, y = (round(value / 0.0254) for value in dpi)
        parts.append(_chunk(b"pHYs", struct.pack(">IIB", x, y, 1)))
    parts.append(_chunk(b"eXIf", exif))
    if xmp:
        parts.append(_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp))
    parts.append(text)
    chunks = list(png_chunks(data))
    start = next(place.start for name, place in chunks if name == b"IDAT")
    kept = [data[p] for n, p in chunks if p.stop <= start and n not in (b"IHDR", b"pHYs")]
    return b"".join([*parts, *kept, data[start:]])


def _chunk(name: bytes, payload: bytes) -> bytes:
    checksum = zlib.crc32(payload, zlib.crc32(name))
    return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", checksum)


def into_webp(
    data: bytes,
    *,
    width: int,
    height: int,
    alpha: bool,
    exif: bytes,
    xmp: bytes | None,
    icc: bytes | None,
) -> bytes:
    """A bare WebP in the extended layout: header, profile, pixels, EXIF, XMP."""
    body = data[12:]
    if body.startswith(b"VP8X"):
        body = body[18:]
    flags = (0x20 if icc else 0) | (0x10 if alpha else 0) | 0x08 | (0x04 if xmp else 0)
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    parts = [_riff(b"VP8X", bytes((flags, 0, 0, 0)) + sides)]
    if icc:
        parts.append(_riff(b"ICCP", icc))
    parts += [body, _riff(b"EXIF", exif)]
    if xmp:
        parts.append(_riff(b"XMP ", xmp))
    size = 4 + sum(map(len, parts))
    return b"".join([b"RIFF", struct.pack("<I", size), b"WEBP", *parts])


def webp_is_lossless(data: bytes) -> bool:
    """Whether the first picture in a WebP file is coded without loss."""
    at = 12
    while at + 8 <= len(data):
        name = data[at : at + 4]
        if name in (b"VP8L", b"VP8 "):
            return name == b"VP8L"
        size = (
            16 if name == b"ANMF" else int.from_bytes(data[at + 4 : at + 8], "little")
        )  # a frame: look inside
        at += 8 + size + size % 2
    return False


def _riff(name: bytes, payload: bytes) -> bytes:
    return name + struct.pack("<I", len(payload)) + payload + bytes(len(payload) % 2)
