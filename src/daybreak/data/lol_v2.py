"""LOL version 2: a part photographed like version 1, and a part darkened by hand from clean photographs.

Source: Yang, Wang, Huang, Wang, Liu, "Sparse Gradient Regularized Deep Retinex Network for Robust Low-Light
Image Enhancement", IEEE TIP 2021.
"""

from __future__ import annotations

from pathlib import Path

from daybreak.data.base import Card, Dataset, Found, Leak
from daybreak.data.layout import Sides, find_sides, of_published

PAPER = (
    "Yang, Wang, Huang, Wang, Liu: Sparse Gradient Regularized Deep Retinex Network for Robust "
    "Low-Light Image Enhancement, IEEE TIP 2021"
)
HOME = "https://github.com/flyywh/CVPR-2020-Semi-Low-Light"
GET = "LOL-v2 from the link on the home page (Baidu), or the re-pack that Retinexformer's page links to."

TEST = 100  # pairs, of the real part and of the synthetic one


def find_real(root: Path, split: str) -> Found:
    """Originals are named low00690.png and normal00690.png, re-packs 00690.png on both sides."""
    part = split.capitalize()
    strip = ("low", "normal")
    return _find(root, split, Sides(f"Real_captured/{part}/Low", f"Real_captured/{part}/Normal", strip))


def find_synthetic(root: Path, split: str) -> Found:
    """Equal names on both sides."""
    part = split.capitalize()
    return _find(root, split, Sides(f"Synthetic/{part}/Low", f"Synthetic/{part}/Normal"))


def _find(root: Path, split: str, sides: Sides) -> Found:
    found = find_sides(root, [[sides]])
    if split != "test":
        return found
    return of_published(found, f"the test part in {root}", TEST, "LOL version 2")


REAL = Dataset(
    Card(
        name="lol-v2-real",
        title="LOL version 2, real captured",
        summary="789 dark and normal exposures; most of LOL v1 is in it.",
        kind="paired",
        paper=PAPER,
        home=HOME,
        get=GET,
        size="689 + 100 pairs of 600×400 pixels",
        terms="none stated; treat as for research only",
        layout="Real_captured/{Train,Test}/{Low,Normal}, names paired by their digits "
        "(low00690.png with normal00690.png, or 00690.png on both sides)",
        splits={"train": "689 pairs", "test": "100 pairs, 00690 to 00789"},
        leaks=(
            Leak(
                "test",
                "lol-v1:our485",
                "86 of the 100 test pictures of LOL-v2 real are in LOL v1's our485: a network trained on "
                "that has seen them.",
            ),
        ),
    ),
    find_real,
)

SYNTHETIC = Dataset(
    Card(
        name="lol-v2-synthetic",
        title="LOL version 2, synthetic",
        summary="1000 clean photographs and darkened versions of them.",
        kind="paired",
        paper=PAPER,
        home=HOME,
        get=GET,
        size="900 + 100 pairs of 384×384 pixels",
        terms="none stated; treat as for research only",
        layout="Synthetic/{Train,Test}/{Low,Normal} with equal names",
        splits={"train": "900 pairs", "test": "100 pairs"},
    ),
    find_synthetic,
)
