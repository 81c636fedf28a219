"""The explicit list of what a job can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from daybreak.listing import index, look_up
from daybreak.serving.asking import Asked
from daybreak.serving.jobs.films import check_film, run_film
from daybreak.serving.jobs.pictures import run_pictures
from daybreak.serving.limits import Limits

Progress = Callable[[int, int, int, int], None]
"""(done, of these failed, in all, bytes made so far): files, or frames of a film.

Raises `Stopped` where the work is to stop, `UnwritablePicture` where its result would take too much.
"""


@dataclass(frozen=True)
class JobKind:
    """One kind of job.

    Attributes:
        name: as asked for.
        summary: one line for the reference.
        run: (inputs, names, outputs, result, asked, limits, progress): makes the file `result` of the files
            `inputs`; may keep files in the folder `outputs` to go on from after a restart.
        check: (file, name, asked, limits): refuses a file before the job is queued.
        single: takes exactly one file, which may have `Limits.job_bytes`; otherwise zips are unpacked.
    """

    name: str
    summary: str
    run: Callable[[Sequence[Path], Sequence[str], Path, Path, Asked, Limits, Progress], None]
    check: Callable[[Path, str, Asked, Limits], None] | None = None
    single: bool = False


KINDS: Mapping[str, JobKind] = index(
    "job kind",
    (
        JobKind(
            "pictures", "Many pictures, as files or in zips; the result is a zip with a report.", run_pictures
        ),
        JobKind(
            "video",
            "One film; the result is one too, sound and subtitles kept (in a zip with evidence).",
            run_film,
            check_film,
            True,
        ),
    ),
    lambda kind: kind.name,
)

RESULTS = (
    (0, b"PK", "application/zip", ".zip"),
    (4, b"ftyp", "video/mp4", ".mp4"),
    (0, b"\x1a\x45\xdf\xa3", "video/x-matroska", ".mkv"),
)
"""(where, what, media type, suffix): how results begin."""


def result_type(path: Path) -> tuple[str, str]:
    """Media type and suffix of a result."""
    with path.open("rb") as file:
        start = file.read(16)
    kinds = ((kind, suffix) for at, sign, kind, suffix in RESULTS if start[at:].startswith(sign))
    return next(kinds, ("application/octet-stream", ""))


def get_kind(name: str) -> JobKind:
    """The kind of that name.

    Raises:
        UnknownName: there is none.
    """
    return look_up("kind of job", name, KINDS)
