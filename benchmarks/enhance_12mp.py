"""A 12-megapixel JPEG through `daybreak enhance`, whole process, beside the floor; and a folder of 40.

    python benchmarks/enhance_12mp.py            # writes benchmarks/results/enhance_12mp.json

The floor is a process that does nothing but decode the same file to an array and encode that array again,
with the same library (libvips through pyvips) and the same quality, in the same run as the measurement.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from machine import save, time_command

PICTURE = sorted((Path(__file__).parents[1] / "examples").glob("*.jpg"))[0]
FLOOR = (
    "import sys, pyvips, numpy;"
    "a = pyvips.Image.new_from_file(sys.argv[1], access='sequential').numpy();"
    "pyvips.Image.new_from_array(a).jpegsave(sys.argv[2], Q=95, subsample_mode='off')"
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
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        one, out = Path(folder, "one.jpg"), Path(folder, "out")
        make_picture(one)
        floor = time_command(
            [sys.executable, "-c", FLOOR, str(one), str(Path(folder, "floor.jpg"))], options.runs
        )
        auto = time_command(enhance(str(one), "-o", str(out)), options.runs)
        results = {
            "picture": {"megapixels": 12.0, "bytes": one.stat().st_size},
            "floor": floor,
            "auto": auto,
            "auto_over_floor": round(auto["seconds_median"] / floor["seconds_median"], 2),
        }
        if options.folder:
            many = Path(folder, "many")
            many.mkdir()
            for i in range(options.folder):
                shutil.copy(one, many / f"{i:03}.jpg")
            rates = {}
            for jobs in (1, 2):
                took = time_command(enhance(str(many), "-o", str(out), "--jobs", str(jobs)), 3)
                rates[jobs] = options.folder / took["seconds_median"]
                results[f"folder_jobs_{jobs}"] = took | {"pictures_per_second": round(rates[jobs], 2)}
            results["jobs_2_over_1"] = round(rates[2] / rates[1], 2)
    print(save("enhance_12mp", results).read_text())


if __name__ == "__main__":
    main()
