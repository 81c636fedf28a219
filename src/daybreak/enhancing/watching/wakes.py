"""When to look at a folder again: as soon as something happens there, or now and then."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from daybreak.errors import MissingExtra, UnreadablePicture
from daybreak.image.paths import shown

LOOK_AGAIN = 30.0  # s: a system under load loses news, and a folder that was mounted anew sends none


def wakes(folder: Path, *, recursive: bool, poll: float | None, tick: float) -> Iterator[set[str] | None]:
    """Give, for ever, names below a folder that something happened to.

    Args:
        folder: need not be there all the time.
        recursive: with all folders below.
        poll: seconds between two looks at the whole folder, for file systems that send no news (NFS, SMB,
            some containers); None to be told by the system.
        tick: seconds after which it wakes without news.

    Yields:
        Names, none of them where nothing happened; None to have the whole folder looked at.

    Raises:
        MissingExtra: the package that listens to the system is not installed.
        UnreadablePicture: the system cannot be listened to; polling can.
    """
    yield None
    if poll is None:
        while True:
            yield from _told(folder, recursive, tick)
            yield None
    else:
        while True:
            yield from _quiet(poll, tick)
            yield None


def _quiet(seconds: float, tick: float) -> Iterator[set[str]]:
    """Nothing but ticks, for so long."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(tick, left))
        yield set()


def _told(folder: Path, recursive: bool, tick: float) -> Iterator[set[str] | None]:
    """What the system tells, until it is time to look at all again; the folder may be another one then."""
    try:
        import watchfiles
    except ImportError:
        raise MissingExtra("watching a folder without --poll", "watch") from None
    end = time.monotonic() + LOOK_AGAIN
    try:
        root = folder.resolve(strict=True)
        for changes in watchfiles.watch(
            root,
            watch_filter=None,
            debounce=100,
            step=50,
            rust_timeout=max(1, round(1000 * tick)),
            yield_on_timeout=True,
            recursive=recursive,
            ignore_permission_denied=True,
        ):
            paths = [Path(text) for _, text in changes]
            whole = any(path == root or path.is_dir() for path in paths)
            yield None if whole else {path.relative_to(root).as_posix() for path in paths}
            if time.monotonic() >= end:
                return
    except FileNotFoundError:
        yield from _quiet(1.0, tick)
    except (OSError, RuntimeError) as error:
        came = f"{shown(folder)} cannot be watched ({getattr(error, 'strerror', None) or error})"
        raise UnreadablePicture(came, hint="Type --poll 5 to look at it every 5 seconds") from None
