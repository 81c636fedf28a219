"""RESIDE-beta, outdoor training set: hazy pictures made from clear ones; read as paper 0's "Donator-Beta".

Source: Li, Ren, Fu, Tao, Feng, Zeng, Wang, "Benchmarking Single-Image Dehazing and Beyond", IEEE TIP 2019.
A hazy picture is named ID_A_BETA (0001_0.8_0.04.jpg) and belongs to the clear picture ID.
"""

from __future__ import annotations

from pathlib import Path

from daybreak.data.base import Card, Dataset, Found, NothingThere
from daybreak.data.layout import locate, subfolders
from daybreak.data.pairs import SUFFIXES, pictures_in
from daybreak.data.sample import Sample
from daybreak.errors import DataError


def find(root: Path, _split: str) -> Found:
    """Every hazy picture with the clear one of its id; clear ones without haze are no problem.

    Raises:
        NothingThere: neither folder is there.
        DataError: one is missing or empty.
    """
    hazy, clear = locate(root, "hazy"), locate(root, "clear")
    if hazy is None and clear is None:
        raise NothingThere(f"there is no hazy in {root}")
    if hazy is None or clear is None:
        raise DataError(f"there is no {'clear' if hazy else 'hazy'} in {root}")
    references = pictures_in(clear)
    folders = [f for f in (hazy, *subfolders(hazy)) if any(p.suffix.lower() in SUFFIXES for p in f.iterdir())]
    samples, lonely = [], []
    for folder in folders:
        for stem, path in pictures_in(folder).items():
            reference = references.get(stem.partition("_")[0])
            if reference is None:
                lonely.append(path.name)
            else:
                samples.append(Sample(stem, path, reference))
    problems = []
    if lonely:
        more = f" and {len(lonely) - 5} more" if len(lonely) > 5 else ""
        problems.append(
            DataError(f"{', '.join(lonely[:5])}{more} in {hazy} without a clear picture in {clear}")
        )
    return Found(tuple(samples), tuple(problems))


DATASET = Dataset(
    Card(
        name="reside-beta",
        title="RESIDE-beta, outdoor training set (OTS)",
        summary="2061 clear outdoor pictures and 35 hazy versions of each.",
        kind="paired",
        paper="Li et al.: Benchmarking Single-Image Dehazing and Beyond, IEEE TIP 2019",
        home="https://sites.google.com/view/reside-dehaze-datasets",
        get="OTS from the page of RESIDE-beta; clear.zip and the parts of the hazy pictures.",
        size="2061 × 35 pairs",
        terms="for academic use",
        layout="clear/0001.jpg and hazy/0001_0.8_0.04.jpg (or folders in hazy/), paired by what stands "
        "before the first underscore",
        splits={"train": "every hazy picture that is there"},
        notes="Paper 0 calls its fog set Donator-Beta; no set of that name is known, this is our reading.",
    ),
    find,
)
