"""How many pictures can be worked on at the same time without running out of memory."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from daybreak.enhancing.enhancer import Enhancer
from daybreak.image.read import read_size

SHARE = 0.8  # of the free memory that pictures may take: a card's figure is no promise, and others work here
EXPOSED = 24.0  # bytes a pixel that reaching an exposure adds (measured): all of the picture is float then

_GROUPS = Path("/sys/fs/cgroup")


def bytes_per_pixel(enhancer: Enhancer) -> float:
    """What one picture takes at its peak; 0 where the method's card does not know."""
    measured = enhancer.method.card.memory_per_pixel
    return measured + EXPOSED if measured and enhancer.exposure is not None else measured


def fitting_jobs(most: int, pixels: int, per_pixel: float, free: int | None) -> int:
    """How many pictures fit into memory together, at least one.

    Args:
        most: how many at the most, usually the cores.
        pixels: of the largest picture.
        per_pixel: bytes that each takes at its peak; 0 where that is not known: then one after the other.
        free: bytes of memory; None where that is not known.

    >>> fitting_jobs(8, 12_000_000, 200.0, 8_000_000_000), fitting_jobs(8, 12_000_000, 28.0, None)
    (2, 8)
    """
    if per_pixel <= 0.0:
        return 1
    peak = pixels * per_pixel
    if free is None or peak <= 0.0:
        return max(1, most)
    return max(1, min(most, int(SHARE * free / peak)))


def largest(paths: Iterable[Path]) -> int:
    """Pixels of the largest picture, by the headers; those that cannot be read count as none."""
    return max((read_size(path) or 0 for path in paths), default=0)


def free_memory() -> int | None:
    """Bytes of memory that can be had without swapping, as the system and its control groups say.

    Where a system does not say what is free, half of all its memory; None where it does not say that either.
    """
    told = [_available(), *map(_left_in_group, _groups())]
    known = [value for value in told if value is not None]
    if known:
        return min(known)
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):  # Windows
        return None


def _available() -> int | None:
    """MemAvailable of Linux."""
    return _field(Path("/proc/meminfo"), "MemAvailable:", 1024)


def _groups() -> list[Path]:
    """The control group (v2) of this process and those above it; inside a container, its own is the top."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    own = next((line[3:] for line in lines if line.startswith("0::")), "/")
    group = _GROUPS / own.lstrip("/")
    return [part for part in (group, *group.parents) if part.is_relative_to(_GROUPS)]


def _left_in_group(group: Path) -> int | None:
    """The limit of a control group less what it uses and cannot drop; None without a limit."""
    try:
        limit = int((group / "memory.max").read_text(encoding="utf-8"))
        used = int((group / "memory.current").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # ValueError: "max"
        return None
    return max(0, limit - used + (_field(group / "memory.stat", "inactive_file", 1) or 0))


def _field(path: Path, name: str, unit: int) -> int | None:
    """The number beside a name in a table of the kernel."""
    try:
        rows = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
        return next((int(row[1]) * unit for row in rows if row and row[0] == name), None)
    except (OSError, ValueError, IndexError):
        return None
