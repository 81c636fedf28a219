"""MIT-Adobe FiveK: raw photographs, each retouched by five experts.

Source: Bychkovsky, Paris, Chan, Durand, "Learning Photographic Global Tonal Adjustment with a Database of
Input / Output Image Pairs", CVPR 2011. Expert C is the usual reference.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from daybreak.data.base import Card, Dataset, Found
from daybreak.data.layout import Sides, find_sides, of_published

TITLE = "MIT-Adobe FiveK"
PAIRS, TEST = 5000, 500  # the last by name are the test part, as is usual

NUMBERED = re.compile(r"a(\d{4})(?!\d)")
"""How the authors' names begin: a0001-jmac_DSC1459."""

CARD = Card(
    name="fivek",
    title=f"{TITLE}, expert C",
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
        "train": "a0001 to a4500",
        "test": "a4501 to a5000",
        "all": "every pair",
    },
    notes="Pictures of other names than the authors' are counted: the last 500 by name are the test part.",
)


def expert(letter: str, card: Card) -> Dataset:
    """The set with the retouching of one expert, A to E, as the reference."""

    def find(root: Path, split: str) -> Found:
        together = [[Sides("input", f"expert{letter}")]]
        if letter != "C" or split == "all":
            return _cut(find_sides(root, together), root, split)
        apart = Sides(f"{split}/input", f"{split}/target")
        found = find_sides(root, [[apart], *together])
        if not _apart(found, split):
            return _cut(found, root, split)
        return of_published(found, f"the test part in {root}", TEST, TITLE) if split == "test" else found

    return Dataset(card, find)


def _apart(found: Found, split: str) -> bool:
    """Whether the files lie in a folder of the split's own."""
    return any(
        isinstance(s.input, Path) and s.input.parent.parent.name.lower() == split for s in found.samples
    )


def _cut(found: Found, root: Path, split: str) -> Found:
    """A part of what lies in one folder; by number where it can be: a missing picture then moves no other."""
    if split == "all":
        return found
    samples = found.samples
    numbers = [int(named[1]) for sample in samples if (named := NUMBERED.match(sample.name))]
    by_number = len(numbers) == len(samples)
    first = sum(number <= PAIRS - TEST for number in numbers) if by_number else max(0, len(samples) - TEST)
    if split == "train":
        return Found(samples[:first], found.problems)
    test = Found(samples[first:], found.problems)
    if by_number:
        return of_published(test, f"the test part in {root}", TEST, TITLE)
    whole = of_published(found, str(root), PAIRS, f"{TITLE}, of which the last {TEST} are the test part")
    return Found(test.samples, whole.problems)


DATASETS = (
    expert("C", CARD),
    *(
        expert(
            letter,
            replace(
                CARD,
                name=f"fivek-{letter.lower()}",
                title=f"{TITLE}, expert {letter}",
                summary=f"The same photographs with expert {letter}'s retouching.",
                layout=f"input/ and expert{letter}/ with equal names",
            ),
        )
        for letter in "ABDE"
    ),
)
