"""TIFF directories (TIFF 6.0, section 2), the structure inside EXIF blocks and TIFF files: read and append.

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
_WORDS = {3: 2, 4: 4, 5: 4, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4}  # bytes that a byte order turns round

ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 2, 3, 4, 5, 7


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


def byte_order(block: bytes) -> str:
    """ "<" or ">" as `struct` writes them.

    Raises:
        BadDirectory: the first four bytes are not those of a (classic) TIFF.
    """
    try:
        return {b"II*\0": "<", b"MM\0*": ">"}[bytes(block[:4])]
    except KeyError:
        raise BadDirectory("no TIFF header") from None


def read(block: bytes) -> Directory:
    """The first directory with its EXIF, GPS and interoperability directories in place of their pointers.

    Fields that point outside the block are left out, as every reader has to.

    Raises:
        BadDirectory: no TIFF header, or the first directory lies outside the block.
    """
    order = byte_order(block)
    try:
        return _read(block, order, struct.unpack_from(order + "I", block, 4)[0], 0)
    except struct.error:
        raise BadDirectory("the directory lies outside its block") from None


def _read(block: bytes, order: str, offset: int, owner: int) -> Directory:
    directory: Directory = {}
    (count,) = struct.unpack_from(order + "H", block, offset)
    room = len(block)  # fields do not share bytes; a block made to blow up would
    for at in range(offset + 2, offset + 2 + 12 * count, 12):
        if at + 12 > len(block):
            break
        tag, kind, number, value = struct.unpack_from(order + "HHII", block, at)
        size = _SIZES.get(kind, 0) * number
        start = at + 8 if size <= 4 else value
        if not size or start + size > len(block) or size > room:
            continue
        room -= size
        if tag in _POINTERS[owner]:
            try:
                directory[tag] = _read(block, order, value, tag)
            except struct.error:
                continue
        else:
            directory[tag] = Entry(
                kind, bytes(block[start : start + size]), start if tag == MAKER_NOTE else 0
            )
    return directory


def second(block: bytes) -> Directory:
    """The fields of the second directory, in EXIF that of a thumbnail; none where there is none."""
    order = byte_order(block)
    try:
        (first,) = struct.unpack_from(order + "I", block, 4)
        (count,) = struct.unpack_from(order + "H", block, first)
        (offset,) = struct.unpack_from(order + "I", block, first + 2 + 12 * count)
        return _read(block, order, offset, GPS) if offset else {}
    except struct.error:
        return {}


def append(block: bytes, directory: Directory) -> bytes:
    """The block with `directory` at its end as its only directory.

    Fields with a fixed place are pointed to where they are, so the block must be the one they were read from.
    """
    order = byte_order(block)
    out = bytearray(block)
    offset = _append(out, order, directory)
    struct.pack_into(order + "I", out, 4, offset)
    return bytes(out)


def _append(out: bytearray, order: str, directory: Directory) -> int:
    fields = bytearray()
    for tag, entry in sorted(directory.items()):
        if isinstance(entry, dict):
            fields += struct.pack(order + "HHII", tag, LONG, 1, _append(out, order, entry))
        elif len(entry.data) <= 4:
            fields += struct.pack(order + "HHI4s", tag, entry.kind, entry.number, entry.data)
        else:
            at = entry.at or _put(out, entry.data)
            fields += struct.pack(order + "HHII", tag, entry.kind, entry.number, at)
    return _put(out, struct.pack(order + "H", len(directory)) + fields + bytes(4))


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
