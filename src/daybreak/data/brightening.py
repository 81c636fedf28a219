"""Brightening: the synthetic pairs that RetinexNet was trained on beside LOL; paper 0 trains on it.

Source: as LOL v1 (Wei et al., BMVC 2018); the clean pictures are from RAISE (Dang-Nguyen et al., MMSys 2015).
"""

from __future__ import annotations

from pathlib import Path

from daybreak.data.base import Card, Dataset, Found
from daybreak.data.layout import Sides, find_sides


def find(root: Path, _split: str) -> Found:
    """The one split is everything."""
    return find_sides(root, [[Sides("BrighteningTrain/low", "BrighteningTrain/high")]])


DATASET = Dataset(
    Card(
        name="brightening",
        title="Brightening Train (RetinexNet's synthetic pairs)",
        summary="1000 clean photographs of RAISE and darkened versions of them.",
        kind="paired",
        paper="Wei, Wang, Yang, Liu: Deep Retinex Decomposition for Low-Light Enhancement, BMVC 2018",
        home="https://daooshee.github.io/BMVC2018website",
        get="BrighteningTrain.zip from the links on the home page "
        "(Google Drive id 1G6fi9Kiu7CDnW2Sh7UQ5ikvScRv8Q14F).",
        size="1000 pairs of 384×384 pixels",
        terms="none stated; the terms of RAISE (research and education) hold for its pictures",
        layout="BrighteningTrain/{low,high} with equal names",
        splits={"train": "all pairs"},
    ),
    find,
)
