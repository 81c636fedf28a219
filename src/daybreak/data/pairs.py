"""Two folders of pictures paired by name.

Pairs are made by stem; a prefix or suffix that one folder adds may be stripped; extensions are in any case.
A picture without a partner and two pictures with one stem are errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from daybreak.errors import DataError

SUFFIXES = frozenset({".avif", ".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True)
class Pair:
    """One dark picture and its well-lit reference.

    Attributes:
        stem: the name that both share, prefixes stripped.
        low, high: the two files.
    """

    stem: str
    low: Path
    high: Path


def natural_order(name: str) -> tuple[tuple[int, str], ...]:
    """Sort key that puts 2 before 10.

    >>> sorted(["10", "9b", "2"], key=natural_order)
    ['2', '9b', '10']
    """
    parts = re.findall(r"\d+|\D+", name)
    return tuple((int(part), "") if part.isascii() and part.isdigit() else (-1, part) for part in parts)


def pictures_in(folder: Path, strip: Sequence[str] = ()) -> dict[str, Path]:
    """Pictures directly in a folder, by stem, in natural order; hidden files are passed over.

    Args:
        folder: where to look.
        strip: what to take off the start or the end of a stem, whichever fits first ("low", "_gt").

    Raises:
        DataError: no such folder, no picture in it, or two files with one stem.
    """
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        stem = _stripped(path.stem, strip)
        if stem in found:
            raise DataError(
                f"{found[stem].name} and {path.name} in {folder} both stand for {stem!r}",
                "one picture a name",
                "Remove or rename one of them.",
            )
        found[stem] = path
    if not found:
        raise DataError(f"there is no picture in {folder}", f"files ending in {', '.join(sorted(SUFFIXES))}")
    return {stem: found[stem] for stem in sorted(found, key=natural_order)}


def _stripped(stem: str, strip: Iterable[str]) -> str:
    for piece in strip:
        if stem.startswith(piece) and stem != piece:
            return stem[len(piece) :]
        if stem.endswith(piece) and stem != piece:
            return stem[: -len(piece)]
    return stem


def match_folders(low: Path, high: Path, strip: Sequence[str] = ()) -> tuple[list[Pair], list[DataError]]:
    """Pair the pictures of two folders by stem, in natural order, and tell which have no partner.

    Args:
        low: folder of dark pictures.
        high: folder of references.
        strip: see `pictures_in`; applied on both sides.

    Returns:
        The pairs, and one error, not raised, for each side that has pictures without a partner.

    Raises:
        DataError: a folder is missing or empty, or a name stands twice in it.
    """
    lows, highs = pictures_in(low, strip), pictures_in(high, strip)
    problems = []
    for ours, others, where in ((lows, highs, high), (highs, lows, low)):
        lonely = [path.name for stem, path in ours.items() if stem not in others]
        if lonely:
            listed = ", ".join(lonely[:5]) + (f" and {len(lonely) - 5} more" if len(lonely) > 5 else "")
            problems.append(
                DataError(
                    f"{listed} in {next(iter(ours.values())).parent} without a partner in {where}",
                    "the same names in both folders",
                    "Add the missing picture, or remove the one without a partner",
                )
            )
    return [Pair(stem, lows[stem], highs[stem]) for stem in lows if stem in highs], problems


def pair_folders(low: Path, high: Path, strip: Sequence[str] = ()) -> list[Pair]:
    """Pair the pictures of two folders, which must fit together.

    Args:
        low, high, strip: as for `match_folders`.

    Raises:
        DataError: a folder is missing or empty, or a picture has no partner.
    """
    pairs, problems = match_folders(low, high, strip)
    if problems:
        raise problems[0]
    return pairs
