"""2,000 pictures from bucket to bucket, workers and drivers killed on the way: is every result right?

    python benchmarks/cluster_kill.py [--pictures 2000]    # writes benchmarks/results/cluster_kill.{json,log}

A Ray cluster of several workers and an S3 server (moto) of its own run on this machine's loopback. A driver
is started as anybody would, `daybreak enhance s3://... -o s3://... --engine ray --address ...`. Every so many
results a worker gets SIGKILL, and on the way the driver does, twice; then the same command is given again,
until it ends by itself. At last every result is compared bit for bit with what one machine makes of the same
input, and the manifest with both.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil

from machine import RESULTS, save

WORKERS = 3
WORKER_EVERY = 0.085  # share of the results between two kills of a worker
DRIVER_AT = (0.3, 0.6)  # shares of the results after which a driver is killed
METHOD = "gamma"

STARTED = time.monotonic()
LOG: list[str] = []


def tell(text: str) -> None:
    """A line of the log."""
    LOG.append(f"{time.monotonic() - STARTED:7.1f} s  {text}")
    print(LOG[-1], flush=True)


def picture(seed: int) -> bytes:
    """A dark PNG of 64×48 pixels, each seed another."""
    levels = np.random.default_rng(seed).integers(0, 50, (48, 64, 3), dtype=np.uint8)
    return bytes(cv2.imencode(".png", levels)[1].tobytes())


@contextmanager
def s3_server() -> Any:
    """A moto server on loopback in a process of its own; the environment names it."""
    import s3fs
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # else a line for each request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "measured",
        "AWS_SECRET_ACCESS_KEY": "measured-too",
        "AWS_DEFAULT_REGION": "us-east-1",
        "OMP_NUM_THREADS": "1",
    }
    yield s3fs.S3FileSystem(use_listings_cache=False)
    server.stop()


def workers() -> list[psutil.Process]:
    """The processes of the actors, which Ray names after their class; only those of this script's cluster."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if " ".join(process.cmdline()).startswith("ray::Worker"):
                found.append(process)
    return found


def count(s3: Any) -> int:
    """Results that are there."""
    return sum(path.endswith(".png") for path in s3.find("photos/out"))


def kill_one(random: np.random.Generator) -> bool:
    """SIGKILL to one of the workers; whether there was one."""
    found = workers()
    if not found:
        return False
    victim = found[int(random.integers(len(found)))]
    try:
        victim.kill()
    except psutil.NoSuchProcess:
        return False
    tell(f"worker {victim.pid} gets SIGKILL")
    return True


def drive(
    s3: Any, address: str, until: float, every: float, random: np.random.Generator
) -> tuple[int | None, int]:
    """Give the command once and kill on the way; its exit code (None: killed), how many workers died.

    Args:
        until: results at which the driver is killed.
        every: results between two kills of a worker.
    """
    command = [sys.executable, "-m", "daybreak", "enhance", "s3://photos/in", "-o", "s3://photos/out"]
    command += ["--engine", "ray", "--address", address, "--jobs", str(WORKERS), "-m", METHOD, "--suffix", ""]
    driver = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    there = count(s3)
    tell(f"driver {driver.pid} starts; {there} results are there")
    killed, next_kill = 0, there + every
    while driver.poll() is None:
        time.sleep(0.1)
        there = count(s3)
        if there >= until:
            driver.kill()
            driver.communicate()
            tell(f"driver {driver.pid} gets SIGKILL; {there} results are there")
            return None, killed
        if there >= next_kill and kill_one(random):
            killed, next_kill = killed + 1, there + every
    lines = driver.communicate()[1].splitlines()
    told = [line for line in lines if "raylet" not in line][-3:]
    tell(f"driver {driver.pid} ends with code {driver.returncode}: {' | '.join(told)}")
    return driver.returncode, killed


def verify(s3: Any, pictures: dict[str, bytes]) -> dict[str, Any]:
    """Compare every result with what one machine makes, and the manifest with both."""
    from daybreak.cluster.manifest import Manifest
    from daybreak.cluster.place import Place
    from daybreak.enhancing.batch import Output, enhance_bytes
    from daybreak.enhancing.enhancer import Enhancer

    enhancer = Enhancer(METHOD)
    rows = list(Manifest(Place("s3://photos/out")).rows())
    by_name = {row["source"]: row for row in rows}
    found = {path.removeprefix("photos/out/") for path in s3.find("photos/out") if path.endswith(".png")}
    right = noted = 0
    for name, data in pictures.items():
        wanted = enhance_bytes(data, enhancer, Output(), Path(name), Path(name))[0]
        right += name in found and s3.cat_file(f"photos/out/{name}") == wanted
        noted += by_name.get(name, {}).get("sha256") == hashlib.sha256(wanted).hexdigest()
    return {
        "inputs": len(pictures),
        "results": len(found),
        "results_right_bit_for_bit": int(right),
        "results_of_no_input": len(found - pictures.keys()),
        "manifest_rows": len(rows),
        "manifest_rows_right": noted,
        "manifest_states": dict(Counter(row["state"] for row in rows)),
        "half_files": sum(".tmp" in path for path in s3.find("photos")),
    }


def main() -> None:
    """Run, verify, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=2000)
    wanted = parser.parse_args().pictures
    from daybreak.cluster.connect import Crew, connected

    random, killed, drivers, codes = np.random.default_rng(6), 0, 0, []
    with s3_server() as s3:
        s3.mkdir("photos")
        pictures = {f"{n % 20:02d}/{n:05d}.png": picture(n) for n in range(wanted)}
        for name, data in pictures.items():
            s3.pipe_file(f"photos/in/{name}", data)
        tell(f"{wanted} pictures are in s3://photos/in")
        with connected(None, Crew(WORKERS)) as ray:
            address = ray.get_runtime_context().gcs_address
            for share in (*DRIVER_AT, *[2.0] * 5):
                code, more = drive(s3, address, share * wanted, WORKER_EVERY * wanted, random)
                killed, drivers = killed + more, drivers + (code is None)
                if code is not None:
                    codes.append(code)
                if code == 0:
                    break
        found = verify(s3, pictures)
    tell(str(found))
    result = {"workers": WORKERS, "workers_killed": killed, "drivers_killed": drivers, "exit_codes": codes}
    save("cluster_kill", {**result, **found, "seconds": round(time.monotonic() - STARTED)})
    (RESULTS / "cluster_kill.log").write_text("\n".join(LOG) + "\n")


if __name__ == "__main__":
    main()
