"""The thread that does the jobs, one after the other, and drops them when their time has come."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time

from daybreak.errors import DaybreakError, UnwritablePicture
from daybreak.serving.asking import understand
from daybreak.serving.jobs.kinds import get_kind
from daybreak.serving.jobs.room import Room, given_up, passing, refused_by_system
from daybreak.serving.jobs.store import Job, JobStore
from daybreak.serving.limits import Limits
from daybreak.serving.problems import of_the_server
from daybreak.stopping import Stopped, look, stoppable

LOG = logging.getLogger("daybreak.serving")

_SWEEP_SECONDS = 30.0
_RETRY_SECONDS = 5.0
_PATIENCE_SECONDS = 3600.0  # with a system that refuses a job: meanwhile the others wait too
_MOST_STARTS = 3  # without getting on: a picture that ends the process would end it again for ever


class Runner:
    """Does the jobs of a store until it is closed.

    Args:
        store: where they lie.
        limits: of the server.
    """

    def __init__(self, store: JobStore, limits: Limits) -> None:
        self.store, self.limits = store, limits
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._keep = 3600 * limits.keep_hours
        self._next_sweep = 0.0
        self._begun = ""
        self._outcome = ("", "")  # the job that came to its end last, and why without a result
        self._refused = ("", 0, 0.0)  # the job that the system refused, how far it was, and since when
        self._thread = threading.Thread(target=self._work, name="daybreak-jobs", daemon=True)

    def start(self) -> None:
        """Begin; what a stopped server left is gone on with."""
        self.store.clear_strays()
        self._thread.start()

    def wake(self) -> None:
        """There is a new job."""
        self._wake.set()

    def close(self) -> None:
        """Stop at the next safe point; the job goes on when the server is back."""
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while not self._closing.is_set():
            try:
                self._sweep()
                job = self.store.next()
                if job is None:
                    self._wake.wait(_SWEEP_SECONDS)
                    self._wake.clear()
                else:
                    self._do(job)
            except (sqlite3.Error, OSError, MemoryError) as fault:  # a full disk, say: the jobs wait
                LOG.error("the jobs cannot go on; trying again", exc_info=fault)
                self._closing.wait(_RETRY_SECONDS)

    def _sweep(self) -> None:
        """Drop what is over, now and then."""
        if time.monotonic() > self._next_sweep:
            self.store.sweep(time.time())
            self._next_sweep = time.monotonic() + _SWEEP_SECONDS

    def _do(self, job: Job) -> None:
        """One job, to its end or until it is stopped."""
        if job.id != self._outcome[0]:  # else the disk refused to have its end written down
            error = self._worked(job)
            if error is None:
                return
            self._outcome = (job.id, error)
        self.store.finish(job.id, self._outcome[1], self._keep)

    def _worked(self, job: Job) -> str | None:
        """Why there is no result, "" where there is; None where it was stopped."""
        store = self.store
        if job.id != self._begun:  # else the same again after a fault that passes
            if job.starts >= _MOST_STARTS:
                return f"the server ended {job.starts} times at the same place of it"
            store.start(job.id)
            self._begun = job.id
        try:
            with stoppable(lambda: self._closing.is_set() or store.find(job.id) is None):
                return self._run(job)
        except Stopped:
            if store.find(job.id) is None:  # cancelled: what was written meanwhile goes too
                store.drop(job.id)
            else:
                store.put_back(job.id)
            return None
        except (OSError, sqlite3.Error) as fault:
            if not self._hopeless(job.id):
                raise
            return given_up(fault)

    def _hopeless(self, id: str) -> bool:
        """Whether a job that the system refuses once more did not get on for as long as others can wait."""
        job, now = self.store.find(id), time.monotonic()
        done = job.done if job else 0
        if self._refused[:2] != (id, done):
            self._refused = (id, done, now)
        return now - self._refused[2] >= _PATIENCE_SECONDS

    def _run(self, job: Job) -> str:
        """Make its result; gives why there is none, "" where there is.

        Raises:
            Stopped: it was cancelled, or the server ends.
            OSError, sqlite3.Error: the disk is full, say, and may not be later; what is done stays.
        """
        store, go_on = self.store, look()
        room = Room(store, job.id, self.limits.kept_bytes)

        def progress(done: int, failed: int, total: int, made: int) -> None:
            store.progress(job.id, done, failed, total)
            self._sweep()
            go_on()
            room.check(made)

        try:
            inputs = sorted(store.inputs(job.id).iterdir())
            outputs, result = store.outputs(job.id), store.result(job.id)
            asked, run = understand(job.asked), get_kind(job.kind).run
            run(inputs, job.names, outputs, result, asked, self.limits, progress)
        except (Stopped, sqlite3.Error):
            raise
        except Exception as fault:
            go_on()  # cancelled: its files were gone
            if (refused := passing(fault)) is not None:
                raise refused from None
            ours = isinstance(fault, UnwritablePicture) and refused_by_system(fault) is not None
            if isinstance(fault, DaybreakError) and not ours:  # that names a folder of the server's
                return of_the_server(fault) or str(fault)
            LOG.error("unexpected error in a job", exc_info=fault)
            return "an unexpected fault of the server; it is in its log"
        return ""
