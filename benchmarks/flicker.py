"""The flicker that each method adds to a still dark scene, frame by frame as it is and held steady.

    python benchmarks/flicker.py            # writes benchmarks/results/flicker.json

The scene is a darkened photograph with the noise of a sensor, new in each frame. The ratios are those of
`daybreak.metrics.flicker`: change of the mean brightness (or of the cells' brightness) from frame to frame
over the input's own, scaled by the gain. 1 means nothing was added. What an encoder does then is not in it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.video.colors import rows_to_levels
from daybreak.enhancing.video.steady import Steady
from daybreak.image.rows import Levels
from daybreak.methods.base import FILM
from daybreak.methods.registry import list_methods
from daybreak.metrics.flicker import Flicker, FlickerMeter
from daybreak.types import Array
from machine import save

PICTURE = sorted((Path(__file__).parents[1] / "examples").glob("*.jpg"))[0]


def scene(width: int, height: int) -> Array:
    """A still dark scene, H×W×3 grey levels as floats."""
    small = cv2.resize(cv2.imread(str(PICTURE)), (width, height), interpolation=cv2.INTER_AREA)[..., ::-1]
    return small.astype(np.float32) * np.float32(20.0 / small.mean())


def measure(method: str, still: Array, frames: int, sigma: float) -> tuple[Flicker, Flicker]:
    """Without and with the steadying, at 25 frames a second."""
    enhancer, steady, rng = Enhancer(method), Steady(), np.random.default_rng(0)
    alone, held = FlickerMeter(), FlickerMeter()
    for _ in range(frames):
        noise = rng.normal(0.0, sigma, still.shape).astype(np.float32)
        frame = Levels(np.clip(np.rint(still + noise), 0, 255).astype(np.uint8), 255)
        rows = enhancer.run(frame, FILM).rows
        alone.add(frame.whole, rows_to_levels(rows, high=False).copy())
        held.add(frame.whole, rows_to_levels(steady(frame, rows, 0.04), high=False))
    return alone.result(), held.result()


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=25)
    parser.add_argument("--size", default="320x240")
    parser.add_argument("--sigma", type=float, default=3.0, help="of the noise, in grey levels")
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    still = scene(width, height)
    results: dict[str, Any] = {"size": options.size, "frames": options.frames, "sigma": options.sigma}
    for method in list_methods():
        alone, held = measure(method, still, options.frames, options.sigma)
        results[method] = {
            "gain": round(held.gain, 2),
            "ratio_alone": round(alone.ratio, 3),
            "ratio": round(held.ratio, 3),
            "local_ratio_alone": round(alone.local_ratio, 3),
            "local_ratio": round(held.local_ratio, 3),
        }
        print(method, results[method], flush=True)
    save("flicker", results)


if __name__ == "__main__":
    main()
