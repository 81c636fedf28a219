"""Files whose pictures do not fit into memory: read, enhanced and written row by row.

A file is looked at once for a reduced copy, from which automatic and global methods decide and learn, then
as often as the method counts something in all of it (`Method.prepare`), and read once more for the result; a
local method needs that last time alone. In memory is a band of rows.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from daybreak.enhancing.amount import mean_light, sample_step, told_short
from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.parts import Copy, Plan, copy_of, plan_parts
from daybreak.enhancing.record import ANOTHER_PLACE, ONCE_MORE, asked, check_record, done, written
from daybreak.enhancing.result import Output, Result, done_before
from daybreak.enhancing.tiling import in_parts
from daybreak.errors import BadSetting, OutputExists, PictureTooLarge, UnwritablePicture
from daybreak.files import make_folder, whole_path
from daybreak.image import xmp
from daybreak.image.formats import find_format, format_of, sniff
from daybreak.image.paths import shown
from daybreak.image.read import read_record
from daybreak.image.rows import Levels, mean, sparse
from daybreak.image.scroll import STREAMED, Scroll, save_rows
from daybreak.image.write import choose_bits, lost_bits
from daybreak.types import Array

if TYPE_CHECKING:
    from daybreak.enhancing.plan import Job

_LOOK = 1 << 24  # bytes for the copy that is decided on, whatever is left: of a few pixels nothing is known

NOTE = "streamed, for it does not fit into memory"


def stream_file(job: Job, enhancer: Enhancer, output: Output) -> Result:
    """Enhance one file row by row.

    Args:
        job: both are files here.
        enhancer, output: as for `run_batch`.

    Raises:
        PictureTooLarge: more pixels than `output.max_pixels`.
        UnreadablePicture: a file that cannot be read row by row; says why and what to do.
        UnwritablePicture: a format that cannot be written so.
        NotEnoughMemory: not even the smallest tiles fit.
        BadSetting: evidence is asked for, which needs the whole.
        OutputExists: there is a result made of another picture or by other settings.
    """
    format, kept = _formats(job, output)
    if output.evidence:
        raise BadSetting(
            f"evidence of {shown(job.source)}, which does not fit into memory", "a smaller picture"
        )
    digest = _digest(job.source)
    wanted = asked(enhancer) | written(kept, output.quality, output.bit_depth)
    clash: OutputExists | None = None
    if job.in_place:  # what a result was made of is gone then
        with suppress(OutputExists):
            return _done_before(job, wanted)
    once_more = job.in_place and read_record(job.target) is not None
    wanted["source"] = digest
    if job.target.exists():
        try:
            return _done_before(job, wanted)
        except OutputExists as error:
            if not output.overwrite:
                if _digest(job.target) != digest:
                    raise
                clash = error  # unless it was left as it was
    scroll = Scroll(job.source, format)
    _check_size(job.source, scroll, output.max_pixels)
    had, form = (8 if scroll.peak == 255 else 16), find_format(kept)
    bits = choose_bits(had, form, output.quality, output.bit_depth)
    bits_lost = lost_bits(format, form) if had > 8 and output.bit_depth is None else ""
    lost = tuple(filter(None, ("EXIF was left out" if scroll.may_have_exif else "", bits_lost)))
    size = scroll.shape[0] * scroll.shape[1]
    room, copy = _look(scroll, enhancer, size)
    decision = enhancer.decide(np.zeros((1, 1, 3), np.float32) if copy is None else copy.pixels, size)
    outcome = decision.outcome(np.empty((0, 0, 3), np.float32))
    result = Result(
        job.source,
        job.target,
        "unchanged" if decision.nothing else "enhanced",
        method=outcome.method,
        strength=outcome.strength,
        weights_sha256=outcome.weights_sha256,
        settings=outcome.settings,
        notes=tuple(filter(None, (outcome.note,))),
    )
    as_it_came = kept == format and output.quality is None and output.bit_depth is None
    if decision.nothing and as_it_came:
        if clash:
            return replace(result, state="done before")
        make_folder(job.target.parent)
        with whole_path(job.target, overwrite=output.overwrite) as hidden:
            shutil.copyfile(job.source, hidden)
        return result
    if clash:
        raise clash
    stops = enhancer.exposure
    plan = plan_parts(scroll, decision.method, decision.settings, decision.share, stops, room, copy=copy)
    means = _Means(sample_step(scroll.shape) * plan.part.scale)
    record = wanted | done(replace(outcome, reduced=plan.note))
    record["lost"] = "; ".join(lost)
    make_folder(job.target.parent)
    with whole_path(job.target, overwrite=output.overwrite) as hidden:
        _write(scroll, plan, hidden, kept, bits, output.quality, record, means)
    missed = ""
    if stops is not None and copy is not None:
        missed = told_short(mean_light(copy.pixels), means.light, stops)
    return replace(
        result,
        brightness_after=means.mean,
        notes=tuple(filter(None, (NOTE, plan.note, outcome.note, missed, ONCE_MORE if once_more else ""))),
        lost=lost,
        remarkable=tuple(filter(None, (missed,))),
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _done_before(job: Job, wanted: dict[str, str]) -> Result:
    """What the result that lies at the target says of itself.

    Raises:
        OutputExists: nothing, or that it was made of another picture or by other settings.
    """
    record = read_record(job.target)
    if record is None:
        came = f"{shown(job.target)} is there already and does not say how it was made"
        raise OutputExists(came, hint=ANOTHER_PLACE)
    check_record(job.target, record, wanted)
    return done_before(job.source, job.target, record)


def _formats(job: Job, output: Output) -> tuple[str, str]:
    """Of the source, and of the result."""
    with job.source.open("rb") as file:
        format = sniff(file.read(4096)) or ""
    named = format_of(job.target)
    kept = output.format or (named.name if named else format)
    if kept not in STREAMED:
        raise UnwritablePicture(
            f"{kept.upper()} of {shown(job.source)}, which does not fit into memory",
            "a format that can be written row by row",
            "Type --format tiff, or give it more with --max-memory",
        )
    return format, kept


def _check_size(path: Path, scroll: Scroll, most: int) -> None:
    height, width, _ = scroll.shape
    if height * width > most:
        millions = -(-height * width // 1_000_000)
        raise PictureTooLarge(
            f"{shown(path)} claims {width}x{height} pixels ({millions:,} million)",
            f"at most {most / 1e6:,.0f} million",
            f"Scale it down, or type --max-pixels {millions} if you trust the file",
        )


def _look(scroll: Scroll, enhancer: Enhancer, size: int) -> tuple[int | None, Copy | None]:
    """The bytes that the work may take, and a copy of the picture where one is decided on."""
    enhancer.warm_up()
    left = enhancer.room.left()
    room = None if left is None else int(0.4 * left)  # the rest for reading, packing and writing
    method = enhancer.picked(size)
    learns = method.card.context == "global" and method.prepare is None and method.freeze is None
    decides = enhancer.method.choose is not None or method.settle is not None
    looks = learns or decides or enhancer.exposure is not None
    return room, copy_of(scroll, method, None if room is None else max(room, _LOOK)) if looks else None


def _write(
    scroll: Scroll,
    plan: Plan,
    path: Path,
    format: str,
    bits: int,
    quality: int | None,
    record: dict[str, str],
    means: _Means,
) -> None:
    height, width, _ = scroll.shape
    scale = plan.part.scale
    packet = xmp.refreshed(scroll.blocks.get("xmp-data"), record)
    blocks = scroll.blocks | ({"xmp-data": packet} if packet else {})
    save_rows(
        means.watch(band for _, band in in_parts(scroll, plan, bits)),
        height * scale,
        width * scale,
        bits,
        path,
        format,
        quality=quality,
        resolution=scroll.resolution,
        blocks=blocks,
        gray=scroll.gray,
        half_chroma=scroll.half_chroma,
    )


class _Means:
    """Means over all that passed, in [0, 1]: of the levels and of the light.

    Args:
        step: how far apart the pixels lie that the light is measured on.
    """

    def __init__(self, step: int) -> None:
        self._step = step
        self._sum, self._rows, self._light, self._samples = 0.0, 0, 0.0, 0

    @property
    def mean(self) -> float:
        return self._sum / self._rows

    @property
    def light(self) -> float:
        return self._light / self._samples

    def watch(self, bands: Iterator[Array]) -> Iterator[Array]:
        for band in bands:
            peak = 255 if band.dtype.itemsize == 1 else 65_535
            self._sum += mean(Levels(band, peak)) * len(band)
            few = sparse(Levels(band[-self._rows % self._step :], peak), self._step)
            if few.size:
                self._light += mean_light(few) * few.size
                self._samples += few.size
            self._rows += len(band)
            yield band
