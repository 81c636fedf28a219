"""`neid` on a picture of 600x400: every place that can run it against its own torch-eager fp32 run.

    python benchmarks/neid_engine.py [--weights FOLDER]     # writes benchmarks/results/neid_engine.json

FOLDER holds the exported weight (`neid.lol.toml` and its two files); without one, random numbers take their
place, which take as long. All take turns in one process, with the same number of threads, after a warm-up
each; the ratio counts, for the machine may be busy with other work.
On such a machine the time that the cores were at work says more than the clock, with one thread: more of them
also count as at work while they wait for each other. Beside the times stand how far each result is from
torch's, and how long a session takes to start, of the smallest network as well.
"""

from __future__ import annotations

import argparse
import datetime
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from daybreak.engines import DEVICES, OnnxEngine, Place
from daybreak.engines.fastest import load
from daybreak.networks import build
from daybreak.types import Array
from daybreak.weights import Weight, WeightCard, find_weight
from daybreak.weights.store import sha256
from machine import save

EAGER = "torch eager fp32"
SIZE = (416, 608)  # 400x600 brought up to the network's multiple of 32, as it is run


def random_weight(folder: Path) -> Weight:
    """`neid` with random numbers that keep activations their size, exported as a weight is."""
    from safetensors.torch import save_file

    from daybreak.training.graph import macs_per_pixel, make_onnx
    from daybreak.training.sharing import share

    torch.manual_seed(0)
    network = build("neid").eval()
    graph = network.inference().eval()
    for numbers in graph.parameters():
        if numbers.ndim == 4:
            torch.nn.init.kaiming_normal_(numbers)
    state = {name: value.contiguous() for name, value in graph.state_dict().items()}
    onnx, safetensors = folder / "neid.random.onnx", folder / "neid.random.safetensors"
    save_file(state, safetensors)
    model = make_onnx(network)
    share(model, state, safetensors)
    onnx.write_bytes(model.SerializeToString())
    texts = ("summary", "paper", "preprocessing", "recipe", "training_data", "training_terms", "licence")
    card = WeightCard(
        network="neid",
        tag="random",
        date=datetime.date.today(),
        parameters=network.inference_parameters(),
        macs_per_pixel=macs_per_pixel(graph),
        context=network.context,
        halo=network.halo,
        multiple=network.multiple,
        shared=True,
        onnx_sha256=sha256(onnx),
        safetensors_sha256=sha256(safetensors),
        settings={},
        recipe_sha256="0" * 64,
        steps=0,
        **dict.fromkeys(texts, "-"),
    )
    return Weight(card, onnx, safetensors)


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


def started(make: Callable[[], Any], times: int = 5) -> float:
    """Seconds to make something, at the least."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        make()
        took.append(time.perf_counter() - start)
    return round(min(took), 4)


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
    parser.add_argument("--weights", type=Path, help="the folder with neid.lol; else random numbers")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, os.cpu_count() or 1])
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        weight = find_weight("neid.lol", options.weights) if options.weights else random_weight(Path(folder))
        weight.verify()
        measure(weight, options)


def measure(weight: Weight, options: argparse.Namespace) -> None:
    """All of it, with one weight, beside which the ones that ship start."""
    load_average = round(os.getloadavg()[0], 1)
    found = {str(threads): compare(weight, threads, options.runs) for threads in options.threads}
    starts = {
        f"{one.card.name} on {place}": started(lambda place=place, one=one: load(place, one, 1))
        for one in (find_weight("cascade.lol"), find_weight("daybreak.best"), weight)
        for place in every_place()
    }
    print(starts)
    told = {"weight": weight.card.name, "size": SIZE, "runs": options.runs, "load_average": load_average}
    save("neid_engine", {**told, "in_turn_by_threads": found, "session_start_seconds": starts})


if __name__ == "__main__":
    main()
