"""On a real Ray cluster of several workers against a real S3 server: kills lose and repeat nothing."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from daybreak.cluster.actors import DEPTH, Actors
from daybreak.cluster.connect import Crew, connected
from daybreak.cluster.rows import Row, Task
from daybreak.enhancing.batch import Output, enhance_bytes
from daybreak.enhancing.enhancer import Enhancer
from daybreak.errors import BadSetting, ClusterError

WORKERS = 3
PICTURES = 48


@pytest.fixture(scope="module")
def ray(s3):
    """A cluster whose disk counts as full, so that nothing could be spilled; workers know the S3 server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_local_fs_capacity_threshold", "0")
        with connected(None, Crew(WORKERS)) as module:
            yield module


@pytest.fixture
def pool(ray):
    return Actors(ray, Crew(WORKERS))


def workers() -> list[psutil.Process]:
    """The processes of our actors."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if " ".join(process.cmdline()).startswith("ray::Worker"):
                found.append(process)
    return found


def check(s3, url: str, pictures: dict[str, bytes], rows: dict[str, dict]) -> None:
    """Every input has its one right result, and a row that says so."""
    made = {path.removeprefix(f"{url[5:]}/") for path in s3.find(url)} - {"_daybreak/manifest.parquet"}
    assert made == pictures.keys() == rows.keys()
    for name, data in pictures.items():
        right = enhance_bytes(data, Enhancer("gamma"), Output(), Path(name), Path(name))[0]
        assert s3.cat_file(f"{url}/{name}") == right
        assert rows[name]["sha256"] == hashlib.sha256(right).hexdigest()
        assert rows[name]["state"] in ("enhanced", "done before")


def test_killed_workers_are_replaced_and_nothing_is_lost(s3, bucket, fill, make_run, rows_of, pool):
    pictures = fill(f"{bucket}/in", PICTURES)
    run, states, killed, taken = make_run(f"{bucket}/in", f"{bucket}/out"), {}, set(), 0

    def counted(items):
        nonlocal taken
        for item in items:
            taken += 1
            assert (
                taken - len(states) <= DEPTH * (WORKERS + len(killed)) + 1
            )  # no more than there is room for
            yield item

    class Counted:
        def run(self, items, order):
            return pool.run(counted(items), order)

    for row in run.rows(Counted()):
        states[row.source] = row.state
        if len(states) in (10, 30) and len(killed) < len(states) // 10:
            victim = next(process for process in workers() if process.pid not in killed)
            victim.send_signal(signal.SIGKILL)
            killed.add(victim.pid)
    assert len(killed) == 2
    assert states.keys() == pictures.keys()
    assert set(states.values()) <= {"enhanced", "done before"}
    check(s3, f"{bucket}/out", pictures, rows_of(f"{bucket}/out"))


def test_a_killed_driver_is_made_up_for_by_the_next(s3, bucket, fill, make_run, rows_of, pool, ray):
    pictures = fill(f"{bucket}/in", PICTURES)
    address = ray.get_runtime_context().gcs_address
    line = ["enhance", f"{bucket}/in", "-o", f"{bucket}/out", "--engine", "ray", "--address", address]
    command = [sys.executable, "-m", "daybreak", *line, "-m", "gamma", "--suffix", "", "--jobs", "1"]
    driver = subprocess.Popen(command, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while len(s3.find(f"{bucket}/out")) < 12:
        assert driver.poll() is None, driver.stderr.read().decode()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    driver.kill()
    driver.wait()
    driver.stderr.close()
    there = len(s3.find(f"{bucket}/out"))
    assert there < PICTURES, "it was too quick to be killed in the middle"
    states = {row.source: row.state for row in make_run(f"{bucket}/in", f"{bucket}/out").rows(pool)}
    assert set(states.values()) <= {"enhanced", "done before"}
    check(s3, f"{bucket}/out", pictures, rows_of(f"{bucket}/out"))


class _Deadly(str):
    """A name whose picture kills the worker that takes it up."""

    __slots__ = ()

    def __reduce__(self):
        return (_die, ())


def _die():
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_picture_that_kills_its_workers_takes_no_other_along(bucket, fill, make_run, ray):
    names = list(fill(f"{bucket}/in", 8))
    run = make_run(f"{bucket}/in", f"{bucket}/out")
    tasks: list[Task | Row] = [Task(name, name, "") for name in names]
    tasks.insert(3, Task("deadly.png", _Deadly(), ""))
    rows = list(Actors(ray, Crew(2)).run(tasks, run.order))
    assert len(rows) == 9
    failed = [row for row in rows if row.state == "failed"]
    assert [row.source for row in failed] == ["deadly.png"]
    assert "3 workers died over it" in failed[0].error


def test_the_disk_does_count_as_full(ray):
    big = np.zeros(60 << 20, np.uint8)
    held = ray.put(big)  # of the object store's 80 MB
    with pytest.raises(ray.exceptions.OutOfDiskError):
        ray.put(big)
    del held


def test_rows_pass_and_an_empty_list_needs_no_worker(make_run, bucket, fill, pool):
    fill(f"{bucket}/in", 1)
    run = make_run(f"{bucket}/in", f"{bucket}/out")
    rows = [Row(str(n), str(n), "failed", "") for n in range(1000)]
    before = {process.pid for process in workers()}
    assert list(pool.run(rows, run.order)) == rows
    assert {process.pid for process in workers()} <= before


def test_too_much_asked_of_the_cluster_is_told(bucket, fill, make_run, ray):
    fill(f"{bucket}/in", 1)
    run = make_run(f"{bucket}/in", f"{bucket}/out")
    greedy = Actors(ray, Crew(1, cpus=0.0, gpus=64.0), patience=1.0)
    with pytest.raises(ClusterError, match=r"no worker has started .* 64 GPUs, and the cluster has .* and 0"):
        list(run.rows(greedy))


def test_what_a_long_listing_took_is_not_the_workers_time(bucket, fill, make_run, ray, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("daybreak.cluster.actors.time", SimpleNamespace(monotonic=lambda: now[0]))
    fill(f"{bucket}/in", 1)
    run = make_run(f"{bucket}/in", f"{bucket}/out")

    def listed():
        now[0] = 3600.0
        yield from run.planned()

    (row,) = Actors(ray, Crew(1), patience=0.1).run(listed(), run.order)
    assert row.state == "enhanced"


def test_workers_that_cannot_start_are_told(bucket, fill, make_run, ray, s3):
    fill(f"{bucket}/in", 1)
    run = make_run(f"{bucket}/in", f"{bucket}/out")
    items = list(run.planned())
    s3.rm(f"{bucket}/in", recursive=True)
    with pytest.raises(ClusterError, match=r"no worker could be started .*no such bucket"):
        list(Actors(ray, Crew(1)).run(items, run.order))


@pytest.mark.parametrize(("address", "error"), [("nonsense:x", BadSetting), ("127.0.0.1:1", ClusterError)])
def test_an_address_that_does_not_answer(address, error, s3):
    code = "from daybreak.cluster.connect import *; check_address(__import__('sys').argv[1])"
    done = subprocess.run([sys.executable, "-c", code, address], capture_output=True, text=True, check=False)
    assert f"daybreak.errors.{error.__name__}" in done.stderr
    assert "Traceback" in done.stderr
