"""LSRW: large-scale real-world pairs, from a phone and a camera.

Source: Hai, Xuan, Yang, Hao, Zou, Lin, Han, "R2RNet: Low-light Image Enhancement via Real-low to Real-normal
Network", Journal of Visual Communication and Image Representation 2023.
"""

from __future__ import annotations

from pathlib import Path

from daybreak.data.base import Card, Dataset, Found
from daybreak.data.layout import Sides, find_sides, of_published

FOLDERS = {"train": "Training data", "test": "Eval"}
TEST = {"Huawei": 30, "Nikon": 20}  # pairs


def find(root: Path, split: str) -> Found:
    """Both cameras, or the one that stands after the hyphen in the split's name."""
    part, _, camera = split.partition("-")
    cameras = [camera.capitalize()] if camera else list(TEST)
    sides = [
        Sides(f"{FOLDERS[part]}/{name}/low", f"{FOLDERS[part]}/{name}/high", subset=name) for name in cameras
    ]
    found = find_sides(root, [sides])
    if part != "test":
        return found
    count = sum(TEST[name] for name in cameras)
    return of_published(found, f"the test part in {root}", count, f"LSRW, {' and '.join(cameras)}")


DATASET = Dataset(
    Card(
        name="lsrw",
        title="LSRW (Large-Scale Real-World)",
        summary="5650 dark and normal exposures of a Huawei phone and a Nikon camera.",
        kind="paired",
        paper="Hai et al.: R2RNet: Low-light Image Enhancement via Real-low to Real-normal Network, "
        "JVCIR 2023",
        home="https://github.com/JianghaiSCU/R2RNet",
        get="LSRW from the link on the home page (Baidu, code wmrr).",
        size="5600 + 50 pairs; Huawei 960×720 pixels",
        terms="none stated; treat as for research only",
        layout="'Training data'/{Huawei,Nikon}/{low,high} and Eval/{Huawei,Nikon}/{low,high} with equal "
        "names",
        splits={
            "train": "2450 pairs of the Huawei, 3150 of the Nikon",
            "test": "30 pairs of the Huawei, 20 of the Nikon",
            "train-huawei": "the phone's part of train",
            "train-nikon": "the camera's part of train",
            "test-huawei": "the phone's part of test",
            "test-nikon": "the camera's part of test",
        },
        notes="An early release had wrongly named files; what has no partner is told and left out.",
    ),
    find,
)
