"""SICE: exposure sequences, each with the best of many fusions as its label.

Source: Cai, Gu, Zhang, "Learning a Deep Single Image Contrast Enhancer from Multi-Exposure Images", IEEE TIP
2018. Every exposure, too dark or too bright, is paired with the label of its sequence.
"""

from __future__ import annotations

from pathlib import Path

from daybreak.data.base import Card, Dataset, Found, NothingThere
from daybreak.data.layout import locate, plain, subfolders
from daybreak.data.pairs import pictures_in
from daybreak.data.sample import Sample
from daybreak.errors import DataError


def find(root: Path, split: str) -> Found:
    """The exposures of one part or of both.

    Raises:
        NothingThere: the part is not there.
        DataError: it has no labels.
    """
    numbers = {"part1": "1", "part2": "2"}.get(split, "12")
    parts = [(number, locate(root, f"Dataset_Part{number}")) for number in numbers]
    if all(folder is None for _, folder in parts):
        raise NothingThere(f"there is no Dataset_Part{numbers[0]} in {root}")
    samples: list[Sample] = []
    problems: list[DataError] = []
    for number, folder in parts:
        if folder is None:
            problems.append(DataError(f"there is no Dataset_Part{number} in {root}"))
            continue
        _add_part(number, folder, samples, problems)
    return Found(tuple(samples), tuple(problems))


def _add_part(number: str, folder: Path, samples: list[Sample], problems: list[DataError]) -> None:
    inside = [inner for inner in subfolders(folder) if plain(inner.name) == "label"]
    beside = [outer for outer in subfolders(folder.parent) if plain(outer.name) == "label"]
    if not (inside or beside):
        raise DataError(f"there is no folder Label in {folder} or beside it", "the labels of the sequences")
    labels = pictures_in((inside or beside)[0])
    for sequence in subfolders(folder):
        if plain(sequence.name) == "label":
            continue
        if sequence.name not in labels:
            problems.append(DataError(f"the sequence {sequence} has no label", f"Label/{sequence.name}.JPG"))
            continue
        try:
            exposures = pictures_in(sequence)
        except DataError as error:
            problems.append(error)
            continue
        lead = f"{number}/{sequence.name}"
        samples += [Sample(f"{lead}/{stem}", path, labels[sequence.name]) for stem, path in exposures.items()]


DATASET = Dataset(
    Card(
        name="sice",
        title="SICE (Single Image Contrast Enhancer)",
        summary="4413 exposures, dark to bright, of 589 scenes, and a fused label of each scene.",
        kind="paired",
        paper="Cai, Gu, Zhang: Learning a Deep Single Image Contrast Enhancer from Multi-Exposure Images, "
        "IEEE TIP 2018",
        home="https://github.com/csjcai/SICE",
        get="Dataset_Part1.rar and Dataset_Part2.rar from the links on the home page.",
        size="360 + 229 sequences of many sizes",
        terms="none stated; treat as for research only",
        layout="Dataset_Part1/ID/K.JPG and Dataset_Part2/ID/K.JPG; the labels as Label/ID.JPG in each part "
        "or beside it",
        splits={
            "part1": "the sequences of Dataset_Part1",
            "part2": "the sequences of Dataset_Part2",
            "all": "both parts",
        },
        notes="There is no standard test split.",
    ),
    find,
)
