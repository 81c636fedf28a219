"""The explicit list of what a job can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from daybreak.listing import index, look_up
from daybreak.serving.asking import Asked
from daybreak.serving.jobs.pictures import run_pictures
from daybreak.serving.limits import Limits

Progress = Callable[[int, int], None]
"""(files done, of these failed); raises `Stopped` where the work is to stop."""


@dataclass(frozen=True)
class JobKind:
    """One kind of job.

    Attributes:
        name: as asked for.
        summary: one line for the reference.
        media_type: of the result.
        suffix: of the result's name.
        run: (inputs, names, outputs, result, asked, limits, progress): makes the file `result` of the files
            `inputs`; may keep files in the folder `outputs` to go on from after a restart.
    """

    name: str
    summary: str
    media_type: str
    suffix: str
    run: Callable[[Sequence[Path], Sequence[str], Path, Path, Asked, Limits, Progress], None]


KINDS: Mapping[str, JobKind] = index(
    "job kind",
    (
        JobKind(
            "pictures",
            "Many pictures, as files or in a zip; the result is a zip with a report.",
            "application/zip",
            ".zip",
            run_pictures,
        ),
    ),
    lambda kind: kind.name,
)


def get_kind(name: str) -> JobKind:
    """The kind of that name.

    Raises:
        UnknownName: there is none.
    """
    return look_up("kind of job", name, KINDS)
