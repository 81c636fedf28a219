"""What daybreak's own weights keep of what they promise: noise, gray, the light that is asked for, tiles.

    python benchmarks/flagship.py --data FOLDER [METHOD...]    # measure, then write
    python benchmarks/flagship.py                              # only write the table of docs/flagship.md

FOLDER holds LOL. None of it is of eval15: flat patches are made here, pictures are LOL's validation part.

noise: of a flat gray patch of 256×256 with Gaussian noise of σ = 0.01 in each channel, in 8 bits: standard
deviation of the result over that of the patch brought to the same mean by one curve for all pixels.
gray: the largest deviation of R/G and B/G from 1, of the mean of a flat picture, over levels from 0.01 to 1.
light: what the result's mean light is off by, in EV, where −1, −½, 0, ½ and 1 EV from the network's own
choice are asked for. tiles: the largest difference between one piece and tiles.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from daybreak.data.registry import get_dataset
from daybreak.enhancing.enhancer import Enhancer
from daybreak.evaluation.documents import write_between
from daybreak.image.color import srgb_to_linear
from daybreak.methods import get_method
from daybreak.training.pictures import read_pair, to_floats
from machine import RESULTS, machine

ROOT = Path(__file__).parents[1]
METHODS = ("daybreak", "daybreak.fast", "daybreak.best")
LEVELS = (0.03, 0.06, 0.1, 0.2)
GRAYS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 1.0)
ASKED = (-1.0, -0.5, 0.0, 0.5, 1.0)

Pixels = np.ndarray


def light(pixels: Pixels) -> float:
    """EV: log2 of the mean linear luminance."""
    red, green, blue = srgb_to_linear(pixels).mean(axis=(0, 1))
    return float(np.log2(0.2126 * red + 0.7152 * green + 0.0722 * blue + 1e-4))


def lifted(pixels: Pixels, mean: float) -> Pixels:
    """The picture at another mean, by kx / (1 + (k − 1)x)."""
    low, high = 2.0**-6, 2.0**12
    for _ in range(60):
        slope = (low * high) ** 0.5
        made = slope * pixels / (1.0 + (slope - 1.0) * pixels)
        low, high = (slope, high) if made.mean() < mean else (low, slope)
    return made


def noise(name: str, level: float) -> float:
    """See the top."""
    patch = level + 0.01 * np.random.default_rng(0).standard_normal((256, 256, 3))
    patch = (np.rint(np.clip(patch, 0, 1) * 255) / 255).astype(np.float32)
    made = get_method(name).enhance(patch)[32:-32, 32:-32]
    alone = lifted(patch[32:-32, 32:-32].astype(np.float64), float(made.mean()))
    return float(made.std(axis=(0, 1)).mean() / alone.std(axis=(0, 1)).mean())


def gray(name: str, level: float) -> float:
    """See the top."""
    mean = get_method(name).enhance(np.full((64, 64, 3), level, np.float32)).mean(axis=(0, 1))
    return float(max(abs(mean[0] / mean[1] - 1), abs(mean[2] / mean[1] - 1)))


def exposures(name: str, lows: list[Pixels]) -> dict[str, Any]:
    """See the top."""
    method, off, rising = get_method(name), [], True
    for low in lows:
        own = light(method.enhance(low))
        reached = []
        for stops in ASKED:
            wanted = min(own + stops, -0.3)
            reached.append(light(method.enhance(low, light=wanted)))
            off.append(abs(reached[-1] - wanted))
        rising &= bool((np.diff(reached) > 0).all())
    return {
        "mean": round(float(np.mean(off)), 3),
        "95 %": round(float(np.percentile(off, 95)), 3),
        "most": round(float(np.max(off)), 3),
        "rises": rising,
    }


def tiles(name: str, low: Pixels) -> float:
    """See the top: a picture of three times the size, in one piece and as it runs."""
    large = np.repeat(np.repeat(low, 3, axis=0), 3, axis=1)
    enhancer = Enhancer(name)
    decision = enhancer.decide(large)
    whole = decision.method.run(large, decision.settings)
    return float(np.abs(enhancer.run(large).pixels - whole).max())


def measured(name: str, lows: list[Pixels]) -> dict[str, Any]:
    """All of it for one method."""
    return {
        "parameters": get_parameters(name),
        "noise": {str(level): round(noise(name, level), 2) for level in LEVELS},
        "gray": round(max(gray(name, level) for level in GRAYS), 4),
        "gray at 1/255": round(gray(name, 1 / 255), 4),
        "light": exposures(name, lows),
        "tiles": float(f"{tiles(name, lows[0]):.1e}"),
    }


def get_parameters(name: str) -> int:
    """Of its weight."""
    from daybreak.methods.registry import weight_methods
    from daybreak.weights import find_weight, list_weights

    return find_weight(weight_methods(list_weights())[name]).card.parameters


def table(results: dict[str, Any]) -> str:
    """For docs/flagship.md."""
    names = list(results["methods"])
    lines = [
        f"| property | must | {' | '.join(f'`{name}`' for name in names)} |",
        "|---|---|" + "---|" * len(names),
    ]
    rows = results["methods"].values()

    def line(what: str, must: str, cells: list[str]) -> None:
        lines.append(f"| {what} | {must} | {' | '.join(cells)} |")

    line("parameters", "1 M (fast: 10,000)", [f"{row['parameters']:,}" for row in rows])
    for level in LEVELS:
        line(
            f"noise at {level:g}, against the gain alone",
            "0.5",
            [f"{r['noise'][str(level)]:.2f}" for r in rows],
        )
    line("gray from 0.01 to 1, R/G and B/G off by", "3 %", [f"{100 * r['gray']:.1f} %" for r in rows])
    line("the same at 1/255", "", [f"{100 * r['gray at 1/255']:.1f} %" for r in rows])
    for key in ("mean", "95 %", "most"):
        line(f"light asked for, off by ({key})", "0.15 EV", [f"{r['light'][key]:.2f} EV" for r in rows])
    line("more asked for gives more", "always", ["yes" if r["light"]["rises"] else "**no**" for r in rows])
    line("tiles, off by", "1/255", [f"{r['tiles']:.0e}" for r in rows])
    return "\n".join(lines)


def main() -> None:
    """Measure what is asked for, then write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("methods", nargs="*", metavar="METHOD", help=f"by default {', '.join(METHODS)}")
    parser.add_argument("--data", type=Path, help="measure; without it only the table is written")
    options = parser.parse_args()
    path = RESULTS / "flagship.json"
    results: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"methods": {}}
    if options.data:
        samples = get_dataset("lol-v1").samples(options.data / "LOL", "val")
        lows = [to_floats(read_pair(sample)[0]) for sample in samples][::3]
        for name in options.methods or METHODS:
            results["methods"][name] = measured(name, lows)
            print(name, json.dumps(results["methods"][name]), flush=True)
        results["machine"] = machine()
        path.write_text(json.dumps(results, indent=1) + "\n")
    write_between(ROOT / "docs" / "flagship.md", "promises", table(results))


if __name__ == "__main__":
    main()
