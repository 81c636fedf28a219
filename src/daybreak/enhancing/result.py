"""What is asked of a batch's results, and what became of each picture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from daybreak.image.read import MAX_PIXELS
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
        max_pixels: refuse a picture whose header claims more.
    """

    format: str | None = None
    quality: int | None = None
    bit_depth: int | None = None
    overwrite: bool = False
    preview: int = 0
    evidence: bool = False
    max_pixels: int = MAX_PIXELS


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
        remarkable: those of the notes that are worth a line among many pictures: frames left out, damage, an
            exposure that was not reached.
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
    remarkable: tuple[str, ...] = ()
    error: str = ""
    elsewhere: bool = False
    before: Array | None = None
    after: Array | None = None
    evidence: Entry | None = None


def done_before(source: Path, target: Path, record: Mapping[str, str]) -> Result:
    """What the record of a result that is there already says of it (`record.done`)."""
    return Result(
        source,
        target,
        "done before",
        method=record.get("ran", ""),
        strength=float(record.get("ran-strength", 0.0)),
        settings=json.loads(record.get("ran-settings", "{}")),
        weights_sha256=record.get("ran-weights", ""),
        notes=tuple(filter(None, (record.get("note"), record.get("reduced")))),
        lost=tuple(filter(None, record.get("lost", "").split("; "))),
    )
