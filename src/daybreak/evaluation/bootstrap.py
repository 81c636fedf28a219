"""How sure a mean over pictures is, and which differences between methods are real.

Both are percentile bootstraps over pictures with a fixed seed, so the same scores give the same intervals.
With few pictures (15 in LOL's test part) such an interval is somewhat too narrow: take it as a lower bound of
the doubt. By the draws alone two pictures that agree would make a difference certain; hence `FEWEST`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

DRAWS = 10_000
SEED = 0
LEVEL = 0.95
FEWEST = 6  # pictures that can show a difference at 5 %: the first n with 2 / 2ⁿ below it
BLOCK = 1_000  # draws at once: 80 MB for 10,000 pictures


@dataclass(frozen=True)
class Difference:
    """The mean of one method less that of another over the pictures that both have.

    Attributes:
        mean: of the differences.
        low, high: the 95 % interval; NaN where a score is not finite.
        p: share of draws that contradict the sign of the mean, times two, at least 1 / draws; of fewer than
            `FEWEST` pictures at least the chance that differences without a cause all have one sign, 2 / 2ⁿ.
        n: pictures.
    """

    mean: float
    low: float
    high: float
    p: float
    n: int


def interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % interval of the mean; NaN twice where a value is not finite or there are fewer than two.

    >>> low, high = interval([1.0, 2.0, 3.0, 4.0])
    >>> 1.0 < low < 2.5 < high < 4.0
    True
    """
    sample = np.asarray(values, np.float64)
    if sample.size < 2 or not np.isfinite(sample).all():
        return float("nan"), float("nan")
    low, high = np.quantile(_means(sample), ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return float(low), float(high)


def compare(first: Mapping[str, float], second: Mapping[str, float]) -> Difference:
    """Paired bootstrap of two methods.

    Args:
        first, second: picture -> score; the pictures in both are compared.
    """
    shared = [name for name in first if name in second]
    gaps = np.array([first[name] - second[name] for name in shared], np.float64)
    if gaps.size < 2 or not np.isfinite(gaps).all():
        mean = float(gaps.mean()) if gaps.size else float("nan")
        return Difference(mean, float("nan"), float("nan"), 1.0, len(shared))
    means = _means(gaps)
    low, high = np.quantile(means, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    contrary = min(float((means <= 0).mean()), float((means >= 0).mean()))
    floor = 2.0 ** (1 - gaps.size) if gaps.size < FEWEST else 1 / DRAWS
    p = min(1.0, max(2 * contrary, floor))
    return Difference(float(gaps.mean()), float(low), float(high), p, len(shared))


def holm(ps: Sequence[float]) -> list[float]:
    """Adjust p-values for having made several comparisons at once (Holm, Scand. J. Statist. 1979).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(ps)
    highest = 0.0
    for place, index in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        highest = max(highest, min(1.0, (len(ps) - place) * ps[index]))
        adjusted[index] = highest
    return adjusted


def _means(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each draw with replacement, DRAWS long."""
    count, centre = len(values), float(values.mean())
    offsets = (values - centre) / count
    return np.concatenate([block.astype(np.float64) @ offsets for block in _times_drawn(count)]) + centre


@lru_cache(maxsize=2)
def _times_drawn(count: int) -> tuple[NDArray[np.uint8], ...]:
    """How often each picture is drawn: blocks of BLOCK×count whose rows sum to count."""
    rng = np.random.default_rng(SEED)
    even = np.full(count, 1 / count)
    return tuple(rng.multinomial(count, even, BLOCK).astype(np.uint8) for _ in range(DRAWS // BLOCK))
