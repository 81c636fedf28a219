"""`neid` on a picture of 600x400: every place that can run it against its own torch-eager fp32 run.

    python benchmarks/neid_engine.py          # writes benchmarks/results/neid_engine.json

All take turns in one process, with the same number of threads, after a warm-up
each; the ratio counts, for the machine may be busy with other work.
On such a machine the time that the cores were at work says more than the clock, with one thread: more of them
also count as at work while they wait for each other. Beside the times stand how far each result is from
torch's, and how long a session takes to start of every weight that ships: for the first time on a machine,
when OpenVINO has to compile the graph, and later.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch

from daybreak.engines import DEVICES, OnnxEngine, Place
from daybreak.engines.fastest import load
from daybreak.networks import build
from daybreak.types import Array
from daybreak.weights import Weight, find_weight, list_weights
from machine import save

EAGER = "torch eager fp32"
SIZE = (416, 608)  # 400x600 brought up to the network's multiple of 32, as it is run


def eager(weight: Weight, layout: torch.memory_format) -> Callable[[Array], Array]:
    """The network in torch, with the weight's parameters."""
    from safetensors.torch import load_file

    network = build(weight.card.network).inference().eval()
    stored = {name: value.float() for name, value in load_file(weight.safetensors).items()}
    network.load_state_dict(stored)
    network = network.to(memory_format=layout)

    def run(batch: Array) -> Array:
        with torch.inference_mode():
            made: Array = network(torch.from_numpy(batch).to(memory_format=layout)).contiguous().numpy()
            return made

    return run


def started(make: Callable[[], Any], times: int = 5) -> dict[str, float]:
    """Seconds to make something, for the first time and at the least of the times that follow."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        make()
        took.append(time.perf_counter() - start)
    return {"first": round(took[0], 4), "later": round(min(took[1:]), 4)}


def compare(weight: Weight, threads: int, times: int) -> dict[str, Any]:
    """Every place against torch, in turn."""
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    runs: dict[str, Callable[[Array], Array]] = {
        EAGER: eager(weight, torch.contiguous_format),
        "torch channels_last fp32": eager(weight, torch.channels_last),
        "ONNX Runtime cpu fp32, channels not in blocks": OnnxEngine(weight.onnx, threads).run,
    }
    runs |= {str(place): load(place, weight, threads).run for place in every_place()}
    low = np.random.default_rng(0).random((1, 3, *SIZE), np.float32) ** 3
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    busy: dict[str, list[float]] = {name: [] for name in runs}
    made: dict[str, Array] = {}
    for _ in range(times + 1):
        for name, run in runs.items():
            start, worked = time.perf_counter(), time.process_time()
            made[name] = run(low)
            seconds[name].append(time.perf_counter() - start)
            busy[name].append(time.process_time() - worked)
    base = statistics.median(seconds[EAGER][1:])
    found = {}
    for name, took in seconds.items():
        median = statistics.median(took[1:])
        found[name] = {
            "seconds_median": round(median, 4),
            "seconds_min": round(min(took[1:]), 4),
            "seconds_max": round(max(took[1:]), 4),
            "times_faster_than_eager": round(base / median, 2),
            "cpu_seconds_median": round(statistics.median(busy[name][1:]), 4),
            "times_less_cpu_time": round(
                statistics.median(busy[EAGER][1:]) / statistics.median(busy[name][1:]), 2
            ),
            "most_grey_levels_from_eager": round(255 * float(np.abs(made[name] - made[EAGER]).max()), 4),
        }
        print(f"{threads} threads, {name:<46} {found[name]}", flush=True)
    return found


def every_place() -> list[Place]:
    """That can be used here."""
    usable = [device for device in DEVICES if not device.missing()]
    return [Place(device, precision) for device in usable for precision in device.precisions()]


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, os.cpu_count() or 1])
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    weight, load_average = find_weight("neid.lol"), round(os.getloadavg()[0], 1)
    weight.verify()
    found = {str(threads): compare(weight, threads, options.runs) for threads in options.threads}
    with tempfile.TemporaryDirectory() as cache:
        os.environ["DAYBREAK_CACHE"] = cache  # nothing has been compiled there yet
        starts = {
            f"{name} on {place}": started(lambda place=place, name=name: load(place, find_weight(name), 1))
            for name in list_weights()
            for place in every_place()
        }
    for name, took in starts.items():
        print(name, took)
    told = {"weight": weight.card.name, "size": SIZE, "runs": options.runs, "load_average": load_average}
    save("neid_engine", {**told, "in_turn_by_threads": found, "session_start_seconds": starts})


if __name__ == "__main__":
    main()
