"""The clock of a film may jump back, as where recordings were joined; here it goes on from there.

The picture's packets tell where and how far, and the other streams follow: sound stays with its picture.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from av.packet import Packet

_BACK = 0.5  # s: who goes back farther has another clock, less is disorder


class Jump(NamedTuple):
    """A jump back: where in the file it lies, and the seconds that are added to every time from there on."""

    place: int
    added: Fraction


class PictureClock:
    """Takes the jumps out of the times of the picture's packets.

    Attributes:
        jumps: found so far.
    """

    def __init__(self) -> None:
        self.jumps: list[Jump] = []
        self._last: int | None = None
        self._next = self._added = self._place = 0

    def __call__(self, packet: Packet[Any]) -> None:
        """Move the next packet of the file."""
        self._place = packet.pos or self._place  # not each packet of those that lie together has one
        if packet.dts is not None:
            dts = packet.dts + self._added
            if self._last is not None and (self._last - dts) * packet.time_base > _BACK:
                self._added += self._next - dts
                dts = self._next
                self.jumps.append(Jump(self._place, self._added * packet.time_base))
            self._next = dts + (packet.duration or (1 if self._last is None else dts - self._last))
            self._last = dts
        move(packet, self._added)


class FollowingClock:
    """Takes them out of the times of another stream's packets.

    Args:
        jumps: of the picture.
        sparse: whether the packets are so rare that their own times tell of no jump.
    """

    def __init__(self, jumps: list[Jump], *, sparse: bool) -> None:
        self.jumps, self.sparse = jumps, sparse
        self._behind = self._place = 0  # jumps that lie behind; where in the file it is
        self._last: Fraction | None = None

    def __call__(self, packet: Packet[Any]) -> None:
        """Move the next packet of the file."""
        at = packet.dts if packet.dts is not None else packet.pts
        if not self.jumps or at is None:
            return
        self._place = packet.pos or self._place
        passed = sum(jump.place <= self._place for jump in self.jumps)
        if self.sparse:
            self._behind = passed
        elif self._last is not None and self._last - self._moved(at, packet) > _BACK:
            self._behind = min(max(self._behind + 1, passed), len(self.jumps))
        self._last = self._moved(at, packet)
        move(packet, round(self._added / packet.time_base))

    @property
    def _added(self) -> Fraction:
        return self.jumps[self._behind - 1].added if self._behind else Fraction(0)

    def _moved(self, at: int, packet: Packet[Any]) -> Fraction:
        return at * packet.time_base + self._added


def move(packet: Packet[Any], units: int) -> None:
    """Have a packet come that much later."""
    packet.pts = None if packet.pts is None else packet.pts + units
    packet.dts = None if packet.dts is None else packet.dts + units
