"""Jobs to results: read, enhance and write pictures, some at the same time, losing none.

A result lies whole at its target or not at all; whatever goes wrong with one picture is told in its own
`Result` and the others go on. A result that is there already and was made from the same bytes by the same
settings is not made again.
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol

import cv2

from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.memory import bytes_per_pixel, fitting_jobs, free_memory, largest
from daybreak.enhancing.plan import STDOUT, Job, Refusal
from daybreak.enhancing.record import ANOTHER_PLACE, asked, check_record, done, made_of, written
from daybreak.errors import DaybreakError, OutputExists, UnwritablePicture
from daybreak.files import make_folder, write_whole, writing
from daybreak.image.depth import to_levels
from daybreak.image.formats import format_of
from daybreak.image.paths import read_bytes, shown
from daybreak.image.read import MAX_PIXELS, read_photo, read_record
from daybreak.image.rows import Levels, Rows, shrink
from daybreak.image.write import encode_photo, keep_format, losses
from daybreak.types import Array

if TYPE_CHECKING:
    from daybreak.enhancing.manifest import Entry

State = Literal["enhanced", "unchanged", "done before", "failed"]


@dataclass(frozen=True)
class Output:
    """How results are written.

    Attributes:
        format: a key of `FORMATS`; None keeps each picture's own.
        quality: 1 to 100 for JPEG, WebP and AVIF; None for the default of the format.
        bit_depth: 8 or 16; None keeps each picture's own.
        overwrite: replace a result that was made by other settings.
        preview: longest side in pixels of the before/after copies kept in each `Result`; 0 for none.
        evidence: fill in `Result.evidence`, refuse what cannot be repeated, and take no earlier result's
            word for how it was made: it is made again and compared.
    """

    format: str | None = None
    quality: int | None = None
    bit_depth: int | None = None
    overwrite: bool = False
    preview: int = 0
    evidence: bool = False


@dataclass(frozen=True)
class Result:
    """What became of one picture.

    Attributes:
        source, target: as in the job; target is None where the job could not be laid out.
        state: "enhanced"; "unchanged" (well lit: the file was copied); "done before" (the same result was
            there already); "failed".
        method, strength, weights_sha256: what ran ("" and 0 where nothing did).
        settings: of the method, as JSON values.
        brightness_before, brightness_after: arithmetic mean, see `mean`; None where not known.
        seconds: wall time for this picture, reading and writing included.
        notes: what a person should know: an automatic choice, only the first frame of an animation …
        lost: what the format of the result could not hold: transparency, bits.
        error: one line; "" where all went well.
        elsewhere: whether the fault lies not with the picture but with the place of the result (a full disk,
            say): the same picture may go through later.
        before, after: small copies for a gallery, H×W×3 uint8; None unless asked for.
        evidence: what a manifest says of it; None unless asked for.
    """

    source: Path
    target: Path | None
    state: State
    method: str = ""
    strength: float = 0.0
    weights_sha256: str = ""
    settings: dict[str, Any] | None = None
    brightness_before: float | None = None
    brightness_after: float | None = None
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    error: str = ""
    elsewhere: bool = False
    before: Array | None = None
    after: Array | None = None
    evidence: Entry | None = None


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


def run_batch(
    jobs: Sequence[Job | Refusal],
    enhancer: Enhancer,
    output: Output,
    workers: int | None = None,
    read: Callable[[Path], bytes] = read_bytes,
) -> Iterator[Result]:
    """Do the jobs and give each result in the jobs' order.

    Args:
        jobs: from `plan`.
        enhancer: shared by all workers.
        output: how results are written.
        workers: pictures at the same time, one core each. None: as many as there are cores (or as the
            enhancer has threads) and as fit into memory, the cores shared out among them, but of evidence one
            core each: then it cannot depend on how many there are.
        read: gives the bytes of a job's source.

    Yields:
        One `Result` a job. Stopping early (Ctrl-C, an exception in the consumer) lets the pictures that are
        being worked on finish, so that no half file is left, and starts no more.
    """
    cores = enhancer.threads or os.cpu_count() or 1
    at_once = max(1, min(workers or _fitting(jobs, enhancer, cores), len(jobs)))
    threads_before = cv2.getNumThreads()
    cv2.setNumThreads(cores // at_once or 1 if workers is None and not output.evidence else 1)
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="daybreak")
    try:
        waiting: deque[Future[Result]] = deque()
        for job in jobs:  # a bounded window: a million jobs are not a million futures
            waiting.append(pool.submit(_run, job, enhancer, output, read))
            if len(waiting) >= 4 * at_once:
                yield waiting[0].result()
                waiting.popleft()
        while waiting:
            yield waiting[0].result()
            waiting.popleft()
    except KeyboardInterrupt:  # what was being worked on is finished, and told
        pool.shutdown(wait=True, cancel_futures=True)
        yield from (future.result() for future in waiting if not future.cancelled())
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        cv2.setNumThreads(threads_before)


def _fitting(jobs: Sequence[Job | Refusal], enhancer: Enhancer, cores: int) -> int:
    """How many of the jobs to do at the same time where nobody said."""
    if min(len(jobs), cores) < 2:
        return 1
    sources = [job.source for job in jobs if isinstance(job, Job)]
    return fitting_jobs(cores, largest(sources), bytes_per_pixel(enhancer), free_memory())


def run_stream(
    job: Job, stream: IO[bytes], enhancer: Enhancer, output: Output, sink: IO[bytes]
) -> Iterator[Result]:
    """Do one job whose picture comes from a stream.

    Args:
        job: from `plan_stream`.
        stream: read to its end.
        enhancer, output: as for `run_batch`.
        sink: where the result goes if the job's target is `STDOUT`.

    Yields:
        One `Result`.
    """

    def work() -> Result:
        data = stream.read()
        if job.target != STDOUT:
            return enhance_to(Disk(), data, job, enhancer, output)
        encoded, result = enhance_bytes(data, enhancer, output, job.source, job.target)
        with writing(job.target):
            sink.write(encoded)
            sink.flush()
        return result

    yield attempt(job, work)


def _run(job: Job | Refusal, enhancer: Enhancer, output: Output, read: Callable[[Path], bytes]) -> Result:
    if isinstance(job, Refusal):
        return Result(job.source, None, "failed", error=str(job.error))
    return attempt(job, lambda: enhance_to(Disk(), read(job.source), job, enhancer, output))


def attempt(job: Job, work: Callable[[], Result]) -> Result:
    """The result of the work with the seconds it took, or what went wrong with it; raises nothing."""
    start = time.perf_counter()
    try:
        result = work()
    except DaybreakError as error:
        told = _named(job.source, str(error))
        result = Result(job.source, job.target, "failed", error=told, elsewhere=_elsewhere(error))
    except MemoryError:
        told = f"{job.source}: not enough memory for a picture of this size"
        result = Result(job.source, job.target, "failed", error=told)
    except Exception as error:  # a fault of ours or a library's with one picture: the others go on
        told = getattr(error, "strerror", None) or f"an unexpected {type(error).__name__}: {error}"
        result = Result(job.source, job.target, "failed", error=f"{job.source}: {told}")
    return replace(result, seconds=time.perf_counter() - start)


def _elsewhere(error: DaybreakError) -> bool:
    """Whether the system refused to write for a reason that may pass."""
    cause = error.__cause__ if isinstance(error, UnwritablePicture) else None
    return isinstance(cause, OSError) and cause.errno not in (errno.ENAMETOOLONG, errno.EISDIR, errno.EINVAL)


def _named(source: Path, message: str) -> str:
    return message if str(source) in message else f"{source}: {message}"


def enhance_to(shelf: Shelf, data: bytes, job: Job, enhancer: Enhancer, output: Output) -> Result:
    """Make the job's target of the picture's bytes, or find it made.

    Raises:
        OutputExists: there is a result of that name, made of another picture or by other settings.
        UnreadablePicture, UnwritablePicture, BadSetting: as `enhance_bytes` and the shelf.
    """
    ask = not (output.overwrite or output.evidence)
    if ask and (found := _made_before(shelf, data, job, enhancer, output)):
        return found
    encoded, result = enhance_bytes(data, enhancer, output, job.source, job.target)
    if output.overwrite or not shelf.exists(job.target):
        try:
            shelf.write(job.target, encoded, overwrite=output.overwrite)
        except OutputExists:  # another process was quicker
            if not shelf.exists(job.target):  # no: it is a link to nothing
                raise
        else:
            return result
    if ask and (found := _made_before(shelf, data, job, enhancer, output)):
        return found
    if shelf.read(job.target) != encoded:  # else a copy of a well-lit picture, or a format without tags
        why = "does not say how it was made" if ask else "is not what was made now, bit for bit"
        came = f"{shown(job.target)} is there already and {why}"
        raise OutputExists(came, hint=ANOTHER_PLACE)
    return replace(result, state="done before")


def _made_before(shelf: Shelf, data: bytes, job: Job, enhancer: Enhancer, output: Output) -> Result | None:
    """What the result that lies at the target says of itself; None where there is none or it says nothing.

    Raises:
        OutputExists: it was made of another picture or by other settings.
    """
    record = shelf.record(job.target)
    if record is None:
        return None
    named = format_of(job.target)
    check_record(job.target, record, fingerprint(enhancer, output, data, named.name if named else None))
    result = Result(
        job.source,
        job.target,
        "done before",
        method=record.get("ran", ""),
        strength=float(record.get("ran-strength", 0.0)),
        settings=json.loads(record.get("ran-settings", "{}")),
        weights_sha256=record.get("ran-weights", ""),
        notes=tuple(filter(None, [record.get("note", "")])),
        lost=tuple(filter(None, record.get("lost", "").split("; "))),
    )
    if not output.preview:
        return result
    before = read_photo(data, name=shown(job.source))
    after = read_photo(shelf.read(job.target), name=shown(job.target))
    return with_previews(result, before.stored, after.stored, output.preview)


def enhance_bytes(
    data: bytes,
    enhancer: Enhancer,
    output: Output,
    source: Path,
    target: Path | None,
    *,
    max_pixels: int = MAX_PIXELS,
) -> tuple[bytes, Result]:
    """Enhance one encoded picture.

    Args:
        data: a picture file's bytes.
        enhancer, output: as for `run_batch`.
        source: its name, for messages and the result.
        target: where it will go, whose suffix decides the format unless `output.format` does; None: its own.
        max_pixels: refuse a picture whose header claims more.

    Returns:
        The encoded result (the same bytes where the picture was left as it is and nothing else was asked of
        it) and what was done; `seconds` is not filled in.

    Raises:
        UnreadablePicture: the data is no picture.
        UnwritablePicture: the format cannot hold what is asked of it.
        BadSetting: evidence is asked for and could not be repeated.
    """
    photo = read_photo(data, max_pixels=max_pixels, name=shown(source))
    named = format_of(target) if target is not None else None
    format = output.format or (named.name if named else keep_format(photo))
    if output.evidence:
        from daybreak.enhancing.evidence import asked_for, check_repeatable, entry_for  # few ask for it

        check_repeatable(enhancer, format)
    made, outcome = enhancer.photo(photo)
    as_it_came = format == photo.format and output.quality is None and output.bit_depth is None
    lost: tuple[str, ...] = ()
    if outcome.unchanged and as_it_came:
        encoded = data
    else:
        lost = losses(made, format, output.bit_depth)
        record = fingerprint(enhancer, output, data, format) | done(outcome) | {"lost": "; ".join(lost)}
        encoded = encode_photo(
            made, format, quality=output.quality, bit_depth=output.bit_depth, record=record
        )
    result = Result(
        source,
        target,
        "unchanged" if outcome.unchanged else "enhanced",
        method=outcome.method,
        strength=outcome.strength,
        weights_sha256=outcome.weights_sha256,
        settings=outcome.settings,
        brightness_before=mean(photo.stored),
        brightness_after=mean(outcome.rows),
        notes=tuple(filter(None, (*photo.notes, outcome.note))),
        lost=lost,
    )
    if output.preview:
        result = with_previews(result, photo.stored, outcome.rows, output.preview)
    if output.evidence:
        asked = asked_for(enhancer, format, output.quality, output.bit_depth)
        entry = entry_for(data, encoded, photo, enhancer, outcome, asked, lost)
        result = replace(result, evidence=entry)
    return encoded, result


def with_previews(result: Result, before: Rows, after: Rows, longest: int) -> Result:
    """The result with small copies of its pictures."""
    small = (to_levels(shrink(rows, longest), 8) for rows in (before, after))
    return replace(result, before=next(small), after=next(small))


def fingerprint(enhancer: Enhancer, output: Output, data: bytes, format: str | None) -> dict[str, str]:
    """What a result in a format depends on: the same fingerprint, the same result.

    Args:
        format: of the result, a key of `FORMATS`; None where only `output` tells.
    """
    kind = output.format or format or "keep"
    return asked(enhancer) | written(kind, output.quality, output.bit_depth) | made_of(data)


def mean(rows: Rows) -> float:
    """Arithmetic mean of the sRGB-encoded values of all pixels and channels, in [0, 1]."""
    values, peak = (rows.whole, rows.peak) if isinstance(rows, Levels) else (rows, 1)
    return float(sum(cv2.mean(values)[:3]) / 3.0 / peak)
