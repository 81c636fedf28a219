"""What was dealt with in a watched folder, so that a new start does nothing twice.

One JSON line for each picture, added when its result lies whole in its place. A kill between the two loses
the line alone: the next start finds the result, which says what it was made of, and adds the line.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from daybreak.enhancing.watching.arrivals import Facts
from daybreak.files import write_whole, writing

NAME = ".daybreak-watch.jsonl"


class Journal:
    """The pictures that were dealt with and are still in the folder: name -> facts.

    Args:
        folder: that holds the journal, or will.

    Raises:
        UnwritablePicture: the journal cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        with writing(self._path):
            lines = self._path.read_bytes().splitlines() if self._path.exists() else []
        self._done: dict[str, Facts] = {}
        for line in lines:
            self._take(line)
        if len(lines) != len(self._done):  # two of one picture, or one that a kill cut short
            whole = b"".join(_line(name, facts) for name, facts in self._done.items())
            write_whole(self._path, whole, overwrite=True)

    def knows(self, name: str, facts: Facts) -> bool:
        """Whether that very file was dealt with."""
        return self._done.get(name) == facts

    def add(self, name: str, facts: Facts) -> None:
        """A picture was dealt with and stays in the folder.

        Raises:
            UnwritablePicture: it cannot be written down.
        """
        with writing(self._path), self._path.open("ab") as file:
            file.write(_line(name, facts))
            file.flush()
            os.fsync(file.fileno())
        self._done[name] = facts

    def _take(self, line: bytes) -> None:
        try:
            told = json.loads(line)
            self._done[told["name"]] = Facts(told["size"], told["mtime_ns"])
        except (ValueError, KeyError, TypeError):  # cut short
            return


def _line(name: str, facts: Facts) -> bytes:
    told = {"name": name, "size": facts.size, "mtime_ns": facts.mtime_ns}
    return json.dumps(told).encode("ascii") + b"\n"
