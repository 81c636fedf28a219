"""A pack: a training set in a few files, every picture with its checksum, to carry to another machine.

A folder with `index.json` and shards `NAME-0.tar`, plain tar files that any program opens. The index holds
for each sample its split and where its two pictures lie (shard, first byte, length, sha256), so that a
picture is read without unpacking anything. Equal files are kept once.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daybreak.data.base import Card, Dataset, Found
from daybreak.data.sample import Sample
from daybreak.errors import DataError, UnknownName, UnwritablePicture
from daybreak.files import write_whole
from daybreak.image.paths import shown
from daybreak.image.photo import Photo
from daybreak.image.read import read_photo

INDEX = "index.json"
FORMAT = "daybreak pack 1"


@dataclass(frozen=True)
class Packed:
    """A picture in a shard.

    Attributes:
        shard: the tar file.
        member: its name in there, "input/NAME.webp" or "reference/NAME.jpg".
        start, length: of its bytes in the shard.
        sha256: of its bytes, 64 hexadecimal digits.
        lossless: whether its pixels are those of the picture it was made from.
    """

    shard: Path
    member: str
    start: int
    length: int
    sha256: str
    lossless: bool

    @property
    def name(self) -> str:
        """Shard and member."""
        return f"{shown(self.shard)}/{self.member}"

    def data(self) -> bytes:
        """The bytes of the picture file, checked.

        Raises:
            DataError: the shard is missing, cut short or damaged.
        """
        try:
            with self.shard.open("rb") as file:
                file.seek(self.start)
                data = file.read(self.length)
        except OSError as error:
            raise DataError(f"{shown(self.shard)} cannot be read ({error.strerror})", hint=_AGAIN) from None
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise DataError(f"{self.name} is damaged: its checksum differs", hint=_AGAIN)
        return data

    def photo(self) -> Photo:
        """The picture.

        Raises:
            DataError: as from `data`.
            UnreadablePicture: it is no picture.
        """
        return read_photo(self.data(), name=self.name)


_AGAIN = "Carry the pack over again"


def read_pack(folder: Path, split: str = "") -> Found:
    """The samples of a pack, as any data set gives them.

    Args:
        folder: with the index and the shards.
        split: one of those in the pack; "" for all.

    Raises:
        DataError: there is no pack, it is of another version, or a shard is missing or cut short.
        UnknownName: no such split.
    """
    index = read_index(folder)
    splits = list(dict.fromkeys(entry["split"] for entry in index["samples"]))
    if split and split not in splits:
        raise UnknownName(f"split in the pack {shown(folder)}", split, splits)
    for name, length in index["shards"].items():
        _check_shard(folder / name, length)
    chosen = [entry for entry in index["samples"] if split in ("", entry["split"])]
    try:
        return Found(tuple(_sample(folder, entry, index["members"]) for entry in chosen))
    except (KeyError, TypeError):
        raise DataError(f"{shown(folder / INDEX)} is damaged", hint=_AGAIN) from None


def read_index(folder: Path) -> dict[str, Any]:
    """What `index.json` of a pack holds.

    Raises:
        DataError: there is none, or none that this version reads.
    """
    path = folder / INDEX
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"there is no pack in {shown(folder)} ({error.strerror})", INDEX) from None
    except ValueError:
        raise DataError(f"{shown(path)} is damaged", hint=_AGAIN) from None
    if not isinstance(index, dict) or index.get("format") != FORMAT:
        raise DataError(f"{shown(path)} is no index of a pack", f"one of format {FORMAT!r}")
    return index


def unpack(pack: Path, out: Path) -> int:
    """Write every picture of a pack as a file: OUT/SPLIT/input/NAME and OUT/SPLIT/reference/NAME.

    Returns:
        How many samples there are.

    Raises:
        DataError: the pack is damaged, or a name in it leads out of the folder.
        OutputExists: a file is there already.
        UnwritablePicture: a folder cannot be written.
    """
    splits = [entry["split"] for entry in read_index(pack)["samples"]]
    samples = read_pack(pack).samples
    for split, sample in zip(splits, samples, strict=True):
        for side, source in (("input", sample.input), ("reference", sample.reference)):
            if isinstance(source, Packed):
                target = out / split / side / (sample.name + Path(source.member).suffix)
                if not target.resolve().is_relative_to(out.resolve()):
                    raise DataError(f"the pack {shown(pack)} names a file outside of {shown(out)}")
                _write(target, source.data())
    return len(samples)


def _write(target: Path, data: bytes) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritablePicture(f"{shown(target.parent)} cannot be made ({error.strerror})") from None
    write_whole(target, data)


def _sample(folder: Path, entry: dict[str, str], members: dict[str, dict[str, Any]]) -> Sample:
    pictures = []
    for side in ("input", "reference"):
        member = entry.get(side)
        pictures.append(None if member is None else _packed(folder, member, members[member]))
    dark, bright = pictures
    if dark is None:
        raise KeyError("input")
    return Sample(entry["name"], dark, bright)


def _packed(folder: Path, member: str, entry: dict[str, Any]) -> Packed:
    shard = folder / entry["shard"]
    return Packed(shard, member, entry["start"], entry["length"], entry["sha256"], entry["lossless"])


def _check_shard(path: Path, length: int) -> None:
    there = path.stat().st_size if path.is_file() else None
    if there != length:
        told = "is missing" if there is None else f"has {there:,} bytes"
        raise DataError(f"the shard {shown(path)} {told}", f"{length:,} bytes", _AGAIN)


def find(root: Path, split: str) -> Found:
    """What a pack holds of a split."""
    return read_pack(root, "" if split == "all" else split)


DATASET = Dataset(
    Card(
        name="pack",
        title="A pack",
        summary="Any data set in a few checked files, made by: daybreak data pack",
        kind="paired",
        home="",
        get="daybreak data pack DATASET --root FOLDER --max-bytes 60MB -o PACK",
        size="that of what was packed",
        terms="those of what was packed; index.json repeats them",
        layout=f"{INDEX} and the shards beside it",
        splits={
            "all": "every sample",
            "train": "as it was when packed",
            "val": "as it was when packed",
            "test": "as it was when packed",
        },
    ),
    find,
)
