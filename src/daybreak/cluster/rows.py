"""What goes to a worker and what comes back: a picture to do, and what became of it."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any

from daybreak.engines import Runtime
from daybreak.enhancing.batch import Output, State
from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.record import asked, written

DONE: frozenset[State] = frozenset({"enhanced", "unchanged", "done before"})
"""States of a picture whose result is there."""


@dataclass(frozen=True)
class Task:
    """One picture to do.

    Attributes:
        source, target: its name in the place it comes from, and its result's in the one it goes to.
        version: of the source, see `Found`.
        fresh: whether there was no result of that name when the run began, so that nobody need ask.
    """

    source: str
    target: str
    version: str
    fresh: bool = False


@dataclass(frozen=True)
class Row:
    """What became of one picture; the manifest's columns, but for `place_fault`.

    Attributes:
        source, target, source_version: as in the task; no target where a folder could not be listed.
        state: as in `Result`.
        asked: `Order.asked` of the run.
        target_version: of the result, see `Found`.
        source_sha256, sha256: of the input's and the result's bytes; "" where there are none.
        bytes: of the result.
        method, note: what ran, and what an automatic method decided.
        seconds: reading and writing included.
        error: one line; "" where all went well.
        made: seconds since 1970.
        place_fault: whether the fault lies with a place and not with the picture.
    """

    source: str
    target: str
    state: State
    asked: str
    source_version: str = ""
    target_version: str = ""
    source_sha256: str = ""
    sha256: str = ""
    bytes: int = 0
    method: str = ""
    note: str = ""
    seconds: float = 0.0
    error: str = ""
    made: float = field(default_factory=time.time)
    place_fault: bool = False


@dataclass(frozen=True)
class Order:
    """Everything a worker has to know, on whatever machine it is; `Enhancer` and `Output` in plain values.

    Attributes:
        source, target: URLs or absolute paths of the places.
        method, settings, strength, exposure, runtime: of the `Enhancer`.
        max_memory: of it, for each process that works on the order.
        output: how results are written.
        asked: a hash of what was asked for; the same hash, the same results.
    """

    source: str
    target: str
    method: str
    settings: dict[str, Any]
    strength: float
    exposure: float | None
    runtime: Runtime
    max_memory: int | None
    output: Output
    asked: str

    @classmethod
    def of(cls, source: str, target: str, enhancer: Enhancer, output: Output) -> Order:
        """The order to make results with this enhancer."""
        wanted = asked(enhancer) | written(output.format or "keep", output.quality, output.bit_depth)
        return cls(
            source,
            target,
            enhancer.method.card.name,
            enhancer.settings.model_dump(mode="json"),
            enhancer.strength,
            enhancer.exposure,
            enhancer.runtime,
            enhancer.room.limit,
            output,
            hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:32],
        )

    def enhancer(self) -> Enhancer:
        """An enhancer like the one the order was made of."""
        return Enhancer(
            self.method,
            strength=self.strength,
            exposure=self.exposure,
            device=self.runtime.device,
            precision=self.runtime.precision,
            max_memory=self.max_memory,
            **self.settings,
        )

    def failed(self, source: str, target: str, error: str) -> Row:
        """What is said of a picture that never was worked on."""
        return Row(source, target, "failed", self.asked, error=error)
