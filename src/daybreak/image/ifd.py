"""TIFF directories, the structure inside EXIF blocks and TIFF files: read and append.

Sources: TIFF 6.0, section 2; for files of more than 4 GiB BigTIFF, whose counts and offsets have 8 bytes.

Directories are read into plain dictionaries and written again at the end of the bytes they came from. What
nothing points to any more stays as dead bytes; what has to keep its place (a maker note, whose inner offsets
count from the start of the block) does.
"""

from __future__ import annotations

import struct
from typing import NamedTuple, TypeAlias

EXIF, GPS, INTEROP = 0x8769, 0x8825, 0xA005
MAKER_NOTE = 0x927C

_POINTERS: dict[int, tuple[int, ...]] = {0: (EXIF, GPS), EXIF: (INTEROP,), GPS: (), INTEROP: ()}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SIZES |= {16: 8, 17: 8, 18: 8}
_WORDS = {3: 2, 4: 4, 5: 4, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4}  # bytes that a byte order turns round
_WORDS |= {16: 8, 17: 8, 18: 8}

ASCII, SHORT, LONG, RATIONAL, UNDEFINED, _LONG8 = 2, 3, 4, 5, 7, 16


class BadDirectory(ValueError):
    """The bytes are no TIFF structure."""


class Entry(NamedTuple):
    """One field: its type as numbered by TIFF, its raw bytes, and where they have to stay (0: anywhere)."""

    kind: int
    data: bytes
    at: int = 0

    @property
    def number(self) -> int:
        """How many values of that type there are."""
        return len(self.data) // _SIZES[self.kind]


Directory: TypeAlias = "dict[int, Entry | Directory]"


class _Layout(NamedTuple):
    """How directories are written, as `struct` has it."""

    order: str
    counter: str = "H"  # of how many fields there are
    word: str = "I"  # of numbers of values and of offsets
    pointer: int = LONG

    @property
    def room(self) -> int:
        """Bytes of a value that lies in the field itself; the first offset lies that far into the block."""
        return struct.calcsize(self.word)

    @property
    def field(self) -> int:
        """Bytes of a field."""
        return 4 + 2 * self.room


_LAYOUTS = {
    b"II*\0": _Layout("<"),
    b"MM\0*": _Layout(">"),
    b"II+\0": _Layout("<", "Q", "Q", _LONG8),
    b"MM\0+": _Layout(">", "Q", "Q", _LONG8),
}


def header(order: str) -> bytes:
    """The first 8 bytes of a (classic) block that has no directory yet."""
    return next(start for start, layout in _LAYOUTS.items() if layout == _Layout(order)) + bytes(4)


def byte_order(block: bytes) -> str:
    """ "<" or ">" as `struct` writes them.

    Raises:
        BadDirectory: the first four bytes are not those of a TIFF.
    """
    return _layout(block).order


def _layout(block: bytes) -> _Layout:
    try:
        return _LAYOUTS[bytes(block[:4])]
    except KeyError:
        raise BadDirectory("no TIFF header") from None


def read(block: bytes) -> Directory:
    """The first directory with its EXIF, GPS and interoperability directories in place of their pointers.

    Fields that point outside the block are left out, as every reader has to.

    Raises:
        BadDirectory: no TIFF header, or the first directory lies outside the block.
    """
    layout = _layout(block)
    try:
        return _read(block, layout, _number(block, layout, layout.room), 0)
    except (struct.error, OverflowError):
        raise BadDirectory("the directory lies outside its block") from None


def _number(block: bytes, layout: _Layout, at: int) -> int:
    number: int = struct.unpack_from(layout.order + layout.word, block, at)[0]
    return number


def _read(block: bytes, layout: _Layout, offset: int, owner: int) -> Directory:
    directory: Directory = {}
    left = len(block)  # fields do not share bytes; a block made to blow up would
    for at in _fields(block, layout, offset):
        if at + layout.field > len(block):
            break
        tag, kind, number, value = struct.unpack_from(layout.order + "HH" + 2 * layout.word, block, at)
        size = _SIZES.get(kind, 0) * number
        start = at + 4 + layout.room if size <= layout.room else value
        if not size or start + size > len(block) or size > left:
            continue
        left -= size
        if tag in directory:  # a directory that names another a million times would be read as often
            continue
        if tag in _POINTERS[owner]:
            try:
                directory[tag] = _read(block, layout, value, tag)
            except (struct.error, OverflowError):
                continue
        else:
            directory[tag] = Entry(
                kind, bytes(block[start : start + size]), start if tag == MAKER_NOTE else 0
            )
    return directory


def _fields(block: bytes, layout: _Layout, offset: int) -> range:
    """Where the fields of a directory begin; it ends where the next one would."""
    (count,) = struct.unpack_from(layout.order + layout.counter, block, offset)
    first = offset + struct.calcsize(layout.counter)
    return range(first, first + layout.field * count, layout.field)


def second(block: bytes) -> Directory:
    """The fields of the second directory, in EXIF that of a thumbnail; none where there is none."""
    layout = _layout(block)
    try:
        first = _fields(block, layout, _number(block, layout, layout.room))
        offset = _number(block, layout, first.stop)
        return _read(block, layout, offset, GPS) if offset else {}
    except (struct.error, OverflowError):
        return {}


def append(block: bytes, directory: Directory) -> bytes:
    """The block with `directory` at its end as its only directory.

    Fields with a fixed place are pointed to where they are, so the block must be the one they were read from.
    """
    layout = _layout(block)
    out = bytearray(block)
    offset = _append(out, layout, directory)
    struct.pack_into(layout.order + layout.word, out, layout.room, offset)
    return bytes(out)


def _append(out: bytearray, layout: _Layout, directory: Directory) -> int:
    fields, start = bytearray(), layout.order + "HH" + layout.word
    for tag, entry in sorted(directory.items()):
        if isinstance(entry, dict):
            at = _append(out, layout, entry)
            fields += struct.pack(start + layout.word, tag, layout.pointer, 1, at)
        elif len(entry.data) <= layout.room:
            fields += struct.pack(f"{start}{layout.room}s", tag, entry.kind, entry.number, entry.data)
        else:
            at = entry.at or _put(out, entry.data)
            fields += struct.pack(start + layout.word, tag, entry.kind, entry.number, at)
    return _put(out, struct.pack(layout.order + layout.counter, len(directory)) + fields + bytes(layout.room))


def _put(out: bytearray, data: bytes) -> int:
    out += bytes(len(out) % 2)  # values begin on a word boundary
    at = len(out)
    out += data
    return at


def moved(directory: Directory, source: str, target: str) -> Directory:
    """The same fields for another block: no fixed places, and in the byte order of that block."""
    out: Directory = {}
    for tag, entry in directory.items():
        if isinstance(entry, dict):
            out[tag] = moved(entry, source, target)
        else:
            word = _WORDS.get(entry.kind, 1)
            data = entry.data if source == target else _turned(entry.data, word)
            out[tag] = Entry(entry.kind, data)
    return out


def _turned(data: bytes, word: int) -> bytes:
    return b"".join(data[at : at + word][::-1] for at in range(0, len(data), word))


def text(value: str) -> Entry:
    """An ASCII field; ends with a zero byte."""
    return Entry(ASCII, value.encode("ascii", "replace") + b"\0")


def number(order: str, kind: int, *values: int) -> Entry:
    """A SHORT or LONG field, or a RATIONAL one from numerators and denominators in turn."""
    return Entry(kind, struct.pack(order + ("H" if kind == SHORT else "I") * len(values), *values))


def numbers(order: str, entry: Entry) -> tuple[int, ...]:
    """The values of a SHORT or LONG field, or numerators and denominators of a RATIONAL one."""
    letter = {SHORT: "H", LONG: "I", RATIONAL: "I"}.get(entry.kind)
    if letter is None:
        return ()
    return struct.unpack(f"{order}{len(entry.data) // struct.calcsize(letter)}{letter}", entry.data)
