"""From the files of a request to numbered files of a job: a zip is unpacked, its names are only words."""

from __future__ import annotations

import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from daybreak.errors import UnwritablePicture
from daybreak.files import whole_file
from daybreak.serving.limits import Limits
from daybreak.serving.problems import Problem, busy
from daybreak.text import printable

ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")

_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,  # a place before the file's beginning
    EOFError,
    ValueError,  # a place beyond any file; a name that is no UTF-8
    OverflowError,
    RuntimeError,  # a password
)
"""What `zipfile` raises of a zip that is damaged, or made of what it does not know."""

_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How members may be packed; of all else `zipfile` unpacks all that it has read, however much that makes."""

_SAYS_UTF8 = 1 << 11  # of a member's flags

_ENTRY_BYTES = 1 << 10  # a file's share of a zip's directory: a long path, twice, as macOS packs it
_SLACK_BYTES = 64 << 10  # folders, and files that nobody put there


def take_in(
    files: Sequence[tuple[str, IO[bytes]]], folder: Path, limits: Limits, *, single: bool = False
) -> list[str]:
    """Lay the files of a request into a folder, named by their number.

    Args:
        files: (name, content), each a picture or a zip of some; or one film.
        folder: empty.
        limits: of the server.
        single: there is to be one file, which is no zip and may take all the bytes of a job.

    Returns:
        Their names, in the same order.

    Raises:
        Problem: 413 for too many or too large files, 422 for a zip that cannot be read or nothing in it, 503
            for a full disk.
    """
    names: list[str] = []
    left = limits.job_bytes
    each = limits.job_bytes if single else limits.bytes
    if single and len(files) != 1:
        raise Problem(422, f"{len(files)} files", "Send one")
    try:
        for name, pieces in _as_they_are(files) if single else _every(files, limits):
            if len(names) >= limits.job_pictures:
                raise _too_many(limits)
            with whole_file(folder / f"{len(names):06}") as target:
                left -= _copy(pieces, target, name, min(left, each))
            names.append(name)
    except UnwritablePicture as error:
        raise busy(f"there is no room for the job ({error.came.rpartition('(')[2]}", 503) from None
    if not names:
        raise Problem(422, "nothing to do: no file, or an empty zip", "Send pictures, or a zip of some")
    return names


def _too_many(limits: Limits) -> Problem:
    return Problem(413, f"more than {limits.job_pictures} files", "Make several jobs of them")


def _as_they_are(files: Sequence[tuple[str, IO[bytes]]]) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Each file: its name, and what it holds piece by piece."""
    return ((name, _pieces(content)) for name, content in files)


def _every(files: Sequence[tuple[str, IO[bytes]]], limits: Limits) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Each file and each member of a zip: its name, and what it holds piece by piece."""
    for name, content in files:
        start = content.read(4)
        content.seek(0)
        if start not in ZIP_STARTS:
            yield name, _pieces(content)
            continue
        with _opened(content, limits) as archive:
            members = [member for member in archive.infolist() if _wanted(member.filename)]
            if sum(member.file_size for member in members) > limits.job_bytes:
                raise Problem(413, "a zip that unpacks to too much", f"At most {limits.job_bytes:,} bytes")
            if any(member.compress_type not in _PACKED for member in members):
                raise Problem(422, "a zip that is not packed by deflate", "Pack it anew, as is usual")
            for member in members:
                yield safe_name(_named(member)), _unpacked(archive, member)


def _named(member: zipfile.ZipInfo) -> str:
    """The name of a member, which `zip` on Linux writes as UTF-8 without saying so; `zipfile` takes it for
    the code page of DOS.
    """
    if member.flag_bits & _SAYS_UTF8:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return member.filename


def _opened(content: IO[bytes], limits: Limits) -> zipfile.ZipFile:
    """A zip whose directory is no larger than that of as many files as are allowed.

    `zipfile` reads all of it before it can be asked anything, and makes eleven times as much of it in memory.

    Raises:
        Problem: 413 for a larger one, 422 for a zip that cannot be read.
    """
    with _zip_read():
        bounded = _Bounded(content, limits)
        archive = zipfile.ZipFile(bounded)
        bounded.most = sys.maxsize  # members are read piece by piece
        return archive


class _Bounded:
    """A file whose reader gets no more at once than the directory of a zip may take.

    Args:
        content: can be read from any place.
        limits: of the server.

    Attributes:
        most: bytes that may be asked for at once; what is read to the end is not bounded, as `zipfile`
            reads the last 64 KiB.
    """

    def __init__(self, content: IO[bytes], limits: Limits) -> None:
        self._content, self._limits = content, limits
        self.most = limits.job_pictures * _ENTRY_BYTES + _SLACK_BYTES
        self.seek, self.tell, self.seekable = content.seek, content.tell, content.seekable

    def read(self, size: int = -1) -> bytes:
        if size > self.most:
            raise _too_many(self._limits)
        return self._content.read(size)


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """What a member of a zip holds, piece by piece.

    Raises:
        Problem: 422, it cannot be unpacked.
    """
    with _zip_read(), archive.open(member) as file:
        yield from _pieces(file)


@contextmanager
def _zip_read() -> Iterator[None]:
    """Turn what `zipfile` raises of a damaged zip into a problem; nothing is written in the block."""
    try:
        yield
    except _DAMAGED as error:
        why = printable(str(error))[:200] or "it ends too early"
        raise Problem(422, f"a zip that cannot be read: {why}") from None


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while data := file.read(1 << 20):
        yield data


def _wanted(name: str) -> bool:
    """Whether a member of a zip is a file that a person put there."""
    parts = name.split("/")
    hidden = any(part.startswith(".") and part.strip(".") for part in parts)
    return bool(parts[-1]) and not hidden and "__MACOSX" not in parts


def safe_name(name: str) -> str:
    r"""A member's name for the report and for the zip that goes out: below, never above or beside it.

    >>> safe_name("../../etc/night\n.jpg"), safe_name("C:\\a\\b.png"), safe_name("trip/day 2/x.png")
    ('etc/night\\n.jpg', 'C/a/b.png', 'trip/day 2/x.png')
    """
    parts = [part.strip().replace(":", "") for part in printable(name.replace("\\", "/")).split("/")]
    return "/".join(part[:200] for part in parts if part.strip(". ")) or "picture"


def _copy(pieces: Iterator[bytes], target: IO[bytes], name: str, most: int) -> int:
    """Copy a file that has at most so many bytes; gives how many it has."""
    size = 0
    for data in pieces:
        size += len(data)
        if size > most:
            raise Problem(413, f"{name} is too large", f"At most {most:,} bytes of it fit")
        target.write(data)
    return size
