"""Pictures by worker processes, of which any may die without taking a picture or the batch along.

A worker does one picture at a time, from reading to encoding; while it begins the next, the disk takes the
last. One that dies (a crash in a C library, the system's out-of-memory killer) is replaced and its pictures
given to another once more; if that one dies too, the picture that it was at is to blame and is told of.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import cv2

from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.finding import Refusal
from daybreak.enhancing.memory import keep_memory
from daybreak.enhancing.one import begin_job, run_job
from daybreak.enhancing.plan import Job
from daybreak.enhancing.result import Output, Result
from daybreak.errors import DaybreakError

_AHEAD = 4  # results per worker that may wait for an earlier one: a million jobs are not a million results
_STARTS = 3  # workers in turn that do not come up before no more are made
_THREADED = ("pyvips", "onnxruntime", "openvino", "torch")  # once used, a fork would inherit locked locks


def in_processes(
    jobs: Sequence[Job | Refusal], enhancer: Enhancer, output: Output, at_once: int, threads: int
) -> Iterator[Result]:
    """Do the jobs in worker processes and give each result in the jobs' order, as `run_batch` says.

    Args:
        jobs, enhancer, output: as for `run_batch`.
        at_once: processes.
        threads: that OpenCV may use in each.

    Raises:
        DaybreakError: no process can be started.
    """
    crew = _Crew(_Orders(enhancer.maker(at_once), output, threads), at_once)
    told = crew.told
    given = out = 0
    try:
        while out < len(jobs):
            while given < min(len(jobs), out + _AHEAD * at_once) and crew.has_room():
                job = jobs[given]
                if isinstance(job, Refusal):
                    told[given] = run_job(job, enhancer, output)
                else:
                    crew.give(given, job)
                given += 1
            if out not in told:
                crew.listen()
            if crew.hopeless:
                yield from (told[place] for place in sorted(told))
                raise crew.hopeless
            while out in told:
                result = told.pop(out)
                out += 1
                yield result
    except KeyboardInterrupt:  # what was being worked on is finished, and told
        while crew.busy() and not crew.hopeless:
            crew.listen()
        yield from (told[place] for place in sorted(told))
        raise
    finally:
        crew.dismiss()


@dataclass(frozen=True)
class _Orders:
    """What every worker is to do with its pictures; goes to another process."""

    enhancer: Callable[[], Enhancer]
    output: Output
    threads: int


@dataclass(frozen=True)
class _Ready:
    """What a worker says first."""


@dataclass
class _Task:
    """A picture that a worker has, and how many died of it."""

    place: int
    job: Job
    deaths: int = 0


class _Worker:
    """One process, the picture it is working on, and the one before, which may not be on the disk yet."""

    def __init__(self, orders: _Orders, others: Sequence[Connection[Any, Any]]) -> None:
        context = _context()
        self.line, far = context.Pipe()
        inherited = (*others, self.line) if context.get_start_method() == "fork" else ()
        self.process: BaseProcess = context.Process(target=_work, args=(far, inherited, orders), daemon=True)
        self.process.start()
        far.close()
        self.ready = False
        self.task: _Task | None = None
        self.last: _Task | None = None

    def end(self) -> int:
        """Close the line and wait; the exit code, negative for a signal."""
        self.line.close()
        self.process.join()
        code = self.process.exitcode or 0
        self.process.close()
        return code


@contextlib.contextmanager
def _unbroken() -> Iterator[None]:
    """A Ctrl-C within the block comes after it: for half a message all would wait for ever."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            before(came[0], None)


class _Crew:
    """So many workers, made when there is work for them and replaced when they die.

    Attributes:
        told: results that came, by the place of their job.
        failed_starts: workers one after the other that ended before they were ready.
        hopeless: what to tell where there are no workers and none comes up.
    """

    def __init__(self, orders: _Orders, size: int) -> None:
        self.orders, self.size = orders, size
        self.told: dict[int, Result] = {}
        self.workers: list[_Worker] = []
        self.again: list[_Task] = []  # of workers that died
        self.failed_starts = 0
        self.hopeless: DaybreakError | None = None

    def has_room(self) -> bool:
        """Whether a picture given now is begun at once."""
        return len(self.again) + self._at_work() < self.size

    def _at_work(self) -> int:
        return sum(worker.task is not None for worker in self.workers)

    def busy(self) -> bool:
        """Whether a picture is being worked on, is being written, or is to be done again."""
        return bool(self.again or self._occupied())

    def _occupied(self) -> list[_Worker]:
        """Those that have a picture, if only to write it."""
        return [worker for worker in self.workers if worker.task is not None or worker.last is not None]

    def give(self, place: int, job: Job) -> None:
        """Have a picture done; `has_room` before."""
        with _unbroken():
            self._give(_Task(place, job))

    def listen(self) -> None:
        """Wait until a picture is done or given up, or a worker is ready, or free for another."""
        with _unbroken():
            while self.again and self._at_work() < self.size:
                self._give(self.again.pop(0))
        lines = {worker.line: worker for worker in self._occupied()}
        ready = wait(list(lines))
        with _unbroken():
            for line in ready:
                self._hear(lines[line])

    def _hear(self, worker: _Worker) -> None:
        try:
            result: Result | _Ready | None = worker.line.recv()
        except (EOFError, OSError):
            self._bury(worker)
            return
        if isinstance(result, _Ready):
            worker.ready, self.failed_starts = True, 0
        elif result is None:  # made, and being written: the one before is, by then
            worker.last, worker.task = worker.task, None
        else:
            assert worker.last is not None
            self.told[worker.last.place], worker.last = result, None

    def _bury(self, worker: _Worker) -> None:
        """Do without a worker that died; its pictures are done by another, or told of."""
        self.workers.remove(worker)
        code = worker.end()
        how = _told(code)
        task = worker.task or worker.last
        assert task is not None
        if code > 0 and not worker.ready:  # which is not the picture's doing
            self.again.append(task)
            self._mourn(how)
            return
        task.deaths += 1
        self.again += [mine for mine in (worker.last, worker.task) if mine is not None and mine.deaths < 2]
        if task.deaths < 2:
            return
        error = (
            f"{task.job.source}: the process that worked on it died twice ({how}): memory ran out, or the "
            "file or daybreak has a fault. Try it alone, with --jobs 1"
        )
        self.told[task.place] = Result(task.job.source, task.job.target, "failed", error=error)

    def _mourn(self, how: str) -> None:
        """Count a worker that did not come up: after three, those that there are go on without more."""
        self.failed_starts += 1
        if self.failed_starts < _STARTS:
            return
        self.size = len(self.workers)
        if not self.workers:
            self.hopeless = DaybreakError(
                f"no process that could work on the pictures can be started ({how}); why is told above",
                hint='If this is a script, what it does belongs under: if __name__ == "__main__":',
            )

    def _give(self, task: _Task) -> None:
        idle = next((worker for worker in self.workers if worker.task is None), None)
        if idle is None:
            idle = _Worker(self.orders, [worker.line for worker in self.workers])
            self.workers.append(idle)
        idle.task = task
        with contextlib.suppress(OSError):  # it died while it had nothing to do; `listen` sees that
            idle.line.send(task.job)

    def dismiss(self) -> None:
        """Let every worker finish what it has, and end."""
        for worker in self.workers:
            worker.end()


def _told(code: int) -> str:
    """How a process ended."""
    try:
        return f"signal {-code}, {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    except ValueError:
        return f"signal {-code}"


def _context() -> Any:
    """How processes are made: by a fork where nothing of this one could be left locked in the copy.

    Elsewhere by a server process that has imported what is needed and nothing else, and forks. It does not
    start one for a process that it has made itself and that is still at its imports: the script that runs
    there again would do the whole batch there.
    """
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    importing = getattr(multiprocessing.current_process(), "_inheriting", False)
    if (
        sys.platform == "linux"
        and not importing
        and _alone()
        and not any(name in sys.modules for name in _THREADED)
    ):
        return multiprocessing.get_context("fork")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _alone() -> bool:
    """Whether this is a process of one thread, those of C libraries (OpenCV's pool) counted too."""
    return len(list(Path("/proc/self/task").iterdir())) == 1


def _work(line: Connection[Any, Any], inherited: Sequence[Connection[Any, Any]], orders: _Orders) -> None:
    """The life of a worker: a picture comes in, None goes out once it is made, its result once it is written.

    First it says that it is ready. So it goes until the line is closed; what is being worked on then is
    finished.

    Args:
        line: to the process that gives the pictures.
        inherited: that process's ends of all lines, which a fork copies: held open here they would hide its
            death.
        orders: what to do.
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # sent to all; the process that gives the pictures decides
        signal.signal(number, signal.SIG_IGN)
    for other in inherited:
        other.close()
    enhancer = orders.enhancer()
    if enhancer.room.limit is None:  # else blocks are to be given back at once
        keep_memory()
    cv2.setNumThreads(orders.threads)
    _tell(line, _Ready())
    with ThreadPoolExecutor(1) as writer:
        writing: Future[None] | None = None
        while True:
            try:
                job = line.recv()
            except (EOFError, OSError):  # nobody is there any more
                return
            put = begin_job(job, enhancer, orders.output)
            if writing is not None:
                writing.result()  # a slow disk holds the work up; results do not pile up
            _tell(line, None)
            writing = writer.submit(_put, put, line)
            del put  # and with it a whole picture


def _put(put: Callable[[], Result], line: Connection[Any, Any]) -> None:
    try:
        _tell(line, put())
    except BaseException:  # nobody would see it: a worker that is gone is seen
        traceback.print_exc()
        os._exit(1)


def _tell(line: Connection[Any, Any], result: Result | _Ready | None) -> None:
    with contextlib.suppress(OSError):  # nobody is there any more
        line.send(result)
