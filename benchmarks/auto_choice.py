"""Which method `auto` should pick: PSNR, SSIM and brightness error on pictures that may choose.

    python benchmarks/auto_choice.py --data FOLDER [METHOD...]    # measure, then write
    python benchmarks/auto_choice.py                              # only write docs/methods/auto.md's table

FOLDER holds LOL and clean/BSDS500. Three kinds of pictures, none of them of eval15: the validation part of
LOL v1, and BSDS500's validation photos, darkened by paper 3's generator and as a camera would (daybreak's
training/sensor.py), both seeded. PSNR / SSIM / mean brightness error, RGB, 8 bit, no GT-mean.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from daybreak.data.registry import get_dataset
from daybreak.data.synthetic import dark_version
from daybreak.evaluation.documents import write_between
from daybreak.methods import get_method
from daybreak.metrics.psnr import psnr
from daybreak.metrics.ssim import ssim
from daybreak.training.pictures import read_bytes, read_pair, to_bytes, to_floats
from daybreak.training.sensor import draw, photograph
from machine import RESULTS, machine

ROOT = Path(__file__).parents[1]
METHODS = (
    *("auto", "daybreak", "daybreak.fast", "daybreak.curve", "daybreak.best"),
    *("crm:meter=0.48", "crm", "gamma:mode=auto", "he", "bimef", "cascade"),
)
KINDS = ("LOL v1, validation", "paper 3's generator", "as a camera would")
PHOTOS = 60

Pair = tuple[np.ndarray, np.ndarray]


def pairs(data: Path) -> dict[str, list[Pair]]:
    """Dark and reference, H×W×3 uint8, by kind."""
    photographed = [read_pair(sample) for sample in get_dataset("lol-v1").samples(data / "LOL", "val")]
    photos = sorted((data / "clean" / "BSDS500" / "val").iterdir())[:PHOTOS]
    made: dict[str, list[Pair]] = {KINDS[1]: [], KINDS[2]: []}
    for number, path in enumerate(photos):
        high = read_bytes(path)
        made[KINDS[1]].append((to_bytes(dark_version(to_floats(high), path.stem)[0]), high))
        drawn = draw(np.random.default_rng((0, number)))
        dark = photograph(torch.from_numpy(to_floats(high)), drawn, number)
        made[KINDS[2]].append((to_bytes(dark.numpy()), high))
    return {KINDS[0]: photographed, **made}


def measured(name: str, some: list[Pair]) -> dict[str, float]:
    """Means over pairs."""
    method, _, one = name.partition(":")
    settings: dict[str, Any] = dict([one.split("=")]) if one else {}
    rows = []
    for low, high in some:
        out = to_bytes(get_method(method).enhance(to_floats(low), **settings))
        off = abs(float(out.mean()) - float(high.mean())) / 255.0
        rows.append((psnr(to_floats(out), to_floats(high)), ssim(to_floats(out), to_floats(high)), off))
    return {
        key: round(float(value), 4)
        for key, value in zip(("psnr", "ssim", "brightness"), np.mean(rows, axis=0), strict=True)
    }


def table(results: dict[str, Any]) -> str:
    """For docs/methods/auto.md."""
    lines = [f"| | {' | '.join(KINDS)} |", "|---|---|---|---|"]
    for name, kinds in results["methods"].items():
        cells = [
            f"{kinds[kind]['psnr']:.2f} / {kinds[kind]['ssim']:.3f} / {kinds[kind]['brightness']:.3f}"
            for kind in KINDS
        ]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure what is asked for, then write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("methods", nargs="*", metavar="METHOD", help=f"by default {', '.join(METHODS)}")
    parser.add_argument("--data", type=Path, help="measure; without it only the table is written")
    options = parser.parse_args()
    path = RESULTS / "auto_choice.json"
    results: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"methods": {}}
    if options.data:
        cv2.setNumThreads(1)
        some = pairs(options.data)
        for name in options.methods or METHODS:
            results["methods"][name] = {kind: measured(name, some[kind]) for kind in KINDS}
            print(name, json.dumps(results["methods"][name]), flush=True)
        results["machine"] = machine()
        path.write_text(json.dumps(results, indent=1) + "\n")
    write_between(ROOT / "docs" / "methods" / "auto.md", "choice", table(results))


if __name__ == "__main__":
    main()
