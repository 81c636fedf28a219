"""Cutting a length into nearly equal spans."""

from __future__ import annotations

from itertools import pairwise

Span = tuple[int, int]
"""The first row or column, and the one after the last."""


def spans(length: int, side: int, cell: int = 1) -> list[Span]:
    """Cut a length into as few nearly equal spans of at most `side` as will do.

    Args:
        length: of it all.
        side: a multiple of `cell`.
        cell: spans are cut at multiples of this alone.

    >>> spans(10, 4), spans(10, 4, 4)
    ([(0, 3), (3, 6), (6, 10)], [(0, 4), (4, 8), (8, 10)])
    """
    cells = -(-length // cell)
    count = -(-cells // (side // cell))
    return list(pairwise(min(length, cells * i // count * cell) for i in range(count + 1)))
