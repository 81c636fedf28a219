"""MIT-Adobe FiveK: raw photographs, each retouched by five experts.

Source: Bychkovsky, Paris, Chan, Durand, "Learning Photographic Global Tonal Adjustment with a Database of
Input / Output Image Pairs", CVPR 2011. Expert C is the usual reference.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from daybreak.data.base import Card, Dataset, Found
from daybreak.data.layout import Sides, find_sides

TEST = 500  # the last by name, as is usual

CARD = Card(
    name="fivek",
    title="MIT-Adobe FiveK, expert C",
    summary="5000 photographs and expert C's retouching of each.",
    kind="paired",
    paper="Bychkovsky, Paris, Chan, Durand: Learning Photographic Global Tonal Adjustment with a Database of "
    "Input / Output Image Pairs, CVPR 2011",
    home="https://data.csail.mit.edu/graphics/fivek",
    get="The DNG files and the experts' TIFF files from the home page; export the DNG files as pictures into "
    "input/ and keep the TIFF files, or your export of them, in expertC/ (or A, B, D, E).",
    size="5000 pairs of many sizes",
    terms="for research only (the Adobe and Adobe-MIT licences list which picture is under which)",
    layout="input/ and expertC/ with equal names, or {train,test}/{input,target} for expert C",
    splits={
        "train": "all but the last 500 by name",
        "test": "the last 500 by name",
        "all": "every pair",
    },
)


def expert(letter: str, card: Card) -> Dataset:
    """The set with the retouching of one expert, A to E, as the reference."""

    def find(root: Path, split: str) -> Found:
        together = [[Sides("input", f"expert{letter}")]]
        if letter != "C" or split == "all":
            return _cut(find_sides(root, together), split)
        apart = Sides(f"{split}/input", f"{split}/target")
        found = find_sides(root, [[apart], *together])
        return found if _apart(found, split) else _cut(found, split)

    return Dataset(card, find)


def _apart(found: Found, split: str) -> bool:
    """Whether the files lie in a folder of the split's own."""
    return any(
        isinstance(s.input, Path) and s.input.parent.parent.name.lower() == split for s in found.samples
    )


def _cut(found: Found, split: str) -> Found:
    samples = found.samples
    parts = {"train": samples[:-TEST], "test": samples[-TEST:], "all": samples}
    return Found(parts[split], found.problems)


DATASETS = (
    expert("C", CARD),
    *(
        expert(
            letter,
            replace(
                CARD,
                name=f"fivek-{letter.lower()}",
                title=f"MIT-Adobe FiveK, expert {letter}",
                summary=f"The same photographs with expert {letter}'s retouching.",
                layout=f"input/ and expert{letter}/ with equal names",
            ),
        )
        for letter in "ABDE"
    ),
)
