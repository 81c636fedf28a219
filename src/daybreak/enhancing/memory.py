"""How much memory there is, what a picture takes of it, and how many go at the same time."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daybreak import heap
from daybreak.errors import BadSetting
from daybreak.image.read import Outline, comes_whole, read_outline
from daybreak.methods.base import Method

if TYPE_CHECKING:
    from daybreak.enhancing.enhancer import Enhancer

SHARE = 0.8  # of the free memory that pictures may take: a card's figure is no promise, and others work here
EXPOSED = 29.0  # bytes a pixel that reaching an exposure adds (measured): all of the picture is float then

UNMEASURED = 400.0  # bytes a pixel: assumed of a method whose card does not say, above most that do
IN_MEMORY = 12.0  # bytes a pixel: levels before and after, and the encoded file twice while metadata go in
DEEP, PROFILED, ALPHA = 24.0, 22.0, 13.0  # bytes a pixel that each adds to that (measured at 12 MP)
LEAST = 256 << 20  # bytes: under this the program itself, with a tile or two, does not fit
RESERVE = 64 << 20  # bytes under a limit that are left to libraries' buffers and what the allocator keeps

_GROUPS = Path("/sys/fs/cgroup")
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def parse_memory(text: str) -> int:
    """Read an amount of memory; kB, MB, GB are powers of 1000, KiB, MiB, GiB of 1024.

    Raises:
        BadSetting: no amount, or less than `LEAST`.

    >>> parse_memory("1GB"), parse_memory("1.5 GiB"), parse_memory("800M")
    (1000000000, 1610612736, 800000000)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", text.strip().lower())
    if not found or (found[3] and not found[2]):
        raise BadSetting(f"--max-memory {text!r}", "an amount such as 1GB or 800MB")
    unit = _UNITS[found[2]] if not found[3] else 1024 ** list(_UNITS).index(found[2])
    amount = int(float(found[1]) * unit)
    if amount < LEAST:
        raise BadSetting(
            f"--max-memory {text!r}, {amount / 1e6:,.0f} MB", f"at least {LEAST / 1e6:,.0f} MB", "Type 1GB"
        )
    return amount


def resident() -> int:
    """Bytes of memory that this process holds now; 0 where the system does not say (not Linux)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return 0


@dataclass(frozen=True)
class Room:
    """How much memory this process may take.

    Attributes:
        limit: bytes in all, as somebody asked for; None leaves it to what is free.
    """

    limit: int | None = None

    def __post_init__(self) -> None:
        if self.limit is not None:
            heap.tell({heap.MMAP_THRESHOLD: 1 << 18})  # else it keeps what was freed, up to 32 MB each

    def left(self) -> int | None:
        """Bytes that may still be taken now; None where nobody knows."""
        free = free_memory()
        most = None if free is None else int(SHARE * free)
        if self.limit is None:
            return most
        under = max(0, self.limit - resident() - RESERVE)
        return under if most is None else min(under, most)


def keep_memory() -> None:
    """Have glibc keep what one picture, or one part of it, took for the next, where it has such a setting.

    At 12 MP to ask the system for it again takes a fifth of the time. No more is kept than was held at
    a time, nor more than 256 MB. Call it before there are threads.
    """
    heap.tell({heap.MMAP_THRESHOLD: 32 << 20, heap.TRIM_THRESHOLD: 256 << 20})


def too_large(path: Path, room: Room) -> bool:
    """Whether a file's picture cannot be read, enhanced and encoded in memory, whatever the method.

    False for what can only be decoded whole: memory is all there is to try.
    """
    left, outline = room.left(), read_outline(path)
    if left is None or outline is None:
        return False
    return (IN_MEMORY + extra_bytes(outline)) * outline.pixels > left and not comes_whole(path)


def out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that memory could not be had, whichever library it comes from."""
    if isinstance(error, MemoryError):
        return True
    told = str(error).lower()  # ONNX Runtime and OpenCV have exceptions of their own
    return any(word in told for word in ("bad_alloc", "failed to allocate", "insufficient memory"))


def extra_bytes(outline: Outline) -> float:
    """Bytes a pixel that a picture takes beyond what one of 8 bits, sRGB and no transparency does."""
    return DEEP * outline.deep + PROFILED * outline.profiled + ALPHA * outline.alpha


def bytes_per_pixel(method: Method[Any], exposure: float | None) -> float:
    """What one picture takes at its peak, `Enhancer.exposure` and all; 0 where the card does not know."""
    measured = method.card.memory_per_pixel
    return measured + EXPOSED if measured and exposure is not None else measured


def fitting_jobs(most: int, pixels: int, per_pixel: float, free: int | None) -> int:
    """How many pictures fit into memory together, at least one.

    Args:
        most: how many at the most, usually the cores.
        pixels: of the picture that takes most.
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


def jobs_for(enhancer: Enhancer, most: int, outline: Outline, size: float | None = None) -> int:
    """How many pictures fit into what memory there is now, at least one.

    Args:
        most: how many at the most, usually the cores.
        outline: of the picture that takes most.
        size: as for `Enhancer.run`.
    """
    method = enhancer.picked(outline.pixels if size is None else size)
    free = enhancer.room.left() if enhancer.room.limit else free_memory()
    known = bytes_per_pixel(method, enhancer.exposure)
    return fitting_jobs(most, outline.pixels, known and known + extra_bytes(outline), free)


def processes_for(room: Room, most: int, outline: Outline) -> int:
    """How many processes a limit has room for, each with its share of it; at least one.

    Args:
        room: whose limit they share.
        most: how many at the most.
        outline: of a picture that each has to hold beside itself: else it is streamed for want of room.

    >>> [processes_for(Room(limit), 16, Outline(2_000_000)) for limit in (1_000_000_000, None)]
    [3, 16]
    """
    if room.limit is None:
        return most
    each = LEAST + (IN_MEMORY + extra_bytes(outline)) * outline.pixels / SHARE
    return max(1, min(most, int(room.limit / each)))


def costliest(paths: Iterable[Path], enhancer: Enhancer) -> Outline:
    """The picture that takes most memory, by the headers; what cannot be read counts as none."""

    def taken(outline: Outline) -> float:
        known = bytes_per_pixel(enhancer.picked(outline.pixels), enhancer.exposure) or UNMEASURED
        return outline.pixels * (known + extra_bytes(outline))

    return max(filter(None, map(read_outline, paths)), key=taken, default=Outline(0))


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
