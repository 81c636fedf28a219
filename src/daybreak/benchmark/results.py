"""What a benchmark found, as it is written to a file and read back."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, computed_field

from daybreak.documents import check_document
from daybreak.errors import DataError
from daybreak.files import write_whole
from daybreak.image.paths import shown


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Case(_Frozen):
    """What is measured in one process.

    Attributes:
        method: a name from `daybreak.list_methods()`.
        device, precision: where and in what a network is computed; "" for a method that is none.
        width, height: of the picture, in pixels.
        threads: that one picture may use.
    """

    method: str
    device: str = ""
    precision: str = ""
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    threads: int = Field(ge=1)

    @property
    def pixels(self) -> int:
        """Of the picture."""
        return self.width * self.height

    @property
    def told(self) -> str:
        """The case in a few words."""
        where = f" on {self.device} in {self.precision}" if self.device else ""
        return f"{self.method}{where}, {self.width}x{self.height}, {self.threads} threads"


class Seconds(_Frozen):
    """What one thing took in each repeat, in seconds of wall time.

    >>> Seconds(each=(0.3, 0.1, 0.2)).median
    0.2
    """

    each: tuple[float, ...] = Field(min_length=1)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def median(self) -> float:
        """Of the repeats."""
        return statistics.median(self.each)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def spread(self) -> float:
        """Longest less shortest."""
        return max(self.each) - min(self.each)

    def over(self, other: Seconds) -> float:
        """The median of the ratios to what another thing took in the same repeats."""
        return statistics.median(one / two for one, two in zip(self.each, other.each, strict=True))


class Row(_Frozen):
    """One case and its figures.

    Attributes:
        case: what was measured.
        floor: JPEG decoding and encoding of the same picture by libvips, in the same repeats.
        method: from decoded pixels to enhanced ones.
        whole: from the bytes of a JPEG to those of the result, metadata and all.
        cpu_floor, cpu_whole: the same in seconds of processor time, of all threads together.
        peak_mb: the most memory that the process held, in MB.
        macs: multiply-adds of the network on the picture; None for a method that is none.
        ceiling_gflops: GFLOP/s that a large matrix product reached in this process, with as many threads.
    """

    case: Case
    floor: Seconds
    method: Seconds
    whole: Seconds
    cpu_floor: Seconds
    cpu_whole: Seconds
    peak_mb: float
    macs: int | None = None
    ceiling_gflops: float

    @computed_field  # type: ignore[prop-decorator]
    @property
    def method_over_floor(self) -> float:
        """The method's time over that of the codec."""
        return self.method.over(self.floor)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def whole_over_floor(self) -> float:
        """The whole way's time over that of the codec."""
        return self.whole.over(self.floor)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def cpu_over_floor(self) -> float:
        """The whole way's processor time over that of the codec: what a busy machine changes least."""
        return self.cpu_whole.over(self.cpu_floor)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def pictures_per_second(self) -> float:
        """The whole way, one picture after the other."""
        return 1.0 / self.whole.median

    @computed_field  # type: ignore[prop-decorator]
    @property
    def gflops(self) -> float | None:
        """GFLOP/s reached, two for each multiply-add."""
        return None if self.macs is None else 2e-9 * self.macs / self.method.median


class Benchmark(_Frozen):
    """A run: every case's figures and the machine.

    Attributes:
        load: how many other processes wanted a core when it began (the system's load average); 0 where the
            system does not say.
    """

    benchmark_schema: Literal[1] = 1
    daybreak: str
    date: str
    machine: dict[str, Any]
    load: float = 0.0
    repeats: int
    rows: tuple[Row, ...]
    problems: tuple[str, ...] = ()


def check_benchmark_path(path: Path) -> None:
    """`check_document` of a results file."""
    check_document(path, (".json",), '"benchmark_schema"', "--json")


def write_benchmark(found: Benchmark, path: Path) -> None:
    """Write a results file.

    Raises:
        UnwritablePicture: it cannot be written.
    """
    text = json.dumps(found.model_dump(mode="json"), indent=1) + "\n"
    write_whole(path, text.encode(), overwrite=True)


def read_benchmark(path: Path) -> Benchmark:
    """Read a results file.

    Raises:
        DataError: it cannot be read or is no results file of `daybreak benchmark`.
    """
    expected = "a file that `daybreak benchmark --json` wrote"
    try:
        return Benchmark.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(f"{shown(path)} cannot be read ({error.strerror})", expected) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise DataError(f"{shown(path)}: {where}: {first['msg']}", expected) from None
