"""The encoded picture of an unfinished run: a file that a killed run leaves and the next one reads.

A header tells what the run was asked; then packets follow in the encoder's order, and beside some key frames
what the run knew when it came to them. Groups of frames are closed, so everything before a key frame is shown
before it, and a run can go on at any that has such a note.
"""

from __future__ import annotations

import io
import json
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from av.packet import Packet

from daybreak.enhancing.video.steady import State
from daybreak.errors import OutputExists
from daybreak.files import writing
from daybreak.image.paths import shown

_HEAD = struct.Struct("<cqqI")  # kind, pts, duration, bytes that follow
_KEY, _OTHER, _STATE, _HEADER = b"K", b"P", b"S", b"H"
_FORM = {"form of notes": " ".join(field.name for field in fields(State))}


class Entry(NamedTuple):
    """A packet in the file."""

    key: bool
    pts: int
    duration: int
    place: int
    size: int


@dataclass(frozen=True)
class Mark:
    """Where a run can go on: the time of a key frame, and what was known there; None where nothing was."""

    pts: int
    state: State | None


def log_path(target: Path) -> Path:
    """Where the unfinished result of `target` lies: beside it, hidden."""
    return target.with_name(f".{target.name}.daybreak-part")


class PacketLog:
    """The file, open for one run at a time.

    Args:
        path: from `log_path`.
        asked: what the run was asked, as JSON text by name.
        resume: go on with what is there.
        overwrite: begin anew where there is another run's, or this one's that is not to be gone on with.

    Raises:
        OutputExists: another run is at work in it, or there is what `overwrite` would begin anew over.
        UnwritablePicture: it cannot be written.

    Attributes:
        mark: where to go on; None from the beginning.
    """

    def __init__(self, path: Path, asked: dict[str, str], *, resume: bool, overwrite: bool) -> None:
        self.path = path
        self.mark: Mark | None = None
        asked = asked | _FORM
        with writing(path):
            self._file: IO[bytes] = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
            try:
                _lock(self._file, path)
                if resume or not overwrite:
                    self._go_on(asked, resume)
                if self.mark is None:
                    self._file.seek(0)
                    self._file.truncate()
                    self._append(_HEADER, 0, 0, json.dumps(asked).encode())
            except BaseException:
                self._file.close()
                raise

    def _go_on(self, asked: dict[str, str], resume: bool) -> None:
        """Find the last mark and cut off what comes after it; refuse to lose hours of work."""
        records = list(self._records())
        if not records or records[0][0] != _HEADER:
            return
        states = {pts: (place, size) for kind, pts, _, place, size in records if kind == _STATE}
        keys = [(pts, place) for kind, pts, _, place, _ in records if kind == _KEY and pts in states]
        if not keys or (len(keys) == 1 and not resume):
            return
        before: dict[str, str] = json.loads(self._bytes(records[0][3], records[0][4]))
        changed = sorted(key for key in asked if before.get(key) != asked[key])
        if changed or not resume:
            had = f"had another {' and another '.join(changed)}" if changed else "can be gone on with"
            do = "Type what it was asked and --resume" if changed else "Type --resume"
            anew = "--overwrite without it" if resume else "--overwrite"
            came = f"the unfinished run in {shown(self.path)} {had}"
            raise OutputExists(came, hint=f"{do}, or {anew} to begin anew")
        pts, place = keys[-1]
        self.mark = Mark(pts, _read_state(self._bytes(*states[pts])))
        self._file.seek(place - _HEAD.size)
        self._file.truncate()

    def note(self, pts: int, state: State | None) -> None:
        """Write down what was known before the frame of that time, if anything was."""
        self._append(_STATE, pts, 0, b"" if state is None else _written_state(state))

    def add(self, packet: Packet[Any], duration: int) -> None:
        """Write the next packet of the encoder."""
        assert packet.pts is not None
        self._append(_KEY if packet.is_keyframe else _OTHER, packet.pts, duration, bytes(packet))

    def _append(self, kind: bytes, pts: int, duration: int, data: bytes) -> None:
        self._file.write(_HEAD.pack(kind, pts, duration, len(data)) + data)
        self._file.flush()  # a killed run keeps what the system was given

    def entries(self) -> list[Entry]:
        """Every packet, in the encoder's order."""
        return [
            Entry(kind == _KEY, pts, duration, place, size)
            for kind, pts, duration, place, size in self._records()
            if kind in (_KEY, _OTHER)
        ]

    def packet(self, entry: Entry) -> Packet[Any]:
        """A packet again, without its dts."""
        packet = Packet(self._bytes(entry.place, entry.size))
        packet.pts, packet.duration, packet.is_keyframe = entry.pts, entry.duration, entry.key
        return packet

    def close(self, *, remove: bool) -> None:
        """Let go of the file, and remove it where it is of no more use."""
        with suppress(OSError):  # what a full disk did not take was told when it was written
            self._file.close()
        if remove:
            self.path.unlink(missing_ok=True)

    def _records(self) -> Iterator[tuple[bytes, int, int, int, int]]:
        """Kind, pts, duration, place and size of each whole record."""
        end = self._file.seek(0, os.SEEK_END)
        place = 0
        while place + _HEAD.size <= end:
            kind, pts, duration, size = _HEAD.unpack(self._bytes(place, _HEAD.size))
            place += _HEAD.size
            if place + size > end or kind not in (_KEY, _OTHER, _STATE, _HEADER):
                return
            yield kind, pts, duration, place, size
            place += size
        self._file.seek(0, os.SEEK_END)

    def _bytes(self, place: int, size: int) -> bytes:
        self._file.seek(place)
        return self._file.read(size)


def decoding_times(pts: list[int]) -> list[int]:
    """Times to decode by for packets in the encoder's order: rising, and none after its packet's pts.

    Encoders give them too; those of two encoders that were joined overlap where frames are unevenly spaced.
    What lies before the first frame has the pace of the first ones, as x264 does it: the length that MP4
    makes of these times is then that of a source with as many frames held back.

    Args:
        pts: of all packets, no two alike.

    >>> decoding_times([0, 3, 1, 2, 4])
    [-1, 0, 1, 2, 3]
    """
    ordered = sorted(pts)
    rank = {time: place for place, time in enumerate(ordered)}
    delay = max((place - rank[time] for place, time in enumerate(pts)), default=0)
    if delay == 0:
        return ordered
    back = ordered[delay] - ordered[0]
    return [time - back for time in ordered[:delay]] + ordered[:-delay]


def _lock(file: IO[bytes], path: Path) -> None:
    """Keep other runs out.

    Raises:
        OutputExists: one is in.
    """
    try:
        import fcntl
    except ImportError:  # Windows lets nobody else open it for writing
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        came = f"another run is at work on {shown(path)}"
        raise OutputExists(came, hint="Wait for it to end, or give another -o") from None


def _written_state(state: State) -> bytes:
    data = io.BytesIO()
    np.savez(data, **{field.name: getattr(state, field.name) for field in fields(State)})
    return data.getvalue()


def _read_state(data: bytes) -> State | None:
    if not data:
        return None
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return State(**{field.name: arrays[field.name] for field in fields(State)})
