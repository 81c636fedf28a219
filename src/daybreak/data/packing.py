"""Making a pack.

Inputs keep every pixel: a JPEG, a WebP or an AVIF, and whatever is in a pack already, goes in as the file it
is, anything else as lossless WebP (PNG where it has more than 8 bits). References too, as long as all of it
fits; else as JPEG of quality 98, then 95, each where that is smaller. So a pack that was unpacked and packed
again, or packed again as it is, holds the same files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from daybreak.data.base import Dataset
from daybreak.data.pack import FORMAT, INDEX, Packed
from daybreak.data.sample import Sample, Source, levels, photo_of
from daybreak.data.shards import Member, deal, write_shard
from daybreak.data.workroom import workroom
from daybreak.errors import DataError, DaybreakError, UnwritablePicture
from daybreak.files import write_whole
from daybreak.image.formats import FORMATS, sniff
from daybreak.image.paths import read_bytes, shown
from daybreak.image.photo import Photo
from daybreak.image.vips import load_vips
from daybreak.image.write import encode_photo

QUALITIES = (98, 95)
"""Of JPEG references, tried in this order."""

AS_THEY_ARE = ("jpeg", "webp", "avif")
"""Formats that are small already."""

Watch = Callable[[Iterable[Sample], int], Iterable[Sample]]
"""Passes the samples on and may show how many of the number have gone by."""


@dataclass(frozen=True)
class PackReport:
    """What a pack has become.

    Attributes:
        samples: how many are in it.
        files: name -> bytes, of the shards.
        references: how they are kept: "lossless" or "JPEG quality 98".
        left_out: what could not be used, a sentence each.
    """

    samples: int
    files: dict[str, int]
    references: str
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class _Entry:
    """One sample on its way into the index."""

    name: str
    split: str
    input: Member
    reference: Member | None

    def as_json(self) -> dict[str, str]:
        told = {"name": self.name, "split": self.split, "input": self.input.name}
        return told if self.reference is None else told | {"reference": self.reference.name}


def write_pack(
    dataset: Dataset,
    root: Path,
    out: Path,
    *,
    splits: Sequence[str] = (),
    max_bytes: int,
    shards: int | None = None,
    watch: Watch | None = None,
) -> PackReport:
    """Pack the training splits of a data set.

    Args:
        dataset, root: what, and the folder it is in.
        out: a folder; made if need be, and it must be empty.
        splits: of the data set; none for its "train" and "val", or its default split where it has no such.
        max_bytes: of each shard.
        shards: how many there may be; None for as many as it takes to keep everything without loss.
        watch: see `Watch`.

    Raises:
        DataError: nothing is there to be packed, or it does not fit.
        UnknownName: no such split.
        OutputExists: something is in the folder already, or another process is packing into it.
        UnwritablePicture: the folder cannot be written.
    """
    trained = [split for split in ("train", "val") if split in dataset.card.splits]
    chosen = list(splits) or trained or [dataset.card.default_split]
    found = [(split, dataset.find(root, split)) for split in chosen]
    jobs = [(split, sample) for split, part in found for sample in part.samples]
    left_out = [str(problem) for _, part in found for problem in part.problems]
    try:
        with workroom(out) as waiting:
            keeper = _Keeper(waiting)
            samples = (sample for _, sample in jobs)
            entries = []
            for (split, _), sample in zip(jobs, watch(samples, len(jobs)) if watch else samples, strict=True):
                try:
                    entries.append(keeper.take(sample, split))
                except DaybreakError as error:
                    left_out.append(f"{sample.name}: {error}")
            if not entries:
                raise DataError(f"nothing of {dataset.card.name} can be packed: {left_out[0]}")
            members = keeper.needed(entries)
            kept = _shrink(members, max_bytes, shards)
            files, places = _write_shards(waiting, dataset.card.name, deal(members, max_bytes))
            sizes = {path.name: path.stat().st_size for path in files}
            index = {
                "format": FORMAT,
                "dataset": dataset.card.name,
                "terms": dataset.card.terms,
                "references": kept,
                "left_out": left_out,
                "shards": sizes,
                "samples": [entry.as_json() for entry in entries],
                "members": places,
            }
            for path in files:
                path.rename(out / path.name)
            write_whole(out / INDEX, (json.dumps(index, indent=1) + "\n").encode("ascii"))
    except OSError as error:
        raise UnwritablePicture(f"{shown(out)} cannot be written ({error.strerror})") from None
    return PackReport(len(entries), sizes, kept, tuple(left_out))


class _Keeper:
    """Takes pictures in, each distinct one once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._by_digest: dict[str, Member] = {}
        self._by_source: dict[Source, Member] = {}

    def take(self, sample: Sample, split: str) -> _Entry:
        """Keep both pictures of a sample.

        Raises:
            DaybreakError: it cannot be loaded, and is left out as a whole.
        """
        sample.load()
        dark = self._keep(sample.input, f"{split}/input/{sample.name}")
        dark.source = None  # an input is never made smaller, even if it is somebody's reference
        if sample.reference is None:
            return _Entry(sample.name, split, dark, None)
        bright = self._keep(sample.reference, f"{split}/reference/{sample.name}", may_shrink=True)
        return _Entry(sample.name, split, dark, bright)

    def needed(self, entries: Sequence[_Entry]) -> list[Member]:
        """What the entries use, each once, in their order."""
        used = {id(member) for entry in entries for member in (entry.input, entry.reference)}
        return [member for member in self._by_digest.values() if id(member) in used]

    def _keep(self, source: Source, stem: str, may_shrink: bool = False) -> Member:
        if source not in self._by_source:
            data, suffix = lossless(source)
            digest = hashlib.sha256(data).hexdigest()
            if digest not in self._by_digest:
                path = self._folder / str(len(self._by_digest))
                path.write_bytes(data)
                whole = source if may_shrink else None
                self._by_digest[digest] = Member(stem, path, suffix, digest, len(data), source=whole)
            self._by_source[source] = self._by_digest[digest]
        return self._by_source[source]


def lossless(source: Source) -> tuple[bytes, str]:
    """A picture as a file that keeps every pixel, and the file's suffix.

    Raises:
        UnreadablePicture: it cannot be read.
    """
    if isinstance(source, Packed):
        return source.data(), Path(source.member).suffix
    if isinstance(source, Path):
        data = read_bytes(source)
        format = sniff(data)
        if format in AS_THEY_ARE:
            return data, FORMATS[format].suffixes[0]
    pixels = levels(photo_of(source))
    height, width = pixels.shape[:2]
    kind = "uchar" if pixels.dtype == np.uint8 else "ushort"
    image = load_vips().Image.new_from_memory(np.ascontiguousarray(pixels).data, width, height, 3, kind)
    if kind == "uchar" and max(height, width) <= FORMATS["webp"].max_side:
        return image.webpsave_buffer(lossless=True, effort=6, keep="none"), ".webp"
    return image.pngsave_buffer(compression=9, keep="none"), ".png"


def _shrink(members: Sequence[Member], max_bytes: int, shards: int | None) -> str:
    """Make references smaller until all fits; how they are kept then.

    Raises:
        DataError: they do not fit.
    """
    kept = "lossless"
    if shards is None:
        return kept
    for quality in (None, *QUALITIES):
        if quality is not None:
            kept = f"JPEG quality {quality}"
            for member in members:
                _as_jpeg(member, quality)
        needed = len(deal(members, max_bytes))
        if needed <= shards:
            return kept
    raise DataError(
        f"the pack needs {needed} shards of {max_bytes:,} bytes, with inputs lossless and references {kept}",
        f"{shards}",
        "Raise --max-bytes or --shards",
    )


def _as_jpeg(member: Member, quality: int) -> None:
    """Replace a reference by a JPEG of it, if that is smaller."""
    if member.source is None:
        return
    photo = Photo.from_pixels(photo_of(member.source).pixels, bit_depth=8)
    data = encode_photo(photo, "jpeg", quality=quality)
    if len(data) < member.length:
        member.path.write_bytes(data)
        member.sha256, member.length = hashlib.sha256(data).hexdigest(), len(data)
        member.suffix, member.lossless = ".jpg", False


def _write_shards(
    folder: Path, name: str, shards: Sequence[Sequence[Member]]
) -> tuple[list[Path], dict[str, dict[str, object]]]:
    """The files, and where each member lies in them."""
    title = "".join(sign if sign.isalnum() or sign in "-." else "-" for sign in name)
    paths = [folder / f"{title}-{number}.tar" for number in range(len(shards))]
    places: dict[str, dict[str, object]] = {}
    for path, shard in zip(paths, shards, strict=True):
        places.update(write_shard(path, shard))
    return paths, places
