"""A worker: one warm `Enhancer` between two places; the same code in a thread here and in an actor there."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

from daybreak.cluster.masking import without_secrets
from daybreak.cluster.place import Place
from daybreak.cluster.rows import Order, Row, Task
from daybreak.enhancing.batch import Result, attempt, enhance_to
from daybreak.enhancing.plan import Job
from daybreak.errors import PlaceError
from daybreak.image.read import read_record


class Worker:
    """Does one picture after the other; several threads may share it.

    Args:
        order: what to do.
        threads: that OpenCV may use for one picture; None leaves that as it is.
    """

    def __init__(self, order: Order, threads: int | None = None) -> None:
        import cv2

        if threads is not None:
            cv2.setNumThreads(threads)
        self.order = order
        self.source, self.target = Place(order.source), Place(order.target)
        self.source.check_source()
        self.enhancer = order.enhancer()

    def ready(self) -> int:
        """The number of the process, once there is a worker in it."""
        return os.getpid()

    def do(self, task: Task) -> Row:
        """Read, enhance and write one picture; raises nothing."""
        job, shelf = Job(Path(task.source), Path(task.target)), _Noted(self.target, task.fresh)
        read, fault = hashlib.sha256(), False

        def work() -> Result:
            nonlocal fault
            try:
                data = self.source.read_source(task.source)
            except PlaceError:
                fault = True
                raise
            read.update(data)
            return enhance_to(shelf, data, job, self.enhancer, self.order.output)

        result = attempt(job, work)
        row = Row(
            task.source,
            task.target,
            result.state,
            self.order.asked,
            task.version,
            method=result.method,
            note="; ".join((*result.notes, *result.lost)),
            seconds=result.seconds,
            error=without_secrets(result.error),
            place_fault=fault or result.elsewhere,
        )
        if result.error:
            return row
        return replace(
            row,
            target_version=self.target.version(task.target),
            source_sha256=read.hexdigest(),
            sha256=shelf.sha256,
            bytes=shelf.bytes,
        )


class _Noted:
    """The shelf of one picture: notes what the result's bytes are, and does not ask twice what is known."""

    def __init__(self, place: Place, absent: bool) -> None:
        self.place, self._absent = place, absent
        self.sha256, self.bytes = "", 0

    def exists(self, target: Path) -> bool:
        return not self._absent and self.place.exists(target)

    def record(self, target: Path) -> dict[str, str] | None:
        if self._absent:
            return None
        try:
            return read_record(self.read(target))
        except FileNotFoundError:
            self._absent = True
            return None

    def read(self, target: Path) -> bytes:
        return self._note(self.place.read(target))

    def write(self, target: Path, data: bytes, *, overwrite: bool) -> None:
        self._absent = False  # a refusal may mean that somebody was quicker
        self.place.write(target, data, overwrite=overwrite)
        self._note(data)

    def _note(self, data: bytes) -> bytes:
        self.sha256, self.bytes = hashlib.sha256(data).hexdigest(), len(data)
        return data
