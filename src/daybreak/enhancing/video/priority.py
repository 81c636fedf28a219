"""What an encoder does to the priority of the threads around it, undone."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def usual_priority() -> Iterator[None]:
    """Have the system schedule this thread, and those begun meanwhile, as it did this one before (Linux).

    SVT-AV1 gives the thread that opens it, and all of its own, real-time priority 99 where it may: as root,
    in a container too. They go before everything else on the machine, and so does whatever this thread
    starts later. Two such processes that wait for a third can stop the machine: our tests' browsers did.
    """
    if sys.platform != "linux":
        yield
        return
    policy, given = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        tasks = Path("/proc/self/task")
        for task in [int(entry.name) for entry in tasks.iterdir()] if tasks.is_dir() else [0]:
            with suppress(OSError):  # it may have ended
                if os.sched_getscheduler(task) in (os.SCHED_FIFO, os.SCHED_RR):
                    os.sched_setscheduler(task, policy, given)
