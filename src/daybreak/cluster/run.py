"""A run from place to place: what is to do, done by a pool, noted in the manifest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from daybreak.cluster.manifest import Known, Manifest
from daybreak.cluster.place import Place
from daybreak.cluster.planning import Plan
from daybreak.cluster.rows import Order, Row, Task
from daybreak.enhancing.batch import Output
from daybreak.enhancing.enhancer import Enhancer
from daybreak.errors import PlaceError

_FAULTS = 50  # in a row that are a place's and not the pictures', after which a run stops


class Pool(Protocol):
    """Something that does tasks: threads here, or actors on a cluster."""

    def run(self, items: Iterable[Task | Row], order: Order) -> Iterator[Row]:
        """Do the tasks in any order, taking no more of them than it can work on; pass rows on."""


class Run:
    """One run.

    Args:
        source: a URL or path: a folder, taken with all below it, or a single picture.
        target: a URL or path of a folder for the results, which keep the tree.
        enhancer, output: as for `run_batch`; `preview` and `evidence` are for one machine only.
        suffix: put between the name and the extension of each result.

    Raises:
        BadSetting: a place that is no place, or results that would lie among the inputs.
        PlaceError: a place does not answer or turns us away.
        MissingExtra: the optional part is not installed.
    """

    def __init__(self, source: str, target: str, enhancer: Enhancer, output: Output, suffix: str) -> None:
        self.source, self.target = Place(source), Place(target)
        self.target.check_target(self.source)
        self.source.check_source()
        self.order = Order.of(self.source.url, self.target.url, enhancer, output)
        self._suffix = suffix
        self._plan: Plan | None = None

    @property
    def skipped(self) -> int:
        """How many were done before, by the manifest's word."""
        return self._plan.skipped if self._plan else 0

    def planned(self, known: Known | None = None) -> Plan:
        """What there is to do, as far as `known` tells; without it, everything."""
        return Plan(self.source, self.target, self.order, self._suffix, known or Known())

    def rows(self, pool: Pool) -> Iterator[Row]:
        """Do what is not done, and give what became of each, in any order.

        Whatever ends this early leaves whole results, and at most the last 10 s of rows out of the manifest;
        a later run finds those results by what they say of themselves.

        Raises:
            PlaceError: one of the places fails again and again, or takes no manifest.
            ClusterError: no worker can be had.
        """
        manifest = Manifest(self.target)
        self._plan = self.planned(manifest.known(self.order.asked))
        faults = 0
        try:
            for row in pool.run(self._plan, self.order):
                manifest.add(row)
                yield row
                faults = faults + 1 if row.place_fault else 0
                if faults >= _FAULTS:
                    came = f"stopped, for {faults} pictures in a row failed for no fault of theirs"
                    raise PlaceError(f"{came}: {row.error}", hint="The same command again does the rest")
        finally:
            manifest.flush()
        manifest.merge()
