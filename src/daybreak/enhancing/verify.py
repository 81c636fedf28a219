"""Doing again what a manifest says was done, and saying what differs."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import cv2
import numpy as np

from daybreak.enhancing.batch import Output, enhance_bytes
from daybreak.enhancing.comparison import PAGE, make_comparison
from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.environment import COMPILED, environment
from daybreak.enhancing.manifest import ComparisonEntry, Entry, FileFact, Made, fact_of
from daybreak.errors import DaybreakError, PictureTooLarge
from daybreak.image.depth import to_levels
from daybreak.image.paths import read_bytes, shown
from daybreak.image.photo import Photo
from daybreak.image.read import MAX_PIXELS, read_photo
from daybreak.image.rows import Levels
from daybreak.native import left_out
from daybreak.text import counted
from daybreak.types import Array


@dataclass(frozen=True)
class Verdict:
    """What became of one entry.

    Attributes:
        source, target: the files, as they are found from here.
        findings: what differs, a clause each; none where all was confirmed bit for bit.
        remarks: what is worth knowing and changed nothing, such as other versions.
    """

    source: Path
    target: Path
    findings: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def confirmed(self) -> bool:
        """Whether the files are those of the manifest and the result was made again bit for bit."""
        return not self.findings


def verify_entry(entry: Entry, folder: Path, max_pixels: int = MAX_PIXELS) -> Verdict:
    """Look at both files, make the result again, and compare.

    Args:
        entry: of a manifest.
        folder: that the manifest lies in.
        max_pixels: read no picture whose header claims more, though the manifest may be of more.
    """
    source, target = folder / entry.input.path, folder / entry.output.path
    changed = changed_file(source, entry.input, "input")
    findings = [*changed, *changed_file(target, entry.output, "output")]
    if changed:
        findings.append("so the result could not be made again")
    else:
        with as_then(entry):
            findings += _made_again(entry, source, target, max_pixels)
    return verdict(source, target, findings, changed_environment(entry))


def verify_comparison(entry: ComparisonEntry, folder: Path, max_pixels: int = MAX_PIXELS) -> Verdict:
    """The same of a sheet or a page: made again from its picture and compared.

    Args:
        entry, folder, max_pixels: as for `verify_entry`.
    """
    source, target = folder / entry.input.path, folder / entry.output.path
    changed = changed_file(source, entry.input, "input")
    findings = [*changed, *changed_file(target, entry.output, "output")]
    if changed:
        findings.append("so the comparison could not be made again")
    else:
        with as_then(entry):
            findings += _compared_again(entry, source, target, max_pixels)
    return verdict(source, target, findings, changed_environment(entry))


def _compared_again(entry: ComparisonEntry, source: Path, target: Path, max_pixels: int) -> list[str]:
    """Where a comparison made now is not the manifest's, or not what lies there."""
    methods, format = entry.asked.methods, entry.asked.format
    try:
        data = read_bytes(source)
        again, now = make_comparison(data, source, methods, format, evidence=True, max_pixels=max_pixels)
    except DaybreakError as error:
        return [f"the comparison cannot be made again: {_why(error)}"]
    assert now is not None
    findings = [
        f"of {name}: another choice, other settings or other weights than what ran now"
        for name, then, new in zip_longest(methods, entry.ran, now.ran)
        if then != new
    ]
    if now.operations != entry.operations:
        findings.append(f"the manifest's operations are not those of now: {_first_other(entry, now)}")
    if now.output.sha256 != entry.output.sha256:
        findings.append("made again, the comparison has other bytes than the manifest says")
    lies = _lying(target, again)
    if lies != again:
        apart = _lines_apart(lies, again) if format == PAGE else difference(lies, again, max_pixels)
        findings.append(f"the output against the comparison made again: {apart}")
    return findings


def _lying(target: Path, again: bytes) -> bytes:
    """What lies at the target; where it cannot be read, which was told already, what was made again."""
    try:
        return target.read_bytes() if target.is_file() else again  # a device might never end
    except OSError:
        return again


def _lines_apart(one: bytes, other: bytes) -> str:
    """How far two pages are apart, in a clause."""
    lines = zip_longest(one.splitlines(keepends=True), other.splitlines(keepends=True))
    differ = [number for number, (first, second) in enumerate(lines, 1) if first != second]
    return f"another text in {counted(len(differ), 'line')}, the first of them line {differ[0]}"


def verdict(source: Path, target: Path, findings: list[str], changed: list[str]) -> Verdict:
    """Another environment is a reason where something differs, and a remark where nothing does."""
    if findings:
        return Verdict(source, target, (*findings, *changed), ())
    return Verdict(source, target, (), tuple(changed))


def as_then(entry: Made) -> AbstractContextManager[None]:
    """What is made meanwhile is made without the compiled part, where the entry was."""
    return left_out(not entry.environment.get(COMPILED))


def changed_environment(entry: Made) -> list[str]:
    """Each library, system or processor that is not what it was."""
    now, then = environment(), entry.environment
    return [
        f"{name} was {then.get(name) or 'not there'} and is {now.get(name) or 'not there'}"
        for name in (*now, *(then.keys() - now.keys()))
        if now.get(name, "") != then.get(name, "")
    ]


def changed_file(path: Path, wanted: FileFact, role: str) -> list[str]:
    """What is to be said of a file that is not the manifest's; nothing of one that is."""
    try:
        found = fact_of(path)
    except OSError as error:
        return [f"the {role} cannot be read ({error.strerror}: {shown(path)})"]
    if found.sha256 == wanted.sha256:
        return []
    size = "" if found.bytes == wanted.bytes else f"; it had {wanted.bytes:,} bytes and has {found.bytes:,}"
    return [
        f"the {role} was changed: its SHA-256 was {wanted.sha256[:12]}… and is {found.sha256[:12]}…{size}"
    ]


def _made_again(entry: Entry, source: Path, target: Path, max_pixels: int) -> list[str]:
    """Make the result again and compare it with what the manifest says and with what lies there."""
    asked = entry.asked
    written = Output(asked.format, asked.quality, asked.bit_depth, evidence=True, max_pixels=max_pixels)
    try:
        enhancer = Enhancer(asked.method, strength=asked.strength, exposure=asked.exposure, **asked.settings)
        again, result = enhance_bytes(read_bytes(source), enhancer, written, source, None)
    except DaybreakError as error:
        return [f"the result cannot be made again: {_why(error)}"]
    assert result.evidence is not None
    now = result.evidence
    findings = []
    if now.ran.weights_sha256 != entry.ran.weights_sha256:
        findings.append(
            f"the weights differ: their SHA-256 was {entry.ran.weights_sha256[:12] or 'none'} "
            f"and is {now.ran.weights_sha256[:12] or 'none'}"
        )
    elif now.ran != entry.ran:
        findings.append(
            "the manifest tells another method, other settings or another choice than what ran now"
        )
    if now.operations != entry.operations:
        findings.append(f"the manifest's operations are not those of now: {_first_other(entry, now)}")
    if now.output.sha256 != entry.output.sha256:
        findings.append("made again, the result has other bytes than the manifest says")
    lies = _lying(target, again)
    if lies != again:
        findings.append(f"the output against the result made again: {difference(lies, again, max_pixels)}")
    return findings


def _why(error: DaybreakError) -> str:
    """What stood in the way, and of a large picture what to type."""
    if not isinstance(error, PictureTooLarge):
        return str(error)
    return f"{error.came}; expected {error.expected}. Type --max-pixels MILLIONS if you trust the file"


def _first_other(entry: Made, now: Made) -> str:
    """The first operation that is not the same in both."""
    pairs = zip(entry.operations, now.operations, strict=False)
    first = next((place for place, (then, new) in enumerate(pairs) if then != new), None)
    if first is None:
        return f"{len(entry.operations)} were {len(now.operations)}"
    then, new = entry.operations[first], now.operations[first]
    keys = [key for key in {**then, **new} if then.get(key) != new.get(key)]
    return f"number {first + 1} ({new.get('operation')}) differs in {', '.join(keys)}"


def difference(one: bytes, other: bytes, max_pixels: int = MAX_PIXELS) -> str:
    """How far two picture files are apart, in a clause: other sizes, other pixels, or only other bytes.

    Pixels are compared as they are shown: upright, in sRGB, at the depth of the deeper file.

    Args:
        one: may be anything.
        other: of our own making, and of any size.
        max_pixels: `one` is read where it has no more than these, or than the other.
    """
    try:
        second = read_photo(other, max_pixels=sys.maxsize)
        height, width = second.stored.shape[:2]
        first = read_photo(one, max_pixels=max(max_pixels, height * width))
    except DaybreakError as error:
        return f"it is no readable picture any more ({error.came})"
    if first.stored.shape != second.stored.shape:
        (height, width), (tall, wide) = first.stored.shape[:2], second.stored.shape[:2]
        return f"{width}x{height} pixels against {wide}x{tall}"
    bits = 8 if max(first.bit_depth, second.bit_depth) == 8 else 16
    apart = cv2.absdiff(_levels(first, bits), _levels(second, bits))
    pixels = int(np.count_nonzero(apart.reshape(-1, apart.shape[-1]).any(axis=1)))
    if not pixels:
        return "every pixel is the same; what differs is the metadata or how the pixels are packed"
    total = apart.shape[0] * apart.shape[1]
    highest = int(apart.max())
    most = f"at most {counted(highest, 'level')} of {(1 << bits) - 1:,}"
    return f"pixels differ by {most}, in {pixels:,} of {total:,} pixels"


def _levels(photo: Photo, bits: int) -> Array:
    """H×W×4: colour and alpha as whole levels."""
    stored, height_width = photo.stored, photo.stored.shape[:2]
    peak = (1 << bits) - 1
    same = isinstance(stored, Levels) and stored.peak == peak
    colour = stored.whole if same and isinstance(stored, Levels) else to_levels(photo.pixels, bits)
    opaque = np.ones(height_width, np.float32) if photo.alpha is None else photo.alpha
    return np.dstack([colour, to_levels(opaque, bits)])
