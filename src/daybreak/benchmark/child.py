"""One case of a benchmark, measured in this process: `python -m daybreak.benchmark.child CASE REPEATS FOLDER`

A process of its own, so that its peak memory is its own and no case profits from another's warm caches.
In each repeat the codec alone, the method alone and the whole way take turns: what slows the machine down
meanwhile slows all three.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daybreak.benchmark.results import Case, Row, Seconds

if TYPE_CHECKING:
    from daybreak.enhancing.enhancer import Enhancer

_LEAST = 1.0  # seconds for which a case is repeated at the least: what takes milliseconds varies most
_SIDE = 512  # of the matrices whose product stands for what the machine can do
_PRODUCTS = 10  # of which the fastest counts; after each repeat, since others may be at work meanwhile


def picture_of(case: Case, folder: Path) -> Path:
    """The JPEG of a size in the benchmark's folder."""
    return folder / f"{case.width}x{case.height}.jpg"


def make_picture(path: Path, width: int, height: int) -> None:
    """A dark picture with edges, gradients and a sensor's grain: it costs a codec what a real one does."""
    import cv2
    import numpy as np

    rng = np.random.default_rng(0)
    coarse = rng.random((9, 12, 3), np.float32)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    blocks = cv2.resize(rng.random((30, 40, 3), np.float32), (width, height), interpolation=cv2.INTER_NEAREST)
    grain = rng.normal(0.0, 2.0, (height, width, 3)).astype(np.float32)
    scene = 20.0 + 22.0 * np.asarray(smooth) + 18.0 * np.asarray(blocks) + grain
    levels = np.clip(np.rint(scene), 0, 255).astype(np.uint8)
    cv2.imwrite(str(path), levels, [cv2.IMWRITE_JPEG_QUALITY, 92])


def ceiling() -> float:
    """GFLOP/s of the best of a few large float32 matrix products, by as many threads as `run` allows BLAS."""
    import numpy as np

    rng = np.random.default_rng(0)
    one, two = (rng.random((_SIDE, _SIDE), np.float32) for _ in range(2))
    best = min(_clock(lambda: one @ two)[0] for _ in range(_PRODUCTS))
    return 2e-9 * _SIDE**3 / best


def _clock(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds of wall and of processor time."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def _floor(data: bytes) -> None:
    """Decode to an array and encode that, with the quality and the chroma of our own encoder."""
    from daybreak.image.vips import load_vips

    vips = load_vips()
    levels = vips.Image.jpegload_buffer(data, access="sequential").numpy()
    vips.Image.new_from_array(levels).jpegsave_buffer(Q=95, subsample_mode="on")


def peak_mb() -> float:
    """Most memory that this process has held so far, in MB."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return next(int(line.split()[1]) / 1000 * 1.024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):  # not Linux
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / (1e6 if sys.platform == "darwin" else 1e3 / 1.024)


def macs_of(enhancer: Enhancer, pixels: int) -> int | None:
    """Multiply-adds of the network behind a method on so many pixels.

    None for no network, and for one that also looks at a copy of the whole picture, of one size whatever the
    picture's: the card's number, taken at 512², is then none per pixel.
    """
    from daybreak.weights import find_weight, list_weights

    sha256 = enhancer.method.card.weights_sha256
    cards = (find_weight(name).card for name in list_weights()) if sha256 else ()
    known = (card for card in cards if card.sha256 == sha256 and not card.guide)
    return next((card.macs_per_pixel * pixels for card in known), None)


def measure(case: Case, repeats: int, folder: Path) -> Row:
    """Measure a case in this process: so many repeats at the least, and for a second at the least."""
    import cv2

    from daybreak.enhancing.enhancer import Enhancer
    from daybreak.enhancing.one import enhance_bytes
    from daybreak.enhancing.result import Output
    from daybreak.image.read import read_photo

    path = picture_of(case, folder)
    data = path.read_bytes()
    placed: dict[str, Any] = {"device": case.device, "precision": case.precision} if case.device else {}
    enhancer = Enhancer(case.method, threads=case.threads, **placed)
    cv2.setNumThreads(case.threads)
    rows = read_photo(data).stored
    ways: dict[str, Callable[[], Any]] = {
        "floor": lambda: _floor(data),
        "method": lambda: enhancer.run(rows),
        "whole": lambda: enhance_bytes(data, enhancer, Output(), path, path),
    }
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    reached = 0.0
    count, start = 0, time.perf_counter()
    while count <= repeats or time.perf_counter() - start < _LEAST:
        for name, work in ways.items():
            clocked = _clock(work)
            if count:  # the first one warms up
                took[name].append(clocked)
        reached = max(reached, ceiling())
        count += 1
    peak = peak_mb()
    wall = {name: Seconds(each=tuple(round(one[0], 6) for one in took[name])) for name in ways}
    cpu = {name: Seconds(each=tuple(round(one[1], 6) for one in took[name])) for name in ways}
    return Row(
        case=case,
        floor=wall["floor"],
        method=wall["method"],
        whole=wall["whole"],
        cpu_floor=cpu["floor"],
        cpu_whole=cpu["whole"],
        peak_mb=round(peak, 1),
        macs=macs_of(enhancer, case.pixels),
        ceiling_gflops=round(reached, 1),
    )


def main() -> None:
    """Do what `run` asks for."""
    if sys.argv[1] == "picture":
        make_picture(Path(sys.argv[4]), int(sys.argv[2]), int(sys.argv[3]))
        return
    row = measure(Case.model_validate_json(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
    print(json.dumps(row.model_dump(mode="json")))


if __name__ == "__main__":
    main()
