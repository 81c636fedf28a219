"""What a run learns from: pictures found, read and held in memory as bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from daybreak.data.base import Card, NothingThere
from daybreak.data.folders import UNPAIRED
from daybreak.data.pack import INDEX, read_index, read_pack
from daybreak.data.registry import get_dataset
from daybreak.data.sample import Sample
from daybreak.data.synthetic import dark_version
from daybreak.errors import BadSetting, DataError, UnknownName
from daybreak.training.pictures import (
    Bytes,
    kept_back,
    picture_name,
    read_bytes,
    read_pair,
    reduced,
    reference_of,
    to_bytes,
    to_floats,
)


@dataclass(frozen=True)
class Material:
    """Pictures of H×W×3 uint8, RGB, by name.

    Attributes:
        lows: dark pictures.
        highs: normally lit ones; where the recipe samples aligned crops, with the names of `lows`.
        clean: normally lit ones that the dark side is made from.
        pairs: low and high to choose the best checkpoint by, and for the table at the end; never trained on.
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

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the kinds, names, sizes and pixels, in the order of the names, and over what the pairs
        refer to: their dark side may be made here, in which processors differ by a level.
        """
        total = hashlib.sha256()
        for kind, pictures in (("low", self.lows), ("high", self.highs), ("clean", self.clean)):
            for name in sorted(pictures):
                total.update(f"{kind} {name} {pictures[name].shape}\n".encode())
                total.update(np.ascontiguousarray(pictures[name]).data)
        for _, high in self.pairs:
            total.update(f"pair {high.shape}\n".encode())
            total.update(np.ascontiguousarray(high).data)
        return total.hexdigest()


def gather(
    source: str,
    data: Sequence[Path] = (),
    normal: Sequence[Path] = (),
    *,
    references: bool = True,
    sensor: bool = False,
) -> Material:
    """Find and read what a run learns from.

    Args:
        source: name of the data set that one folder of `data` is looked into as; where that is not in it, its
            one pair of folders is taken.
        data: one folder (a data set, a pack of it, or two folders of pairs), or two: dark pictures, and
            normally lit ones that need not show the same.
        normal: folders of normally lit photos; paper 3's generator makes the dark side.
        references: whether the normally lit side of pairs is needed.
        sensor: whether some of the photos are darkened as a camera would, which is told.

    Raises:
        BadSetting: no folder at all, or more than two of `data`.
        DataError: nothing of the kind is there, or not complete.
        UnreadablePicture: a picture cannot be read.
    """
    if len(data) > 2 or not (data or normal):
        raise BadSetting(
            f"{len(data) or 'no'} folders to learn from",
            "one --data of pairs, two of dark and of normal pictures, or --from-normal",
        )
    photographed = None
    if data:
        photographed = _unpaired(*data) if len(data) == 2 else _paired(source, data[0], references)
    darkened = _darkened(normal, sensor) if normal else None
    if photographed is None or darkened is None:
        return photographed or darkened or Material()
    return Material(
        photographed.lows,
        photographed.highs,
        darkened.clean,
        photographed.pairs or darkened.pairs,  # photographed darkness decides where there is any
        f"{photographed.told}; {darkened.told}",
        f"{photographed.terms}; {darkened.terms}",
    )


def _paired(source: str, root: Path, references: bool) -> Material:
    train, val, told, terms = _find_pairs(source, root)
    return Material(
        lows={picture_name(pair): read_bytes(pair.input) for pair in train},
        highs={picture_name(p): read_bytes(reference_of(p)) for p in train} if references else {},
        pairs=[read_pair(pair) for pair in val],
        told=f"{told}, {len(train)} {'pairs' if references else 'dark pictures'}",
        terms=terms,
    )


def _find_pairs(source: str, root: Path) -> tuple[Sequence[Sample], Sequence[Sample], str, str]:
    """Training and validation pairs, disjoint by scene, what they are, and their terms."""
    packed = (root / INDEX).is_file()
    dataset = get_dataset(str(read_index(root).get("dataset")) if packed else source)
    try:
        if packed:
            train, val = (read_pack(root, split).samples for split in ("train", "val"))
        else:
            train, val = (tuple(dataset.samples(root, split)) for split in ("train", "val"))
    except (NothingThere, UnknownName) as error:
        try:
            pairs = read_pack(root).samples if packed else tuple(get_dataset("paired").samples(root))
        except NothingThere:
            if packed or not root.is_dir():
                raise error from None
            raise DataError(
                f"{error.came}, and there are no folders of pairs",
                "low and high in it (or input and target), with pictures of the same names",
                "Photos in good light alone go with --from-normal",
            ) from None
        kept = kept_back([read_bytes(reference_of(pair)) for pair in pairs])
        train = tuple(pair for number, pair in enumerate(pairs) if number not in kept)
        return train, [pairs[n] for n in sorted(kept)], "pairs of one's own", "one's own"
    return train, val, _part_of(dataset.card), dataset.card.terms


def _part_of(card: Card) -> str:
    """The training part in words, by the name that leaks know it by."""
    places = (leak.source.partition(":") for leak in card.leaks)
    seen = ", ".join(sorted({part for name, _, part in places if name == card.name}))
    return f"a scene-disjoint part of {card.title}" + (f" ({seen})" if seen else "")


def _unpaired(low: Path, high: Path) -> Material:
    lows, highs = (
        {picture_name(sample): read_bytes(sample.input) for sample in UNPAIRED.samples(root)}
        for root in (low, high)
    )
    return Material(lows, highs, told=f"{len(lows)} dark and {len(highs)} other pictures of one's own")


def _two_parts(folders: Sequence[Path]) -> str:
    """The folders by their last two parts, which tell "BSDS500/train" from another "train"."""
    return ", ".join("/".join(folder.resolve().parts[-2:]) for folder in folders)


def _darkened(folders: Sequence[Path], sensor: bool) -> Material:
    """Photos to darken; a tenth of them, by scene, is darkened once and for all to validate on."""
    labels = _labels(folders)
    photos = {
        f"{label}/{picture_name(sample)}": reduced(read_bytes(sample.input))
        for label, folder in zip(labels, folders, strict=True)
        for sample in UNPAIRED.samples(folder)
    }
    names = list(photos)
    kept = kept_back(list(photos.values()))
    clean = {name: photos[name] for place, name in enumerate(names) if place not in kept}
    return Material(
        clean=clean,
        pairs=[
            (to_bytes(dark_version(to_floats(photos[name]), name)[0]), photos[name])
            for name in (names[place] for place in sorted(kept))
        ],
        told=f"{len(clean)} photos of {_two_parts(folders)}, darkened by paper 3's generator"
        + (" and as a camera would" if sensor else ""),
        terms="those of the photos",
    )


def _labels(folders: Sequence[Path]) -> list[str]:
    """Names of folders; where two have the same, numbered, so that no photo hides another."""
    names = [folder.absolute().name for folder in folders]
    return [name if names.count(name) == 1 else f"{n}-{name}" for n, name in enumerate(names, 1)]
