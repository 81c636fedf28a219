"""One picture from its bytes to its result: read, enhance, encode, put where it belongs, or say why not.

A result lies whole at its target or not at all. One that is there already and was made from the same bytes by
the same settings is not made again.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from daybreak.enhancing.cores import opencv_threads
from daybreak.enhancing.cutout import seen_mean
from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.finding import Refusal
from daybreak.enhancing.memory import too_large
from daybreak.enhancing.plan import Job
from daybreak.enhancing.record import ANOTHER_PLACE, ONCE_MORE, asked, check_record, done, made_of, written
from daybreak.enhancing.result import Output, Result, done_before
from daybreak.enhancing.shelf import Disk, Shelf
from daybreak.errors import (
    BadSetting,
    DaybreakError,
    OutputExists,
    UnreadablePicture,
    UnwritablePicture,
)
from daybreak.image.ahead import decoded, forget
from daybreak.image.depth import to_levels
from daybreak.image.formats import format_of
from daybreak.image.paths import read_bytes, shown
from daybreak.image.read import read_photo
from daybreak.image.rows import Rows, shrink
from daybreak.image.write import encode_photo, keep_format, losses
from daybreak.stopping import look


def run_job(
    job: Job | Refusal, enhancer: Enhancer, output: Output, read: Callable[[Path], bytes] = read_bytes
) -> Result:
    """Do one job of a plan; raises nothing."""
    return begin_job(job, enhancer, output, read)()


def begin_job(
    job: Job | Refusal, enhancer: Enhancer, output: Output, read: Callable[[Path], bytes] = read_bytes
) -> Callable[[], Result]:
    """Do one job but for putting the result into its place, and give what does that; neither raises anything.

    A disk takes milliseconds to confirm a file, in which a core may begin the next picture.
    """
    if isinstance(job, Refusal):
        refused = Result(job.source, None, "failed", error=str(job.error))
        return lambda: refused
    return _begun(job, lambda: _from_file(job, enhancer, output, read))


def _from_file(
    job: Job, enhancer: Enhancer, output: Output, read: Callable[[Path], bytes]
) -> Callable[[], Result]:
    if too_large(job.source, enhancer.room):
        forget()
        from daybreak.enhancing.streaming import stream_file  # few pictures are

        streamed = stream_file(job, enhancer, output)
        return lambda: streamed
    return _begin_to(Disk(), read(job.source), job, enhancer, output)


def attempt(job: Job, work: Callable[[], Result]) -> Result:
    """The result of the work with the seconds it took, or what went wrong with it; raises nothing."""
    return _begun(job, lambda: work)()


def _begun(job: Job, work: Callable[[], Callable[[], Result]]) -> Callable[[], Result]:
    """Do what can be done now; what is given back does the rest, and tells how long all of it took."""
    start = time.perf_counter()
    try:
        rest = work()
    except Exception as error:
        failed = replace(_failed(job, error), seconds=time.perf_counter() - start)
        return lambda: failed
    took = time.perf_counter() - start

    def end() -> Result:
        start = time.perf_counter()
        try:
            result = rest()
        except Exception as error:
            result = _failed(job, error)
        return replace(result, seconds=took + time.perf_counter() - start)

    return end


def _failed(job: Job, error: Exception) -> Result:
    """What went wrong with one picture; the others go on."""
    if isinstance(error, DaybreakError):
        told = _named(job.source, str(error))
        return Result(job.source, job.target, "failed", error=told, elsewhere=_elsewhere(error))
    if isinstance(error, MemoryError):
        told = "not enough memory for a picture of this size"
    elif isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        told = "the name of its result is too long. Give it another with -o, or a shorter --suffix"
    else:  # a fault of ours, or of a library
        told = getattr(error, "strerror", None) or f"an unexpected {type(error).__name__}: {error}"
    return Result(job.source, job.target, "failed", error=f"{job.source}: {told}")


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
    return _begin_to(shelf, data, job, enhancer, output)()


def _begin_to(
    shelf: Shelf, data: bytes, job: Job, enhancer: Enhancer, output: Output
) -> Callable[[], Result]:
    """`enhance_to` but for putting the result on the shelf, which what is given back does."""
    ask = not output.evidence
    if ask and (found := _made_before(shelf, data, job, enhancer, output)):
        return lambda: found
    once_more = job.in_place and shelf.record(job.target) is not None
    encoded, result = enhance_bytes(data, enhancer, output, job.source, job.target)
    if once_more:
        result = replace(result, notes=(*result.notes, ONCE_MORE))

    def put() -> Result:
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

    return put


def made_before(job: Job, enhancer: Enhancer, output: Output) -> Result | None:
    """What a run would find done in the file at the job's target; None where that cannot be known before.

    Raises:
        OutputExists: it was made of another picture or by other settings.
        UnreadablePicture: the source cannot be read.
    """
    if too_large(job.source, enhancer.room):
        return None
    return _made_before(Disk(), read_bytes(job.source), job, enhancer, replace(output, preview=0))


def _made_before(shelf: Shelf, data: bytes, job: Job, enhancer: Enhancer, output: Output) -> Result | None:
    """What the result that lies at the target says of itself; None where there is none or it says nothing.

    A picture that is to be replaced may be a result already: what it was made of is gone then, and nobody
    asks for the same again of a result.

    Raises:
        OutputExists: it was made of another picture or by other settings, and is not to be replaced.
    """
    record = shelf.record(job.target)
    if record is None:
        return None
    named = format_of(job.target)
    wanted = fingerprint(enhancer, output, data, named.name if named else None)
    itself = job.in_place and shelf.read(job.target) == data
    if itself:
        del wanted["source"]
    try:
        check_record(job.target, record, wanted)
    except OutputExists:
        if itself or output.overwrite:
            return None
        if shelf.read(job.target) == data:  # left as it was, with what it says of an earlier run
            return None
        raise
    result, most = done_before(job.source, job.target, record), output.max_pixels
    if not output.preview and not output.overwrite:
        return result
    try:  # its sides may be twice as long
        after = read_photo(shelf.read(job.target), max_pixels=4 * most, name=shown(job.target))
    except UnreadablePicture:
        if output.overwrite and not itself:  # it was damaged
            return None
        raise
    if not output.preview:
        return result
    before = read_photo(data, max_pixels=most, name=shown(job.source))
    return with_previews(result, before.stored, after.stored, output.preview)


def enhance_bytes(
    data: bytes,
    enhancer: Enhancer,
    output: Output,
    source: Path,
    target: Path | None,
    *,
    max_pixels: int | None = None,
) -> tuple[bytes, Result]:
    """Enhance one encoded picture.

    Args:
        data: a picture file's bytes.
        enhancer, output: as for `run_batch`.
        source: its name, for messages and the result.
        target: where it will go, whose suffix decides the format unless `output.format` does; None: its own.
        max_pixels: refuse a picture whose header claims more; None: than `output.max_pixels`.

    Returns:
        The encoded result (the same bytes where the picture was left as it is and nothing else was asked of
        it) and what was done; `seconds` is not filled in.

    Raises:
        UnreadablePicture: the data is no picture.
        UnwritablePicture: the format cannot hold what is asked of it.
        BadSetting: evidence is asked for and could not be repeated.
        Stopped: before encoding at the latest, where that was asked for (`daybreak.stopping`).
    """
    with opencv_threads(1) if output.evidence else nullcontext():
        most = output.max_pixels if max_pixels is None else max_pixels
        return _from_bytes(data, enhancer, output, source, target, most)


def _from_bytes(
    data: bytes, enhancer: Enhancer, output: Output, source: Path, target: Path | None, max_pixels: int
) -> tuple[bytes, Result]:
    """`enhance_bytes` on the cores that it may use."""
    photo = decoded(data, max_pixels) or read_photo(data, max_pixels=max_pixels, name=shown(source))
    named = format_of(target) if target is not None else None
    format = output.format or (named.name if named else keep_format(photo))
    if output.evidence:
        from daybreak.enhancing.evidence import asked_for, check_repeatable, entry_for  # few ask for it

        check_repeatable(enhancer, format)
    made, outcome = enhancer.photo(photo)
    look()()
    if output.evidence and outcome.reduced:
        raise BadSetting(
            f"evidence of {shown(source)}, which was {outcome.reduced}", "a smaller picture, or more memory"
        )
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
        brightness_before=seen_mean(photo.stored, photo.hidden),
        brightness_after=seen_mean(outcome.rows, made.hidden),
        notes=tuple(filter(None, (*photo.notes, outcome.note, outcome.missed, outcome.reduced))),
        lost=lost,
        remarkable=tuple(filter(None, (*(() if encoded is data else photo.notes), outcome.missed))),
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
