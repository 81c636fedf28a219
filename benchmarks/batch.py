"""Pictures a second of a batch against the sum of its parts; processes against threads.

    python benchmarks/batch.py [--pictures 60] [--rounds 5] [--size 1500x1000]   # writes results/batch.json

The parts (decode, enhance, encode) are timed one after the other, picture by picture, on one core while the
others rest, and on all cores at once, for cores that share caches and memory are slower together. Either
way they say what two cores allow: cores / (decode + enhance + encode). The batch is `run_batch` with as many
workers as cores, in processes as it works and in threads as it could. All take turns, in wall time, and the
processor time a picture stands beside, which a busy machine changes less. Starting the processes is part of
the batch's time and is told apart: a batch of one picture for each of them is timed too, and what the others
take beyond it is the pace that a large folder goes on at.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2

from daybreak.benchmark.child import make_picture
from daybreak.benchmark.run import parse_size
from daybreak.enhancing.batch import Output, run_batch
from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.plan import Job
from daybreak.image.paths import read_bytes
from daybreak.image.read import read_photo
from daybreak.image.write import encode_photo
from machine import save

PARTS = ("decode", "enhance", "encode")


def clock(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds of wall time, and of processor time; that of a fork server's children nobody here can see."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def parts(source: Path, enhancer: Enhancer) -> dict[str, tuple[float, float]]:
    """What each part of one picture takes on one core."""
    data, kept = source.read_bytes(), {}

    def decode() -> None:
        kept["photo"] = read_photo(data)

    def enhance() -> None:
        kept["made"] = enhancer.photo(kept["photo"])[0]

    cv2.setNumThreads(1)
    return {
        "decode": clock(decode),
        "enhance": clock(enhance),
        "encode": clock(lambda: encode_photo(kept["made"], "jpeg")),
    }


def parts_at_once(source: Path, method: str, cores: int, times: int) -> dict[str, list[tuple[float, float]]]:
    """What each part takes while every core is at the same, each in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ready, found = context.Barrier(cores), context.SimpleQueue()
    workers = [
        context.Process(target=_one_of, args=(source, method, times, ready, found)) for _ in range(cores)
    ]
    for worker in workers:
        worker.start()
    told = [found.get() for _ in workers]
    for worker in workers:
        worker.join()
    return {part: [took[part] for each in told for took in each] for part in PARTS}


def _one_of(source: Path, method: str, times: int, ready: Any, found: Any) -> None:
    enhancer = Enhancer(method)
    parts(source, enhancer)  # warms up
    ready.wait()
    found.put([parts(source, enhancer) for _ in range(times)])


def batch(jobs: Sequence[Job], enhancer: Enhancer, workers: int, processes: bool) -> None:
    """The batch, all of it done."""

    def read(path: Path) -> bytes:  # a reader of its own keeps a batch in threads
        return read_bytes(path)

    for result in run_batch(
        jobs, enhancer, Output(overwrite=True), workers, read_bytes if processes else read
    ):
        assert not result.error, result.error


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("-m", "--method", default="auto")
    parser.add_argument("--pictures", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", default="1500x1000")
    told = parser.parse_args()
    told.load = round(os.getloadavg()[0], 1)
    width, height = parse_size(told.size)
    cores = os.cpu_count() or 1
    ways: dict[str, list[tuple[float, float]]] = {"processes": [], "threads": [], "start": []}
    pieces: dict[str, list[tuple[float, float]]] = {name: [] for name in PARTS}
    together: dict[str, list[tuple[float, float]]] = {name: [] for name in PARTS}
    with tempfile.TemporaryDirectory() as name:
        folder, enhancer = Path(name), Enhancer(told.method)
        source = folder / "one.jpg"
        make_picture(source, width, height)
        jobs = [Job(source, folder / f"out/{n}.jpg") for n in range(told.pictures)]
        parts(source, enhancer)  # warms up
        batch(jobs[:2], enhancer, cores, processes=True)
        for _ in range(told.rounds):
            for _ in range(min(told.pictures, 10)):
                for part, took in parts(source, enhancer).items():
                    pieces[part].append(took)
            for part, each in parts_at_once(source, told.method, cores, 10).items():
                together[part] += each
            ways["processes"].append(clock(lambda: batch(jobs, enhancer, cores, processes=True)))
            ways["threads"].append(clock(lambda: batch(jobs, enhancer, cores, processes=False)))
            ways["start"].append(clock(lambda: batch(jobs[:cores], enhancer, cores, processes=True)))
    save("batch", report(told, cores, pieces, together, ways))
    print((Path(__file__).parent / "results" / "batch.json").read_text())


def report(
    told: argparse.Namespace,
    cores: int,
    pieces: dict[str, list[tuple[float, float]]],
    together: dict[str, list[tuple[float, float]]],
    ways: dict[str, list[tuple[float, float]]],
) -> dict[str, Any]:
    """What was found."""

    def median(took: list[tuple[float, float]], which: int) -> float:
        return statistics.median(one[which] for one in took)

    result: dict[str, Any] = {"method": told.method, "size": told.size, "pictures": told.pictures}
    result |= {"rounds": told.rounds, "load_average": told.load}
    for which, clock_name in enumerate(("wall", "cpu")):
        alone = {part: median(took, which) for part, took in pieces.items()}
        whole = sum(alone.values())
        entry: dict[str, Any] = {f"{part}_ms": round(1e3 * took, 1) for part, took in alone.items()}
        for way in ("processes", "threads") if clock_name == "wall" else ("threads",):
            took = median(ways[way], which) / told.pictures
            entry[f"{way}_ms_a_picture"] = round(1e3 * took, 1)
            allowed = whole / cores if clock_name == "wall" else whole
            entry[f"{way}_of_what_the_parts_allow"] = round(allowed / took, 3)
        result[clock_name] = entry
    wall, start = result["wall"], median(ways["start"], 0)
    wall["batch_of_as_many_pictures_as_workers_ms"] = round(1e3 * start, 1)
    beyond = [(whole[0] - few[0]) for whole, few in zip(ways["processes"], ways["start"], strict=True)]
    pace = statistics.median(beyond) / (told.pictures - cores)
    wall["processes_once_started_ms_a_picture"] = round(1e3 * pace, 1)
    for name, parted in (("", pieces), ("_on_all_cores_at_once", together)):
        allowed = sum(median(took, 0) for took in parted.values()) / cores
        wall[f"parts{name}_allow_ms_a_picture"] = round(1e3 * allowed, 1)
        wall[f"processes_once_started_of_what_the_parts{name}_allow"] = round(allowed / pace, 3)
    return result


if __name__ == "__main__":
    main()
