"""Sets of many names in little memory: 16 bytes a name, whatever its length."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from daybreak.types import Array

_BYTES = 16  # of 10^7 names, two are alike by chance in 1 of 10^24 runs


def digest(*parts: str) -> bytes:
    """16 bytes that stand for these texts, in this order.

    >>> digest("ab", "c") == digest("a", "bc")
    False
    """
    text = plain("\0".join(parts)).encode()
    return hashlib.blake2b(text, digest_size=_BYTES).digest()


def plain(text: str) -> str:
    r"""The text without lone surrogates, which names that are no UTF-8 have and a Parquet file cannot hold.

    >>> plain("caf\udce9.jpg")
    'caf\\udce9.jpg'
    """
    return text.encode("utf-8", "backslashreplace").decode()


class Digests:
    """A set that only grows, asked and added to by the hundred or more: that is what makes it quick.

    A million names take 16 MB, where a set of Python's takes 100. Tables (2×N uint64: the halves of each
    digest) sorted by the first half, each at least twice as long as the next, so that there are few of them
    to look into. Of two digests with the same first half, the second is not found again; among 10^7 names
    that happens once in 10^5 runs, and what follows is that something is done twice, never that it is left.
    """

    def __init__(self) -> None:
        self._tables: list[Array] = []

    def __len__(self) -> int:
        return sum(table.shape[1] for table in self._tables)

    def hold(self, members: Sequence[bytes]) -> list[bool]:
        """Which of these digests are in the set."""
        return [bool(value) for value in self._find(_halves(members))]

    def add(self, members: Sequence[bytes]) -> list[bool]:
        """Take digests in; which of them were new, the second of two alike ones not."""
        halves = _halves(members)
        found = self._find(halves)
        first = dict(zip(reversed(members), range(len(members) - 1, -1, -1), strict=True))
        new = [not found[n] and first[member] == n for n, member in enumerate(members)]
        if any(new):
            self._sort_in(halves[:, new])
        return new

    def _find(self, halves: Array) -> Array:
        found = np.zeros(halves.shape[1], bool)
        for table in self._tables:
            at = np.minimum(np.searchsorted(table[0], halves[0]), table.shape[1] - 1)
            found |= (table[:, at] == halves).all(axis=0)
        return found

    def _sort_in(self, table: Array) -> None:
        while self._tables and self._tables[-1].shape[1] < 2 * table.shape[1]:
            table = np.concatenate([self._tables.pop(), table], axis=1)
        self._tables.append(table[:, np.argsort(table[0], kind="stable")])


def _halves(members: Sequence[bytes]) -> Array:
    return np.frombuffer(b"".join(members), np.uint64).reshape(-1, 2).T
