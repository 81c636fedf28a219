"""HTML of the results: the slider with its zoom, methods side by side, histograms; all of it is in it."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from daybreak.enhancing.compare import chooser, stack
from daybreak.enhancing.page import image_tag, preview, text
from daybreak.image.rows import Rows
from daybreak.types import Pixels

LONGEST = 2400  # px: longer side of what is put on the page; enough for a zoom of 4 on a laptop
SMALL = 640  # px: longer side of pictures side by side
ZOOMS = (1, 2, 4, 8)
BINS = 32

EMPTY = '<p class="soft">Results appear here.</p>'


def comparison(pictures: Mapping[str, Rows], key: str) -> str:
    """Pictures on top of each other with a slider between any two of them, lists to choose, and a zoom.

    Args:
        pictures: name -> H×W×3 in [0, 1], the original first; two of them make a plain before and after.
        key: makes the ids unique on a page with several.
    """
    names = list(pictures)
    sides = {"left": 0, "right": min(1, len(names) - 1)}
    shape = next(iter(pictures.values())).shape
    scale = np.float32(1 / 255)
    small = {name: preview(rows, LONGEST).astype(np.float32) * scale for name, rows in pictures.items()}
    zooms = "".join(f'<option value="{zoom}">{zoom} ×</option>' for zoom in ZOOMS)
    return (
        '<div class="comparison">'
        + chooser(names, sides, key)
        + f'<div class="field"><label for="zoom{key}">Zoom</label>'
        + f'<select id="zoom{key}" class="zoom">{zooms}</select></div>'
        + f'<div class="zoomed">{stack(small, shape, sides, LONGEST)}</div></div>'
    )


def side_by_side(pictures: Mapping[str, Rows]) -> str:
    """Each picture small, with its name below it.

    Args:
        pictures: name -> H×W×3 in [0, 1].
    """
    figures = "".join(
        f"<figure>{image_tag(preview(rows, SMALL), name)}<figcaption>{text(name)}</figcaption></figure>"
        for name, rows in pictures.items()
    )
    return f'<div class="beside">{figures}</div>'


def histogram(pictures: Mapping[str, Rows]) -> str:
    """How often each brightness occurs, a curve for each picture, as SVG with a text alternative.

    Args:
        pictures: name -> H×W×3 in [0, 1].
    """
    strokes = ("#888", "#c60", "#06c", "#080", "#a0a", "#900")
    lines, keys = "", ""
    for place, (name, rows) in enumerate(pictures.items()):
        shares = brightness_shares(rows[:])
        points = " ".join(
            f"{400 * place / (BINS - 1):.1f},{100 - 96 * share / max(shares.max(), 1e-9):.1f}"
            for place, share in enumerate(shares)
        )
        colour = strokes[place % len(strokes)]
        lines += f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        mean = float(rows[:].mean())
        keys += f'<li><span style="background:{colour}"></span>{text(name)}: mean {mean:.2f}</li>'
    label = "How often each brightness occurs, from black on the left to white on the right"
    return (
        f'<figure class="histogram"><svg viewBox="0 0 400 100" role="img" aria-label="{label}" '
        f'preserveAspectRatio="none">{lines}</svg><figcaption>{label}.<ul>{keys}</ul></figcaption></figure>'
    )


def brightness_shares(pixels: Pixels) -> Pixels:
    """Share of the pixels in each of `BINS` steps of max(R, G, B), float32, sum 1."""
    value = np.ascontiguousarray(pixels.max(axis=2))
    counts = cv2.calcHist([value], [0], None, [BINS], [0.0, 1.0 + 1e-6])
    return np.asarray(counts, np.float32).reshape(BINS) / np.float32(value.size)
