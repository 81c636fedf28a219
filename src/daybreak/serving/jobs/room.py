"""Room for jobs: what the system refuses for a while, and how much one server keeps of all jobs together."""

from __future__ import annotations

import errno
import os
import shutil

from daybreak.errors import DaybreakError, UnwritablePicture
from daybreak.serving.jobs.store import JobStore

FULL = (errno.ENOSPC, errno.EDQUOT)
"""What the system says where a disk, or somebody's share of it, takes no more."""

_PASSING = (*FULL, errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""What it may say no more a little later: of a disk that does not answer, open files or memory too."""

_LOOKS = 64  # at the whole store, while one job fills it


def refused_by_system(error: BaseException | None) -> OSError | None:
    """What the system refused, where an error is that or was made of it; None for any other error."""
    while isinstance(error, DaybreakError):
        error = error.__cause__ or error.__context__
    if isinstance(error, MemoryError):
        return OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    return error if isinstance(error, OSError) else None


def passing(error: BaseException) -> OSError | None:
    """The same, where the system may let it be done a little later."""
    refused = refused_by_system(error)
    return refused if refused is not None and refused.errno in _PASSING else None


def given_up(fault: Exception) -> str:
    """Why there is no result, of a job that such a fault stood in the way of for too long."""
    full = fault.errno in FULL if isinstance(fault, OSError) else "full" in str(fault)  # else SQLite's
    if full:
        return "there is no room for what the job makes: the disk took no more for too long"
    why = getattr(fault, "strerror", None) or fault
    return f"the system refused for too long what the job needs ({why})"


class Room:
    """What is left for one job of what a server keeps; all files are counted now and then only.

    Args:
        store: where the jobs lie.
        id: of the job.
        most: bytes of all of them together; what came for jobs that wait is not counted.
    """

    def __init__(self, store: JobStore, id: str, most: int) -> None:
        self._store, self._id, self._most = store, id, most
        self._look_at = 0

    def check(self, made: int) -> None:
        """Refuse to go on where the job's result would not fit.

        Args:
            made: bytes of the job so far; they lie there twice while the result is put together.

        Raises:
            UnwritablePicture: it would not.
        """
        if made < self._look_at:
            return
        disk = shutil.disk_usage(self._store.folder)
        size = disk.used + disk.free  # not `total`, a part of which the system may keep for itself
        self._look_at = made + min(self._most, size) // _LOOKS
        if self._store.size_with(self._id) + made > self._most:
            raise _no_room(f"all jobs here may take {self._most:,} bytes")
        if self._store.size() + made > size:  # whoever else's files go
            raise _no_room(f"the disk of all jobs here has {size:,} bytes")


def _no_room(why: str) -> UnwritablePicture:
    return UnwritablePicture(
        f"there is no room for what the job makes: {why}",
        hint="Ask for less at once, or fetch other results and cancel their jobs (DELETE)",
    )
