"""The table of picture formats, and recognising one by its first bytes (never by its suffix)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType

from daybreak.errors import UnknownName

RAW_SUFFIXES = (
    ".dng .cr2 .cr3 .crw .nef .nrw .arw .sr2 .raf .orf .rw2 .pef .srw .3fr .iiq .mrw .x3f .erf .kdc .mos"
)


@dataclass(frozen=True)
class Format:
    """What one format can hold.

    Attributes:
        name: as in `Photo.format`.
        suffixes: lower case, with the dot; the first is the usual one.
        bit_depths: depths that can be written; empty for a format that is only read. 16 means "more than 8":
            AVIF stores 12 bits of it, HEIC 10.
        fallback: the format that a picture of this one is kept in: itself, or another where it is only read.
        alpha, gray, cmyk: can be written without turning into something else (alpha onto white, gray and
            CMYK into RGB).
        icc, tags, iptc: can hold a colour profile; EXIF, XMP and a resolution; IPTC.
        quality: the default of `quality`; None where every file is lossless.
        max_side: longest side in pixels that the format can hold.
        extra: the optional part that is needed ("" for none).
    """

    name: str
    suffixes: tuple[str, ...]
    bit_depths: tuple[int, ...]
    fallback: str
    alpha: bool = True
    gray: bool = True
    cmyk: bool = False
    icc: bool = True
    tags: bool = True
    iptc: bool = False
    quality: int | None = None
    max_side: int = 2**31 - 1
    extra: str = ""

    @property
    def writable(self) -> bool:
        """Whether daybreak writes this format, or only reads it."""
        return bool(self.bit_depths)


_ROWS = (
    # 95 keeps 8-bit steps of a brightened picture apart; 90 is the point past which WebP files only grow.
    Format("jpeg", (".jpg", ".jpeg", ".jpe", ".jfif"), (8,), "jpeg", alpha=False, cmyk=True, iptc=True,
           quality=95, max_side=65_500),
    Format("png", (".png",), (8, 16), "png"),
    Format("tiff", (".tif", ".tiff"), (8, 16), "tiff", cmyk=True, iptc=True),
    Format("webp", (".webp",), (8,), "webp", gray=False, quality=90, max_side=16_383),
    Format("avif", (".avif",), (8, 16), "avif", gray=False, quality=80, max_side=16_384),
    Format("bmp", (".bmp", ".dib"), (8,), "bmp", icc=False, tags=False, max_side=32_767),
    Format("gif", (".gif",), (), "png"),
    Format("heif", (".heic", ".heif", ".hif"), (8, 16), "heif", gray=False, quality=90, max_side=16_384,
           extra="heif"),
    Format("raw", tuple(RAW_SUFFIXES.split()), (), "tiff", extra="raw"),
)  # fmt: skip

FORMATS: Mapping[str, Format] = MappingProxyType({row.name: row for row in _ROWS})
"""Format name -> what it can hold."""

_BY_SUFFIX = {suffix: row.name for row in _ROWS for suffix in row.suffixes}


def format_of(path: PurePath | str) -> Format | None:
    """The format that a name's suffix stands for, or None. What is in the file may be another: see `sniff`.

    >>> format_of("A/NIGHT.JPG").name, format_of("notes.txt")
    ('jpeg', None)
    """
    name = _BY_SUFFIX.get(PurePath(path).suffix.lower())
    return FORMATS[name] if name else None


def is_picture_name(path: PurePath | str) -> bool:
    """Whether a name ends like that of a picture.

    >>> is_picture_name("A/night.CR2"), is_picture_name("A/night")
    (True, False)
    """
    return format_of(path) is not None


def suffix_for(name: str) -> str:
    """The usual suffix of a format, or of a suffix without its dot ("jpg").

    Raises:
        UnknownName: there is no such format.

    >>> suffix_for("jpeg"), suffix_for("jpg"), suffix_for("tiff")
    ('.jpg', '.jpg', '.tif')
    """
    return find_format(name).suffixes[0]


def find_format(name: str) -> Format:
    """A format by its name, or by one of its suffixes without the dot.

    Raises:
        UnknownName: there is no such format.
    """
    try:
        return FORMATS[_BY_SUFFIX.get(f".{name.lower()}", name.lower())]
    except KeyError:
        raise UnknownName("picture format", name, FORMATS) from None


_STARTS = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"FUJIFILMCCD-RAW", "raw"),
    (b"IIRO", "raw"),  # Olympus
    (b"IIRS", "raw"),
    (b"MMOR", "raw"),
    (b"IIU\0", "raw"),  # Panasonic
    (b"FOVb", "raw"),
    (b"\0MRM", "raw"),
    (b"II\x1a\0\0\0HEAPCCDR", "raw"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),  # BigTIFF
    (b"MM\0+", "tiff"),
)

_STRANGERS = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"8BPS", "a Photoshop document"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"v/1\x01", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance HDR picture"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1a\x45\xdf\xa3", "a video"),
)


def sniff(data: bytes) -> str | None:
    """The format that the first bytes belong to, or None. A TIFF may still be RAW: see `is_raw_tiff`.

    >>> sniff(b"GIF89a..."), sniff(b"RIFF....WEBP"), sniff(b"hello")
    ('gif', 'webp', None)
    """
    for start, name in _STARTS:
        if data.startswith(start):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return _brand(data)


def _brand(data: bytes) -> str | None:
    """AVIF, HEIC and CR3 share one container (ISO 14496-12) and differ by the brands in its first box."""
    if data[4:8] != b"ftyp":
        return None
    size = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[8:12]} | {data[at : at + 4] for at in range(16, size, 4)}
    if b"crx " in brands:
        return "raw"
    if brands & {b"avif", b"avis"}:
        return "avif"
    return "heif" if brands & {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1"} else None


def describe_stranger(data: bytes) -> str:
    """What a file is that is no picture known here, for a message: "a PDF document", "plain text"."""
    for start, told in _STRANGERS:
        if data.startswith(start):
            return told
    if data[4:8] == b"ftyp":
        return "a video"
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if b"<svg" in data[:2048] and head.startswith(b"<"):
        return "an SVG drawing"
    try:
        text = data[:512].decode("utf-8", errors="strict" if len(data) <= 512 else "ignore")
    except UnicodeDecodeError:
        return "of an unknown kind"
    return "plain text" if all(c.isprintable() or c in "\r\n\t" for c in text) else "of an unknown kind"
