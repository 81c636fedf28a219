"""LOL v1: 485 training pairs and 15 test pairs of 400×600 (H×W).

Source: Wei, Wang, Yang, Liu, "Deep Retinex Decomposition for Low-Light Enhancement", BMVC 2018.

Two layouts are about: the authors' and the one in which Retinexformer's code wants it.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Literal

from daybreak.data.base import Card, Dataset, Found, Leak, NothingThere
from daybreak.data.layout import Sides, find_sides
from daybreak.data.pairs import Pair
from daybreak.data.sample import Sample
from daybreak.data.splits import read_split
from daybreak.errors import DataError

EVAL15 = ("1", "22", "23", "55", "79", "111", "146", "179", "493", "547", "665", "669", "748", "778", "780")
"""The published test part. For reporting only: 14 of its scenes have a near-identical view in our485."""

MISALIGNED = frozenset({"648"})
"""Pairs of our485 whose two pictures are shifted against each other by tens of pixels (648: about 54 px)."""

VALIDATION = "lol-v1-our485.val.txt"

OUR485 = ((Sides("our485/low", "our485/high"),), (Sides("Train/input", "Train/target"),))
TEST = ((Sides("eval15/low", "eval15/high"),), (Sides("Test/input", "Test/target"),))


def find(root: Path, split: str) -> Found:
    """What there is of a split; what is missing of the published 485 or 15 is among the problems.

    Raises:
        NothingThere: neither layout is there, or it is not LOL that is in it.
    """
    found = find_sides(root, TEST if split == "test" else OUR485)
    if split == "test":
        return _as_published(found, root)
    if split == "our485":
        return found
    held = validation_stems()
    missing = held - {sample.name for sample in found.samples}
    problems = found.problems
    if len(missing) > len(held) / 2:  # one's own folders may be called as LOL's are
        told = f"{root} lacks {len(missing)} of the {len(held)} pairs of LOL v1 to validate on"
        raise NothingThere(f"{told}, so it holds something else")
    if missing:
        some = ", ".join(sorted(missing)[:5])
        problems += (DataError(f"the training part in {root} lacks {some}", "the 485 pairs of LOL v1"),)
    wanted = [s for s in found.samples if s.name not in MISALIGNED and (s.name in held) == (split == "val")]
    return Found(tuple(wanted), problems)


def _as_published(found: Found, root: Path) -> Found:
    """The test part without what does not belong to it."""
    samples = tuple(sample for sample in found.samples if sample.name in EVAL15)
    problems = found.problems
    if [sample.name for sample in found.samples] != list(EVAL15):
        others = len(found.samples) - len(samples)
        told = f"the test part in {root} holds {len(samples)} of the 15 pairs of LOL v1 and {others} others"
        problems += (DataError(told, ", ".join(EVAL15)),)
    return Found(samples, problems)


def validation_stems() -> frozenset[str]:
    """Stems of the validation part of our485, from the committed split."""
    return frozenset(read_split(Path(str(files("daybreak.data").joinpath("splits", VALIDATION)))))


def lol_v1(root: Path, part: Literal["train", "val", "test"]) -> list[Pair]:
    """The pairs of one part of LOL v1 as files, in natural order; each part must be complete.

    Args:
        root: the folder that holds `our485` and `eval15`, or the one above it.
        part: "train" and "val" are the two scene-disjoint parts of our485, without the misaligned pair;
            "test" is eval15.

    Raises:
        DataError: a folder is missing or its pictures are not the expected ones.
    """
    return [_files(sample) for sample in DATASET.samples(root, part)]


def _files(sample: Sample) -> Pair:
    if not (isinstance(sample.input, Path) and isinstance(sample.reference, Path)):
        raise DataError(f"{sample.name} of LOL v1 is no pair of files")
    return Pair(sample.name, sample.input, sample.reference)


DATASET = Dataset(
    Card(
        name="lol-v1",
        title="LOL (LOw-Light), version 1",
        summary="500 dark and normal exposures of the same rooms and streets; the usual test.",
        kind="paired",
        paper="Wei, Wang, Yang, Liu: Deep Retinex Decomposition for Low-Light Enhancement, BMVC 2018",
        home="https://daooshee.github.io/BMVC2018website",
        get="LOLdataset.zip from the links on the home page "
        "(Google Drive id 18dudQfe9uEOrfs9jA3jnbZPUgBsRSV9C).",
        size="485 + 15 pairs of 600×400 pixels",
        terms="none stated by its authors; treat as for research only",
        layout="our485/{low,high} and eval15/{low,high} with equal names, "
        "or Train/{input,target} and Test/{input,target}",
        splits={
            "train": "436 pairs of our485, no scene of which is in val",
            "val": "48 pairs of 20 scenes of our485",
            "test": "eval15, the 15 published test pairs",
            "our485": "all 485 pairs of our485, as published",
        },
        notes="our485/648 shows two views about 54 px apart and is in neither train nor val; 328 and 330 are "
        "zoomed by up to 3 px at the sides; 515, 566, 569, 570, 571, 649, 677, 700 and 701 are off by about "
        "2 px.",
        leaks=(
            Leak(
                "test",
                "lol-v1:our485",
                "14 of the 15 scenes of eval15 have a near-identical view in our485 (all but 179): a network "
                "trained on our485 has seen them.",
            ),
        ),
    ),
    find,
)
