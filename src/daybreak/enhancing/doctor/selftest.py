"""Every method on one fixed picture, on everything that may run it, against the reference.

Networks: each device in each of its precisions against ONNX Runtime on the CPU in fp32, with the defaults and
with each input that may be left out, and the reference against a second session of its own; what is written
down as arithmetic too. Arithmetic: OpenCV's code for this processor, in all threads, against its plain code
in one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np

from daybreak.engines import DEVICES, REFERENCE, Device, Place, Precision, Runtime
from daybreak.engines.fastest import FURTHEST, MEAN
from daybreak.enhancing.cores import opencv_threads
from daybreak.errors import DaybreakError
from daybreak.methods.bands import by_bands
from daybreak.methods.base import Settings
from daybreak.methods.pretrained import ARITHMETIC, written
from daybreak.methods.registry import AnyMethod
from daybreak.methods.trying import picture, tried, uses
from daybreak.methods.weight_settings import settings_for
from daybreak.types import Pixels
from daybreak.weights import Weight


@dataclass(frozen=True)
class Check:
    """One method, run in one place.

    Attributes:
        method: its name.
        settings: besides the defaults.
        place: "OpenVINO cpu bf16", "OpenCV".
        largest, mean: absolute difference from the reference in grey levels of 255; None where nothing came.
        allowed: the same of what still counts as one picture.
        seconds: of the run, the first of its kind.
        error: why nothing came, or what is wrong with what came ("" if it is right).
    """

    method: str
    settings: dict[str, Any]
    place: str
    largest: float | None
    mean: float | None
    allowed: tuple[float, float]
    seconds: float
    error: str

    @property
    def right(self) -> bool:
        """Whether it gave the reference's picture."""
        return not self.error


def check_networks(
    weights: Sequence[tuple[str, Weight]], devices: Sequence[Device] = DEVICES
) -> Iterator[Check]:
    """Run each weight on each device that can be used here, and compare with the reference.

    Args:
        weights: name of the method and the weight that it runs.
        devices: what to run them on.

    Yields:
        One check for each weight, place and use of its inputs; a weight whose reference fails, once.
    """
    usable = [device for device in devices if not device.missing()]
    among = [Place(device, precision) for device in usable for precision in device.precisions()]
    low, threads = picture(), cv2.getNumThreads()
    for name, weight in weights:
        for given in uses(weight):
            run = _Run(name, given, partial(tried, weight, threads, low, given))
            arithmetic = written(weight, Runtime())
            wanted, first = run.reference()
            if wanted is None:
                yield first
                continue
            allowed = (place for place in among if weight.card.bf16 or place.precision == "fp32")
            yield from (run.compared(place, wanted) for place in allowed)
            if arithmetic is not None:
                made = partial(by_bands(arithmetic), low, settings_for(weight.card)(**given))
                yield run.checked(ARITHMETIC, "fp32", made, wanted)[1]


@dataclass(frozen=True)
class _Run:
    """One method with some settings, to be run in any place."""

    method: str
    given: dict[str, Any]
    work: Callable[[Place], Pixels]

    def reference(self) -> tuple[Pixels | None, Check]:
        """The reference's picture, or None and what is wrong."""
        place = Place(REFERENCE, "fp32")
        made, check = self.checked(str(place), place.precision, partial(self.work, place), None)
        return (made if check.right else None), check

    def compared(self, place: Place, wanted: Pixels) -> Check:
        """What a place gives against what the reference gave."""
        return self.checked(str(place), place.precision, partial(self.work, place), wanted)[1]

    def checked(
        self, place: str, precision: Precision, work: Callable[[], Pixels], wanted: Pixels | None
    ) -> tuple[Pixels | None, Check]:
        """What comes, and what is to be said of it."""
        start, made, error = time.perf_counter(), None, ""
        try:
            made = work()
        except DaybreakError as caught:
            error = str(caught)
        except Exception as caught:  # whatever a driver throws is told, and the other devices are looked at
            error = f"an unexpected {type(caught).__name__}: {caught}"
        seconds = time.perf_counter() - start
        allowed = (255 * FURTHEST[precision], 255 * MEAN[precision])
        return made, compare(self.method, self.given, place, made, wanted, allowed, seconds, error)


def compare(
    method: str,
    settings: dict[str, Any],
    place: str,
    made: Pixels | None,
    wanted: Pixels | None,
    allowed: tuple[float, float],
    seconds: float,
    error: str = "",
) -> Check:
    """The check of one result.

    Args:
        method, settings, place, allowed, seconds: as in `Check`.
        made: H×W×3; None where nothing came.
        wanted: what the reference gave; None where this is the reference.
        error: why nothing came.
    """
    largest = mean = None
    if made is not None:
        wanted = made if wanted is None else wanted
        if made.shape != wanted.shape or not made.size:
            error = f"the result has the shape {made.shape}, the reference {wanted.shape}"
        elif not np.isfinite(made).all() or made.min() < 0.0 or made.max() > 1.0:
            error = "the result holds values that are no light: NaN, or beyond 0 and 1"
        else:
            apart = 255.0 * np.abs(made - wanted)
            largest, mean = round(float(apart.max()), 4), round(float(apart.mean()), 5)
            if largest > allowed[0] or mean > allowed[1]:
                error = "the picture is not that of the reference"
    return Check(method, settings, place, largest, mean, allowed, seconds, error)


def check_arithmetic(methods: Sequence[AnyMethod]) -> Iterator[Check]:
    """Run each method as it is run here, and as plainly as can be, and compare.

    Args:
        methods: without weights.
    """
    allowed = (255 * FURTHEST["fp32"], 255 * MEAN["fp32"])
    for method in methods:
        card, low = method.card, picture()
        settings: Settings = card.settings()
        try:
            with _plainly():
                wanted = method.run(low, settings)
            start = time.perf_counter()
            made = method.run(low, settings)
            seconds = time.perf_counter() - start
        except Exception as error:  # one broken method is told, and the others are looked at
            told = f"an unexpected {type(error).__name__}: {error}"
            yield compare(card.name, {}, "OpenCV", None, None, allowed, 0.0, told)
        else:
            yield compare(card.name, {}, "OpenCV", made, wanted, allowed, seconds)


@contextmanager
def _plainly() -> Iterator[None]:
    """One thread, and none of the code that OpenCV has for some processors alone."""
    optimised = cv2.useOptimized()
    with opencv_threads(1):
        cv2.setUseOptimized(False)
        try:
            yield
        finally:
            cv2.setUseOptimized(optimised)
