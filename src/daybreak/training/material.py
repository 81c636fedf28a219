"""What a run learns from: pictures found, read and held in memory as bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from daybreak.data.folders import UNPAIRED
from daybreak.data.pack import INDEX, Packed, read_index, read_pack
from daybreak.data.registry import get_dataset
from daybreak.data.sample import Sample, Source, name_of, photo_of
from daybreak.data.scenes import describe, scene_groups
from daybreak.data.splits import draw_scenes
from daybreak.data.synthetic import dark_version
from daybreak.errors import DataError
from daybreak.types import Pixels

Bytes: TypeAlias = NDArray[np.uint8]
T = TypeVar("T")

VALIDATION = 0.1
"""Share of one's own pictures that is kept for choosing the best checkpoint, by whole scenes."""

LARGEST = 1536
"""px, long side that one's own photos are brought down to, for crops that hold something."""


@dataclass(frozen=True)
class Material:
    """Pictures of H×W×3 uint8, RGB, by name.

    Attributes:
        lows: dark pictures.
        highs: normally lit ones; where the recipe samples aligned crops, with the names of `lows`.
        clean: normally lit ones that the dark side is made from.
        pairs: low and high to choose the best checkpoint by; never trained on.
        told: what it is, for the card of a weight.
        terms: licence and terms of it.
    """

    lows: Mapping[str, Bytes] = field(default_factory=dict)
    highs: Mapping[str, Bytes] = field(default_factory=dict)
    clean: Mapping[str, Bytes] = field(default_factory=dict)
    pairs: Sequence[tuple[Bytes, Bytes]] = ()
    told: str = "pictures of one's own"
    terms: str = "one's own"

    def __len__(self) -> int:
        return len(self.lows) + len(self.highs) + len(self.clean)

    def digest(self) -> str:
        """SHA-256 over the kinds, names, sizes and pixels, in the order of the names."""
        total = hashlib.sha256()
        for kind, pictures in (("low", self.lows), ("high", self.highs), ("clean", self.clean)):
            for name in sorted(pictures):
                total.update(f"{kind} {name} {pictures[name].shape}\n".encode())
                total.update(np.ascontiguousarray(pictures[name]).data)
        return total.hexdigest()


def gather(
    source: str,
    data: Sequence[Path] = (),
    normal: Sequence[Path] = (),
    *,
    references: bool = True,
    score_pairs: int = 20,
) -> Material:
    """Find and read what a run learns from.

    Args:
        source: name of the data set that one folder of `data` is looked into as; where that is not in it, its
            one pair of folders is taken.
        data: one folder (a data set, a pack of it, or two folders of pairs), or two: dark pictures, and
            normally lit ones that need not show the same.
        normal: folders of normally lit photos; paper 3's generator makes the dark side.
        references: whether the normally lit side of pairs is needed.
        score_pairs: how many validation pairs are kept, spread evenly over all there are.

    Raises:
        DataError: nothing of the kind is there, or not complete.
        UnreadablePicture: a picture cannot be read.
    """
    parts = []
    if len(data) == 2:
        parts.append(_unpaired(*data))
    elif data:
        parts.append(_paired(source, data[0], references, score_pairs))
    if normal:
        parts.append(_clean(normal, score_pairs))
    if not parts or len(data) > 2:
        raise DataError(
            f"{len(data)} folders to learn from",
            "one of pairs, two of dark and normal pictures, or --from-normal",
        )
    first, *rest = parts
    if not rest:
        return first
    second = rest[0]
    told = f"{first.told}; {second.told}"
    terms = f"{first.terms}; {second.terms}"
    pairs = first.pairs or second.pairs  # photographed darkness decides where there is any
    return Material(first.lows, first.highs, second.clean, pairs, told, terms)


def _paired(source: str, root: Path, references: bool, score_pairs: int) -> Material:
    train, val, told, terms = _find_pairs(source, root)
    highs = {file_name(p.input): read_bytes(_reference(p)) for p in train} if references else {}
    return Material(
        lows={file_name(p.input): read_bytes(p.input) for p in train},
        highs=highs,
        pairs=[(read_bytes(p.input), read_bytes(_reference(p))) for p in _spread(val, score_pairs)],
        told=f"{told}, {len(train)} {'pairs' if references else 'dark pictures'}",
        terms=terms,
    )


def _find_pairs(source: str, root: Path) -> tuple[list[Sample], list[Sample], str, str]:
    """Training and validation pairs, disjoint by scene, what they are, and their terms."""
    if (root / INDEX).is_file():
        packed = str(read_index(root).get("dataset"))
        train, val = (list(read_pack(root, split).samples) for split in ("train", "val"))
        card = get_dataset(packed).card
        return train, val, f"a scene-disjoint part of {card.title}", card.terms
    card = get_dataset(source).card
    try:
        train, val = (get_dataset(source).samples(root, split) for split in ("train", "val"))
    except DataError as error:
        try:
            pairs = get_dataset("paired").samples(root)
        except DataError:
            raise error from None
        kept = _validation([read_bytes(_reference(pair)) for pair in pairs])
        train = [pair for number, pair in enumerate(pairs) if number not in kept]
        return train, [pairs[n] for n in sorted(kept)], "pairs of one's own", "one's own"
    return train, val, f"a scene-disjoint part of {card.title}", card.terms


def _validation(pictures: Sequence[Bytes]) -> set[int]:
    """Places of the pictures that are kept to validate on, whole scenes at a time; none of fewer than ten."""
    groups = scene_groups([describe(_floats(picture)) for picture in pictures])
    drawn = draw_scenes([[str(place) for place in group] for group in groups], VALIDATION, seed=0)
    return {int(place) for place in drawn}


def _unpaired(low: Path, high: Path) -> Material:
    lows, highs = (
        {file_name(sample.input): read_bytes(sample.input) for sample in UNPAIRED.samples(root)}
        for root in (low, high)
    )
    return Material(lows, highs)


def _clean(folders: Sequence[Path], score_pairs: int) -> Material:
    """Photos to darken; a tenth of them, by scene, is darkened once and for all to validate on."""
    photos = {
        f"{folder.name}/{file_name(sample.input)}": _reduced(read_bytes(sample.input))
        for folder in folders
        for sample in UNPAIRED.samples(folder)
    }
    names = list(photos)
    kept = _validation(list(photos.values()))
    chosen = _spread([names[place] for place in sorted(kept)], score_pairs)
    pairs = [(_bytes(dark_version(_floats(photos[n]), n)[0]), photos[n]) for n in chosen]
    clean = {name: photos[name] for place, name in enumerate(names) if place not in kept}
    return Material(
        clean=clean,
        pairs=pairs,
        told=f"{len(clean)} photos of {_listed(folders)}, darkened by paper 3's generator",
        terms="those of the photos",
    )


def _listed(folders: Sequence[Path]) -> str:
    return ", ".join(folder.name for folder in folders)


def _reduced(picture: Bytes) -> Bytes:
    factor = LARGEST / max(picture.shape[:2])
    if factor >= 1:
        return picture
    size = tuple(max(1, round(side * factor)) for side in picture.shape[1::-1])
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _reference(pair: Sample) -> Source:
    if pair.reference is None:
        raise DataError(f"{pair.name} has no reference to learn or to score from")
    return pair.reference


def _spread(items: Sequence[T], count: int) -> list[T]:
    count = min(count, len(items))
    return [items[round(i * (len(items) - 1) / max(1, count - 1))] for i in range(count)]


def file_name(source: Source) -> str:
    """Without folders; the same for a file and for that file in a pack."""
    return Path(source.member if isinstance(source, Packed) else name_of(source)).name


def read_bytes(source: Source) -> Bytes:
    """One picture as H×W×3 uint8, RGB, upright.

    Raises:
        UnreadablePicture: as from `read_photo`.
        DataError: it is in a damaged pack.
    """
    return _bytes(photo_of(source).pixels)


def _bytes(pixels: Pixels) -> Bytes:
    levels: Bytes = np.rint(pixels * np.float32(255)).astype(np.uint8)
    return levels


def _floats(picture: Bytes) -> Pixels:
    return picture.astype(np.float32) / np.float32(255)
