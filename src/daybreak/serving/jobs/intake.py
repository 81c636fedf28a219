"""From the files of a request to numbered files of a job: a zip is unpacked, its names are only words."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from daybreak.errors import UnwritablePicture
from daybreak.files import whole_file
from daybreak.serving.limits import Limits
from daybreak.serving.problems import Problem, busy
from daybreak.text import printable

ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")


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
        for name, source in files if single else _every(files, limits):
            if len(names) >= limits.job_pictures:
                raise Problem(413, f"more than {limits.job_pictures} files", "Make several jobs of them")
            with whole_file(folder / f"{len(names):06}") as target:
                left -= _copy(source, target, name, min(left, each))
            names.append(name)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise Problem(422, f"a zip that cannot be read: {printable(str(error))[:200]}") from None
    except UnwritablePicture as error:
        raise busy(f"there is no room for the job ({error.came.rpartition('(')[2]}", 503) from None
    if not names:
        raise Problem(422, "nothing to do: no file, or an empty zip", "Send pictures, or a zip of some")
    return names


def _every(files: Sequence[tuple[str, IO[bytes]]], limits: Limits) -> Iterator[tuple[str, IO[bytes]]]:
    """Each file, and each member of a zip."""
    for name, content in files:
        start = content.read(4)
        content.seek(0)
        if start not in ZIP_STARTS:
            yield name, content
            continue
        with zipfile.ZipFile(content) as archive:
            members = [member for member in archive.infolist() if _wanted(member.filename)]
            if sum(member.file_size for member in members) > limits.job_bytes:
                raise Problem(413, "a zip that unpacks to too much", f"At most {limits.job_bytes:,} bytes")
            for member in members:
                with archive.open(member) as file:
                    yield safe_name(member.filename), file


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


def _copy(source: IO[bytes], target: IO[bytes], name: str, most: int) -> int:
    """Copy a file that has at most so many bytes; gives how many it has."""
    data = source.read(1 << 20)
    size = 0
    while data:
        size += len(data)
        if size > most:
            raise Problem(413, f"{name} is too large", f"At most {most:,} bytes of it fit")
        target.write(data)
        data = source.read(1 << 20)
    return size
