"""Jobs to results: many pictures, some at the same time, losing none.

Whatever goes wrong with one picture is told in its own `Result` and the others go on. Several pictures are
worked on by processes (`daybreak.enhancing.crew`): a little dearer than threads, but a crash in
a C library ends one of them instead of the batch.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from threading import Event
from typing import IO

from daybreak.enhancing.cores import opencv_threads
from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.finding import Refusal
from daybreak.enhancing.memory import costliest, jobs_for, processes_for
from daybreak.enhancing.one import attempt, enhance_bytes, enhance_to, run_job
from daybreak.enhancing.plan import STDOUT, Job
from daybreak.enhancing.result import Output, Result, State
from daybreak.enhancing.shelf import Disk, Shelf
from daybreak.files import writing
from daybreak.image.paths import read_bytes

__all__ = [
    "Disk",
    "Output",
    "Result",
    "Shelf",
    "State",
    "attempt",
    "enhance_bytes",
    "enhance_to",
    "run_batch",
    "run_stream",
]


def run_batch(
    jobs: Sequence[Job | Refusal],
    enhancer: Enhancer,
    output: Output,
    workers: int | None = None,
    read: Callable[[Path], bytes] = read_bytes,
    asked: Event | None = None,
) -> Iterator[Result]:
    """Do the jobs and give each result in the jobs' order.

    Args:
        jobs: from `plan`.
        enhancer: of all workers, each of which gets its share of the memory that it may take.
        output: how results are written.
        workers: pictures at the same time, one core each. None: as many as there are cores (or as the
            enhancer has threads) and as fit into memory, the cores shared out among them, but of evidence one
            core each: then it cannot depend on how many there are. Under a limit of memory never more
            than it has room for.
        read: gives the bytes of a job's source. Another than the default may be bound to this process, so
            the pictures are then worked on in its threads.
        asked: set for a Ctrl-C between two results, where it does not come as an exception; looked at in
            threads.

    Yields:
        One `Result` a job. Stopping early (Ctrl-C, an exception in the consumer) lets the pictures that are
        being worked on finish, so that no half file is left, and starts no more.

    Raises:
        DaybreakError: no process can be started for them, as in a script without a
            `if __name__ == "__main__":` around what it does.
    """
    cores = enhancer.threads or os.cpu_count() or 1
    at_once = max(1, min(_fitting(jobs, enhancer, workers, cores), len(jobs)))
    threads = cores // at_once or 1 if workers is None and not output.evidence else 1
    if len(jobs) > 1 and read is read_bytes:
        from daybreak.enhancing.crew import in_processes  # one picture needs no processes

        yield from in_processes(jobs, enhancer, output, at_once, threads)
    else:
        yield from _in_threads(jobs, enhancer, output, at_once, threads, read, asked)


def _in_threads(
    jobs: Sequence[Job | Refusal],
    enhancer: Enhancer,
    output: Output,
    at_once: int,
    threads: int,
    read: Callable[[Path], bytes],
    asked: Event | None,
) -> Iterator[Result]:
    """`run_batch` within this process; OpenCV may use `threads` for each picture."""
    with opencv_threads(threads):
        pool = ThreadPoolExecutor(at_once, thread_name_prefix="daybreak")
        try:
            waiting: deque[Future[Result]] = deque()
            to_come = iter(jobs)
            while True:
                for job in islice(to_come, 4 * at_once - len(waiting)):  # a million jobs, not as many futures
                    waiting.append(pool.submit(run_job, job, enhancer, output, read))
                if not waiting:
                    return
                yield waiting[0].result()
                waiting.popleft()
                if asked is not None and asked.is_set():
                    raise KeyboardInterrupt
        except KeyboardInterrupt:  # what was being worked on is finished, and told
            pool.shutdown(wait=True, cancel_futures=True)
            yield from (future.result() for future in waiting if not future.cancelled())
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _fitting(jobs: Sequence[Job | Refusal], enhancer: Enhancer, workers: int | None, cores: int) -> int:
    """How many of the jobs to do at the same time: as many as somebody said, or as fit."""
    if workers and enhancer.room.limit is None:
        return workers
    if min(len(jobs), workers or cores) < 2:
        return 1
    outline = costliest([job.source for job in jobs if isinstance(job, Job)], enhancer)
    return processes_for(enhancer.room, workers or jobs_for(enhancer, cores, outline), outline)


def run_stream(
    job: Job, stream: IO[bytes], enhancer: Enhancer, output: Output, sink: IO[bytes]
) -> Iterator[Result]:
    """Do one job whose picture comes from a stream.

    Args:
        job: from `plan_stream`.
        stream: read to its end.
        enhancer, output: as for `run_batch`.
        sink: where the result goes if the job's target is `STDOUT`.

    Yields:
        One `Result`.
    """

    def work() -> Result:
        data = stream.read()
        if job.target != STDOUT:
            return enhance_to(Disk(), data, job, enhancer, output)
        encoded, result = enhance_bytes(data, enhancer, output, job.source, job.target)
        with writing(job.target):
            sink.write(encoded)
            sink.flush()
        return result

    yield attempt(job, work)
