"""Check a data set: does every picture open, has it a partner, do the two fit, and is anything in it twice.

The result is in `daybreak.data.check_report`.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np

from daybreak.data.base import Dataset, Found
from daybreak.data.check_report import CheckReport, Fault, PartReport, SharedScene, Shift, Side, Twins
from daybreak.data.look import Looked, Seen, look
from daybreak.data.parts import Part, parts_of
from daybreak.data.sample import Sample
from daybreak.data.scenes import CORRELATION, Likeness, correlations, same_scenes
from daybreak.errors import DataError

MOST_PAIRS = 1_000_000
"""Comparing key points costs 0.4 ms a pair; beyond this many only the thumbnails are compared."""

Watch = Callable[[Iterator[Looked], int], Iterable[Looked]]
"""Passes the pictures on and may show how many of the number have gone by."""


@dataclass(frozen=True)
class _Part:
    """A part with what was seen of each sample."""

    name: str
    found: Found
    looked: tuple[Looked, ...]
    other: bool

    def usable(self) -> list[tuple[str, Looked]]:
        names = (f"{self.name}/{sample.name}" for sample in self.found.samples)
        return [(name, seen) for name, seen in zip(names, self.looked, strict=True) if not seen.fault]


def check(
    root: Path, against: Path | None = None, dataset: Dataset | None = None, watch: Watch | None = None
) -> CheckReport:
    """Check every picture below a folder.

    Args:
        root: what to check.
        against: another folder whose scenes must not be in the first; itself only read.
        dataset: find the parts of `root` as this data set's splits; None takes every pair of folders and
            every single folder as a part.
        watch: see `Watch`.

    Raises:
        DataError: there is no such folder, or no picture in it.
    """
    start = time.monotonic()
    wanted = [(part, False) for part in (splits_of(dataset, root) if dataset else parts_of(root))]
    wanted += [(part, True) for part in (parts_of(against) if against else [])]
    looked = _look_at_all(wanted, watch)
    parts = [
        _Part(name, part.found, seen, other)
        for name, (part, other), seen in zip(_unique(wanted, against), wanted, looked, strict=True)
    ]
    notes: list[str] = []
    shared = [pair for first, second in _comparisons(parts) for pair in _shared(first, second, notes)]
    own = [part for part in parts if not part.other]
    shifts = [
        Shift(name, seen.alignment)
        for part in own
        for name, seen in part.usable()
        if seen.alignment is not None
    ]
    return CheckReport(
        str(root),
        str(against or ""),
        tuple(map(_report, parts)),
        tuple(fault for part in parts for fault in _faults(part)),
        tuple(sorted((s for s in shifts if s.alignment.shifted), key=lambda s: -s.alignment.farthest)),
        tuple(shift for shift in shifts if not shift.alignment.told),
        tuple(twins for part in own for twins in _twins(part)),
        tuple(shared),
        tuple(notes),
        round(time.monotonic() - start, 1),
        {f"{part.name}/{sample.name}": sample for part in parts for sample in part.found.samples},
    )


def splits_of(dataset: Dataset, root: Path) -> list[Part]:
    """The splits of a data set that are there, without those that lie wholly within another.

    Raises:
        DataError: none is there.
    """
    parts, last = [], None
    for split in dataset.card.splits:
        try:
            parts.append(Part(split, dataset.find(root, split), dataset.card.paired))
        except DataError as error:
            last = error
    if not parts:
        raise last or DataError(f"there is nothing of {dataset.card.name} in {root}")
    inputs = [{sample.input for sample in part.found.samples} for part in parts]
    return [
        part
        for i, part in enumerate(parts)
        if not any(
            inputs[i] < other or (inputs[i] == other and k < i) for k, other in enumerate(inputs) if k != i
        )
    ]


def _unique(wanted: Sequence[tuple[Part, bool]], against: Path | None) -> list[str]:
    """A name for each part; those of the other folder have its name in front."""
    names: list[str] = []
    for part, other in wanted:
        name = part.name
        if other and against is not None:
            own = against.resolve().name
            name = own if name == own else f"{own}/{name}"
        while name in names:
            name += " (2)"
        names.append(name)
    return names


def _look_at_all(wanted: Sequence[tuple[Part, bool]], watch: Watch | None) -> list[tuple[Looked, ...]]:
    """What was seen of each sample of each part; several at once, for reading and OpenCV free the lock."""
    jobs = [(sample, not other) for part, other in wanted for sample in part.found.samples]
    looking = partial(_look, scene=len(wanted) > 1)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(looking, jobs)
        every = list(watch(results, len(jobs)) if watch else results)
    looked = iter(every)
    return [tuple(next(looked) for _ in part.found.samples) for part, _ in wanted]


def _look(job: tuple[Sample, bool], scene: bool) -> Looked:
    return look(job[0], pairing=job[1], scene=scene)


def _comparisons(parts: Sequence[_Part]) -> Iterator[tuple[_Part, _Part]]:
    """Every two parts, but not two of the other folder; a smaller part stands before a larger one."""
    for pair in combinations(parts, 2):
        if not all(part.other for part in pair):
            first, second = sorted(pair, key=lambda part: len(part.looked))
            yield first, second


def _shared(first: _Part, second: _Part, notes: list[str]) -> Iterator[SharedScene]:
    here, there = first.usable(), second.usable()
    scenes = [[seen.scene for _, seen in side if seen.scene is not None] for side in (here, there)]
    if len(here) * len(there) <= MOST_PAIRS:
        alike = same_scenes(*scenes)
    else:
        notes.append(
            f"{first.name} and {second.name} are compared by thumbnails alone: "
            f"{len(here) * len(there):,} pairs would take long"
        )
        table = correlations(*scenes)
        alike = [Likeness(i, j, float(table[i, j]), 0) for i, j in np.argwhere(table >= CORRELATION).tolist()]
    for pair in alike:
        one, other = here[pair.first], there[pair.second]
        digests = [{side.digest for side in (s.input, s.reference) if side} for s in (one[1], other[1])]
        yield SharedScene(
            one[0], other[0], bool(digests[0] & digests[1]), round(pair.correlation, 3), pair.agreeing
        )


def _faults(part: _Part) -> Iterator[Fault]:
    yield from (Fault(part.name, str(problem)) for problem in part.found.problems)
    for sample, seen in zip(part.found.samples, part.looked, strict=True):
        if seen.fault:
            yield Fault(f"{part.name}/{sample.name}", seen.fault)


def _twins(part: _Part) -> Iterator[Twins]:
    """Equal pictures, of inputs, of references, and inputs that are a reference."""
    places: dict[str, list[tuple[str, str]]] = {}
    for name, seen in part.usable():
        for side, picture in (("input", seen.input), ("reference", seen.reference)):
            if picture is not None:
                places.setdefault(picture.digest, []).append((side, name))
    for found in places.values():
        if len(found) > 1:
            sides = dict.fromkeys(side for side, _ in found)
            yield Twins(" and ".join(sides), tuple(name for _, name in found))


def _report(part: _Part) -> PartReport:
    usable = [seen for _, seen in part.usable()]
    inputs = [seen.input for seen in usable if seen.input is not None]
    references = [seen.reference for seen in usable if seen.reference is not None]
    mixed = sum(seen.input.depth != seen.reference.depth for seen in usable if seen.input and seen.reference)
    return PartReport(
        part.name, len(part.looked), len(usable), _side(inputs), _side(references), mixed, part.other
    )


def _side(pictures: Sequence[Seen]) -> Side | None:
    if not pictures:
        return None
    return Side(
        dict(Counter(picture.size for picture in pictures).most_common()),
        dict(Counter(picture.depth for picture in pictures).most_common()),
        tuple(picture.brightness for picture in pictures),
        tuple(np.mean([picture.histogram for picture in pictures], axis=0).round(5).tolist()),
    )
