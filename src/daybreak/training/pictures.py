"""The pictures of a training run, read once and held in memory as bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from daybreak.data.lol import lol_v1
from daybreak.data.pairs import Pair
from daybreak.errors import UnknownName
from daybreak.image.read import read_photo
from daybreak.training.crops import Bytes

SOURCES = ("lol-v1",)
"""Data sets that a recipe may name in `data.source`."""


def find_pairs(source: str, root: Path) -> tuple[list[Pair], list[Pair]]:
    """The scene-disjoint training and validation pairs of a data set.

    Args:
        source: one of `SOURCES`.
        root: the data set's folder, or the one above it that holds it under its short name (`LOL`).

    Raises:
        UnknownName: no such data set.
        DataError: it is not there, or not complete.
    """
    if source not in SOURCES:
        raise UnknownName("data set to train on", source, SOURCES)
    inner = root / "LOL"
    folder = inner if inner.is_dir() and not (root / "our485").is_dir() else root
    return lol_v1(folder, "train"), lol_v1(folder, "val")


def read_bytes(path: Path) -> Bytes:
    """One picture as H×W×3 uint8, RGB, upright.

    Raises:
        UnreadablePicture: as from `read_photo`.
    """
    levels: Bytes = np.rint(read_photo(path).pixels * 255.0).astype(np.uint8)
    return levels


def read_lows(pairs: Sequence[Pair]) -> dict[str, Bytes]:
    """The dark pictures of some pairs, by the name of their file; their references stay unread."""
    return {pair.low.name: read_bytes(pair.low) for pair in pairs}


def read_both(pairs: Sequence[Pair], count: int) -> list[tuple[Bytes, Bytes]]:
    """Dark picture and reference of at most `count` pairs, spread evenly over all of them."""
    chosen = sorted({round(i * (len(pairs) - 1) / max(1, count - 1)) for i in range(min(count, len(pairs)))})
    return [(read_bytes(pairs[i].low), read_bytes(pairs[i].high)) for i in chosen]


def digest(pictures: Mapping[str, Bytes]) -> str:
    """SHA-256 over names, sizes and pixels, in the order of the names."""
    total = hashlib.sha256()
    for name in sorted(pictures):
        total.update(f"{name} {pictures[name].shape}\n".encode())
        total.update(np.ascontiguousarray(pictures[name]).data)
    return total.hexdigest()
