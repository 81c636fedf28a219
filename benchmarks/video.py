"""A dark 1280x720 film through `daybreak video`, whole process, beside the floor; and the flicker it leaves.

    python benchmarks/video.py       # writes benchmarks/results/video.json; tables.py writes its table

The floor is a process that decodes the same file and encodes its frames again, with the same libraries
(PyAV), codec, quality and preset, each in as many threads as there are cores. Beside it stands what daybreak
takes with a strength of 0, where everything is done but the method. Runs take turns, so that a machine that
gets slower does so for all of them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from machine import save, time_commands

PICTURE = sorted((Path(__file__).parents[1] / "examples").glob("*.jpg"))[0]
FLOOR = """
import sys, av
source = av.open(sys.argv[1])
stream = source.streams.video[0]
stream.thread_type = "AUTO"
out = av.open(sys.argv[2], "w", format="mp4")
made = out.add_stream("libx264", rate=25, options={"crf": "21", "preset": sys.argv[3]})
made.width, made.height, made.pix_fmt = stream.width, stream.height, "yuv420p"
made.thread_count = 0
for frame in source.decode(stream):
    frame.pict_type = 0
    out.mux(made.encode(frame))
out.mux(made.encode(None))
out.close()
"""


def make_film(path: Path, frames: int, width: int = 1280, height: int = 720) -> None:
    """A dark film: a slow pan over a picture, with the grain of a sensor in every frame."""
    small = cv2.imread(str(PICTURE))
    large = cv2.resize(small, (width + frames, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    large *= 24.0 / large.mean()
    rng = np.random.default_rng(0)
    grain = [rng.normal(0.0, 3.0, (height, width, 3)).astype(np.float32) for _ in range(8)]
    with av.open(str(path), "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "14", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for count in range(frames):
            view = large[:, count : count + width] + grain[count % len(grain)]
            levels = np.clip(np.rint(view), 0, 255).astype(np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(levels, "bgr24")))
        out.mux(stream.encode(None))


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-m", "--methods", default="gamma,daybreak.curve,daybreak,cascade")
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--speed", choices=("fast", "medium", "slow"), default="fast")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        return make_film(options.make, options.frames)
    preset = {"fast": "veryfast", "medium": "medium", "slow": "slow"}[options.speed]
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder, "film.mp4")
        make = [sys.executable, __file__, "--make", str(film), "--frames", str(options.frames)]
        subprocess.run(make, check=True)
        line = [sys.executable, "-m", "daybreak", "video", str(film), "--overwrite", "--speed", options.speed]
        commands = {
            "floor": [sys.executable, "-c", FLOOR, str(film), str(Path(folder, "floor.mp4")), preset],
            "all_but_the_method": [*line, "-o", str(Path(folder, "none.mp4")), "-m", "gamma", "-s", "0"],
        }
        for method in options.methods.split(","):
            commands[method] = [*line, "-o", str(Path(folder, f"{method}.mp4")), "-m", method]
        results: dict[str, Any] = {
            "film": {"frames": options.frames, "size": "1280x720", "bytes": film.stat().st_size},
            "speed": options.speed,
            "pyav": av.__version__,
        }
        results |= time_commands(commands, options.runs)
    for name in commands:
        took = results[name]
        took["frames_per_second"] = round(options.frames / took["seconds_median"], 2)
        took["over_floor"] = round(took["seconds_median"] / results["floor"]["seconds_median"], 2)
    print(save("video", results).read_text())
    return None


if __name__ == "__main__":
    main()
