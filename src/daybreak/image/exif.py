"""EXIF blocks: carried byte for byte, except for what is no longer true of the picture.

Source of tags: CIPA DC-008 (Exif 2.32). Changed on writing: Orientation becomes 1 (the pixels are upright),
    the
thumbnail goes (it shows the old picture), the size and the resolution are those of the new one, Software
names daybreak. A block with a maker note keeps its bytes in place, because offsets inside the note count
from the block's start.
"""

from __future__ import annotations

from fractions import Fraction

from daybreak.image import ifd
from daybreak.version import __version__

_EMPTY = b"II*\0\x08\0\0\0" + bytes(6)  # a directory without fields

ORIENTATION, _SOFTWARE = 0x0112, 0x0131
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
_WIDTH, _HEIGHT = 0xA002, 0xA003  # in EXIF's own directory; in the first they are a TIFF's
_TIFF_WIDTH, _TIFF_HEIGHT = 0x0100, 0x0101
_THUMBNAIL_AT, _THUMBNAIL_LENGTH = 0x0201, 0x0202

# Fields of a TIFF's first directory that speak about the picture and not about how its pixels are stored:
# names, descriptions, dates, authors, rating, GPS and EXIF. The rest must not wander between files.
_SPEAKING = {0x010D, 0x010E, 0x010F, 0x0110, 0x011D, 0x0131, 0x0132, 0x013B, 0x013C, 0x4746, 0x4749, 0x8298,
             0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F, 0xC614, 0xC62F, ifd.EXIF, ifd.GPS}  # fmt: skip

_XMP, _IPTC, _ICC = 0x02BC, 0x83BB, 0x8773


def refreshed(
    exif: bytes | None,
    *,
    width: int,
    height: int,
    dpi: tuple[float, float] | None,
    maker_note: bool = True,
) -> bytes:
    """The block as it goes into a written file; a new one where there was none.

    Args:
        exif: as in `Metadata.exif`; a broken block counts as none.
        width, height: of the written picture.
        dpi: its resolution in pixels per inch, None to leave that field out.
        maker_note: False drops the camera maker's own block, which can be large.
    """
    block = exif if exif and is_readable(exif) else _EMPTY
    directory = ifd.read(block)
    order = ifd.byte_order(block)
    detail = directory.get(ifd.EXIF)
    if isinstance(detail, dict):
        if not maker_note:
            detail.pop(ifd.MAKER_NOTE, None)
        if _WIDTH in detail or _HEIGHT in detail:
            detail[_WIDTH] = ifd.number(order, ifd.LONG, width)
            detail[_HEIGHT] = ifd.number(order, ifd.LONG, height)
    for tag, side in ((_TIFF_WIDTH, width), (_TIFF_HEIGHT, height)):
        if tag in directory:
            directory[tag] = ifd.number(order, ifd.LONG, side)
    _refresh_first(directory, order, dpi)
    keeps_place = isinstance(detail, dict) and ifd.MAKER_NOTE in detail
    return ifd.append(_without_thumbnail(block) if keeps_place else block[:4] + bytes(4), directory)


def _refresh_first(directory: ifd.Directory, order: str, dpi: tuple[float, float] | None) -> None:
    directory[_SOFTWARE] = ifd.text(f"daybreak {__version__}")
    if ORIENTATION in directory:
        directory[ORIENTATION] = ifd.number(order, ifd.SHORT, 1)
    if dpi is not None:
        directory |= _resolution(order, dpi)


def _resolution(order: str, dpi: tuple[float, float]) -> ifd.Directory:
    """The three fields of a resolution in pixels per inch."""
    fractions = [Fraction(value).limit_denominator(1000) for value in dpi]
    x, y = (ifd.number(order, ifd.RATIONAL, f.numerator, f.denominator) for f in fractions)
    return {_X_RESOLUTION: x, _Y_RESOLUTION: y, _RESOLUTION_UNIT: ifd.number(order, ifd.SHORT, 2)}


def _without_thumbnail(block: bytes) -> bytes:
    """The block with the bytes of its thumbnail cut off, or blanked where others follow."""
    second = ifd.second(block)
    at, length = (_single(block, second, tag) for tag in (_THUMBNAIL_AT, _THUMBNAIL_LENGTH))
    if not at or at < 8 or at + length > len(block):
        return block
    end = block[at + length :]
    return block[:at] if not end.strip(b"\0") else block[:at] + bytes(length) + end


def _single(block: bytes, directory: ifd.Directory, tag: int) -> int:
    entry = directory.get(tag)
    values = ifd.numbers(ifd.byte_order(block), entry) if isinstance(entry, ifd.Entry) else ()
    return values[0] if values else 0


def is_readable(exif: bytes) -> bool:
    """Whether the block is a TIFF structure at all; BigTIFF is for files alone."""
    try:
        ifd.read(exif)
    except ifd.BadDirectory:
        return False
    return exif.startswith(ifd.header(ifd.byte_order(exif))[:4])


def resolution(exif: bytes) -> tuple[float, float] | None:
    """Pixels per inch, horizontally and vertically; None where the block does not say."""
    try:
        directory, order = ifd.read(exif), ifd.byte_order(exif)
    except ifd.BadDirectory:
        return None
    per_inch = 2.54 if _single(exif, directory, _RESOLUTION_UNIT) == 3 else 1.0
    found = []
    for tag in (_X_RESOLUTION, _Y_RESOLUTION):
        entry = directory.get(tag)
        values = ifd.numbers(order, entry) if isinstance(entry, ifd.Entry) else ()
        if len(values) != 2 or not values[0] or not values[1]:
            return None
        found.append(values[0] / values[1] * per_inch)
    return found[0], found[1]


def from_tiff(data: bytes) -> bytes | None:
    """The EXIF block that lies in the directories of a TIFF or of a RAW file built like one; or None."""
    try:
        directory, order = ifd.read(data), ifd.byte_order(data)
    except ifd.BadDirectory:
        return None
    speaking = {tag: entry for tag, entry in directory.items() if tag in _SPEAKING}
    if not speaking:
        return None
    return ifd.append(ifd.header(order), ifd.moved(speaking, order, order))


def into_tiff(
    data: bytes,
    exif: bytes,
    *,
    dpi: tuple[float, float] | None,
    xmp: bytes | None,
    iptc: bytes | None,
    icc: bytes | None,
) -> bytes:
    """A TIFF file of one page with an EXIF block and the other blocks put into its directory."""
    directory, order = ifd.read(data), ifd.byte_order(data)
    told = ifd.moved(ifd.read(exif), ifd.byte_order(exif), order)
    directory |= {tag: entry for tag, entry in told.items() if tag in _SPEAKING}
    if dpi is not None:
        directory |= _resolution(order, dpi)
    for tag, kind, block in ((_XMP, 1, xmp), (_IPTC, ifd.UNDEFINED, iptc), (_ICC, ifd.UNDEFINED, icc)):
        if block:
            directory[tag] = ifd.Entry(kind, block)
    return ifd.append(data, directory)
