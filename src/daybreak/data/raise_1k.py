"""RAISE-1k: clean photographs from a camera's raw files; paper 3 makes its dark pictures from them.

Source: Dang-Nguyen, Pasquini, Conotter, Boato, "RAISE: A Raw Images Dataset for Digital Image Forensics",
MMSys 2015.
"""

from __future__ import annotations

from pathlib import Path

from daybreak.data.base import Card, Dataset, Found
from daybreak.data.layout import find_flat


def find(root: Path, _split: str) -> Found:
    """The one split is everything."""
    return find_flat(root, "RAISE-1k", "RAISE")


DATASET = Dataset(
    Card(
        name="raise-1k",
        title="RAISE-1k",
        summary="1000 clean photographs to make dark ones from (see synthetic:FOLDER).",
        kind="clean",
        paper="Dang-Nguyen, Pasquini, Conotter, Boato: RAISE: A Raw Images Dataset for Digital Image "
        "Forensics, MMSys 2015",
        home="http://loki.disi.unitn.it/RAISE",
        get="The list RAISE-1k on the home page names the files; take their TIFF versions.",
        size="1000 of 8156 photographs, at the full size of the cameras",
        terms="for research and education",
        layout="one folder of TIFF or PNG files, named RAISE-1k, RAISE or anything",
        splits={"all": "every picture"},
    ),
    find,
)
