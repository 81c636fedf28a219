"""A curve on disk, as CSV and for TensorBoard, that goes on where a resumed run goes on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from daybreak.files import write_whole, writing

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class Curve:
    """One CSV file with a row per step.

    Args:
        path: of the CSV; rows of an earlier run after step `since` are dropped.
        columns: names of the values beside the step.
        since: the step that this run starts from.
        board: a TensorBoard writer that gets every value as well.

    Raises:
        UnwritablePicture: the file cannot be written.
    """

    def __init__(
        self, path: Path, columns: Sequence[str], since: int, board: SummaryWriter | None = None
    ) -> None:
        self._columns = tuple(columns)
        self._board = board
        head = ",".join(("step", *self._columns))
        rows = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        kept = [row for row in rows[1:] if row.partition(",")[0].isdecimal()] if rows[:1] == [head] else []
        kept = [row for row in kept if int(row.partition(",")[0]) <= since and row.count(",") == len(columns)]
        write_whole(path, ("\n".join([head, *kept]) + "\n").encode(), overwrite=True)
        self._path = path
        with writing(path):
            self._file = path.open("a", buffering=1, encoding="utf-8")

    def add(self, step: int, **values: float) -> None:
        """Add the row of one step; `values` are the columns.

        Raises:
            UnwritablePicture: the disk is full.
        """
        row = [str(step), *(repr(float(values[name])) for name in self._columns)]
        with writing(self._path):
            self._file.write(",".join(row) + "\n")
        if self._board:
            for name in self._columns:
                self._board.add_scalar(name, values[name], step)

    def close(self) -> None:
        """Close the file; what a full disk did not take has been told of."""
        with suppress(OSError):
            self._file.close()
