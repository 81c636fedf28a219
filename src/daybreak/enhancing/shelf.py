"""Where results lie: the disk, or whatever else can say what is there and take one more."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from daybreak.files import make_folder, write_whole
from daybreak.image.read import read_record


class Shelf(Protocol):
    """Where results lie: the disk, or a place of `daybreak.cluster`."""

    def exists(self, target: Path) -> bool:
        """Whether there is a result of that name."""

    def record(self, target: Path) -> dict[str, str] | None:
        """As `read_record`."""

    def read(self, target: Path) -> bytes:
        """All of a result."""

    def write(self, target: Path, data: bytes, *, overwrite: bool) -> None:
        """As `write_whole`, folders made."""


class Disk:
    """The shelf of a single machine."""

    def exists(self, target: Path) -> bool:
        """Whether there is a file, or a link to one."""
        return target.exists()

    def record(self, target: Path) -> dict[str, str] | None:
        """As `read_record`; only the header is read."""
        return read_record(target)

    def read(self, target: Path) -> bytes:
        """All of a file."""
        return target.read_bytes()

    def write(self, target: Path, data: bytes, *, overwrite: bool) -> None:
        """As `write_whole`."""
        make_folder(target.parent)
        write_whole(target, data, overwrite=overwrite)
