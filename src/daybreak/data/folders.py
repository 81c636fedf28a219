"""Pictures of one's own: two folders that are paired by name, one folder, or two that are not paired."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from daybreak.data.base import Card, Dataset, Found, NothingThere
from daybreak.data.layout import find_flat, locate
from daybreak.data.parts import parts_of
from daybreak.data.sample import Sample
from daybreak.errors import DataError

DOMAINS = {"a": ("trainA", "A", "low", "dark", "poor"), "b": ("trainB", "B", "high", "bright", "good")}
"""What the folders of two unpaired kinds of pictures are called."""


def find_paired(root: Path, _split: str) -> Found:
    """The one pair of folders below the root.

    Raises:
        NothingThere: there is none.
        DataError: there are several.
    """
    parts = [part for part in parts_of(root) if part.paired]
    wanted = "one, such as low and high or input and target"
    if not parts:
        raise NothingThere(f"{root} holds no pair of folders", wanted)
    if len(parts) > 1:
        names = ", ".join(str(root / part.name) for part in parts[:5])
        came = f"{root} holds {len(parts)} pairs of folders: {names}"
        raise DataError(came, wanted, "Give the folder that holds the one you mean.")
    return parts[0].found


def find_unpaired(root: Path, split: str) -> Found:
    """The pictures in the root, or those of one of two kinds.

    Raises:
        NothingThere: there is no folder for the kind.
        DataError: there is no picture.
    """
    if split == "all":
        return find_flat(root)
    folders = (locate(root, name) for name in DOMAINS[split])
    folder = next((folder for folder in folders if folder is not None), None)
    if folder is None:
        raise NothingThere(f"there is no folder {' or '.join(DOMAINS[split])} in {root}")
    return find_flat(folder)


def shuffled_partners(
    first: Sequence[Sample], second: Sequence[Sample], seed: int
) -> list[tuple[Sample, Sample]]:
    """Give each picture of one kind a random one of the other, for training without pairs.

    The second kind is shuffled by itself and gone through as often as needed, so that no picture of it comes
    up more than once more than another.

    Args:
        first: of which each comes up once, in order.
        second: of any number.
        seed: of the shuffling.

    Raises:
        DataError: one of the two is empty.
    """
    if not (first and second):
        raise DataError(f"{len(first)} and {len(second)} pictures to mix", "at least one of each kind")
    rng = np.random.default_rng(seed)
    rounds = -(-len(first) // len(second))
    order = np.concatenate([rng.permutation(len(second)) for _ in range(rounds)])
    return [(sample, second[index]) for sample, index in zip(first, order, strict=False)]


PAIRED = Dataset(
    Card(
        name="paired",
        title="Paired folders",
        summary="Your own pictures in two folders with equal names.",
        kind="paired",
        home="",
        get="Put the dark pictures into low/ and the references, under the same names, into high/.",
        size="any",
        terms="yours",
        layout="two folders beside each other: low and high, low and normal, input and target, dark and "
        "bright, trainA and trainB, lq and gt and the like; extensions may differ",
        splits={"all": "every pair"},
    ),
    find_paired,
)

UNPAIRED = Dataset(
    Card(
        name="unpaired",
        title="Unpaired pictures",
        summary="Your own pictures without references.",
        kind="unpaired",
        home="",
        get="Give a folder of pictures; for training without pairs, one with the folders A and B.",
        size="any",
        terms="yours",
        layout="one folder of pictures; or trainA and trainB (A and B, low and high, dark and bright, poor "
        "and good), whose names need not fit",
        splits={
            "all": "the pictures in the folder itself",
            "a": "the first of two kinds: trainA, A, low, dark, poor",
            "b": "the other kind: trainB, B, high, bright, good",
        },
    ),
    find_unpaired,
)
