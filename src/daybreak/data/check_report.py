"""What a check of a data set has found: plain data for a JSON file and for a page with pictures."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from daybreak.data.align import Alignment
from daybreak.data.sample import Sample


@dataclass(frozen=True)
class Fault:
    """A picture, or a whole folder, that cannot be used as it is."""

    where: str
    why: str


@dataclass(frozen=True)
class Shift:
    """A pair whose pictures do not lie on each other, or cannot be compared (`alignment.told` is False)."""

    where: str
    alignment: Alignment


@dataclass(frozen=True)
class Twins:
    """Pictures of one part of which every pixel is equal; each is named with its side."""

    side: str
    where: tuple[str, ...]


@dataclass(frozen=True)
class SharedScene:
    """A scene that two parts share.

    Attributes:
        first, second: the two samples.
        identical: every pixel is equal.
        correlation, agreeing: see `daybreak.data.scenes.Likeness`.
    """

    first: str
    second: str
    identical: bool
    correlation: float
    agreeing: int


@dataclass(frozen=True)
class Side:
    """The inputs, or the references, of a part.

    Attributes:
        sizes: "width×height" -> how many; the commonest first.
        depths: bits -> how many.
        brightness: of each picture, its mean gray value from 0 to 1, in the order of the samples.
        histogram: mean of the pictures' histograms.
    """

    sizes: dict[str, int]
    depths: dict[int, int]
    brightness: tuple[float, ...]
    histogram: tuple[float, ...]


@dataclass(frozen=True)
class PartReport:
    """One part of what was checked.

    Attributes:
        name: unique in the report.
        pictures: samples that were found.
        usable: those without a fault.
        input, reference: None where there is nothing usable, or no reference.
        mixed_depths: pairs whose two files differ in depth.
        other: only compared with, because of `against`.
    """

    name: str
    pictures: int
    usable: int
    input: Side | None
    reference: Side | None
    mixed_depths: int
    other: bool


@dataclass(frozen=True)
class CheckReport:
    """All that a check found.

    Attributes:
        root, against: folders as given; against "" for none.
        parts: in order.
        faults: what cannot be used.
        shifted: misaligned pairs, the farthest first.
        untold: pairs with too little in common to compare them.
        twins: equal pictures within a part.
        shared: scenes that two parts have in common: leaks, if one is trained on and the other reported.
        notes: what was done otherwise than usual.
        seconds: it took.
        samples: "PART/NAME" -> the sample, to show its pictures; not in the JSON file.
    """

    root: str
    against: str
    parts: tuple[PartReport, ...]
    faults: tuple[Fault, ...]
    shifted: tuple[Shift, ...]
    untold: tuple[Shift, ...]
    twins: tuple[Twins, ...]
    shared: tuple[SharedScene, ...]
    notes: tuple[str, ...]
    seconds: float
    samples: dict[str, Sample]

    @property
    def sound(self) -> bool:
        """Whether every picture can be used; misaligned pairs and shared scenes are for people to judge."""
        return not self.faults

    def shared_scenes(self, part: str) -> list[str]:
        """Names of a part's samples whose scene is in another part too, each once, in order."""
        names = (name for pair in self.shared for name in (pair.first, pair.second))
        return list(dict.fromkeys(name for name in names if self._part_of(name) == part))

    def _part_of(self, name: str) -> str:
        """The part that a sample is in: of "a" and "a/b" the one in the inner folder."""
        return max((part.name for part in self.parts if name.startswith(f"{part.name}/")), key=len)


MARK = '"check_schema"'
"""Stands at the beginning of a report as JSON."""


def as_json(report: CheckReport) -> dict[str, Any]:
    """The report as what `json.dumps` takes; all but the samples."""
    whole = {field.name: getattr(report, field.name) for field in dataclasses.fields(report)}
    del whole["samples"]
    plain = {"check_schema": 1, **{name: _plain(value) for name, value in whole.items()}}
    plain["shared_scenes"] = {part.name: report.shared_scenes(part.name) for part in report.parts}
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value
