"""EUVP: underwater photographs, paired by a network that spoils good ones, and unpaired.

Source: Islam, Xia, Sattar, "Fast Underwater Image Enhancement for Improved Visual Perception", IEEE RA-L
2020.
"""

from __future__ import annotations

from pathlib import Path

from daybreak.data.base import Card, Dataset, Found
from daybreak.data.layout import Sides, find_flat, find_sides

SUBSETS = ("dark", "imagenet", "scenes")


def find(root: Path, split: str) -> Found:
    """Paired subsets, the test samples, or one side of the unpaired part."""
    if split == "test":
        return find_sides(root, [[Sides("test_samples/Inp", "test_samples/GTr")]])
    part, _, which = split.partition("-")
    if part == "unpaired":
        return find_flat(root, f"Unpaired/{'trainA' if which == 'poor' else 'trainB'}")
    return find_sides(
        root,
        [
            [
                Sides(f"Paired/underwater_{name}/trainA", f"Paired/underwater_{name}/trainB", subset=name)
                for name in ([which] if which else SUBSETS)
            ]
        ],
    )


DATASET = Dataset(
    Card(
        name="euvp",
        title="EUVP (Enhancing Underwater Visual Perception)",
        summary="11,435 pairs of poor and good underwater pictures.",
        kind="paired",
        paper="Islam, Xia, Sattar: Fast Underwater Image Enhancement for Improved Visual Perception, "
        "IEEE RA-L 2020",
        home="https://irvlab.cs.umn.edu/resources/euvp-dataset",
        get="EUVP from the links on the home page (Google Drive).",
        size="5550 + 3700 + 2185 pairs of 256×256 pixels and up",
        terms="for academic use (its code is under the MIT licence)",
        layout="Paired/{underwater_dark,underwater_imagenet,underwater_scenes}/{trainA,trainB} and "
        "test_samples/{Inp,GTr} with equal names; Unpaired/{trainA,trainB}",
        splits={
            "train": "the three paired subsets",
            "test": "test_samples",
            "train-dark": "underwater_dark alone",
            "train-imagenet": "underwater_imagenet alone",
            "train-scenes": "underwater_scenes alone",
            "unpaired-poor": "Unpaired/trainA, without references",
            "unpaired-good": "Unpaired/trainB, without references",
        },
    ),
    find,
)
