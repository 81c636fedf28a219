"""Pictures as a run holds them: bytes in memory, by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from daybreak.data.pack import Packed
from daybreak.data.sample import Sample, Source, name_of, photo_of
from daybreak.data.scenes import describe, scene_groups
from daybreak.data.splits import draw_scenes
from daybreak.errors import DataError
from daybreak.types import Pixels

Bytes: TypeAlias = NDArray[np.uint8]
"""H×W×3, RGB, upright."""

T = TypeVar("T")

VALIDATION = 0.1
"""Share of one's own pictures that is kept for choosing the best checkpoint, by whole scenes."""

LARGEST = 1536
"""px, long side that one's own photos are brought down to, for crops that hold something."""


def read_bytes(source: Source) -> Bytes:
    """One picture as H×W×3 uint8, RGB, upright.

    Raises:
        UnreadablePicture: as from `read_photo`.
        DataError: it is in a damaged pack.
    """
    return to_bytes(photo_of(source).pixels)


def read_pair(pair: Sample) -> tuple[Bytes, Bytes]:
    """Both pictures of a pair.

    Raises:
        DataError: there is no reference.
        UnreadablePicture: as from `read_photo`.
    """
    return read_bytes(pair.input), read_bytes(reference_of(pair))


def reference_of(pair: Sample) -> Source:
    """Where the normally lit side of a pair lies.

    Raises:
        DataError: there is none.
    """
    if pair.reference is None:
        raise DataError(f"{pair.name} has no reference to learn or to score from")
    return pair.reference


def picture_name(sample: Sample) -> str:
    """What a sample's dark picture is called in its split, with the ending of its file.

    The same for a file and for that file in a pack; parts of a data set keep equal file names apart.
    """
    source = sample.input
    file = Path(source.member if isinstance(source, Packed) else name_of(source)).name
    return (PurePosixPath(sample.name).parent / file).as_posix()


def reduced(picture: Bytes) -> Bytes:
    """Brought down to `LARGEST` where it is larger."""
    factor = LARGEST / max(picture.shape[:2])
    if factor >= 1:
        return picture
    size = tuple(max(1, round(side * factor)) for side in picture.shape[1::-1])
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def kept_back(pictures: Sequence[Bytes]) -> set[int]:
    """Places of the pictures that are kept to validate on, whole scenes at a time; none of five or fewer."""
    groups = scene_groups([describe(to_floats(picture)) for picture in pictures])
    drawn = draw_scenes([[str(place) for place in group] for group in groups], VALIDATION, seed=0)
    return {int(place) for place in drawn}


def spread(items: Sequence[T], count: int) -> list[T]:
    """Up to so many of them, at even distances, the first and the last among them."""
    count = min(count, len(items))
    return [items[round(i * (len(items) - 1) / max(1, count - 1))] for i in range(count)]


def to_bytes(pixels: Pixels) -> Bytes:
    """From [0, 1] to 0…255, rounded."""
    levels: Bytes = np.rint(pixels * np.float32(255)).astype(np.uint8)
    return levels


def to_floats(picture: Bytes) -> Pixels:
    """From 0…255 to [0, 1]."""
    return picture.astype(np.float32) / np.float32(255)
