"""Large pictures in parts: the tiles that `daybreak.enhancing.parts` planned, worked on band by band.

What is float at a time is a few tiles.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from daybreak.enhancing.amount import enlarged
from daybreak.enhancing.memory import UNMEASURED, out_of_memory
from daybreak.enhancing.parts import LEAST_SIDE, Plan, cells, columns, copy_block, plan_parts
from daybreak.image.depth import to_levels
from daybreak.image.rows import Bands, Floats, Levels, Rows
from daybreak.image.tiles import Span, spans
from daybreak.methods.base import Method, Settings
from daybreak.stopping import look
from daybreak.types import Array


def in_parts(source: Bands, plan: Plan, bits: int | None) -> Iterator[tuple[int, Array]]:
    """Enhance a picture band by band, from top to bottom.

    Where memory runs out all the same, the tiles are halved and the work goes on where it was.

    Args:
        source: asked for bands from top to bottom, for one again where memory ran out, for no earlier one.
        plan: from `plan_parts`.
        bits: 8 or 16 for levels; None for float32.

    Yields:
        The first row of a band in the result, and the band: h×W×3 uint8, uint16 or float32.

    Raises:
        Stopped: between two tiles, where that was asked for (`daybreak.stopping`).
    """
    height, part = source.shape[0], plan.part
    halo = -(-part.halo // part.cell) * part.cell
    side, top = plan.side, 0
    while top < height:
        bottom = top + spans(height - top, side, part.cell)[0][1]
        try:
            above = max(0, top - halo)
            window = source.band(above, min(bottom + halo, height))
            band = _band(window, above, (top, bottom), halo, plan, side, bits)
        except Exception as error:
            least = cells(LEAST_SIDE, part.cell)
            if not out_of_memory(error) or side <= least:
                raise
            side = max(least, cells(side // 2, part.cell))
            continue
        yield top * part.scale, band
        top = bottom


def _band(window: Rows, above: int, rows: Span, halo: int, plan: Plan, side: int, bits: int | None) -> Array:
    """The result of the rows `rows`: its tiles, in as many threads as OpenCV may use."""
    part, scale = plan.part, plan.part.scale
    width = window.shape[1]
    top, bottom = rows
    kind = np.float32 if bits is None else np.uint8 if bits == 8 else np.uint16
    out = np.empty(((bottom - top) * scale, width * scale, 3), kind)

    go_on = look()

    def tile(span: Span) -> None:
        go_on()
        left, right = span
        before = max(0, left - halo)
        pixels = np.ascontiguousarray(window[:, before : min(right + halo, width)])
        made = part.run(pixels, above, before)
        inside = (
            slice((top - above) * scale, (bottom - above) * scale),
            slice((left - before) * scale, (right - before) * scale),
        )
        mixed = plan.amount(enlarged(pixels, made.shape)[inside], np.ascontiguousarray(made[inside]))
        out[:, left * scale : right * scale] = mixed if bits is None else to_levels(mixed, bits)

    cut = columns(width, side, part)
    with ThreadPoolExecutor(min(part.threads, len(cut))) as pool:
        for _ in pool.map(tile, cut):  # a tile's error comes out here
            pass
    return out


def enhance_parts(rows: Rows, plan: Plan) -> Rows:
    """Enhance a picture that is in memory: `Levels` to `Levels`, H×W×3 float32 to the same.

    Args:
        rows: left unchanged.
        plan: from `plan_parts`.
    """
    bits = None if not isinstance(rows, Levels) else 8 if rows.peak == 255 else 16
    scale = plan.part.scale
    shape = (rows.shape[0] * scale, rows.shape[1] * scale, 3)
    out = np.empty(shape, np.float32 if bits is None else np.uint8 if bits == 8 else np.uint16)
    for top, band in in_parts(rows if isinstance(rows, Levels) else Floats(rows), plan, bits):
        out[top : top + len(band)] = band
    return out if bits is None else Levels(out, (1 << bits) - 1)


def enhance_fitting(
    rows: Rows,
    method: Method[Any],
    settings: Settings,
    strength: float,
    exposure: float | None,
    room: int | None,
) -> tuple[Rows, str]:
    """Plan and enhance a picture that is in memory; where memory runs out while planning, plan for less.

    Args:
        rows: left unchanged.
        method, settings, strength, exposure, room: as for `plan_parts`.

    Returns:
        The result, `Levels` for `Levels`, and the plan's note.

    Raises:
        NotEnoughMemory: not even the smallest tiles fit.
    """
    source = rows if isinstance(rows, Levels) else Floats(rows)
    while True:
        try:
            plan = plan_parts(source, method, settings, strength, exposure, room)
        except Exception as error:
            if not out_of_memory(error) or copy_block(rows.shape, method, room) >= max(rows.shape[:2]):
                raise
            room = (room or rows.shape[0] * rows.shape[1] * int(UNMEASURED)) // 2
            continue
        return enhance_parts(rows, plan), plan.note
