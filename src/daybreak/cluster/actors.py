"""A pool of Ray actors, each with one warm `Enhancer`: names go there and rows come back, never pictures.

Plain actors rather than Ray Data: what is lost with a worker is then two pictures and not a block of them,
and nothing passes through Ray's object store, which could fill a disk.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import Any

from daybreak.cluster.connect import Crew
from daybreak.cluster.masking import without_secrets
from daybreak.cluster.rows import Order, Row, Task
from daybreak.cluster.worker import Worker
from daybreak.errors import ClusterError

DEPTH = 2  # pictures that a worker has at a time: it reads or writes one while it works on the other
_TRIES = 3  # deaths of workers that a picture may be part of
_BAD_STARTS = 3  # workers in a row that could not be started


class Actors:
    """Works on a cluster.

    A worker that dies is replaced. Whichever of the pictures it had was to blame, each is tried again at the
    end, alone with a worker, so that one that kills its worker takes no other along.

    Args:
        ray: the module, connected.
        crew: how many workers, and of what.
        patience: seconds to wait for the first worker; a cluster that grows by itself takes minutes.
    """

    def __init__(self, ray: Any, crew: Crew, patience: float = 900.0) -> None:
        self.ray, self.crew, self.patience = ray, crew, patience

    def run(self, items: Iterable[Task | Row], order: Order) -> Iterator[Row]:
        """Do the tasks and pass rows on; no more is listed than the workers have room for.

        Raises:
            ClusterError: no worker can be had.
        """
        shift = _Shift(self, order)
        try:
            yield from shift.work(iter(items))
        finally:
            shift.dismiss()


class _Member:
    """One worker: its actor and the pictures it has."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor
        self.has: dict[Any, Task] = {}
        self.alive = True


class _Shift:
    """One run's workers and what they are at."""

    def __init__(self, pool: Actors, order: Order) -> None:
        self.ray, self.pool, self.order = pool.ray, pool, order
        crew = pool.crew
        self.actor = self.ray.remote(Worker).options(
            num_cpus=crew.cpus, num_gpus=crew.gpus, max_concurrency=DEPTH, max_restarts=0
        )
        self.starting: dict[Any, _Member] = {}
        self.working: dict[Any, _Member] = {}
        self.free: deque[_Member] = deque()  # a member stands here once for each picture it could take
        self.head: Task | None = None
        self.listed_all = False
        self.again: deque[Task] = deque()
        self.deaths: Counter[str] = Counter()
        self.bad_starts, self.waits_since = 0, 0.0

    def work(self, items: Iterator[Task | Row]) -> Iterator[Row]:
        while True:
            yield from self._hand_out(items)
            if not self.working and not self.again and self.head is None:
                return
            yield from self._collect()

    def dismiss(self) -> None:
        for member in {*self.starting.values(), *self.working.values(), *self.free}:
            self.ray.kill(member.actor)

    def _hire(self) -> None:
        member = _Member(self.actor.remote(self.order, max(1, int(self.pool.crew.cpus))))
        self.starting[member.actor.ready.remote()] = member
        self.waits_since = time.monotonic()  # however long it took until there was something to do

    def _hand_out(self, items: Iterator[Task | Row]) -> Iterator[Row]:
        """Give tasks to whoever is free; rows that need no work go straight on."""
        while True:
            while self.head is None and not self.listed_all:
                item = next(items, None)
                if isinstance(item, Row):
                    yield item
                else:
                    self.head, self.listed_all = item, item is None
            if self.head is None and not self.again:
                return
            if not (self.starting or self.working or self.free):
                for _ in range(self.pool.crew.fitting(self.ray.cluster_resources())):
                    self._hire()
            member = self._free_member(alone=self.head is None)
            if member is None:
                return
            task, self.head = (self.head, None) if self.head else (self.again.popleft(), None)
            ref = member.actor.do.remote(task)
            member.has[ref], self.working[ref] = task, member

    def _free_member(self, alone: bool) -> _Member | None:
        """Whose turn it is; `alone`: one that has nothing else."""
        for _ in range(len(self.free)):
            member = self.free.popleft()
            if not member.alive:
                continue
            if not (alone and member.has):
                return member
            self.free.append(member)
        return None

    def _collect(self) -> Iterator[Row]:
        """Wait until something happens, and take in all that has."""
        refs = [*self.working, *self.starting]
        if not self.ray.wait(refs, num_returns=1, timeout=min(10.0, self.pool.patience))[0]:
            self._check_patience()
        for ref in self.ray.wait(refs, num_returns=len(refs), timeout=0)[0]:
            if ref in self.starting:
                self._started(ref)
            elif ref in self.working:  # else it was lost with another of its worker
                yield from self._done(ref)

    def _started(self, ref: Any) -> None:
        member = self.starting.pop(ref)
        try:
            self.ray.get(ref)
        except self.ray.exceptions.RayError as error:
            self.bad_starts += 1
            if self.bad_starts >= _BAD_STARTS and not (self.working or self.free):
                raise ClusterError(
                    f"no worker could be started ({_why(error)})",
                    hint="Does the cluster have this version of daybreak, and the keys of both places?",
                ) from None
            self._hire()
            return
        self.bad_starts = 0
        self.free.extend([member] * DEPTH)

    def _done(self, ref: Any) -> Iterator[Row]:
        member, error = self.working[ref], None
        try:
            row = self.ray.get(ref)
        except self.ray.exceptions.RayError as fault:
            error = fault
        if error is not None:
            yield from self._lost(member, error)
            return
        del self.working[ref], member.has[ref]
        self.free.append(member)
        self.waits_since = time.monotonic()
        yield row

    def _lost(self, member: _Member, error: BaseException) -> Iterator[Row]:
        """A worker died: put another in its place, and its pictures aside for later."""
        member.alive = False
        self.ray.kill(member.actor)
        for ref, task in member.has.items():
            del self.working[ref]
            self.deaths[task.source] += 1
            if self.deaths[task.source] < _TRIES:
                self.again.append(task)
            else:
                told = f"{task.source}: {_TRIES} workers died over it ({_why(error)})"
                yield self.order.failed(task.source, task.target, told)
        self._hire()

    def _check_patience(self) -> None:
        waited = time.monotonic() - self.waits_since
        if self.working or self.free or waited < self.pool.patience:
            return
        has = self.ray.cluster_resources()
        crew = self.pool.crew
        raise ClusterError(
            f"no worker has started for {waited:.0f} s; each asks for {crew.cpus:g} CPUs and {crew.gpus:g} "
            f"GPUs, and the cluster has {has.get('CPU', 0):g} and {has.get('GPU', 0):g}",
            hint="Ask for less with --worker-cpus and --worker-gpus, or let the cluster grow",
        )


def _why(error: BaseException) -> str:
    """The line of Ray's long message that tells most."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if "Error" in line or "exit" in line or "died" in line]
    return without_secrets((told or lines or [type(error).__name__])[-1])[:200]
