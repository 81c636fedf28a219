"""Scene-disjoint splits of a data set, and the small text files that keep them.

A split file names the pictures of the validation part: comment lines with `#` that tell how it was made,
then one stem a line. Everything else is the training part.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from daybreak.data.pairs import natural_order
from daybreak.errors import DataError
from daybreak.files import write_whole


def draw_scenes(groups: Sequence[Sequence[str]], part: float, seed: int) -> list[str]:
    """Draw whole scenes at random until about a given part of the pictures is reached.

    A scene that would overshoot the part is passed over, so very large scenes stay in training.

    Args:
        groups: the stems of each scene, from `daybreak.data.scenes.scene_groups`.
        part: of all pictures, between 0 and 1.
        seed: of the draw; the same seed and groups give the same part.

    Returns:
        The drawn stems in natural order, at most `part` of all.
    """
    wanted = round(part * sum(len(group) for group in groups))
    drawn: list[str] = []
    for index in np.random.default_rng(seed).permutation(len(groups)):
        if len(drawn) + len(groups[index]) <= wanted:
            drawn.extend(groups[index])
    return sorted(drawn, key=natural_order)


def write_split(path: Path, stems: Sequence[str], comment: str) -> None:
    """Write a split file; `comment` may have several lines.

    Raises:
        OutputExists: there is a file of that name.
        UnwritablePicture: it cannot be written.
    """
    header = [f"# {line}" for line in comment.splitlines()]
    write_whole(path, ("\n".join([*header, *stems]) + "\n").encode("utf-8", "surrogateescape"))


def read_split(path: Path) -> list[str]:
    """The stems in a split file.

    Raises:
        DataError: the file is missing, empty or names a picture twice.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError as error:
        raise DataError(f"the split {path} cannot be read ({error})") from None
    stems = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not stems or len(set(stems)) < len(stems):
        raise DataError(
            f"the split {path} names {len(stems)} pictures, {len(set(stems))} of them distinct",
            "one stem a line, each once",
        )
    return stems
