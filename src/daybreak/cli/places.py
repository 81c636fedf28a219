"""`daybreak enhance` from place to place: what is told of a run over a bucket, a folder tree or a cluster."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from daybreak.cli.console import DONE, INTERRUPTED, SOME_FAILED, complain
from daybreak.errors import BadSetting, ClusterError, PlaceError
from daybreak.text import printable

if TYPE_CHECKING:
    from daybreak.cluster.rows import Row
    from daybreak.cluster.run import Pool, Run
    from daybreak.enhancing.batch import Output
    from daybreak.enhancing.enhancer import Enhancer

_EVERY = 30.0  # seconds between two lines that tell how far it is: logs of clusters have no progress bar


@dataclass(frozen=True)
class Where:
    """Who does the work, as typed.

    Attributes:
        engine: "local" for this process, "ray" for a cluster.
        address: of the cluster; None for one of this machine's own.
        jobs: pictures or workers at the same time; None for as many as there is room for.
        cpus, gpus: of each worker; None for one and none.
    """

    engine: str
    address: str | None
    jobs: int | None
    cpus: float | None
    gpus: float | None

    def asks_for_places(self, paths: Sequence[str], output: str | None) -> bool:
        """Whether a run goes from place to place, and not over files of this machine.

        Raises:
            BadSetting: what belongs to a cluster without the engine that is one.
        """
        of_ray = {"--address": self.address, "--worker-cpus": self.cpus, "--worker-gpus": self.gpus}
        given = [f"{option} {value}" for option, value in of_ray.items() if value is not None]
        if given and self.engine != "ray":
            raise BadSetting(f"{given[0]} without --engine ray", "both, or neither")
        return self.engine == "ray" or any("://" in text for text in (*paths, output or ""))


def check_documents_of_places(report: Path | None, gallery: Path | None, evidence: Path | None) -> None:
    """Refuse documents that would hold a whole bucket.

    Raises:
        BadSetting: one of them is asked for.
    """
    for option, path in (("--report", report), ("--gallery", gallery), ("--evidence", evidence)):
        if path is not None:
            hint = "Every input has a row in _daybreak/manifest.parquet beside the results"
            raise BadSetting(f"{option} {path} with a URL or --engine ray", "neither", hint)


def enhance_places(
    paths: Sequence[str],
    output: str | None,
    enhancer: Enhancer,
    written: Output,
    *,
    suffix: str,
    where: Where,
    dry_run: bool,
    quiet: bool,
) -> int:
    """Run, tell, and give back the exit code.

    Raises:
        DaybreakError: before any work: what was typed, or a place that cannot be reached.
    """
    from daybreak.cluster.run import Run

    if len(paths) != 1 or output is None:
        given = f"{len(paths)} places" if len(paths) != 1 else "no -o"
        raise BadSetting(
            f"{given} with a URL or --engine ray",
            "one place to read and one to write",
            "Type: daybreak enhance s3://bucket/in -o s3://bucket/out",
        )
    run = Run(paths[0], output, enhancer, written, suffix)
    if dry_run:
        return _show(run)
    told = _Told(run, quiet)
    with ExitStack() as stack:
        try:
            for row in run.rows(_pool(where, enhancer.threads, stack)):
                told.take(row)
        except KeyboardInterrupt:
            complain(f"stopped after {told.count}; the same command again does the rest")
            return INTERRUPTED
        except (PlaceError, ClusterError) as error:
            told.summary()
            complain(str(error))
            return SOME_FAILED
    return told.summary()


def _pool(where: Where, threads: int | None, stack: ExitStack) -> Pool:
    if where.engine != "ray":
        from daybreak.cluster.threads import Threads

        return Threads(where.jobs, threads)
    if threads is not None:
        raise BadSetting(f"--threads {threads} with --engine ray", "--worker-cpus, of each worker")
    from daybreak.cluster.actors import Actors
    from daybreak.cluster.connect import Crew, connected

    crew = Crew(where.jobs, 1.0 if where.cpus is None else where.cpus, where.gpus or 0.0)
    return Actors(stack.enter_context(connected(where.address, crew)), crew)


def _show(run: Run) -> int:
    """What a dry run prints; nothing is asked of the manifest."""
    code = DONE
    for item in run.planned():
        if error := getattr(item, "error", ""):
            complain(error)
            code = SOME_FAILED
        else:
            print(f"{printable(item.source)} -> {printable(item.target)}")
    return code


class _Told:
    """Counts rows and tells the person at the terminal, or the log, about them."""

    def __init__(self, run: Run, quiet: bool) -> None:
        self.run, self.quiet = run, quiet
        self.states: Counter[str] = Counter()
        self.start = self.spoken = time.monotonic()

    @property
    def count(self) -> int:
        """Pictures so far."""
        return self.states.total()

    def take(self, row: Row) -> None:
        """Count a row; a failure is told at once."""
        self.states[row.state] += 1
        if row.error:
            complain(row.error)
        if not self.quiet and time.monotonic() - self.spoken > _EVERY:
            self.spoken = time.monotonic()
            print(f"{self.count:,} so far{self._rate()}", file=sys.stderr, flush=True)

    def summary(self) -> int:
        """Print the last line and give back the exit code."""
        if not self.quiet:
            states = self.states + Counter({"done before": self.run.skipped})
            every = states.total()
            told = ", ".join(f"{count:,} {state}" for state, count in states.items()) or "nothing to do"
            pictures = "picture" if every == 1 else "pictures"
            print(f"{every:,} {pictures}: {told}{self._rate()}", file=sys.stderr)
        return SOME_FAILED if self.states["failed"] else DONE

    def _rate(self) -> str:
        seconds = time.monotonic() - self.start
        return f"; {seconds:.1f} s" + (f", {self.count / seconds:.1f} a second" if seconds > 0 else "")
