"""Which pictures have arrived in a folder and are written to their end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from daybreak.errors import UnreadablePicture
from daybreak.image.formats import is_picture_name
from daybreak.image.paths import read_bytes, shown


@dataclass(frozen=True)
class Facts:
    """What tells, without reading a file, whether it is still the same one.

    Attributes:
        size: bytes.
        mtime_ns: when it was last written, as its file system says.
    """

    size: int
    mtime_ns: int


def facts_of(path: Path) -> Facts | None:
    """The facts of a file; None where there is none (any more)."""
    try:
        told = path.stat()
    except (OSError, ValueError):
        return None
    return Facts(told.st_size, told.st_mtime_ns) if S_ISREG(told.st_mode) else None


@dataclass
class Arrival:
    """A picture that is not done yet.

    Attributes:
        facts: as they were seen last.
        quiet_until: by the clock of the loop: not touched before, then only if the facts are still the same.
        attempts: that failed since the facts last changed.
    """

    facts: Facts
    quiet_until: float
    attempts: int = 0


class Arrivals:
    """The pictures of a folder that wait to be done.

    A picture is fully written once its size and its time have been the same for `settle` seconds, and are so
    still when all of its bytes were read. That it can be decoded shows when it is enhanced; what cannot be
    is tried again, as a writer that rested would leave it.

    Args:
        folder: watched.
        recursive: with all folders below.
        settle: seconds.
        left_out: folders inside it that hold results and originals that were done.
        known: whether a picture, by its name below the folder and its facts, was dealt with before.

    Attributes:
        left_unread: one clause for each folder below that the last look at all could not look into.
    """

    def __init__(
        self,
        folder: Path,
        *,
        recursive: bool,
        settle: float,
        left_out: Iterable[Path],
        known: Callable[[str, Facts], bool],
    ) -> None:
        self.folder, self.recursive, self.settle = folder, recursive, settle
        self.waiting: dict[str, Arrival] = {}
        self.left_unread: list[str] = []
        above = folder.resolve().parents  # results may lie beside the folder, in one that holds both
        self._left_out = {path.resolve() for path in left_out}.difference(above)
        self._known = known

    def look(self, names: Iterable[str] | None, now: float) -> None:
        """Take notice of files that are new or have changed.

        Args:
            names: below the folder; None looks at all of them.
            now: seconds, of a clock that never goes back.

        Raises:
            UnreadablePicture: the folder itself cannot be looked at.
        """
        seen = set(self._every() if names is None else filter(self._concerns, names))
        for name in [*self.waiting, *sorted(seen - self.waiting.keys())]:
            facts, before = facts_of(self.folder / name), self.waiting.get(name)
            if facts is None or (before is None and self._known(name, facts)):
                self.waiting.pop(name, None)
            elif before is None or before.facts != facts:
                self.waiting[name] = Arrival(facts, now + self.settle)

    def due(self, now: float) -> list[str]:
        """Names of the pictures to be done now, those that came first before the others."""
        return [name for name, arrival in self.waiting.items() if now >= arrival.quiet_until]

    def postpone(self, name: str, now: float, delay: float, *, counts: bool) -> None:
        """Try a picture again after a delay in seconds; `counts` says whether its attempt counts."""
        arrival = self.waiting[name]
        arrival.attempts += counts
        arrival.quiet_until = now + delay

    def forget(self, name: str) -> None:
        """A picture was dealt with."""
        self.waiting.pop(name, None)

    def moved_on(self, name: str) -> bool:
        """Whether the file is gone or was written to since it was looked at."""
        return facts_of(self.folder / name) != self.waiting[name].facts

    def read(self, path: Path) -> bytes:
        """All bytes of a picture that nobody wrote to from when it was looked at until they were read.

        Raises:
            UnreadablePicture: somebody did, or it cannot be read.
        """
        data = read_bytes(path)
        if self.moved_on(self.name(path)):
            raise UnreadablePicture(f"{shown(path)} is being written to")
        return data

    def name(self, path: Path) -> str:
        """A path below the folder as a name."""
        return path.relative_to(self.folder).as_posix()

    def _every(self) -> Iterator[str]:
        self.left_unread = []
        try:
            yield from map(self.name, self._walk(self.folder))
        except OSError as error:
            raise UnreadablePicture(_refused(self.folder, error)) from None

    def _walk(self, folder: Path) -> Iterator[Path]:
        for entry in sorted(folder.iterdir()):
            if entry.name.startswith("."):
                continue
            if is_picture_name(entry) and entry.is_file():
                yield entry
            elif self.recursive:
                yield from self._below(entry)

    def _below(self, folder: Path) -> Iterator[Path]:
        """The pictures of a folder inside; one that cannot be looked at does not keep the others waiting."""
        try:
            if self._may_enter(folder):
                yield from self._walk(folder)
        except FileNotFoundError:  # removed since
            return
        except OSError as error:
            self.left_unread.append(f"{_refused(folder, error)} and is left out")

    def _may_enter(self, folder: Path) -> bool:
        return folder.is_dir() and not folder.is_symlink() and folder.resolve() not in self._left_out

    def _concerns(self, name: str) -> bool:
        """Whether a name is that of a picture to be done, wherever it came from."""
        path = Path(name)
        if not is_picture_name(path) or any(part.startswith(".") for part in path.parts):
            return False
        if not self.recursive:
            return len(path.parts) == 1
        return self._left_out.isdisjoint((self.folder / name).resolve().parents)


def _refused(folder: Path, error: OSError) -> str:
    return f"{shown(folder)} cannot be looked at ({error.strerror})"
