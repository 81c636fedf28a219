"""Seconds of every metric on one pair of 600×400, and of all that need no asset on 15 such pairs of LOL.

    python benchmarks/metrics_speed.py [--data FOLDER]    # FOLDER holds LOL/eval15; default: $DAYBREAK_DATA

Writes benchmarks/results/metrics_speed.json. NIQE and LPIPS are timed where their assets were fetched.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from daybreak.evaluation.lists import open_list
from daybreak.evaluation.models import load_models
from daybreak.evaluation.pictures import load, to_8_bits
from daybreak.metrics import METRICS, Metric
from machine import save

ROOT = Path(__file__).parents[1]
RUNS = 9


def seconds(metric: Metric, output: np.ndarray, reference: np.ndarray, model: Any) -> dict[str, float]:
    """Median and spread of `RUNS` runs after one warm-up."""
    times = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        metric.score(output, None if metric.reference == "none" else reference, model=model)
        times.append(time.perf_counter() - start)
    return {
        "median": round(statistics.median(times[1:]), 4),
        "min": round(min(times[1:]), 4),
        "max": round(max(times[1:]), 4),
    }


def main() -> None:
    """Time, print, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = Path(os.environ.get("DAYBREAK_DATA", ROOT / ".." / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=default)
    options = parser.parse_args()
    pairs = []
    for sample in open_list("lol-v1:test", options.data).samples:
        picture = load(sample)
        assert picture.truth is not None
        output = to_8_bits(picture.low ** np.float32(1 / 2.2))
        pairs.append((output, picture.truth))
    models, missing = load_models([metric.name for metric in METRICS], None, paired=True)
    each = {}
    for metric in METRICS:
        if metric.name not in missing:
            each[metric.name] = seconds(metric, *pairs[0], models.get(metric.name))
            print(f"{metric.name:12s} {each[metric.name]['median'] * 1000:8.1f} ms", flush=True)
    free = [metric for metric in METRICS if not metric.asset]
    start = time.perf_counter()
    for output, truth in pairs:
        for metric in free:
            metric.score(output, truth)
    whole = time.perf_counter() - start
    print(f"{len(free)} metrics without assets on {len(pairs)} pairs: {whole:.1f} s")
    save(
        "metrics_speed",
        {
            "size": "600×400",
            "seconds": each,
            "not_timed": missing,
            "without_assets": {
                "metrics": [metric.name for metric in free],
                "pairs": len(pairs),
                "seconds": round(whole, 2),
            },
        },
    )


if __name__ == "__main__":
    main()
