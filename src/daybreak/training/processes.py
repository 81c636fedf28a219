"""Which of several processes this one is, before they have met; and one run per folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from daybreak.errors import BadSetting, OutputExists, TrainingError

_TORCHRUN = "TORCHELASTIC_RUN_ID"
"""Set in every process that torchrun starts."""


@dataclass(frozen=True)
class Crew:
    """The processes of one run, which share every batch out.

    Attributes:
        devices: processes on each machine.
        nodes: machines.
    """

    devices: int = 1
    nodes: int = 1

    @property
    def size(self) -> int:
        """How many processes there are."""
        return self.devices * self.nodes

    def first(self) -> bool:
        """Whether this is the process that locks, writes and tells."""
        if self.size == 1:
            return True
        for told_by_launcher in ("RANK", "SLURM_PROCID"):  # torchrun, srun
            if told_by_launcher in os.environ:
                return os.environ[told_by_launcher] == "0"
        return self.leads() and os.environ.get("NODE_RANK", "0") == "0"

    def leads(self) -> bool:
        """Whether this is the first process of its machine, the one that tells what is wrong with it."""
        if self.size == 1 and _TORCHRUN not in os.environ:
            return True
        return os.environ.get("LOCAL_RANK", os.environ.get("SLURM_LOCALID", "0")) == "0"

    def check(self, batch: int) -> None:
        """Refuse what these processes cannot do together.

        Args:
            batch: crops per step, over all processes.

        Raises:
            TrainingError: they cannot share a batch evenly.
            BadSetting: torchrun started more or fewer.
        """
        if batch % self.size:
            raise TrainingError(
                f"a batch of {batch} for {self.size} processes",
                "one they can share evenly",
                f"Type --set data.batch={max(1, round(batch / self.size)) * self.size}",
            )
        started = os.environ.get("WORLD_SIZE", "1") if _TORCHRUN in os.environ else None
        if started is not None and started != str(self.size):
            raise BadSetting(
                f"--devices {self.devices} --nodes {self.nodes} where torchrun started {started} processes",
                "as many as --nproc-per-node and --nnodes say",
            )


def lock_of(out: Path, work: str = "run") -> Path:
    """The file that is locked meanwhile."""
    return out / (".lock" if work == "run" else f".{work.replace(' ', '-')}.lock")


@contextmanager
def alone(out: Path, work: str = "run") -> Iterator[None]:
    """Hold a folder for one kind of work; the lock goes with the process, however it ends.

    Raises:
        OutputExists: another process does the same work there.
    """
    lock = FileLock(lock_of(out, work))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise OutputExists(
            f"another {work} is at work in {out}", hint="Wait for it to end, or give another --out"
        ) from None
    try:
        yield
    finally:
        lock.release()
