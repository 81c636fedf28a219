"""What every result file says about the machine it was measured on, and how a command is timed."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    """Processor, cores, memory, Python and the libraries that decide speed."""
    cpu = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    libraries = ("numpy", "opencv-python-headless", "pyvips-binary", "scipy", "onnxruntime")
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(pages / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in libraries},
        "date": date.today().isoformat(),
    }


def time_commands(commands: Mapping[str, list[str]], runs: int) -> dict[str, dict[str, Any]]:
    """Run commands in turn, A B A B ..., `runs` times after one warm-up each: wall seconds and peak memory.

    In turn, so that a machine that gets slower or faster does so for all of them. Keep the process that calls
    this small: a child's peak memory starts at its parent's.

    Raises:
        CalledProcessError: a command failed; a failed run is not a measurement.
    """
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    peaks: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs + 1):
        for name, command in commands.items():
            start = time.perf_counter()
            process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
            )
            _, status, usage = os.wait4(process.pid, 0)
            seconds[name].append(time.perf_counter() - start)
            if status:
                raise subprocess.CalledProcessError(status, command)
            peaks[name].append(usage.ru_maxrss / (1024 if sys.platform != "darwin" else 2**20))
    return {
        name: {
            "seconds_median": round(statistics.median(took[1:]), 3),
            "seconds_min": round(min(took[1:]), 3),
            "seconds_max": round(max(took[1:]), 3),
            "runs": runs,
            "peak_rss_mb": round(max(peaks[name]), 1),
        }
        for name, took in seconds.items()
    }


def save(name: str, results: dict[str, Any]) -> Path:
    """Write results/NAME.json with the machine beside the figures."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"machine": machine(), **results}, indent=2) + "\n")
    return path
