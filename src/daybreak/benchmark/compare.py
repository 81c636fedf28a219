"""Whether a later benchmark is slower or larger than an earlier one.

Times are compared as multiples of the codec's in the same repeats, so a slower machine is no regression.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from daybreak.benchmark.results import Benchmark, Case

TOLERANCE = 0.25
"""Share by which a figure may grow: runs on a quiet machine differ by up to a tenth, on a busy one more."""

AGAIN = 2
"""How often what looks worse is measured once more: where the system puts a process's memory is chance, and
moves a ratio by a third."""


@dataclass(frozen=True)
class Change:
    """One figure of one case, before and now.

    Attributes:
        case: which.
        figure: what was measured, in words.
        before, now: its values.
    """

    case: Case
    figure: str
    before: float
    now: float

    @property
    def ratio(self) -> float:
        """Now over before."""
        return self.now / self.before

    def __str__(self) -> str:
        return f"{self.case.told}: {self.figure} {self.before:.2f} -> {self.now:.2f} ({self.ratio:.2f}x)"


def changes(old: Benchmark, new: Benchmark) -> Iterator[Change]:
    """Every figure that both have, of every case that both have."""
    before = {row.case: row for row in old.rows}
    for row in new.rows:
        if earlier := before.get(row.case):
            told = "method over decode + encode"
            yield Change(row.case, told, earlier.method_over_floor, row.method_over_floor)
            told = "whole way over decode + encode"
            yield Change(row.case, told, earlier.whole_over_floor, row.whole_over_floor)
            yield Change(row.case, "peak memory, MB,", earlier.peak_mb, row.peak_mb)


def regressions(old: Benchmark, new: Benchmark, tolerance: float = TOLERANCE) -> list[Change]:
    """The changes for the worse by more than the tolerance, worst first."""
    found = [change for change in changes(old, new) if change.ratio > 1.0 + tolerance]
    return sorted(found, key=lambda change: -change.ratio)


def confirmed(
    worse: Sequence[Change], old: Benchmark, measure: Callable[[list[Case]], Benchmark], tolerance: float
) -> list[Change]:
    """Those of the regressions that are found again each time when their cases are measured anew.

    Args:
        worse: from `regressions`.
        old: that they are compared with.
        measure: cases to what is found; one that cannot be measured any more stays a regression.
        tolerance: as for `regressions`.
    """
    left = list(worse)
    for _ in range(AGAIN):
        if not left:
            break
        found = measure(list(dict.fromkeys(change.case for change in left)))
        measured = {row.case for row in found.rows}
        again = {(change.case, change.figure) for change in regressions(old, found, tolerance)}
        left = [
            change for change in left if change.case not in measured or (change.case, change.figure) in again
        ]
    return left
