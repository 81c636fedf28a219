"""Make the example pictures: photographs in the public domain, taken again by a simulated camera in the dark.

    python examples/make.py [FOLDER]

Each photograph is brought to linear light, darkened by some stops, given the noise of a small sensor (photons
arrive by Poisson's law, the read-out adds Gaussian noise) and written with 8 bits. Needs the `dev` extra.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

FULL_SCALE = 6000.0  # electrons that one pixel holds at white: a small sensor at high gain
READ_NOISE = 5.0  # electrons, standard deviation
EXIF_TEXT = {
    270: "Simulated low-light exposure",
    271: "daybreak",
    272: "examples/make.py",
    306: "2024:01:01 21:00:00",
}
EXIF_EXPOSURE = {33434: 1 / 60, 33437: 2.8, 34855: 6400, 36867: "2024:01:01 21:00:00"}


@dataclass(frozen=True)
class Example:
    """A picture to make: the photograph, how many stops darker, the seed of its noise, the file."""

    photograph: str
    stops: float
    seed: int
    file: str


EXAMPLES = (
    Example("rocket", 3.0, 1, "rocket-dark.jpg"),
    Example("coffee", 4.0, 2, "coffee-dark.png"),
    Example("chelsea", 5.0, 3, "chelsea-dark.png"),
)


def to_linear(encoded: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1: sRGB in [0, 1] to linear light."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1: linear light in [0, 1] to sRGB."""
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def expose(photograph: np.ndarray, stops: float, seed: int) -> np.ndarray:
    """H×W×3 uint8 to the same, `stops` darker in linear light and with the noise of the sensor."""
    rng = np.random.default_rng(seed)
    light = to_linear(photograph / 255.0) * 2.0**-stops
    electrons = rng.poisson(light * FULL_SCALE) + rng.normal(0.0, READ_NOISE, light.shape)
    return np.rint(to_srgb(np.clip(electrons / FULL_SCALE, 0.0, 1.0)) * 255.0).astype(np.uint8)


def camera_exif() -> Image.Exif:
    """What a camera would have noted, so that the JPEG has something to keep."""
    exif = Image.Exif()
    exif.update(EXIF_TEXT)
    exif.get_ifd(0x8769).update(EXIF_EXPOSURE)
    return exif


def main(folder: Path) -> None:
    """Write every example into the folder."""
    for example in EXAMPLES:
        dark = Image.fromarray(expose(getattr(data, example.photograph)(), example.stops, example.seed))
        if example.file.endswith(".jpg"):
            dark.save(folder / example.file, quality=92, subsampling=0, exif=camera_exif())
        else:
            dark.save(folder / example.file, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
