"""Batches by worker processes: some die, and no picture is lost by it."""

from __future__ import annotations

import multiprocessing
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from daybreak.enhancing import one
from daybreak.enhancing.batch import Output, run_batch
from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.finding import Refusal
from daybreak.enhancing.plan import Job
from daybreak.errors import UnreadablePicture
from daybreak.image.photo import Photo
from daybreak.image.read import read_photo
from daybreak.image.write import write_photo

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


def jobs_in(folder: Path, count: int) -> list[Job | Refusal]:
    rng = np.random.default_rng(0)
    jobs: list[Job | Refusal] = []
    for n in range(count):
        source = folder / f"{n}.png"
        write_photo(Photo.from_pixels(rng.random((12, 16, 3), np.float32) * np.float32(0.2)), source)
        jobs.append(Job(source, folder / "out" / f"{n}.png"))
    return jobs


SCRIPT = """
import os, signal, sys, time
from pathlib import Path
from daybreak.enhancing import crew
from daybreak.enhancing.batch import Output, run_batch
from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.plan import Job

folder, victim, deaths = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
writing = sys.argv[4:] == ["writing"]
parent, real = os.getpid(), crew.begin_job

def die(job):
    marks = folder / (job.source.name + ".deaths")
    if job.source.name == victim:
        so_far = marks.read_text() if marks.exists() else ""
        if len(so_far) < deaths:
            marks.write_text(so_far + "x")
            assert os.getpid() != parent
            os.kill(os.getpid(), signal.SIGKILL)

def dies(job, *rest):
    if not writing:
        die(job)
    put = real(job, *rest)
    return (lambda: (die(job), put())[1]) if writing else put

crew.begin_job = dies
jobs = [Job(folder / f"{n}.png", folder / "out" / f"{n}.png") for n in range(6)]
for result in run_batch(jobs, Enhancer("gamma"), Output(), 2):
    print(result.source.name, result.state, result.error)
"""


def run(line: list[str]) -> subprocess.CompletedProcess[str]:
    """Without threads of OpenBLAS, as the command line runs: workers are forked from one thread alone."""
    env = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(line, capture_output=True, text=True, timeout=120, check=True, env=env)


def run_dying(folder: Path, victim: str, deaths: int, *when: str) -> list[str]:
    """A batch of six in a process of its own, whose workers are forked from it with one that dies."""
    jobs_in(folder, 6)
    line = [sys.executable, "-c", SCRIPT, str(folder), victim, str(deaths), *when]
    done = run(line)
    assert done.stderr == ""
    return done.stdout.splitlines()


def made_in(folder: Path) -> list[str]:
    """Whole results; a kill may leave the hidden beginning of one."""
    return sorted(path.name for path in (folder / "out").iterdir() if not path.name.startswith("."))


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")
@pytest.mark.parametrize("when", [[], ["writing"]])
def test_a_worker_that_is_killed_is_replaced_and_its_pictures_done(tmp_path, when):
    told = run_dying(tmp_path, "2.png", 1, *when)
    assert told == [f"{n}.png enhanced " for n in range(6)]
    assert (tmp_path / "2.png.deaths").read_text() == "x"
    assert made_in(tmp_path) == [f"{n}.png" for n in range(6)]


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")
def test_a_picture_is_begun_while_the_one_before_is_written(tmp_path):
    jobs_in(tmp_path, 3)
    slow = """
def slow(job, *rest):
    print("begun", job.source.name, flush=True)
    put = real(job, *rest)
    return lambda: (time.sleep(0.4), put(), print("written", job.source.name, flush=True))[1]
import time; real = crew.begin_job; crew.begin_job = slow
"""
    script = SCRIPT.split("parent, real")[0] + slow + SCRIPT[SCRIPT.index("jobs =") :]
    script = script.replace("range(6)", "range(3)").replace("Output(), 2)", "Output(), 1)")
    line = [sys.executable, "-c", script, str(tmp_path), "", "0"]
    told = run(line).stdout.splitlines()
    assert told.index("begun 1.png") < told.index("written 0.png") < told.index("written 1.png")


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")
def test_a_picture_that_kills_every_worker_is_told_of_after_one_more_try(tmp_path):
    told = run_dying(tmp_path, "2.png", 9)
    assert (tmp_path / "2.png.deaths").read_text() == "xx"
    assert [line for line in told if "2.png" not in line] == [f"{n}.png enhanced " for n in (0, 1, 3, 4, 5)]
    assert told[2].startswith("2.png failed")
    assert "died twice (signal 9, SIGKILL)" in told[2]
    assert made_in(tmp_path) == [f"{n}.png" for n in (0, 1, 3, 4, 5)]


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")
def test_what_opencv_left_running_does_not_hold_a_batch_up(tmp_path):
    jobs_in(tmp_path, 3)
    busy = """
if __name__ == "__main__":
    import cv2, numpy as np
    cv2.setNumThreads(2)
    cv2.GaussianBlur(np.zeros((2000, 2000, 3), np.float32), (0, 0), 5)  # starts its threads
    jobs = [Job(folder / f"{n}.png", folder / "out" / f"{n}.png") for n in range(3)]
    print([result.state for result in run_batch(jobs, Enhancer("auto"), Output(), 2)])
"""
    script = tmp_path / "busy.py"
    script.write_text(SCRIPT.split("parent, real")[0] + busy)
    line = [sys.executable, str(script), str(tmp_path), "", "0"]
    done = run(line)
    assert done.stdout == "['enhanced', 'enhanced', 'enhanced']\n", done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")
def test_a_picture_that_makes_every_worker_exit_is_told_of_and_the_others_done(tmp_path):
    jobs_in(tmp_path, 6)
    exits = SCRIPT.replace("os.kill(os.getpid(), signal.SIGKILL)", "os._exit(3)")
    told = run([sys.executable, "-c", exits, str(tmp_path), "2.png", "9"]).stdout.splitlines()
    assert [line for line in told if "2.png" not in line] == [f"{n}.png enhanced " for n in (0, 1, 3, 4, 5)]
    assert "died twice (exit code 3)" in told[2]


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")
def test_a_worker_that_does_not_come_up_ends_no_batch_that_is_at_work(tmp_path):
    """One is killed at its picture; the one in its place fails before it is ready, the next does all."""
    jobs_in(tmp_path, 6)
    fails = """
tell = crew._tell
def failing(line, what):
    if isinstance(what, crew._Ready):
        starts = (folder / "starts").read_text() + "x"
        (folder / "starts").write_text(starts)
        if starts == "xx":
            os._exit(1)
    tell(line, what)
(folder / "starts").write_text("")
crew._tell = failing
"""
    script = SCRIPT.replace("crew.begin_job = dies", "crew.begin_job = dies" + fails)
    script = script.replace("Output(), 2)", "Output(), 1)")
    told = run([sys.executable, "-c", script, str(tmp_path), "0.png", "1"]).stdout.splitlines()
    assert (tmp_path / "starts").read_text() == "xxx"
    assert told == [f"{n}.png enhanced " for n in range(6)]


@pytest.mark.parametrize("before", ["", "read_photo(folder / '0.png')"], ids=["at once", "libvips at work"])
def test_a_script_that_every_process_would_run_again_is_told_what_it_lacks(tmp_path, before):
    jobs_in(tmp_path, 3)
    script = tmp_path / "unguarded.py"
    script.write_text(f"""
import sys, threading, time
from pathlib import Path
from daybreak.enhancing.batch import Output, run_batch
from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.plan import Job
from daybreak.image.read import read_photo
folder = Path(sys.argv[1])
{before}
if __name__ == "__main__":  # no process is forked from one with threads
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
jobs = [Job(folder / f"{{n}}.png", folder / "out" / f"{{n}}.png") for n in range(3)]
list(run_batch(jobs, Enhancer("gamma"), Output(), 2))
""")
    line = [sys.executable, str(script), str(tmp_path)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
    told = done.stderr.strip().splitlines()[-1]
    assert told.endswith('If this is a script, what it does belongs under: if __name__ == "__main__":')
    assert "can be started (exit code 1)" in told
    assert done.returncode == 1
    assert not (tmp_path / "out").exists()


def test_a_worker_killed_from_outside_is_replaced(tmp_path):
    jobs = jobs_in(tmp_path, 8)
    results = run_batch(jobs, Enhancer("gamma"), Output(), 2)
    seen = [next(results)]
    victims = [process for process in multiprocessing.active_children() if process.pid]
    assert victims
    os.kill(victims[0].pid, signal.SIGKILL)
    seen += results
    assert [result.source for result in seen] == [job.source for job in jobs]
    assert [result.error for result in seen] == [""] * 8
    assert all(read_photo(job.target).stored.shape == (12, 16, 3) for job in jobs if isinstance(job, Job))
    assert multiprocessing.active_children() == []


def test_results_are_those_of_this_process_in_the_order_of_the_jobs(tmp_path):
    jobs = jobs_in(tmp_path, 7)
    jobs[3] = Refusal(tmp_path / "3.png", UnreadablePicture("made up"))
    (tmp_path / "5.png").write_bytes(b"no picture")
    results = list(run_batch(jobs, Enhancer("gamma", strength=0.8, gamma=2.0), Output(preview=8), 3))
    assert [result.source.name for result in results] == [f"{n}.png" for n in range(7)]
    assert [bool(result.error) for result in results] == [n in (3, 5) for n in range(7)]
    assert results[0].before is not None
    here = tmp_path / "here.png"
    (only,) = run_batch([Job(tmp_path / "0.png", here)], Enhancer("gamma", strength=0.8, gamma=2.0), Output())
    assert only.settings == results[0].settings
    assert here.read_bytes() == (tmp_path / "out" / "0.png").read_bytes()


def test_a_consumer_that_goes_away_leaves_whole_results_and_no_process(tmp_path):
    jobs = jobs_in(tmp_path, 12)
    results = run_batch(jobs, Enhancer("gamma"), Output(), 2)
    next(results)
    results.close()
    assert multiprocessing.active_children() == []
    made = list((tmp_path / "out").iterdir())
    assert 1 <= len(made) <= 12
    assert all(read_photo(path).stored.shape == (12, 16, 3) for path in made)


def test_workers_end_when_the_process_that_they_work_for_is_killed(tmp_path):
    jobs_in(tmp_path, 6)
    wait = "import time; real = crew.begin_job\ncrew.begin_job = lambda *a: (time.sleep(0.5), real(*a))[1]\n"
    script = (
        SCRIPT.split("parent, real")[0]
        + wait
        + "print('on', flush=True)\n"
        + SCRIPT[SCRIPT.index("jobs =") :]
    )
    line = [sys.executable, "-c", script, str(tmp_path), "", "0"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "on\n"
        process.stdout.readline()  # a picture is done: the workers are there
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        workers = children.read_text().split() if children.exists() else []
        process.kill()
    until = time.monotonic() + 60
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_an_end_that_is_asked_for_comes_after_the_pictures_that_are_being_worked_on(tmp_path):
    """In threads, of which one does the second picture, or the third, when the first is told."""
    asked = Event()
    results = run_batch(jobs_in(tmp_path, 30), Enhancer("gamma"), Output(), 1, Path.read_bytes, asked)
    told = [next(results).target]
    asked.set()
    with pytest.raises(KeyboardInterrupt):
        told.extend(result.target for result in results)
    assert 1 <= len(told) <= 4
    assert sorted(told) == sorted((tmp_path / "out").iterdir())


def test_a_fault_of_ours_with_one_picture_does_not_stop_the_others(tmp_path, monkeypatch):
    """In threads, where a made-up fault can be put in."""
    real = one.encode_photo

    def encode(photo, *args, **kwargs):
        if photo.format == "jpeg":
            raise ZeroDivisionError("made up")
        return real(photo, *args, **kwargs)

    jobs = jobs_in(tmp_path, 3)
    write_photo(read_photo(tmp_path / "1.png"), tmp_path / "1.jpg")
    jobs[1] = Job(tmp_path / "1.jpg", tmp_path / "out" / "1.jpg")
    monkeypatch.setattr(one, "encode_photo", encode)
    results = list(run_batch(jobs, Enhancer("gamma"), Output(), read=Path.read_bytes))
    assert [bool(result.error) for result in results] == [False, True, False]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.png", "2.png"]


ROUNDS = """
import resource, sys
from daybreak.enhancing.memory import keep_memory
if sys.argv[1] == "keep":
    keep_memory()
for _ in range(4):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    held = [bytearray(b"x") * (16 << 20) for _ in range(6)]
    del held
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_a_worker_keeps_the_memory_of_one_picture_for_the_next():
    def pages(word: str) -> int:  # asked for anew in the last of four rounds that take as much
        done = subprocess.run(
            [sys.executable, "-c", ROUNDS, word], capture_output=True, text=True, check=True
        )
        return int(done.stdout)

    assert pages("keep") < pages("give back") / 10
