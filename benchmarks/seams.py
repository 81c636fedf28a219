"""What working in parts costs: seams, and the distance from the result in one piece.

    python benchmarks/seams.py --data ../shared/data            # writes benchmarks/results/seams.json

Every method is run in one piece and in parts, as it would be if the picture did not fit into memory, with
tiles of three sizes, on a smooth gradient, a synthetic night sky and dark photos (LOL eval15, enlarged three
times; nothing is chosen by them). A method that looks at the whole picture is given `ROOM` bytes a pixel for
that, as one of 100 MP has within a gigabyte. For each stands the worst seam score against the same work in a
single tile (daybreak/metrics/seams.py), and the PSNR between the result in parts and the one in one piece.
The table of docs/large-pictures.md is written from what was found.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from daybreak.enhancing.tiling import Plan, enhance_parts, plan_parts
from daybreak.evaluation.documents import write_between
from daybreak.image.read import read_photo
from daybreak.image.rows import Floats
from daybreak.image.tiles import spans
from daybreak.methods.base import Method, parse_settings
from daybreak.methods.registry import every_method
from daybreak.metrics.seams import seam_score
from daybreak.types import Pixels
from machine import save

SIDES = (256, 512, 1024)
EQUAL = 99.0  # dB at which the measure ends: 1e-5 on average
SAVED = Path(__file__).parent / "results" / "seams.json"
DOCUMENT = Path(__file__).parents[1] / "docs" / "large-pictures.md"
ROOM = 3  # bytes a pixel of the picture
SIZE = (1200, 1800)  # of the synthetic pictures, as LOL's photos have it when enlarged


def gradient() -> Pixels:
    """Dark, without noise, with a tint: the steps are far below one level."""
    down, right = (np.linspace(0.0, 1.0, side, dtype=np.float32) for side in SIZE)
    light = 0.02 + 0.1 * down[:, None] + 0.08 * right[None] ** 2
    return np.asarray(light[..., None] * np.array([1.0, 0.85, 0.7], np.float32), np.float32)


def night_sky() -> Pixels:
    """A sky that glows at the horizon, with stars and a sensor's noise, in 8 bits."""
    rng = np.random.default_rng(0)
    glow = 0.015 + 0.07 * np.linspace(0.0, 1.0, SIZE[0], dtype=np.float32)[:, None] ** 3
    sky = np.repeat(glow, SIZE[1], axis=1)[..., None] * np.array([0.7, 0.8, 1.0], np.float32)
    for row, column in zip(rng.integers(0, SIZE[0], 400), rng.integers(0, SIZE[1], 400), strict=True):
        cv2.circle(
            sky, (int(column), int(row)), int(rng.integers(1, 3)), [float(rng.uniform(0.2, 1))] * 3, -1
        )
    noisy = sky + rng.normal(0.0, 0.006, sky.shape)
    return np.asarray(np.rint(np.clip(noisy, 0, 1) * 255) / 255, np.float32)


def photos(data: Path, count: int) -> Iterator[tuple[str, Pixels]]:
    """Dark photos of eval15, three times as large, bicubic."""
    for path in sorted((data / "LOL/eval15/low").iterdir())[:: max(1, 15 // count)][:count]:
        small = read_photo(path).pixels
        size = (3 * small.shape[1], 3 * small.shape[0])
        yield path.stem, np.clip(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), 0, 1)


def measure(method: Method[Any], pixels: Pixels) -> dict[str, Any]:
    """The worst seam at each size of tile, and the least PSNR."""
    settings = parse_settings(method.card, {})
    if method.settle is not None:
        settings = method.settle(pixels, settings)
    whole = method.run(pixels, settings)
    error = 0.0
    room = None if method.prepare is None else ROOM * pixels.shape[0] * pixels.shape[1]
    plan = plan_parts(Floats(pixels), method, settings, 1.0, None, room, side=max(SIDES))
    single = enhance_parts(pixels, sized(plan, max(pixels.shape)))[:]
    seams = {}
    for side in SIDES:
        parts = enhance_parts(pixels, sized(plan, side))[:]
        tall = sized(plan, side).side
        rows = range(tall, pixels.shape[0] - 1, tall)
        columns = [start for start, _ in spans(pixels.shape[1], tall, plan.part.cell)][1:]
        seams[str(side)] = round(seam_score(parts, rows, columns, single), 3)
        error = max(error, float(np.mean((parts.astype(np.float64) - whole) ** 2)))
    return {
        "seams": seams,
        "psnr": round(min(99.0, -10 * float(np.log10(error + 1e-12))), 1),
        "note": plan.note,
    }


def sized(plan: Plan, side: int) -> Plan:
    """The plan with tiles of another size."""
    cell = plan.part.cell
    return replace(plan, side=max(cell, side // cell * cell))


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--photos", type=int, default=3)
    parser.add_argument("--only-photos", action="store_true", help="for networks that take minutes a picture")
    parser.add_argument("--only", help="names of methods, with commas; the other rows stay as they were")
    options = parser.parse_args()
    methods = [method for method in every_method() if method.card.name != "auto"]
    if options.only:
        methods = [method for method in methods if method.card.name in options.only.split(",")]
    made = {} if options.only_photos else {"gradient": gradient(), "night sky": night_sky()}
    pictures = {**made, **dict(photos(options.data, options.photos))}
    for method in methods:
        row = {name: measure(method, pixels) for name, pixels in pictures.items()}
        print(method.card.name, json.dumps(row), flush=True)
        found = json.loads(SAVED.read_text())["methods"] if SAVED.exists() else {}
        found[method.card.name] = row
        save("seams", {"sides": SIDES, "room": ROOM, "methods": found})
        write_between(DOCUMENT, "seams", "\n".join(table(found)))


def table(found: dict[str, Any]) -> list[str]:
    """The rows of docs/large-pictures.md: a method whose tiles are 1e-5 from one piece is equal to it."""
    head = ("method", "worst seam, levels", "PSNR to one piece: gradient", "night sky", "LOL photos ×3")
    lines = [f"| {' | '.join(head)} (least) |", "|---" * len(head) + "|"]
    for name in [method.card.name for method in every_method() if method.card.name in found]:
        row = found[name]
        worst = max(seam for picture in row.values() for seam in picture["seams"].values())
        photos = min(picture["psnr"] for key, picture in row.items() if key not in ("gradient", "night sky"))
        shown = [row[key]["psnr"] if key in row else None for key in ("gradient", "night sky")] + [photos]
        cells = ["-" if psnr is None else "equal" if psnr >= EQUAL else f"{psnr:.1f}" for psnr in shown]
        lines.append(f"| {name} | {worst:.2f} | {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    main()
