"""Peak memory of every method per pixel of its picture, at 3 and 12 megapixels.

    python benchmarks/memory.py                      # writes benchmarks/results/memory.json
    python benchmarks/memory.py --card cascade.lol   # one weight: its line there, and its card

Each figure is taken in a process of its own: how far reading, enhancing and encoding one JPEG on one core
lifts the peak of the process's resident memory above what it was after a small picture through the same
method. What the libraries themselves take is thus left out.
The larger of the two sizes' figures, rounded up, is a card's
`memory_per_pixel`. Beside them stand runs that need more than a method's defaults on such a JPEG.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from machine import RESULTS, save

SIZES = {"3": (2000, 1500), "12": (4000, 3000)}
MORE: dict[str, list[Any]] = {
    "lime solver=exact": ["lime", {"solver": "exact"}],
    "crm, 16 bits": ["crm", {}, "png"],
    "crm, strength .5": ["crm", {"strength": 0.5}],
    "crm, exposure +1": ["crm", {"exposure": 1.0}],
    "gamma, exposure +1": ["gamma", {"exposure": 1.0}],
}
"""What is measured besides every method's defaults: [method, arguments of `Enhancer`, format]."""


def make_pictures(folder: Path) -> None:
    """A dark, noisy picture of each size as JPEG and as PNG of 16 bits, and a small one."""
    import cv2
    import numpy as np

    from enhance_12mp import make_picture

    make_picture(folder / "small.jpg", 64, 48)
    for name, (width, height) in SIZES.items():
        make_picture(folder / f"{name}.jpg", width, height)
    for name in ("small", *SIZES):
        deep = cv2.imread(str(folder / f"{name}.jpg")).astype(np.uint16) * 257
        cv2.imwrite(str(folder / f"{name}.png"), deep, [cv2.IMWRITE_PNG_COMPRESSION, 1])


def peak() -> int:
    """Most memory that this process has held so far, in bytes (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


def measure(folder: Path, size: str, method: str, arguments: dict[str, Any], format: str = "jpg") -> float:
    """Bytes a pixel that one picture adds to the peak of this process."""
    import cv2

    from daybreak.enhancing.batch import Output, enhance_bytes
    from daybreak.enhancing.enhancer import Enhancer

    cv2.setNumThreads(1)
    enhancer, path = Enhancer(method, **arguments), folder / f"{size}.{format}"
    enhance_bytes((folder / f"small.{format}").read_bytes(), enhancer, Output(), path, path)
    before = peak()
    enhance_bytes(path.read_bytes(), enhancer, Output(), path, path)
    width, height = SIZES[size]
    return (peak() - before) / (width * height)


def write_on_card(weight: str, measured: float) -> None:
    """Put a weight's figure, rounded up, on its card."""
    from daybreak.files import write_whole
    from daybreak.weights.card import read_card, write_card
    from daybreak.weights.store import FOLDER

    path = FOLDER / f"{weight}.toml"
    card = read_card(path).model_copy(update={"memory_per_pixel": float(math.ceil(measured))})
    write_whole(path, write_card(card).encode(), overwrite=True)


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="one line of the table; prints it and saves nothing")
    parser.add_argument("--card", help="a weight that ships; writes its card and its line")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        folder, size, case = options.one
        return print(measure(Path(folder), size, *json.loads(case)) if size else make_pictures(Path(folder)))
    from daybreak.methods.registry import get_method, list_methods

    cases = {name: [name, {}] for name in list_methods() if get_method(name).pick is None} | MORE
    one_line = get_method(options.card).card.name if options.card else options.only
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        one = [sys.executable, __file__, "--one", folder]
        subprocess.run([*one, "", ""], check=True, stdout=subprocess.DEVNULL)
        for name in [one_line] if one_line else cases:
            for size in SIZES:
                told = subprocess.run([*one, size, json.dumps(cases[name])], check=True, capture_output=True)
                found.setdefault(name, {})[f"{size} MP"] = round(float(told.stdout), 1)
            print(name, found[name], flush=True)
    if options.card:
        write_on_card(options.card, max(found[one_line].values()))
        told = json.loads((RESULTS / "memory.json").read_text())  # the machine stays that of the whole table
        told["bytes_per_pixel"] |= found
        save("memory", told)
    elif not options.only:
        save("memory", {"bytes_per_pixel": found})
    return None


if __name__ == "__main__":
    main()
