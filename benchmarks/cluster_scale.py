"""What one picture costs a worker and the driver, for the model in docs/scale.md.

    python benchmarks/cluster_scale.py [--address HOST:PORT]   # measure; write the results and docs/scale.md
    python benchmarks/cluster_scale.py --only-page             # write the page from the last results

All times are seconds of processor time, which a busy machine lengthens less than it does wall time.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from machine import RESULTS, save

SIZES = {"1080p": (1920, 1080), "12 MP": (4000, 3000)}
ROWS = 5000
TASKS = 400
ROOT = Path(__file__).parents[1]


def processor_seconds(work: Callable[[], Any]) -> float:
    """Of this process, all threads."""
    start = time.process_time()
    work()
    return time.process_time() - start


def pictures(folder: Path) -> dict[str, Any]:
    """One JPEG of each size through `auto`, decoding and encoding included, on one thread."""
    import cv2

    from daybreak.enhancing.batch import Output, enhance_bytes
    from daybreak.enhancing.enhancer import Enhancer
    from enhance_12mp import make_picture

    cv2.setNumThreads(1)
    enhancer, found = Enhancer("auto"), {}
    make_picture(folder / "small.jpg", 64, 48)
    for name, (width, height) in {"warm-up": (1200, 900), **SIZES}.items():  # all get the same network
        path = folder / "a.jpg"
        make_picture(path, width, height)
        data, made = path.read_bytes(), b""

        def work(data: bytes = data, path: Path = path) -> None:
            nonlocal made
            made = enhance_bytes(data, enhancer, Output(), path, path)[0]

        seconds = sorted(processor_seconds(work) for _ in range(3))
        found[name] = {"seconds": round(seconds[1], 3), "spread": round(seconds[2] - seconds[0], 3)}
        found[name] |= {"bytes_in": len(data), "bytes_out": len(made)}
    del found["warm-up"]
    return found


def driver(folder: Path) -> dict[str, float]:
    """What the driver does for each picture, but for Ray's part: list, plan, note, merge."""
    from daybreak.cluster.manifest import NAME, Manifest
    from daybreak.cluster.place import Place
    from daybreak.cluster.rows import Order, Row
    from daybreak.cluster.run import Run
    from daybreak.enhancing.batch import Output
    from daybreak.enhancing.enhancer import Enhancer

    (folder / "in").mkdir()
    for n in range(ROWS):
        (folder / "in" / f"{n:06d}.jpg").touch()
    enhancer = Enhancer("auto")
    run = Run(str(folder / "in"), str(folder / "out"), enhancer, Output(), "")
    planned = processor_seconds(lambda: list(run.planned()))
    order = Order.of("in", "out", enhancer, Output())
    note = "dark (geometric mean of max(R, G, B) 0.0123 of 1): crm, exposure ratio 7.00"

    def row(n: int) -> Row:
        name, first, second = f"folder/{n:06d}.jpg", *(sha256(f"{n} {m}".encode()).hexdigest() for m in "ab")
        versions = f"{n}:{first[::2]}", f"{n}:{second[::2]}"  # as long as S3's
        return Row(name, name, "enhanced", order.asked, *versions, first, second, n, "crm", note, n / 7919)

    rows = [row(n) for n in range(ROWS)]
    manifest = Manifest(Place(str(folder / "out")))

    def note_all() -> None:
        for row in rows:
            manifest.add(row)
        manifest.merge()

    noted = processor_seconds(note_all)
    return {
        "plan_seconds": round(planned / ROWS, 7),
        "note_seconds": round(noted / ROWS, 7),
        "manifest_bytes": round((folder / "out" / NAME).stat().st_size / ROWS, 1),
    }


def ray_part(folder: Path, address: str | None) -> float:
    """Processor seconds of the driver for handing one picture out and taking its row in."""
    from daybreak.cluster.actors import Actors
    from daybreak.cluster.connect import Crew, connected
    from daybreak.cluster.rows import Order, Task
    from daybreak.enhancing.batch import Output
    from daybreak.enhancing.enhancer import Enhancer

    crew = Crew(1, cpus=0.01)
    order = Order.of(str(folder / "in"), str(folder / "out"), Enhancer("gamma"), Output())
    tasks = [Task(f"gone {n}.jpg", f"gone {n}.jpg", "") for n in range(TASKS)]
    with connected(address, crew) as ray:
        rows = Actors(ray, crew).run(tasks, order)
        next(rows)
        return round(processor_seconds(lambda: list(rows)) / (TASKS - 1), 6)


def main() -> None:
    """Measure, save, write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--address", help="of a Ray cluster that is there; else one is started")
    parser.add_argument("--only-page", action="store_true")
    options = parser.parse_args()
    if not options.only_page:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            found = {"pictures": pictures(folder), "driver": driver(folder)}
            print(json.dumps(found), flush=True)
            found["driver"]["ray_seconds"] = ray_part(folder, options.address)
        save("cluster_scale", found)
    from daybreak.evaluation.documents import write_between
    from scale_model import tables

    results = json.loads((RESULTS / "cluster_scale.json").read_text())
    for name, table in tables(results).items():
        write_between(ROOT / "docs" / "scale.md", name, table)


if __name__ == "__main__":
    main()
