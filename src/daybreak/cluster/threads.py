"""A pool of threads on this machine: what does the work where there is no cluster."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from daybreak.cluster.rows import Order, Row, Task
from daybreak.cluster.worker import Worker
from daybreak.enhancing.cores import opencv_threads
from daybreak.enhancing.memory import jobs_for
from daybreak.image.read import Outline

_USUAL = Outline(24_000_000)  # a picture, where memory is shared out before any was read


class Threads:
    """Works on several pictures at the same time, one core each.

    Args:
        workers: how many; None for as many as there are cores and as fit into memory at 24 MP each.
        cores: how many of them; None for all.
    """

    def __init__(self, workers: int | None = None, cores: int | None = None) -> None:
        self.workers, self.cores = workers, cores

    def run(self, items: Iterable[Task | Row], order: Order) -> Iterator[Row]:
        """Do the tasks, a few at a time, and pass rows on; no more is listed than is being worked on."""
        worker = Worker(order)
        at_once = self.workers or jobs_for(worker.enhancer, self.cores or os.cpu_count() or 1, _USUAL)
        with opencv_threads(1):
            pool = ThreadPoolExecutor(at_once, thread_name_prefix="daybreak")
            try:
                busy: set[Future[Row]] = set()
                for item in items:
                    if isinstance(item, Row):
                        yield item
                        continue
                    busy.add(pool.submit(worker.do, item))
                    if len(busy) >= 2 * at_once:  # reading one while another is worked on
                        done, busy = wait(busy, return_when=FIRST_COMPLETED)
                        yield from (future.result() for future in done)
                yield from (future.result() for future in busy)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
