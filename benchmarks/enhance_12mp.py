"""A 12-megapixel JPEG through `daybreak enhance`, whole process, beside the floor; and a folder of 40.

    python benchmarks/enhance_12mp.py            # writes benchmarks/results/enhance_12mp.json

The floor is a process that does nothing but decode the same file to an array and encode that array again,
with the same library (libvips through pyvips), quality and chroma subsampling, in the same run; and once more
without the threads that NumPy's linear algebra starts and nobody wants, as daybreak's command line does.
Beside it stands what daybreak's own reader and writer take, which bring metadata and profiles along too.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from machine import save, time_commands

PICTURE = sorted((Path(__file__).parents[1] / "examples").glob("*.jpg"))[0]
FLOOR = (
    "import sys, pyvips, numpy;"
    "a = pyvips.Image.new_from_file(sys.argv[1], access='sequential').numpy();"
    "pyvips.Image.new_from_array(a).jpegsave(sys.argv[2], Q=95, subsample_mode='on')"
)
BARE_FLOOR = "import os; os.environ['OPENBLAS_NUM_THREADS'] = '1';" + FLOOR
OWN = (
    "import sys; from pathlib import Path;"
    "from daybreak.image.read import read_photo; from daybreak.image.write import write_photo;"
    "write_photo(read_photo(sys.argv[1]), Path(sys.argv[2]), overwrite=True)"
)


def make_picture(path: Path, width: int = 4000, height: int = 3000) -> None:
    """A dark 12 MP picture with sensor-like noise, so that it costs the codec what a real one does."""
    small = cv2.imread(str(PICTURE))
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    large += np.random.default_rng(0).normal(0.0, 2.0, large.shape).astype(np.float32)
    cv2.imwrite(str(path), np.clip(np.rint(large), 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 92])


def enhance(*arguments: str) -> list[str]:
    """The command line of `daybreak enhance` in this interpreter."""
    return [sys.executable, "-m", "daybreak", "enhance", "--overwrite", *arguments]


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--folder", type=int, default=40, help="pictures in the folder; 0 leaves it out")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        return make_picture(options.make)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # as a rule, a process finds the bytecode of the last one
    with tempfile.TemporaryDirectory() as folder:
        one, out = Path(folder, "one.jpg"), Path(folder, "out")
        subprocess.run([sys.executable, __file__, "--make", str(one)], check=True)
        single = {
            "floor": [sys.executable, "-c", FLOOR, str(one), str(Path(folder, "floor.jpg"))],
            "bare_floor": [sys.executable, "-c", BARE_FLOOR, str(one), str(Path(folder, "bare.jpg"))],
            "own_reader_and_writer": [sys.executable, "-c", OWN, str(one), str(Path(folder, "own.jpg"))],
            "auto": enhance(str(one), "-o", str(out)),
        }
        results: dict[str, Any] = {"picture": {"megapixels": 12.0, "bytes": one.stat().st_size}}
        results |= time_commands(single, options.runs)
        for other in ("floor", "bare_floor", "own_reader_and_writer"):
            ratio = results["auto"]["seconds_median"] / results[other]["seconds_median"]
            results[f"auto_over_{other}"] = round(ratio, 2)
        if options.folder:
            results |= folder_rates(one, Path(folder, "many"), out, options.folder)
    print(save("enhance_12mp", results).read_text())
    return None


def folder_rates(one: Path, many: Path, out: Path, count: int) -> dict[str, Any]:
    """A folder of `count` copies with one job and with two."""
    many.mkdir()
    for i in range(count):
        shutil.copy(one, many / f"{i:03}.jpg")
    jobs = {f"folder_jobs_{n}": enhance(str(many), "-o", str(out), "--jobs", str(n)) for n in (1, 2)}
    results: dict[str, Any] = time_commands(jobs, 3)
    for took in results.values():
        took["pictures_per_second"] = round(count / took["seconds_median"], 2)
    one_job, two_jobs = (results[name]["pictures_per_second"] for name in jobs)
    return results | {"jobs_2_over_1": round(two_jobs / one_job, 2)}


if __name__ == "__main__":
    main()
