"""From what is typed after `-d` and `--root` to a list of pictures."""

from __future__ import annotations

from pathlib import Path

from daybreak.data.registry import parse_dataset
from daybreak.evaluation.pictures import PictureList

ALSO = {"lol-v1:eval15": "lol-v1:test"}
"""Names that the papers use for a split."""


def open_list(text: str, root: Path) -> PictureList:
    """The pictures of `DATASET[:SPLIT]` below a folder; none is opened yet.

    What has no partner, or is missing of a published list, is among the problems.

    Raises:
        UnknownName: no such data set or split.
        NothingThere: no folder of the data set is there.
        DataError: there is no such folder, or not one usable picture in it.
    """
    dataset, split = parse_dataset(ALSO.get(text, text))
    found = dataset.find(root, split)
    return PictureList(
        split=split,
        samples=found.samples,
        paired=any(sample.reference is not None for sample in found.samples),
        problems=tuple(str(problem) for problem in found.problems),
        card=dataset.card,
    )
