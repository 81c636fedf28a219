"""One picture through several methods, side by side with the same zoomed crops: as a picture or as a page."""

from __future__ import annotations

import math
from collections.abc import Mapping

import cv2
import numpy as np

from daybreak.enhancing.crops import ZOOMED, Crop, choose_crops
from daybreak.enhancing.page import (
    TINY,
    Bytes8,
    closing,
    data_uri,
    image_tag,
    opening,
    preview,
    resized,
    slider,
    text,
    to_bytes,
)
from daybreak.types import Pixels

ORIGINAL = "original"
GAP = 8  # px
CELL = 2 * ZOOMED + GAP  # px: the longer side of each picture on the sheet
LABEL = 36  # px: height of a label's strip
LEAST = 24  # px: a picture 1 px high is shown this high
GROUND, INK = (24, 24, 24), (236, 236, 236)
FRAMES = ((255, 200, 40), (80, 200, 255))  # colours of the first and the second crop


def compare_sheet(original: Pixels, results: Mapping[str, Pixels]) -> Pixels:
    """Draw the original and every result, each with its label and the same zoomed crops.

    Args:
        original: H×W×3 float32 in [0, 1], any size from 1×1.
        results: name -> H×W×3 (or a whole multiple of it) float32 in [0, 1].

    Returns:
        The sheet, H×W×3 float32 in [0, 1]: cells in rows, about as wide as a screen is to its height.
    """
    crops = choose_crops(original)
    pictures = {ORIGINAL: original, **results}
    cells = [_cell(name, pixels, original.shape, crops) for name, pixels in pictures.items()]
    height, width = cells[0].shape[:2]
    across = min(range(1, len(cells) + 1), key=lambda n: _misfit(n, len(cells), width, height))
    rows = [_join(cells[place : place + across], axis=1) for place in range(0, len(cells), across)]
    sheet = cv2.copyMakeBorder(_join(rows, axis=0), GAP, GAP, GAP, GAP, cv2.BORDER_CONSTANT, value=GROUND)
    return np.asarray(sheet, dtype=np.float32) / np.float32(255.0)


def _misfit(across: int, count: int, width: int, height: int) -> float:
    """How far a sheet of so many cells across is from 16:9, empty cells counted against it."""
    down = math.ceil(count / across)
    return abs(math.log(across * width / (down * height) / (16 / 9))) + (across * down - count) / count


def _cell(name: str, pixels: Pixels, shape: tuple[int, ...], crops: list[Crop]) -> Bytes8:
    """Label, picture with the crops marked, and the crops below it, or beside it if it stands upright."""
    grow = CELL / max(shape[:2])
    size = (max(LEAST, round(shape[1] * grow)), max(LEAST, round(shape[0] * grow)))
    picture = _fit(pixels, size)
    zoomed = []
    for crop, colour in zip(crops, FRAMES, strict=False):
        corner = np.array([crop.x, crop.y]) * size // (shape[1], shape[0])
        opposite = np.array([crop.x + crop.width, crop.y + crop.height]) * size // (shape[1], shape[0]) - 1
        cv2.rectangle(picture, corner.tolist(), opposite.tolist(), colour, 2)
        part = _fit(crop.cut(pixels, shape), (ZOOMED, ZOOMED))
        cv2.rectangle(part, (0, 0), (ZOOMED - 1, ZOOMED - 1), colour, 2)
        zoomed.append(part)
    upright = shape[0] > shape[1]
    parts = [picture, _join(zoomed, axis=0 if upright else 1)]
    body = _join(parts, axis=1 if upright else 0)
    strip = np.full((LABEL, body.shape[1], 3), GROUND, np.uint8)
    write_label(strip, name)
    return np.vstack([strip, body])


def _join(images: list[Bytes8], axis: int) -> Bytes8:
    """Put pictures below (axis 0) or beside (axis 1) each other, a gap between them."""
    sides = [0, 0, 3]
    sides[axis] = sum(image.shape[axis] + GAP for image in images) - GAP
    sides[1 - axis] = max(image.shape[1 - axis] for image in images)
    canvas = np.full(sides, GROUND, np.uint8)
    corner = [0, 0]
    for image in images:
        canvas[corner[0] : corner[0] + image.shape[0], corner[1] : corner[1] + image.shape[1]] = image
        corner[axis] += image.shape[axis] + GAP
    return canvas


def _fit(pixels: Pixels, size: tuple[int, int]) -> Bytes8:
    """Bring a picture to (width, height): area mean when smaller, sharp squares when larger."""
    smaller = size[0] < pixels.shape[1] and size[1] < pixels.shape[0]
    how = cv2.INTER_AREA if smaller else cv2.INTER_NEAREST
    return to_bytes(resized(pixels, size, how))


def write_label(strip: Bytes8, words: str) -> None:
    """Draw words into a strip, 18 px high or as much smaller as fits; what is not ASCII becomes "?"."""
    words = words.encode("ascii", "replace").decode("ascii")
    font, scale, thick = cv2.FONT_HERSHEY_SIMPLEX, 0.8, 2
    wide = cv2.getTextSize(words, font, scale, thick)[0][0]
    if wide > strip.shape[1] - GAP:
        scale, thick = scale * (strip.shape[1] - GAP) / wide, 1
    drawn = np.ascontiguousarray(strip)
    cv2.putText(drawn, words, (GAP // 2, strip.shape[0] - 11), font, scale, INK, thick, cv2.LINE_AA)
    strip[:] = drawn


def compare_page(title: str, original: Pixels, results: Mapping[str, Pixels]) -> bytes:
    """One self-contained HTML page: any two of the pictures on a slider, and the zoomed crops of all.

    Args:
        title: its heading, usually the picture's name.
        original, results: as for `compare_sheet`.
    """
    pictures = {ORIGINAL: original, **results}
    sides = {"left": 0, "right": 1 if results else 0}
    page = f"{opening(title)}<header><h1>{text(title)}</h1></header>\n<main>\n"
    page += chooser(list(pictures), sides) + stack(pictures, original.shape, sides)
    for number, crop in enumerate(choose_crops(original)):
        heading = ("Darkest detail", "Most texture")[number]
        page += f'<h2>{heading}</h2>\n<div class="crops">\n'
        for name, pixels in pictures.items():
            part = data_uri(preview(crop.cut(pixels, original.shape)), ".png")
            words = f"{heading}, {name}, enlarged"
            page += f'<figure><img alt="{text(words)}" src="{part}">'
            page += f"<figcaption>{text(name)}</figcaption></figure>\n"
        page += "</div>\n"
    return f"{page}</main>\n{closing()}".encode()


def chooser(names: list[str], sides: Mapping[str, int], key: str = "") -> str:
    """Two lists of all pictures, one for each side of the slider that `stack` makes beside it.

    Args:
        names: of the pictures.
        sides: "left" and "right" -> which picture is to be seen there at first.
        key: makes the lists' ids unique on a page with several.
    """
    lists = ""
    for side, chosen in sides.items():
        options = "".join(
            f'<option value="{place}"{" selected" if place == chosen else ""}>{text(name)}</option>'
            for place, name in enumerate(names)
        )
        lists += f'<div class="field"><label for="{side}{key}">{side.capitalize()}</label>'
        lists += f'<select id="{side}{key}" data-side="{side}">{options}</select></div>\n'
    return f'<div class="choose">\n{lists}</div>\n'


def stack(
    pictures: Mapping[str, Pixels], shape: tuple[int, ...], sides: Mapping[str, int], longest: int = 1600
) -> str:
    """The slider over all pictures on top of each other; two of them are to be seen.

    Args:
        pictures: name -> H×W×3 float32 in [0, 1].
        shape: of the original; gives the box its ratio.
        sides: as for `chooser`.
        longest: longer side of what is put on the page, in pixels.
    """
    names = list(pictures)
    tiny = " tiny" if shape[1] < TINY else ""
    images = ""
    for place, (name, pixels) in enumerate(pictures.items()):
        side = " ".join(side for side, chosen in sides.items() if chosen == place)
        images += image_tag(preview(pixels, longest), name, f'class="{side}{tiny}" data-index="{place}"')
    return slider(images, "Left and right picture", names[sides["left"]], names[sides["right"]], shape) + "\n"
