"""The parts of a data set that nobody has named: every pair of folders and every single folder of pictures.

For checking and splitting pictures of any origin. Two folders beside each other are a pair where their names
are one of the usual couples; everything else that holds pictures is a part without references.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from daybreak.data.base import Found, NothingThere
from daybreak.data.layout import plain, subfolders
from daybreak.data.pairs import SUFFIXES, match_folders, pictures_in
from daybreak.data.sample import Sample
from daybreak.errors import DataError

COUPLES = (
    ("low", "high"),
    ("low", "normal"),
    ("low", "gt"),
    ("dark", "bright"),
    ("input", "target"),
    ("input", "reference"),
    ("input", "gt"),
    ("input", "expertc"),
    ("inp", "gtr"),
    ("lq", "gt"),
    ("short", "long"),
    ("traina", "trainb"),
    ("testa", "testb"),
    ("hazy", "clear"),
)
"""Names of an input's and its reference's folder, as `plain` gives them."""

ADDED = ("low", "normal", "high", "_gt", "_low", "_high")
"""What a side may add to its names; taken off where the names do not fit as they are."""

DEPTH = 6


@dataclass(frozen=True)
class Part:
    """A pair of folders, or one folder.

    Attributes:
        name: where it lies, relative to the root with "/", the root's own name for the root itself.
        found: its samples and what is wrong with it.
        paired: whether it is a pair of folders.
    """

    name: str
    found: Found
    paired: bool


def parts_of(root: Path) -> list[Part]:
    """Every part below a folder, in natural order of the folders.

    Raises:
        NothingThere: no picture anywhere in it.
        DataError: no such folder.
    """
    if not root.is_dir():
        raise DataError(f"there is no folder {root}")
    parts = list(_walk(root, root, DEPTH))
    if not parts:
        raise NothingThere(f"there is no picture in {root}", f"files ending in {', '.join(sorted(SUFFIXES))}")
    return parts


def _walk(root: Path, folder: Path, depth: int) -> Iterator[Part]:
    inner = subfolders(folder)
    sides = _couple(inner)
    if _holds_pictures(folder):
        yield Part(_name(root, folder), _alone(folder), paired=False)
    if sides:
        yield Part(_name(root, folder), couple(*sides), paired=True)
    for other in inner:
        if other not in sides and depth:
            yield from _walk(root, other, depth - 1)


def _couple(folders: list[Path]) -> tuple[Path, ...]:
    """The two of some folders that are an input's and its reference's, or nothing."""
    by_name = {plain(folder.name): folder for folder in folders}
    for low, high in COUPLES:
        if low in by_name and high in by_name:
            sides = by_name[low], by_name[high]
            if all(map(_holds_pictures, sides)):
                return sides
    return ()


def couple(low: Path, high: Path) -> Found:
    """Two folders paired by name; what the sides add to their names is taken off where nothing fits else.

    Raises:
        DataError: a folder is empty, or a name stands twice in it.
    """
    pairs, problems = match_folders(low, high)
    if not pairs:
        pairs, problems = match_folders(low, high, ADDED)
    return Found(tuple(Sample(pair.stem, pair.low, pair.high) for pair in pairs), tuple(problems))


def _alone(folder: Path) -> Found:
    return Found(tuple(Sample(stem, path) for stem, path in pictures_in(folder).items()))


def _holds_pictures(folder: Path) -> bool:
    return any(path.suffix.lower() in SUFFIXES and path.name[0] != "." for path in folder.iterdir())


def _name(root: Path, folder: Path) -> str:
    return folder.relative_to(root).as_posix() if folder != root else root.resolve().name
