"""Peak memory and seconds of `daybreak enhance --max-memory 1GB` at 12, 100 and 1,000 megapixels.

    python benchmarks/large.py                    # writes benchmarks/results/large.json; needs 6 GB of disk

The picture is a dark TIFF (LZW) made of one photo side by side; the result is a TIFF too. Each run is a
process of its own, whose peak is what the system tells at its end (VmHWM). 1,000 megapixels go to three
methods alone, the others to methods of each kind. Runs that are not made again stay as they were.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from daybreak.evaluation.documents import write_between
from enhance_12mp import PICTURE
from machine import save

SIZES = {"12": (4000, 3000), "100": (12_500, 8000), "1000": (32_000, 31_250)}
METHODS = ("cascade", "daybreak.best", "daybreak.curve", "auto", "gamma", "he", "msr", "npe", "lime", "srie")
LARGEST = ("gamma", "cascade", "auto")  # methods that are run on 1,000 megapixels
LIMIT = "1GB"
DOCUMENT = Path(__file__).parents[1] / "docs" / "large-pictures.md"
SAVED = Path(__file__).parent / "results" / "large.json"
RUN = """
import sys
from pathlib import Path
from daybreak.cli.start import start
start()
from daybreak.cli.main import run
assert not run()
lines = Path("/proc/self/status").read_text().splitlines()
print(next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")))
"""


def make_picture(path: Path, width: int, height: int) -> None:
    """One photo side by side, as often as it takes."""
    import pyvips

    photo = pyvips.Image.new_from_file(str(PICTURE)).copy_memory()
    wide = photo.replicate(-(-width // photo.width), -(-height // photo.height)).crop(0, 0, width, height)
    wide.tiffsave(str(path), compression="lzw", predictor="horizontal", bigtiff=width * height > 10**9)


def measure(source: Path, target: Path, method: str, megapixels: str) -> dict[str, Any]:
    """One run: seconds, and the peak in MB."""
    typed = ["enhance", str(source), "-o", str(target), "-m", method, "-q", "--max-memory", LIMIT]
    begin = time.perf_counter()
    told = subprocess.run(
        [sys.executable, "-c", RUN, *typed, "--max-pixels", str(int(megapixels) + 1)],
        check=True,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - begin
    target.unlink()
    return {"seconds": round(seconds, 1), "peak_rss_mb": round(int(told.stdout.split()[-1]) / 1e6)}


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--folder", help="for the pictures")
    options = parser.parse_args()
    saved: dict[str, Any] = json.loads(SAVED.read_text()) if SAVED.exists() else {"runs": {}}
    saved.pop("machine", None)
    found: dict[str, dict[str, Any]] = saved["runs"]
    for size in options.sizes.split(","):
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            source = Path(folder, "in.tif")
            make_picture(source, *SIZES[size])
            for method in options.methods.split(","):
                if size == "1000" and method not in LARGEST:
                    continue
                found.setdefault(method, {})[f"{size} MP"] = measure(
                    source, Path(folder, "out.tif"), method, size
                )
                print(size, method, found[method][f"{size} MP"], flush=True)
            save("large", saved | {"limit": LIMIT, "runs": found})
    write_between(DOCUMENT, "large", "\n".join(table(found)))


def table(found: dict[str, dict[str, Any]]) -> list[str]:
    """The rows of docs/large-pictures.md: peak and seconds of each run."""
    lines = [f"| method | {' | '.join(f'{size} MP' for size in SIZES)} |", "|---" * (1 + len(SIZES)) + "|"]
    for method in [name for name in METHODS if name in found]:
        runs = [found[method].get(f"{size} MP") for size in SIZES]
        cells = [f"{run['peak_rss_mb']} MB, {run['seconds']:.0f} s" if run else "" for run in runs]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    main()
