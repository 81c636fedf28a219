"""Finding the folders of a data set below a folder: in any case, and inside the folder that a zip brings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from daybreak.data.base import Found, NothingThere
from daybreak.data.pairs import match_folders, natural_order, pictures_in
from daybreak.data.sample import Sample
from daybreak.errors import DataError

WRAPPERS = 2  # folders around a data set that are looked into: a zip's own and one of the user's


@dataclass(frozen=True)
class Sides:
    """Two folders of one split that are paired by name.

    Attributes:
        input, reference: relative to the data set's folder, with "/".
        strip: what either side adds to its names (see `daybreak.data.pairs.pictures_in`).
        subset: goes before the names of the samples, "" for nothing.
    """

    input: str
    reference: str
    strip: tuple[str, ...] = ()
    subset: str = ""


def plain(name: str) -> str:
    """A folder's name without case, spaces, hyphens and underscores.

    >>> plain("Training data") == plain("training_Data")
    True
    """
    return name.casefold().translate({ord(sign): None for sign in " _-"})


def subfolders(folder: Path) -> list[Path]:
    """Folders in a folder, in natural order, without hidden ones and what macOS adds to a zip."""
    try:
        inside = [path for path in folder.iterdir() if path.is_dir()]
    except OSError as error:
        raise DataError(f"the folder {folder} cannot be read ({error.strerror})") from None
    visible = [path for path in inside if not path.name.startswith(".") and path.name != "__MACOSX"]
    return sorted(visible, key=lambda path: natural_order(path.name))


def locate(root: Path, relative: str) -> Path | None:
    """The folder that is meant by a relative path, in the root or in folders wrapped around it.

    Args:
        root: where to look. It may also be the first folder of `relative` itself.
        relative: such as "our485/low"; case, spaces, hyphens and underscores do not count.

    Raises:
        DataError: there are two of them, equally deep.
    """
    parts = relative.split("/")
    if plain(root.resolve().name) == plain(parts[0]) and (own := _descend(root, parts[1:])):
        return own
    for bases in _levels(root):
        found = [folder for base in bases if (folder := _descend(base, parts))]
        if len(found) > 1:
            raise DataError(
                f"{found[0]} and {found[1]} are both {relative!r}", "one of them", "Name its folder."
            )
        if found:
            return found[0]
    return None


def _levels(root: Path) -> Iterator[list[Path]]:
    """The root, then the folders in it, then the folders in those."""
    bases = [root]
    yield bases
    for _ in range(WRAPPERS):
        bases = [inner for base in bases for inner in subfolders(base)]
        yield bases


def _descend(base: Path, parts: Sequence[str]) -> Path | None:
    """Follow names that may differ in case and the like; a name that is exactly right goes first."""
    for part in parts:
        exact = base / part
        if not exact.is_dir():
            alike = [inner for inner in subfolders(base) if plain(inner.name) == plain(part)]
            if not alike:
                return None
            exact = alike[0]
        base = exact
    return base


def find_sides(root: Path, layouts: Sequence[Sequence[Sides]]) -> Found:
    """The samples of a split that is kept in pairs of folders.

    Args:
        root: where to look.
        layouts: the variants that are about; each lists all pairs of folders that make up the split. The
            first of which anything is there is taken.

    Raises:
        NothingThere: nothing of any of them is there.
        DataError: a folder is empty, or a name stands twice in it.
    """
    for layout in layouts:
        places = [(locate(root, sides.input), locate(root, sides.reference)) for sides in layout]
        if any(place is not None for pair in places for place in pair):
            break
    else:
        wanted = " or ".join(layout[0].input for layout in layouts)
        raise NothingThere(f"there is no {wanted} in {root}")
    samples: list[Sample] = []
    problems: list[DataError] = []
    for sides, (low, high) in zip(layout, places, strict=True):
        if low is None or high is None:
            problems.append(DataError(f"there is no {sides.reference if low else sides.input} in {root}"))
            continue
        pairs, lonely = match_folders(low, high, sides.strip)
        lead = f"{sides.subset}/" if sides.subset else ""
        samples += [Sample(lead + pair.stem, pair.low, pair.high) for pair in pairs]
        problems += lonely
    return Found(tuple(samples), tuple(problems))


def of_published(found: Found, where: str, count: int, title: str) -> Found:
    """The same, and a problem where there are fewer pairs, or more, than were published.

    Args:
        found: what there is of a part.
        where: what holds it, for a sentence.
        count: of the published pairs.
        title: of the data set.
    """
    there = len(found.samples)
    if there == count:
        return found
    told = DataError(f"{where} holds {there} pairs", f"the {count} of {title}")
    return Found(found.samples, (*found.problems, told))


def find_flat(root: Path, *names: str) -> Found:
    """Pictures without references that lie in one folder.

    Args:
        root: that folder, or one that holds it.
        names: what it is usually called, with "/" for folders in folders, the likeliest first.

    Raises:
        DataError: there is no picture.
    """
    places = (locate(root, name) for name in names)
    folder = next((place for place in places if place is not None), root)
    return Found(tuple(Sample(stem, path) for stem, path in pictures_in(folder).items()))
