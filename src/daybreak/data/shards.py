"""Dealing picture files out among tar files of a largest size, and writing those."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from daybreak.data.sample import Source
from daybreak.errors import DataError

BLOCK = 512  # bytes, of a tar file
END = 20 * BLOCK  # a tar file's size is a multiple of this


@dataclass
class Member:
    """A picture file that waits in a folder until all are there.

    Attributes:
        stem: its name in the pack, without a suffix.
        path: where it waits.
        suffix: of its format, with the dot.
        sha256, length: of its bytes.
        lossless: its pixels are those of the picture it was made from.
        source: that picture where the member may still be made smaller, else None.
    """

    stem: str
    path: Path
    suffix: str
    sha256: str
    length: int
    lossless: bool = True
    source: Source | None = None

    @property
    def name(self) -> str:
        """In the pack."""
        return self.stem + self.suffix

    @property
    def room(self) -> int:
        """Bytes that it takes in a tar file."""
        return len(self.header().tobuf(tarfile.PAX_FORMAT)) + BLOCK * -(-self.length // BLOCK)

    def header(self) -> tarfile.TarInfo:
        """What stands before it in a tar file; without time and owner."""
        header = tarfile.TarInfo(self.name)
        header.size = self.length
        return header


def deal(members: Sequence[Member], max_bytes: int) -> list[list[Member]]:
    """Divide members among shards, in order.

    Raises:
        DataError: one is larger than a shard.
    """
    shards: list[list[Member]] = [[]]
    used = END
    for member in members:
        if member.room + END > max_bytes:
            raise DataError(
                f"{member.name} alone has {member.length:,} bytes",
                f"pictures that fit into a shard of {max_bytes:,}",
                "Raise --max-bytes",
            )
        if used + member.room > max_bytes:
            shards.append([])
            used = END
        shards[-1].append(member)
        used += member.room
    return shards


def write_shard(path: Path, members: Sequence[Member]) -> dict[str, dict[str, object]]:
    """Write a tar file without times and owners, so that equal pictures make equal files.

    Returns:
        For the index: name -> shard, first byte, length, sha256, lossless.
    """
    places: dict[str, dict[str, object]] = {}
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for member in members:
            data = member.path.read_bytes()
            tar.addfile(member.header(), io.BytesIO(data))
            places[member.name] = {
                "shard": path.name,
                "start": tar.offset - BLOCK * -(-len(data) // BLOCK),
                "length": len(data),
                "sha256": member.sha256,
                "lossless": member.lossless,
            }
    return places
