"""From a stream of files to a stream of tasks, in memory that grows by 32 bytes a picture."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from daybreak.cluster.digests import Digests, digest
from daybreak.cluster.manifest import Known
from daybreak.cluster.place import Found, Place, Unlisted
from daybreak.cluster.rows import Order, Row, Task
from daybreak.enhancing.plan import result_name
from daybreak.image.formats import is_picture_name
from daybreak.image.paths import shown

_CHUNK = 1000  # files that are looked up at a time, as many as a page of S3 has


class Plan:
    """The tasks of a run, listed as they are taken.

    Args:
        source, target: the places.
        order: of the run.
        suffix: put between the name and the extension of each result.
        known: what need not be done, and which names are taken.

    Attributes:
        skipped: pictures that need not be done, so far.
    """

    def __init__(self, source: Place, target: Place, order: Order, suffix: str, known: Known) -> None:
        self.source, self.target, self.order, self.suffix = source, target, order, suffix
        self.skipped = 0
        self._known, self._taken = known, Digests()
        self._folds = target.folds_case()

    def __iter__(self) -> Iterator[Task | Row]:
        """Tasks, and rows of what cannot become one."""
        files = self.source.files(left_out=self.target)
        while chunk := list(itertools.islice(files, _CHUNK)):
            yield from self._chunk(chunk)

    def _chunk(self, chunk: list[Found | Unlisted]) -> Iterator[Task | Row]:
        tasks: list[Task] = []
        for found in chunk:
            if isinstance(found, Unlisted):
                yield self.order.failed(found.name, "", str(found.error))
            elif _is_wanted(found.name):
                if told := _wrong(found.name):
                    yield self.order.failed(found.name, found.name, f"{shown(found.name)}: {told}")
                else:
                    tasks.append(self._task(found))
        free = self._taken.add([digest(self._place_of(task.target)) for task in tasks])
        there = self._known.there.hold([digest(task.target) for task in tasks])
        done = self._known.done.hold([digest(task.source, task.version, task.target) for task in tasks])
        for task, is_free, is_done, is_there in zip(tasks, free, done, there, strict=True):
            if not is_free:
                yield self.order.failed(task.source, task.target, self._told_twice(task))
            elif is_done:
                self.skipped += 1
            else:
                yield replace(task, fresh=not is_there)

    def _task(self, found: Found) -> Task:
        name = PurePosixPath(found.name)
        target = str(name.with_name(result_name(name, self.suffix, self.order.output.format)))
        return Task(found.name, target, found.version)

    def _place_of(self, target: str) -> str:
        """The same for names that the target cannot keep apart."""
        return unicodedata.normalize("NFC", target.casefold()) if self._folds else target

    def _told_twice(self, task: Task) -> str:
        told = f"{shown(task.source)}: its result {shown(task.target)} would take the place of another's"
        if self._folds:
            told += ", for this place does not tell A from a"
        return f"{told}. Rename one of them, or give it an -o of its own"


def _is_wanted(name: str) -> bool:
    base = name.rpartition("/")[2]
    return is_picture_name(base) and not base.startswith(".")


def _wrong(name: str) -> str:
    """Why a key is no name below a folder, or ""; a bucket may hold "../../etc/x.jpg"."""
    if "\0" in name or any(part in ("", ".", "..") for part in name.split("/")):
        return "a name with an empty part, '.', '..' or a null byte, which no folder could keep"
    return ""
