"""The five small sets of dark photographs without references: LIME, NPE, DICM, MEF and VV.

Sources: on each card. They are compared by NIQE and LOE, or by looking.
"""

from __future__ import annotations

from pathlib import Path

from daybreak.data.base import Card, Dataset, Found
from daybreak.data.layout import find_flat

LINKS = "https://github.com/baidut/BIMEF"


def folder_of(title: str, *, summary: str, paper: str, size: str, get: str = "", terms: str = "") -> Dataset:
    """A set that is one folder of dark pictures, named by its title."""

    def find(root: Path, _split: str) -> Found:
        return find_flat(root, title)

    card = Card(
        name=title.lower(),
        title=title,
        summary=summary,
        kind="unpaired",
        paper=paper,
        home=LINKS,
        get=get or "The README on the page links to the pictures.",
        size=size,
        terms=terms or "none stated; treat as for research only",
        layout=f"one folder of pictures of any format, named {title} or anything",
        splits={"test": "every picture"},
    )
    return Dataset(card, find)


DATASETS = (
    folder_of(
        "LIME",
        summary="10 dark photographs, the set of the LIME paper.",
        paper="Guo, Li, Ling: LIME: Low-Light Image Enhancement via Illumination Map Estimation, "
        "IEEE TIP 2017",
        size="10 pictures of many sizes",
    ),
    folder_of(
        "NPE",
        summary="Outdoor photographs in uneven light, the set of the NPE paper.",
        paper="Wang, Zheng, Hu, Li: Naturalness Preserved Enhancement Algorithm for Non-Uniform Illumination "
        "Images, IEEE TIP 2013",
        size="84 pictures; 8 of them in the subset that most papers use",
    ),
    folder_of(
        "DICM",
        summary="Photographs of commercial cameras, many only partly dark.",
        paper="Lee, Lee, Kim: Contrast Enhancement Based on Layered Difference Representation of 2D "
        "Histograms, IEEE TIP 2013",
        size="64 to 69 pictures, as the copies go",
        get="The zip at https://mcl.korea.ac.kr, or the README on the page links to the pictures.",
    ),
    folder_of(
        "MEF",
        summary="17 dark exposures from multi-exposure sequences.",
        paper="Ma, Zeng, Wang: Perceptual Quality Assessment for Multi-Exposure Image Fusion, IEEE TIP 2015",
        size="17 pictures",
    ),
    folder_of(
        "VV",
        summary="24 photographs that are well lit in one part and dark in another.",
        paper="Vonikakis: Busting image enhancement and tone-mapping algorithms, 2017 "
        "(a collection on a web page)",
        size="24 pictures",
    ),
)
