"""The pictures of a training run, read once and held in memory as bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from daybreak.data.pack import INDEX, Packed, read_index, read_pack
from daybreak.data.registry import get_dataset
from daybreak.data.sample import Sample, Source, name_of, photo_of
from daybreak.errors import DataError, UnknownName
from daybreak.training.crops import Bytes

SOURCES = ("lol-v1",)
"""Data sets that a recipe may name in `data.source`."""


def find_pairs(source: str, root: Path) -> tuple[list[Sample], list[Sample]]:
    """The scene-disjoint training and validation pairs of a data set.

    Args:
        source: one of `SOURCES`.
        root: the data set's folder, one that holds it, or a pack of it.

    Raises:
        UnknownName: no such data set.
        DataError: it is not there, or not complete.
    """
    if source not in SOURCES:
        raise UnknownName("data set to train on", source, SOURCES)
    if (root / INDEX).is_file():
        packed = read_index(root).get("dataset")
        if packed != source:
            raise DataError(f"the pack {root} holds {packed}", source)
        train, val = (read_pack(root, split).samples for split in ("train", "val"))
        return list(train), list(val)
    dataset = get_dataset(source)
    return dataset.samples(root, "train"), dataset.samples(root, "val")


def read_bytes(source: Source) -> Bytes:
    """One picture as H×W×3 uint8, RGB, upright.

    Raises:
        UnreadablePicture: as from `read_photo`.
        DataError: it is in a damaged pack.
    """
    levels: Bytes = np.rint(photo_of(source).pixels * 255.0).astype(np.uint8)
    return levels


def read_lows(pairs: Sequence[Sample]) -> dict[str, Bytes]:
    """The dark pictures of some pairs, by the name of their file; their references stay unread."""
    return {_file_name(pair.input): read_bytes(pair.input) for pair in pairs}


def _file_name(source: Source) -> str:
    """Without folders; the same for a file and for that file in a pack."""
    return Path(source.member if isinstance(source, Packed) else name_of(source)).name


def read_both(pairs: Sequence[Sample], count: int) -> list[tuple[Bytes, Bytes]]:
    """Dark picture and reference of at most `count` pairs, spread evenly over all of them."""
    chosen = sorted({round(i * (len(pairs) - 1) / max(1, count - 1)) for i in range(min(count, len(pairs)))})
    read = []
    for pair in (pairs[i] for i in chosen):
        if pair.reference is None:
            raise DataError(f"{pair.name} has no reference to score against")
        read.append((read_bytes(pair.input), read_bytes(pair.reference)))
    return read


def digest(pictures: Mapping[str, Bytes]) -> str:
    """SHA-256 over names, sizes and pixels, in the order of the names."""
    total = hashlib.sha256()
    for name in sorted(pictures):
        total.update(f"{name} {pictures[name].shape}\n".encode())
        total.update(np.ascontiguousarray(pictures[name]).data)
    return total.hexdigest()
