"""The thread that does the jobs, one after the other, and drops them when their time has come."""

from __future__ import annotations

import logging
import threading
import time

from daybreak.errors import DaybreakError
from daybreak.serving.asking import understand
from daybreak.serving.jobs.kinds import get_kind
from daybreak.serving.jobs.store import Job, JobStore
from daybreak.serving.limits import Limits

LOG = logging.getLogger("daybreak.serving")

_SWEEP_SECONDS = 30.0


class Stopped(Exception):
    """The job was cancelled, or the server ends."""


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
        self._thread = threading.Thread(target=self._work, name="daybreak-jobs", daemon=True)

    def start(self) -> None:
        """Begin; what a stopped server left is gone on with."""
        self.store.requeue()
        self.store.clear_strays()
        self._thread.start()

    def wake(self) -> None:
        """There is a new job."""
        self._wake.set()

    def close(self) -> None:
        """Stop at the next safe point, between two pictures; the job goes on when the server is back."""
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        swept = 0.0
        while not self._closing.is_set():
            if time.monotonic() - swept > _SWEEP_SECONDS:
                self.store.sweep(time.time())
                swept = time.monotonic()
            job = self.store.next_queued()
            if job is None:
                self._wake.wait(_SWEEP_SECONDS)
                self._wake.clear()
                continue
            self._do(job)

    def _do(self, job: Job) -> None:
        """One job, to its end or until it is stopped."""

        def progress(done: int, failed: int, total: int) -> None:
            self.store.progress(job.id, done, failed, total)
            if self._closing.is_set() or self.store.find(job.id) is None:
                raise Stopped

        store, error = self.store, ""
        try:
            inputs = sorted(store.inputs(job.id).iterdir())
            store.start(job.id)
            asked = understand(job.asked)
            kind = get_kind(job.kind)
            kind.run(
                inputs, job.names, store.outputs(job.id), store.result(job.id), asked, self.limits, progress
            )
        except Stopped:
            if store.find(job.id) is None:  # cancelled: what was written meanwhile goes too
                store.drop(job.id)
            return
        except DaybreakError as refused:
            error = str(refused)
        except Exception as fault:
            if store.find(job.id) is None:
                return
            LOG.error("unexpected error in a job", exc_info=fault)
            error = "an unexpected fault of the server; it is in its log"
        store.finish(job.id, error, 3600 * self.limits.keep_hours)
