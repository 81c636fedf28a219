"""Many requests in a row to one server: does its memory stay where it was?

    python benchmarks/soak.py                # writes benchmarks/results/soak.json

A server of its own on loopback with two workers gets one request after the other: three sizes of a dark
picture in turn through several methods, every tenth request one that is refused. Its resident memory after
the last is to lie within 10 % of that after the first hundred.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx

from enhance_12mp import make_picture
from machine import save

SIZES = ((640, 480), (1280, 720), (300, 900))
METHODS = ("auto", "gamma", "crm", "dong", "clahe", "cascade", "daybreak.best")
EARLY = 100  # requests after which memory is looked at first


def resident(process: int) -> float:
    """MB of memory that a process holds now (Linux)."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def wait(client: httpx.Client) -> None:
    """Until the server answers.

    Raises:
        TimeoutError: it does not, for a minute.
    """
    for _ in range(600):
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise TimeoutError("the server does not answer")


def soak(client: httpx.Client, process: int, pictures: list[bytes], requests: int) -> dict[str, Any]:
    """Send the requests and watch."""
    codes: Counter[int] = Counter()
    memory: dict[int, float] = {}
    seconds = []
    wanted = cycle([(picture, method) for method in METHODS for picture in pictures])
    for number in range(1, requests + 1):
        data, method = next(wanted)
        if number % 10 == 0:
            data = data[: len(data) // 2]
        start = time.perf_counter()
        codes[client.post("/v1/enhance", params={"method": method}, content=data).status_code] += 1
        seconds.append(time.perf_counter() - start)
        if number % EARLY == 0:
            memory[number] = round(resident(process), 1)
    first, last = memory[EARLY], memory[max(memory)]
    return {
        "requests": requests,
        "statuses": {str(code): count for code, count in sorted(codes.items())},
        "rss_mb": {str(number): value for number, value in memory.items()},
        "growth_percent": round(100 * (last / first - 1), 1),
        "seconds_median": round(statistics.median(seconds), 3),
        "seconds_max": round(max(seconds), 3),
    }


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--port", type=int, default=8765)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pictures = []
        for width, height in SIZES:
            path = Path(folder, f"{width}.jpg")
            make_picture(path, width, height)
            pictures.append(path.read_bytes())
        command = [sys.executable, "-m", "daybreak", "serve", "--no-page", "--workers", "2"]
        command += ["--port", str(options.port), "--state", folder]
        server = subprocess.Popen(command)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{options.port}", timeout=120) as client:
                wait(client)
                results = soak(client, server.pid, pictures, options.requests)
        finally:
            server.terminate()
            server.wait()
    print(results)
    print(save("soak", {"methods": METHODS, "sizes": SIZES, **results}))


if __name__ == "__main__":
    main()
