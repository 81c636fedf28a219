"""A folder to work in that one process has to itself; what a killed one leaves there the next clears away."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daybreak.errors import OutputExists
from daybreak.files import locked
from daybreak.image.paths import shown

NAME = ".packing"


@contextmanager
def workroom(out: Path) -> Iterator[Path]:
    """A new, empty folder in an empty one, gone afterwards.

    What a killed process left there is cleared away. That nobody is at work in it is told by a lock, which
    the system lifts however a process ends.

    Args:
        out: made if need be; nothing else may be in it.

    Raises:
        OutputExists: something else is in `out`, or another process is at work there.
        OSError: it cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    others = sorted(path.name for path in out.iterdir() if path.name != NAME)
    if others:
        listed = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
        raise OutputExists(f"{shown(out)} is not empty (it holds {listed})", hint="Choose another folder")
    room = out / NAME
    room.mkdir(exist_ok=True)
    with (room / "lock").open("wb") as lock:
        if not locked(lock.fileno()):
            raise OutputExists(f"another process is packing into {shown(out)}", hint="Choose another folder")
        for left in room.iterdir():
            if left.name != "lock":
                left.unlink()
        try:
            yield room
        finally:
            lock.close()  # Windows removes no file that is open
            shutil.rmtree(room)
