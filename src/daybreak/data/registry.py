"""The explicit list of every data set, and the look-ups over it."""

from __future__ import annotations

from daybreak.data import (
    brightening,
    euvp,
    fivek,
    lol,
    lol_v2,
    lsrw,
    no_reference,
    pack,
    raise_1k,
    reside_beta,
    sice,
)
from daybreak.data.base import Dataset
from daybreak.data.darkened import PREFIX, darkened
from daybreak.data.folders import PAIRED, UNPAIRED
from daybreak.errors import UnknownName
from daybreak.listing import index, look_up, matching

DATASETS: tuple[Dataset, ...] = (
    lol.DATASET,
    lol_v2.REAL,
    lol_v2.SYNTHETIC,
    lsrw.DATASET,
    brightening.DATASET,
    *fivek.DATASETS,
    sice.DATASET,
    *no_reference.DATASETS,
    raise_1k.DATASET,
    euvp.DATASET,
    reside_beta.DATASET,
    darkened("FOLDER"),
    PAIRED,
    UNPAIRED,
    pack.DATASET,
)
"""`synthetic:FOLDER` stands for every folder."""


_BY_NAME = index("data set", DATASETS, lambda dataset: dataset.card.name)


def get_dataset(name: str) -> Dataset:
    """The data set of that name; `synthetic:` and a folder make one.

    Raises:
        UnknownName: there is none; the error carries the nearest names.
        BadSetting: what is given of a darkening cannot be.
    """
    if name.startswith(PREFIX) and name != PREFIX:
        return darkened(name.removeprefix(PREFIX))
    return look_up("data set", name, _BY_NAME, "See: daybreak data list")


def parse_dataset(text: str) -> tuple[Dataset, str]:
    """A data set and a split from DATASET or DATASET:SPLIT; no split is the default one.

    What follows `synthetic:` is a folder, whatever it holds, and what is given of the darkening.

    Raises:
        UnknownName: no such data set or split.

    >>> dataset, split = parse_dataset("lol-v1:val")
    >>> dataset.card.name, split
    ('lol-v1', 'val')
    """
    if text.startswith(PREFIX):
        dataset = get_dataset(text)
        return dataset, dataset.card.default_split
    name, _, split = text.partition(":")
    dataset = get_dataset(name)
    if split and split not in dataset.card.splits:
        raise UnknownName(f"split of {name}", split, dataset.card.splits)
    return dataset, split or dataset.card.default_split


def list_datasets(pattern: str = "*") -> list[str]:
    """Names of the data sets that match a shell pattern, in the registry's order.

    >>> list_datasets("lol*")
    ['lol-v1', 'lol-v2-real', 'lol-v2-synthetic']
    """
    return matching(pattern, _BY_NAME)
