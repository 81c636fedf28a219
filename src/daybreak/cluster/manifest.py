"""The manifest of a place of results: one row for each input, in Parquet, whole at any time.

While a run goes on, its rows are put into `_daybreak/parts/`, each part a whole file. At its end they are
merged into `_daybreak/manifest.parquet`, where an input's newest row takes the place of older ones.
"""

from __future__ import annotations

import io
import itertools
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from daybreak.cluster.digests import Digests, digest, plain
from daybreak.cluster.place import Found, Place
from daybreak.cluster.rows import DONE, Row
from daybreak.errors import MissingExtra, PlaceError
from daybreak.image.paths import shown
from daybreak.types import Array

FOLDER = "_daybreak"
NAME = f"{FOLDER}/manifest.parquet"
PARTS = f"{FOLDER}/parts"

_ROWS = 1000  # in a part
_SECONDS = 10.0  # after which a part is put even if it has fewer
_GROUP = 100_000  # rows that are read or written at a time
_TEXT = ("source", "target", "state", "asked", "source_version", "target_version", "source_sha256", "sha256")
_TEXT_TOO = ("method", "note", "error")


@dataclass(frozen=True)
class Known:
    """What is known of a place of results before a run.

    Attributes:
        done: (source, its version, target) of what need not be done again, each digested.
        there: the names of the files that are there, digested.
    """

    done: Digests = field(default_factory=Digests)
    there: Digests = field(default_factory=Digests)


class Manifest:
    """Collects the rows of a run and merges them with those of earlier ones.

    Args:
        place: of the results.

    Raises:
        MissingExtra: there is no pyarrow.
    """

    def __init__(self, place: Place) -> None:
        try:
            import pyarrow  # noqa: F401
        except ImportError:
            raise MissingExtra("the manifest of a place", "cluster") from None
        self.place = place
        self._run = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{secrets.token_hex(4)}"
        self._parts = 0
        self._waiting: list[Row] = []
        self._put = time.monotonic()

    def add(self, row: Row) -> None:
        """Take a row in; it is in the place 10 s or 1,000 rows later. A folder's row is none of an input.

        Raises:
            PlaceError: the place refuses.
        """
        if row.target:
            self._waiting.append(row)
        if len(self._waiting) >= _ROWS or time.monotonic() - self._put > _SECONDS:
            self.flush()

    def flush(self) -> None:
        """Put what waits.

        Raises:
            PlaceError: the place refuses.
        """
        self._put = time.monotonic()
        if not self._waiting:
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_pylist([_plain(row) for row in self._waiting], schema=schema())
        file = io.BytesIO()
        pq.write_table(table, file, compression="zstd")
        self._write(f"{PARTS}/{self._run}-{self._parts:06d}.parquet", file.getvalue())
        self._parts += 1
        self._waiting.clear()

    def merge(self) -> None:
        """Make the manifest whole: the newest row of each input. After a kill, the next run does it.

        Raises:
            PlaceError: the place refuses.
        """
        self.flush()
        parts = self._names()
        if parts in ([], [NAME]):
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        newest = self._newest(parts)
        file = io.BytesIO()
        with pq.ParquetWriter(file, schema(), compression="zstd") as writer:
            kept: list[Any] = []
            for batch, mask in zip(self._batches(parts), reversed(newest), strict=True):
                kept.append(batch.filter(pa.array(mask)))
                if sum(len(each) for each in kept) >= _GROUP:
                    writer.write_table(pa.Table.from_batches(kept))
                    kept.clear()
            writer.write_table(pa.Table.from_batches(kept, schema()))
        self._write(NAME, file.getvalue())
        for part in parts:
            if part != NAME:
                self.place.remove(part)

    def _newest(self, parts: Sequence[str]) -> list[Array]:
        """For each batch, the newest first, which of its rows no newer one takes the place of."""
        seen, masks = Digests(), []
        for batch in self._batches(parts, ["source"], newest_first=True):
            names = batch.column("source").to_pylist()
            masks.append(np.array(seen.add([digest(name) for name in reversed(names)])[::-1], bool))
        return masks

    def known(self, asked: str) -> Known:
        """What need not be done again, and which names are taken.

        A picture need not be done if a row says that it is, it was asked for in the same way, and the result
        that lies there is still the one that was put there, as far as the listing tells.

        Raises:
            PlaceError: the results cannot be listed, or the manifest not be read.
        """
        known, versions = Known(), Digests()
        files = self.place.files()
        while chunk := list(itertools.islice(files, _ROWS)):
            found = [file for file in chunk if isinstance(file, Found)]
            if len(found) < len(chunk):
                raise next(file.error for file in chunk if not isinstance(file, Found))
            known.there.add([digest(file.name) for file in found])
            versions.add([digest(file.name, file.version) for file in found if file.version])
        columns = ["source", "source_version", "target", "target_version", "state", "asked"]
        for batch in self._batches(self._names(), columns):
            rows = [row for row in batch.to_pylist() if row["state"] in DONE and row["asked"] == asked]
            lie = versions.hold([digest(row["target"], row["target_version"]) for row in rows])
            known.done.add(
                [
                    digest(row["source"], row["source_version"], row["target"])
                    for row, is_there in zip(rows, lie, strict=True)
                    if is_there and row["source_version"]
                ]
            )
        return known

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every row of the manifest and of the parts that wait to be merged, older ones first."""
        for batch in self._batches(self._names()):
            yield from batch.to_pylist()

    def _names(self) -> list[str]:
        """The manifest and the parts that are there, the oldest first."""
        fs, folder = self.place.fs, self.place.path(PARTS)
        try:
            parts = fs.ls(folder, detail=False) if fs.exists(folder) else []
            main = [NAME] if fs.exists(self.place.path(NAME)) else []
        except Exception as error:
            raise PlaceError(f"{self.place.url}: its manifest cannot be looked for ({error})") from error
        ours = sorted(part.rpartition("/")[2] for part in parts if part.endswith(".parquet"))
        return main + [f"{PARTS}/{name}" for name in ours]

    def _batches(
        self, names: Sequence[str], columns: list[str] | None = None, newest_first: bool = False
    ) -> Iterator[Any]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        for name in reversed(names) if newest_first else names:
            try:
                with self.place.fs.open(self.place.path(name), "rb") as file:
                    parquet = pq.ParquetFile(file)
                    groups = range(parquet.num_row_groups)
                    for group in reversed(groups) if newest_first else groups:
                        yield from parquet.read_row_group(group, columns).combine_chunks().to_batches()
            except (OSError, pa.ArrowException) as error:
                came = f"{shown(name)} in {self.place.url} cannot be read as a manifest ({error})"
                raise PlaceError(came, hint="Move it away; the results are known without it") from error

    def _write(self, name: str, data: bytes) -> None:
        from daybreak.errors import UnwritablePicture

        try:
            self.place.write(Path(name), data, overwrite=True)
        except UnwritablePicture as error:
            raise PlaceError(f"the manifest in {self.place.url}: {error}") from error


def schema() -> Any:
    """The columns, see `Row`."""
    import pyarrow as pa

    names = [(name, pa.string()) for name in (*_TEXT, *_TEXT_TOO)]
    return pa.schema(
        [*names, ("bytes", pa.int64()), ("seconds", pa.float64()), ("made", pa.timestamp("ms", "UTC"))]
    )


def _plain(row: Row) -> dict[str, Any]:
    values = asdict(row) | {"made": int(row.made * 1000)}
    del values["place_fault"]
    return {name: plain(value) if isinstance(value, str) else value for name, value in values.items()}
