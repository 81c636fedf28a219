"""What a run found, as it is written to a results file and read back: every score with its protocol."""

from __future__ import annotations

import datetime
import json
import math
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, computed_field

from daybreak.documents import check_document
from daybreak.errors import DataError
from daybreak.evaluation.bootstrap import interval
from daybreak.evaluation.protocol import Column
from daybreak.files import write_whole


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Score(_Frozen):
    """One row in one column.

    Attributes:
        column: metric and protocol.
        better: which direction is better.
        unit: "dB" …; "" for a pure number.
        each: picture -> score; pictures that could not be scored are not in it.
    """

    column: Column
    better: Literal["higher", "lower"]
    unit: str = ""
    each: dict[str, float]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def n(self) -> int:
        """How many pictures were scored."""
        return len(self.each)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def mean(self) -> float:
        """Arithmetic mean over the pictures; NaN over none."""
        return float(statistics.fmean(self.each.values())) if self.each else math.nan

    @computed_field  # type: ignore[prop-decorator]
    @property
    def interval_95(self) -> tuple[float, float]:
        """Bootstrap interval of the mean; NaN where there is none."""
        return interval(list(self.each.values()))

    def best_of(self, names: Iterable[str]) -> str:
        """The picture, of those named, with the best score."""
        return (max if self.better == "higher" else min)(names, key=self.each.__getitem__)


class Row(_Frozen):
    """One method, or whatever else was scored.

    Attributes:
        name: as shown; unique in the run.
        kind: "method", "input" or "folder".
        method: name of the method, "input" or "folder".
        settings: as given; those left out took the method's defaults.
        weights_sha256: of the networks that ran.
        parameters, macs_per_pixel: of the network, from its card; None where there is none, or several.
        leak: why its numbers here are too good ("" where nothing is known).
        seconds: picture -> what its enhancement took.
        scores: one for each column.
    """

    name: str
    kind: Literal["method", "input", "folder"]
    method: str
    settings: dict[str, str]
    weights_sha256: tuple[str, ...] = ()
    parameters: int | None = None
    macs_per_pixel: int | None = None
    leak: str = ""
    seconds: dict[str, float] = Field(default_factory=dict)
    scores: tuple[Score, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def seconds_median(self) -> float | None:
        """Seconds per picture; the first, which also loads what is loaded once, counts only if alone."""
        timed = list(self.seconds.values())
        return statistics.median(timed[1:] or timed) if timed else None

    @property
    def n(self) -> int:
        """The most pictures scored in a column."""
        return max((score.n for score in self.scores), default=0)

    def score(self, column: Column) -> Score | None:
        """Its score in a column, or None."""
        return next((score for score in self.scores if score.column == column), None)


class ImageFacts(_Frozen):
    """A picture of the list."""

    name: str
    width: int
    height: int


class Results(_Frozen):
    """A whole run.

    Attributes:
        daybreak: version.
        date: of the run.
        machine: from `daybreak.evaluation.machine`.
        dataset, split: as typed after `-d`.
        images: every picture that could be read, in order.
        images_sha256: of the list, as in each protocol.
        rows: in the order asked for.
        problems: what could not be read or scored as it should be, one sentence each.
        notes: what a reader of the numbers should know.
        unavailable: metric -> why it was not computed and what to type.
    """

    results_schema: Literal[1] = 1
    daybreak: str
    date: datetime.date
    machine: dict[str, Any]
    dataset: str
    split: str
    images: tuple[ImageFacts, ...]
    images_sha256: str
    rows: tuple[Row, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unavailable: dict[str, str] = Field(default_factory=dict)

    @property
    def title(self) -> str:
        """`lol-v1:eval15`"""
        return f"{self.dataset}:{self.split}" if self.split else self.dataset

    @property
    def pictures(self) -> str:
        """`15 pictures`"""
        return f"{len(self.images)} picture{'' if len(self.images) == 1 else 's'}"

    @property
    def columns(self) -> list[Column]:
        """Every column that some row has, in order."""
        return list(dict.fromkeys(score.column for row in self.rows for score in row.scores))


def check_results_path(path: Path) -> None:
    """`check_document` of a results file."""
    check_document(path, (".json",), '"results_schema"', "--json")


def write_results(results: Results, path: Path, extra: dict[str, Any]) -> None:
    """Write a results file, replacing an older one.

    Args:
        results: what was found.
        path: `*.json`; appears whole or not at all.
        extra: further keys for readers, ignored by `read_results`.

    Raises:
        UnwritablePicture: the file cannot be written.
    """
    told = _plain(results.model_dump()) | extra
    text = ",\n".join(f"{json.dumps(key)}: {_value(value)}" for key, value in told.items())
    write_whole(path, f"{{\n{text}\n}}\n".encode("ascii"), overwrite=True)


def _plain(value: Any) -> Any:
    """As JSON can hold it. Pydantic's own JSON fails on a picture whose name is no UTF-8."""
    if isinstance(value, dict):
        return {key: _plain(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(held) for held in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value.isoformat() if isinstance(value, datetime.date) else value


def _value(value: Any) -> str:
    """JSON in one line, of a list of objects in one line each: half the size of an indented file."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(json.dumps(item, allow_nan=False) for item in value) + "\n]"
    return json.dumps(value, allow_nan=False)


def read_results(path: Path) -> Results:
    """Read a results file.

    Raises:
        DataError: no such file, or not one that `daybreak evaluate --json` wrote.
    """
    wanted = "a file that `daybreak evaluate --json` wrote"
    try:
        return Results.model_validate(json.loads(path.read_bytes()))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", wanted) from None
    except (ValueError, RecursionError) as error:
        told = "it is no JSON"
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            told = f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
        raise DataError(f"{path} holds no results ({told})", wanted) from None
