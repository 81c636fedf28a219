"""Which place runs a weight fastest on this machine: measured once, remembered, never trusted blindly.

What is remembered decides speed alone. A place takes part in the race only if its picture is that of the
reference, so neither a broken device nor a damaged or lost memory can change what a picture looks like.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from daybreak.assets import cache_folder
from daybreak.engines.base import Engine, Precision
from daybreak.engines.devices import REFERENCE
from daybreak.engines.onnx_runtime import PACKAGES
from daybreak.engines.runtime import Place
from daybreak.errors import DaybreakError, EngineError
from daybreak.files import make_folder, write_whole
from daybreak.types import Array
from daybreak.version import __version__
from daybreak.weights import Weight

FURTHEST: dict[Precision, float] = {"fp32": 0.5 / 255, "bf16": 4 / 255}
"""Largest difference from the reference, in any value of [0, 1], that counts as the same picture."""

MEAN: dict[Precision, float] = {"fp32": 0.05 / 255, "bf16": 0.5 / 255}
"""The same of the mean absolute difference."""

WIDE = 100_000
"""Parameters from which a network has channels enough for `OnnxEngine`'s blocks of 16."""

_WORK = 2e9  # multiply-adds of a run that is timed: a fraction of a second on one core
_RUNS = 3


def load(place: Place, weight: Weight, threads: int) -> Engine:
    """A weight's graph, verified and loaded.

    Raises:
        WeightsError: a file is missing or is not what the card says.
        EngineError: the device cannot be used.
    """
    return place.load(weight.verified_onnx(), threads, weight.card.parameters >= WIDE)


def fastest(weight: Weight, among: Sequence[Place], threads: int) -> Place:
    """The fastest of some places for one weight.

    Args:
        among: of one precision, usable here; the first is taken where there is one alone, unmeasured.
        threads: that a run may use.

    Raises:
        EngineError: none of them gives the picture that the reference gives.
        WeightsError: as `load`.
    """
    if len(among) == 1:
        return among[0]
    names = [place.device.name for place in among]
    key = f"{weight.card.name} {weight.card.sha256} {among[0].precision} {threads} threads, {' '.join(names)}"
    memory = _Memory(cache_folder("engines") / "fastest.json")
    remembered = memory.get(key)
    known = [place for place in among if place.device.name == remembered]
    # a driver may be another one by now, which no version here tells of
    if known and (known[0].device.hardware == "cpu" or right(weight, known, threads)):
        return known[0]
    seconds = measure(weight, among, threads)
    if not seconds:
        raise EngineError(
            f"none of {', '.join(names)} runs {weight.card.name} as the reference does",
            hint="Type: daybreak doctor",
        )
    winner = min(seconds, key=lambda name: seconds[name])
    memory.put(key, winner, seconds)
    return among[names.index(winner)]


def measure(weight: Weight, among: Sequence[Place], threads: int) -> dict[str, float]:
    """Name of the device -> seconds a run, in the median, of those that give the reference's picture.

    They take turns, so that what else the machine does slows all of them.
    """
    picture, engines = trial(weight), right(weight, among, threads)
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(_RUNS):
        for name, engine in engines.items():
            start = time.perf_counter()
            engine.run(picture)
            seconds[name].append(time.perf_counter() - start)
    return {name: round(statistics.median(took), 5) for name, took in seconds.items()}


def right(weight: Weight, among: Sequence[Place], threads: int) -> dict[str, Engine]:
    """Name of the device -> its loaded graph, of those that give the reference's picture."""
    picture = trial(weight)
    wanted = load(Place(REFERENCE, "fp32"), weight, threads).run(picture)
    engines: dict[str, Engine] = {}
    for place in among:
        with contextlib.suppress(DaybreakError):  # what cannot run is told by `daybreak doctor`
            engine = load(place, weight, threads)
            if same(engine.run(picture), wanted, place.precision):
                engines[place.device.name] = engine
    return engines


def trial(weight: Weight) -> Array:
    """Dark noise, 1×3×side×side, of a size that keeps a run short."""
    many = weight.card.multiple
    side = min(max((_WORK / weight.card.macs_per_pixel) ** 0.5, 64.0), 512.0)
    side = -(-int(side) // many) * many
    dark: Array = np.random.default_rng(0).random((1, 3, side, side), np.float32) ** 3
    return dark


def same(one: Array, other: Array, precision: Precision) -> bool:
    """Whether two results are one picture: of one shape, finite, and no further apart than allowed."""
    if one.shape != other.shape or not np.isfinite(one).all():
        return False
    apart = np.abs(one - other)
    return bool(apart.max() <= FURTHEST[precision] and apart.mean() <= MEAN[precision])


class _Memory:
    """What was measured, in one JSON file; begun anew whenever a version or the processor is another.

    A file that cannot be read counts as empty, one that cannot be written is left alone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def get(self, key: str) -> str | None:
        """The device that was fastest, if anybody knows."""
        entry = self._entries().get(key)
        return str(entry.get("fastest")) if isinstance(entry, dict) else None

    def put(self, key: str, fastest: str, seconds: dict[str, float]) -> None:
        """Remember it."""
        entries = self._entries() | {key: {"fastest": fastest, "seconds": seconds}}
        data = json.dumps({"machine": _machine(), "measured": entries}, indent=2).encode() + b"\n"
        with contextlib.suppress(DaybreakError):
            make_folder(self.path.parent)
            write_whole(self.path, data, overwrite=True)

    def _entries(self) -> dict[str, Any]:
        try:
            kept = json.loads(self.path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(kept, dict) or kept.get("machine") != _machine():
            return {}
        measured = kept.get("measured")
        return measured if isinstance(measured, dict) else {}


def _machine() -> dict[str, str | int]:
    """What a measurement holds for."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    found: dict[str, str | int] = {"daybreak": __version__, "cores": os.cpu_count() or 1}
    for package in (*PACKAGES, "openvino"):
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package)
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return {**found, "processor": next(named, platform.processor() or platform.machine())}
