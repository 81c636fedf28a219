"""The explicit list of every data set, and the look-ups over it."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

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
from daybreak.errors import RegistryError, UnknownName

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


def index(datasets: Iterable[Dataset]) -> dict[str, Dataset]:
    """Name -> data set, in the order given.

    Raises:
        RegistryError: a name stands twice.
    """
    table: dict[str, Dataset] = {}
    for dataset in datasets:
        if dataset.card.name in table:
            raise RegistryError(f"two data sets are named {dataset.card.name!r}", "one name, one data set")
        table[dataset.card.name] = dataset
    return table


_BY_NAME = index(DATASETS)


def get_dataset(name: str) -> Dataset:
    """The data set of that name; `synthetic:` and a folder make one.

    Raises:
        UnknownName: there is none; the error carries the nearest names.
    """
    if name.startswith(PREFIX) and name != PREFIX:
        return darkened(name.removeprefix(PREFIX))
    try:
        return _BY_NAME[name]
    except KeyError:
        raise UnknownName("data set", name, _BY_NAME, "See: daybreak data list") from None


def parse_dataset(text: str) -> tuple[Dataset, str]:
    """A data set and a split from DATASET or DATASET:SPLIT; no split is the default one.

    What follows `synthetic:` is a folder, whatever it holds.

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
    return [name for name in _BY_NAME if fnmatchcase(name, pattern)]
