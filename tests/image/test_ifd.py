"""TIFF directories: any bytes are survived, and what is written reads back."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.image import exif, ifd

entries = st.builds(
    ifd.Entry, kind=st.sampled_from([1, 2, 7]), data=st.binary(min_size=1, max_size=20), at=st.just(0)
)
tags = st.integers(1, 0x8000)
flat = st.dictionaries(tags, entries, max_size=6)
trees = st.builds(lambda top, exif_, gps: {**top, ifd.EXIF: exif_, ifd.GPS: gps}, flat, flat, flat)
orders = st.sampled_from([b"II*\0", b"MM\0*"])
empty = st.sampled_from(
    [ifd.header("<"), ifd.header(">"), b"II+\0\x08\0\0\0" + bytes(8), b"MM\0+\0\x08\0\0" + bytes(8)]
)


@given(tree=trees, start=empty)
def test_what_is_written_reads_back(tree, start):
    assert ifd.read(ifd.append(start, tree)) == tree


@given(tree=trees, start=orders)
def test_moving_to_another_byte_order_and_back_changes_nothing(tree, start):
    there = ifd.moved(tree, "<", ">")
    assert ifd.moved(there, ">", "<") == tree


@given(noise=st.binary(max_size=120), start=orders, at=st.integers(0, 140))
def test_no_bytes_make_reading_fail_otherwise_than_by_saying_so(noise, start, at):
    block = start + struct.pack("<I" if start[:1] == b"I" else ">I", at) + noise
    with contextlib.suppress(ifd.BadDirectory):
        ifd.read(block)
    ifd.second(block)
    new = exif.refreshed(block, width=7, height=5, dpi=(72, 72))
    assert exif.resolution(new) == (72, 72)
    assert exif.is_readable(new)
    exif.from_tiff(block)


@given(noise=st.binary(max_size=120), at=st.one_of(st.integers(0, 140), st.integers(0, 2**64 - 1)))
def test_no_bytes_of_a_file_beyond_4_gib_do_either(noise, at):
    block = b"II+\0\x08\0\0\0" + struct.pack("<Q", at) + noise
    with contextlib.suppress(ifd.BadDirectory):
        ifd.read(block)
    ifd.second(block)
    assert not exif.is_readable(block), "EXIF is never written so"
    told = exif.from_tiff(block)
    assert told is None or exif.is_readable(told)


@given(tree=trees, start=orders, dpi=st.tuples(st.floats(1, 9999), st.floats(1, 9999)))
def test_refreshing_twice_is_refreshing_once(tree, start, dpi):
    block = ifd.append(start + bytes(4), tree)
    once = exif.refreshed(block, width=7, height=5, dpi=dpi)
    twice = exif.refreshed(once, width=7, height=5, dpi=dpi)
    assert ifd.read(once) == ifd.read(twice)
    assert len(twice) == len(once)


def test_numbers_turn_with_the_byte_order():
    entry = ifd.number("<", ifd.RATIONAL, 300, 1, 72, 2)
    turned = ifd.moved({1: entry}, "<", ">")[1]
    assert ifd.numbers(">", turned) == (300, 1, 72, 2)


@pytest.mark.parametrize(("unit", "factor"), [(2, 1.0), (3, 2.54)])
def test_resolution_in_inches_and_centimetres(unit, factor):
    fields = {
        0x011A: ifd.number("<", ifd.RATIONAL, 100, 1),
        0x011B: ifd.number("<", ifd.RATIONAL, 50, 1),
        0x0128: ifd.number("<", ifd.SHORT, unit),
    }
    assert exif.resolution(ifd.append(b"II*\0" + bytes(4), fields)) == (100 * factor, 50 * factor)


def test_pointers_in_a_circle_end():
    """An EXIF directory whose pointer leads back to the first one."""
    block = (
        b"II*\0"
        + struct.pack("<I", 8)
        + struct.pack("<H", 1)
        + struct.pack("<HHII", ifd.EXIF, 4, 1, 8)
        + bytes(4)
    )
    assert ifd.read(block) == {ifd.EXIF: {ifd.EXIF: ifd.Entry(4, struct.pack("<I", 8))}}


def test_a_directory_that_names_another_again_and_again_is_read_once():
    """Sixty thousand pointers to a directory of as many fields would take hours."""
    inner = struct.pack("<H", 60_000) + struct.pack("<HHI4s", 1, 1, 1, b"a") * 60_000
    fields = struct.pack("<HHII", ifd.EXIF, 4, 1, 8) * 60_000
    block = b"II*\0" + struct.pack("<I", 8 + len(inner)) + inner + struct.pack("<H", 60_000) + fields
    assert ifd.read(block) == {ifd.EXIF: {1: ifd.Entry(1, b"a")}}
