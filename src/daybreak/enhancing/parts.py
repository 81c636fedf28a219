"""How a large picture is parted: what is looked at beforehand, and tiles that fit into memory.

A `local` method is run on tiles with its halo around them; the result is that of one piece. A `global` one
looks at the whole picture in bands (`Method.prepare`), or in tiles for a network's pooled numbers
(`Method.freeze`); what is left of it is local. What one does that cannot be parted so is learnt from a
reduced copy (`daybreak.enhancing.lowpass`) and applied part by part. Either way no part knows less than the
picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import cv2

from daybreak.enhancing.amount import Amount, amount_for, enlarged
from daybreak.enhancing.lowpass import learn
from daybreak.enhancing.memory import UNMEASURED
from daybreak.errors import NotEnoughMemory
from daybreak.image.blocks import block_pixels
from daybreak.image.rows import Bands
from daybreak.image.tiles import Span, spans
from daybreak.methods.base import Method, Prepared, Settings
from daybreak.types import Pixels

SIDE = 768  # px of a tile without its halo at the most: larger ones take a little less time, much more memory
SMALL = 512  # px; a picture that is nowhere longer is done in one piece
NARROW = 512  # px; tiles are no narrower than this for the sake of having one for each thread
LEAST_SIDE = 32  # px; when tiles of this side do not fit, nothing does
COPY = 1 << 20  # pixels of the reduced copy at the most; more brings little and takes a network long
_FLOATS = 130.0  # bytes a pixel that the curves, lines and floats of a tile take (measured)
_TILE = 4.0  # times a local network's memory per pixel, that a pixel of a tile takes: 2 to 4 (measured)
_FROZEN = 1.5  # times a network's memory, that asking it for its numbers takes, and giving them (measured)
_AROUND = 4e9  # pixels around all tiles; more would take quarters of an hour
_LEARN = 100.0  # bytes a pixel of the copy that learning from it takes


@dataclass(frozen=True)
class Part:
    """How any part of one picture is made.

    Attributes:
        run: (window, top, left) -> the window's result, `scale` times its size; leaves the window as it is;
            called from several threads.
        halo: pixels around a tile that its result depends on.
        cell: tiles and windows begin at multiples of this.
        scale: output side / input side.
        per_pixel: bytes that one pixel of a window takes while it is worked on.
        at_once: tiles worked on at the same time; None for as many as OpenCV may use threads.
        kept: bytes that it holds besides.
        note: for people, what was reduced; "" where the result is that of one piece.
    """

    run: Callable[[Pixels, int, int], Pixels]
    halo: int = 0
    cell: int = 1
    scale: int = 1
    per_pixel: float = _FLOATS
    at_once: int | None = None
    kept: int = 0
    note: str = ""

    @property
    def threads(self) -> int:
        """How many tiles are worked on at a time, at the most."""
        return self.at_once or max(1, cv2.getNumThreads())


@dataclass(frozen=True)
class Plan:
    """How one picture is enhanced in parts.

    Attributes:
        part: of the method.
        amount: how its result is mixed with the input.
        side: of a tile, px.
    """

    part: Part
    amount: Amount
    side: int

    @property
    def note(self) -> str:
        """For people, what was reduced; "" where the result is that of one piece."""
        return self.part.note


@dataclass(frozen=True)
class Copy:
    """A reduced copy of a whole picture.

    Attributes:
        pixels: h×w×3 float32 in [0, 1], from `block_pixels`.
        block: side in px of what became one pixel.
    """

    pixels: Pixels
    block: int


def copy_of(source: Bands, method: Method[Any], room: int | None) -> Copy:
    """A copy on which a method can be run within the room; looks at the picture from top to bottom."""
    block = copy_block(source.shape, method, room)
    return Copy(block_pixels(source, block), block)


def plan_parts(
    source: Bands,
    method: Method[Any],
    settings: Settings,
    strength: float,
    exposure: float | None,
    room: int | None,
    *,
    side: int = SIDE,
    copy: Copy | None = None,
) -> Plan:
    """Look at the whole picture as far as need be and say how its parts are made.

    Args:
        source: the picture.
        method, settings: what runs; settings that are settled (`Method.settle`).
        strength, exposure: as for `Enhancer`.
        room: bytes that may be taken; None where nobody knows.
        side: of a tile at the most, px.
        copy: of the picture, if somebody has it already.

    Raises:
        NotEnoughMemory: not even the smallest tiles fit.
    """
    made: Pixels | None = None
    if method.prepare is not None:
        part = _prepared_part(source, method, settings, room, side)
    elif method.card.context == "local":
        part = _card_part(_windows(partial(_run, method, settings)), method, settings)
    else:
        part = _frozen_part(source, method, settings, room, side)
        side = side if part is None else _wide(side, part)
    if part is None or exposure is not None:
        copy = copy or copy_of(source, method, room)
        made = method.run(copy.pixels, shrunken(settings, copy.block))
        part = part or _learnt_part(source, method, copy, made)
    if exposure is None:
        amount = Amount(strength)
    else:
        assert copy is not None
        assert made is not None
        amount = amount_for(enlarged(copy.pixels, made.shape), made, exposure)
    part, side = _fitting(source.shape[1], part, room, side)
    return Plan(part, amount, side)


def _fitting(width: int, part: Part, room: int | None, most: int) -> tuple[Part, int]:
    """The part and a side of its tiles with which the work keeps within the room, if need be one at a time.

    Raises:
        NotEnoughMemory: there is none.
    """
    left = None if room is None else max(0, room - part.kept)
    try:
        return part, fitting_side(width, part, left, most)
    except NotEnoughMemory:
        alone = replace(part, at_once=1)
        return alone, fitting_side(width, alone, left, most)


def _prepared_part(
    source: Bands, method: Method[Any], settings: Settings, room: int | None, side: int
) -> Part | None:
    """The part of a method that has looked at the whole; None where there is not even room for its looks.

    None too where a large picture would take tiles that are small beside what lies around them.
    """
    assert method.prepare is not None
    try:
        prepared = method.prepare(source, settings, room)
        run = partial(_apply, prepared)
        part = Part(run, prepared.halo, prepared.cell, kept=prepared.kept, note=prepared.reduced)
        fits = _fitting(source.shape[1], part, room, side)[1]
    except NotEnoughMemory:
        return None
    around = (((fits + 2 * part.halo) / fits) ** 2 - 1) * source.shape[0] * source.shape[1]
    return None if room is not None and around > _AROUND else part


def _learnt_part(source: Bands, method: Method[Any], copy: Copy, made: Pixels) -> Part:
    """The part that was learnt from a reduced copy and what the method made of it.

    Raises:
        NotEnoughMemory: the method gives another size.
    """
    if made.shape != copy.pixels.shape:
        size = source.shape[0] * source.shape[1] / 1e6
        raise NotEnoughMemory(
            f"{method.card.name} at twice the size on {size:,.1f} MP, more than fits into memory",
            hint="Give it more with --max-memory, leave out --upscale, or take a smaller picture",
        )
    height, width = copy.pixels.shape[:2]
    note = f"learnt from a copy of {width}×{height} px, for want of memory"
    return Part(learn(copy.pixels, made, copy.block), cell=copy.block, note=note)


def _card_part(
    run: Callable[[Pixels, int, int], Pixels],
    method: Method[Any],
    settings: Settings,
    at_once: int | None = None,
) -> Part:
    """A part whose halo, scale and memory are those of the method's card."""
    card = method.card
    scale = card.scale * getattr(settings, "upscale", 1)
    return Part(run, card.halo, card.multiple, scale, _tile_bytes(method), at_once)


def _tile_bytes(method: Method[Any]) -> float:
    """Bytes a pixel of what is run at a time; a local network's card tells them of pictures in tiles."""
    card = method.card
    parted = card.context == "local" and card.weights_sha256
    return (card.memory_per_pixel or UNMEASURED) * (_TILE if parted else 1.0)


def _frozen_part(
    source: Bands, method: Method[Any], settings: Settings, room: int | None, side: int
) -> Part | None:
    """The part of a method that is given what it would ask of the whole; None where it cannot be."""
    if method.freeze is None:
        return None
    part = _card_part(_windows(partial(_run, method, settings)), method, settings, at_once=1)
    part = replace(part, per_pixel=_FROZEN * part.per_pixel)
    try:
        fits = fitting_side(source.shape[1], part, room, _wide(side, part))
    except NotEnoughMemory:
        return None  # a copy takes less
    run = method.freeze(source, settings, fits)
    return None if run is None else replace(part, run=run)


def _wide(side: int, part: Part) -> int:
    """The side of tiles of a frozen method, whose halo is large."""
    return max(side, 4 * part.halo) if side == SIDE else side


def _run(method: Method[Any], settings: Settings, window: Pixels) -> Pixels:
    return method.run(window, settings)


def _apply(prepared: Prepared, window: Pixels, top: int, left: int) -> Pixels:
    return prepared.run(window.copy(), top, left)  # a window may be the picture's own memory


def _windows(run: Callable[[Pixels], Pixels]) -> Callable[[Pixels, int, int], Pixels]:
    """A `Part.run` of what is the same wherever it is done."""
    return lambda window, _top, _left: run(window)


def copy_block(shape: tuple[int, ...], method: Method[Any], room: int | None) -> int:
    """Side in px of the blocks that become one pixel of the copy a method is run on."""
    per_pixel = (method.card.memory_per_pixel or UNMEASURED) + _LEARN
    most = COPY if room is None else max(1, min(COPY, int(room / 2 / per_pixel)))
    block = 1
    while -(-shape[0] // block) * -(-shape[1] // block) > most:
        block += 1
    return block


def shrunken(settings: Settings, block: int) -> Settings:
    """Settings for a copy whose pixels are blocks of the picture's: what is measured in px becomes less.

    Args:
        settings: for the picture.
        block: side of a block, px.
    """
    if block == 1:
        return settings
    changed: dict[str, Any] = {}
    for name, field in type(settings).model_fields.items():
        extra = field.json_schema_extra
        if not isinstance(extra, dict) or extra.get("unit") != "px":
            continue
        value = getattr(settings, name) / block
        least = max((getattr(rule, "ge", 0) for rule in field.metadata), default=0)
        changed[name] = max(round(value) if field.annotation is int else value, least)
    return settings.model_copy(update=changed)


def fitting_side(width: int, part: Part, room: int | None, most: int = SIDE) -> int:
    """The largest side of a tile, at most `most` px, with which the work keeps within the room.

    Raises:
        NotEnoughMemory: there is none.
    """
    side, least = cells(most, part.cell), cells(min(LEAST_SIDE, most), part.cell)
    while room is not None and _taken(width, part, side) > room:
        if side <= least:
            raise NotEnoughMemory(
                f"the work on tiles of {side} pixels takes {_taken(width, part, side) / 1e6:,.0f} MB",
                f"at most the {room / 1e6:,.0f} MB that are left",
                "Give it more with --max-memory, or close other programs",
            )
        side = max(least, cells(side * 3 // 4, part.cell))
    return side


def cells(side: int, cell: int) -> int:
    """The largest multiple of a cell that is no longer than a side; one at the least."""
    return max(cell, side // cell * cell)


def _taken(width: int, part: Part, side: int) -> float:
    """Bytes that tiles of that side take at a time, with the band that they make (at most 12 a pixel)."""
    cut = columns(width, side, part)
    around = 2 * part.halo
    widest = min(width, around + max(right - left for left, right in cut))
    tiles = min(part.threads, len(cut)) * (side + around) * widest
    return tiles * part.per_pixel + 12 * part.scale**2 * width * side


def columns(width: int, side: int, part: Part) -> list[Span]:
    """Where a band is cut into tiles: at most `side` wide, one for each thread unless too narrow."""
    share = max(NARROW, -(-width // part.threads))
    return spans(width, min(side, -(-share // part.cell) * part.cell), part.cell)
