"""Running a benchmark: a process for each case, one after the other."""

from __future__ import annotations

import datetime
import itertools
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from daybreak.benchmark.child import picture_of
from daybreak.benchmark.results import Benchmark, Case, Row
from daybreak.errors import BadSetting, DaybreakError
from daybreak.evaluation.machine import machine
from daybreak.methods import get_method
from daybreak.version import __version__

SIZES = {"600x400": (600, 400), "1080p": (1920, 1080), "12mp": (4000, 3000)}
"""Sizes by name; WIDTHxHEIGHT is read as well."""

_BLAS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


def parse_size(text: str) -> tuple[int, int]:
    """Width and height of a size as typed.

    Raises:
        BadSetting: neither a name of `SIZES` nor WIDTHxHEIGHT.

    >>> parse_size("1080p"), parse_size("64x48")
    ((1920, 1080), (64, 48))
    """
    if known := SIZES.get(text.lower()):
        return known
    found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text.lower())
    if not found:
        raise BadSetting(f"--size {text!r}", f"{', '.join(SIZES)} or WIDTHxHEIGHT")
    return int(found[1]), int(found[2])


def cases_of(
    methods: Sequence[str],
    sizes: Sequence[tuple[int, int]],
    threads: Sequence[int],
    devices: Sequence[str],
    precision: str = "fp32",
) -> list[Case]:
    """Every case: method by device by size by threads; a method that is no network has no devices.

    Raises:
        UnknownName: no such method or device.
    """
    from daybreak.engines import get_device

    for device in devices:
        get_device(device)
    cases = []
    for name in methods:
        network = bool(get_method(name).card.weights_sha256)
        places = [(device, precision) for device in devices] if network else [("", "")]
        for place, (width, height), count in itertools.product(places, sizes, threads):
            where = {"device": place[0], "precision": place[1]}
            cases.append(Case(method=name, width=width, height=height, threads=count, **where))
    return cases


class Run:
    """A benchmark on its way: iterate over it for rows as they come, then ask for `found`.

    Args:
        cases: what to measure.
        repeats: of each, after one that warms up.

    Raises:
        BadSetting: fewer than one repeat, or nothing to measure.
    """

    def __init__(self, cases: Sequence[Case], repeats: int) -> None:
        if repeats < 1 or not cases:
            raise BadSetting(f"{len(cases)} cases, {repeats} repeats", "at least one of each")
        self.cases, self.repeats = cases, repeats
        self.load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else 0.0
        self.rows: list[Row] = []
        self.problems: list[str] = []

    def __iter__(self) -> Iterator[Row]:
        with tempfile.TemporaryDirectory(prefix="daybreak-benchmark-") as name:
            folder = Path(name)
            for case in self.cases:
                try:
                    row = _measured(case, self.repeats, folder)
                except DaybreakError as error:
                    self.problems.append(str(error))
                    continue
                self.rows.append(row)
                yield row

    def found(self) -> Benchmark:
        """What was measured so far."""
        return Benchmark(
            daybreak=__version__,
            date=datetime.datetime.now(datetime.UTC).date().isoformat(),
            machine=machine(),
            load=self.load,
            repeats=self.repeats,
            rows=tuple(self.rows),
            problems=tuple(self.problems),
        )


def _measured(case: Case, repeats: int, folder: Path) -> Row:
    """One case, by a process of its own.

    Raises:
        BadSetting: it could not be measured; what the process said is quoted.
    """
    path = picture_of(case, folder)
    if not path.exists():
        _child(case, "picture", str(case.width), str(case.height), str(path))
    return Row.model_validate_json(_child(case, case.model_dump_json(), str(repeats), str(folder)))


def _child(case: Case, *words: str) -> str:
    limits = dict.fromkeys(_BLAS, str(case.threads))
    line = [sys.executable, "-m", "daybreak.benchmark.child", *words]
    done = subprocess.run(line, capture_output=True, text=True, env=os.environ | limits, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
        raise BadSetting(f"{case.told} cannot be measured: {said}", "a case that runs on this machine")
    return done.stdout
