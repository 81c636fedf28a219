"""`daybreak watch` as a process: kills, slow writers, poison, restarts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from daybreak.cli.main import run

PATIENCE = 120.0  # s: for a machine that others keep busy


def picture(path: Path, height: int = 24, width: int = 32, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    Image.fromarray(rng.integers(0, 40, (height, width, 3), dtype=np.uint8)).save(path)
    return path


def until(true, process=None):
    """Wait for something to become true."""
    end = time.monotonic() + PATIENCE
    while not (found := true()):
        assert process is None or process.poll() is None, process.stderr.read()
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)
    return found


class Watcher:
    def __init__(self, folder: Path) -> None:
        self.into, self.out = folder / "in", folder / "out"
        self.into.mkdir()

    @contextmanager
    def running(self, *options, settle="0.2"):
        """A process at work; what it said is in `said` afterwards."""
        words = [sys.executable, "-m", "daybreak", "watch", str(self.into), "-o", str(self.out)]
        words += ["-m", "gamma", "--settle", settle, *map(str, options)]
        log = self.into.parent / "log.txt"
        with log.open("a") as stderr:
            process = subprocess.Popen(words, stderr=stderr)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                self.code = process.wait(timeout=PATIENCE)
            finally:
                process.kill()
            self.said = log.read_text()

    def results(self):
        """Name -> what tells whether a file was written anew."""
        found = self.out.glob("*_daybreak.*") if self.out.exists() else ()
        return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}

    def journal(self):
        try:
            lines = (self.out / ".daybreak-watch.jsonl").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [json.loads(line)["name"] for line in lines]


@pytest.fixture
def watcher(tmp_path):
    return Watcher(tmp_path)


def test_a_kill_in_the_middle_loses_no_picture_and_does_none_twice(watcher):
    names = [f"{number:02}" for number in range(24)]
    for number, name in enumerate(names):
        picture(watcher.into / f"{name}.png", 200, 300, seed=number)
    evidence = watcher.out / "evidence.jsonl"
    with watcher.running("--evidence", evidence, "--jobs", "1") as process:
        until(lambda: len(watcher.results()) >= 5, process)
        process.kill()
        process.wait()
    first = watcher.results()
    assert 5 <= len(first) < len(names), "the kill came in the middle"
    assert not list(watcher.out.glob("*.part"))
    with watcher.running("--evidence", evidence, "--jobs", "1") as process:
        until(lambda: len(watcher.journal()) == len(names), process)
        picture(watcher.into / "late.png")
        until(lambda: "late_daybreak.png" in watcher.results(), process)
        until(lambda: "late.png" in watcher.journal(), process)
    everything = watcher.results()
    assert sorted(everything) == [f"{name}_daybreak.png" for name in [*names, "late"]]
    assert first.items() <= everything.items(), "what was done was done again"
    assert sorted(watcher.journal()) == [f"{name}.png" for name in [*names, "late"]]
    entered = [json.loads(line)["entries"][0]["input"]["path"] for line in evidence.read_text().splitlines()]
    assert sorted(entered) == [f"../in/{name}.png" for name in [*names, "late"]]
    assert watcher.code == 130
    assert "Traceback" not in watcher.said
    assert run(["verify", str(evidence)]) == 0


def test_a_restart_does_nothing_again_even_if_results_were_taken_away(watcher):
    picture(watcher.into / "a.png")
    with watcher.running() as process:
        until(watcher.journal, process)
    (watcher.out / "a_daybreak.png").unlink()
    picture(watcher.into / "b.png")
    with watcher.running() as process:
        until(lambda: "b.png" in watcher.journal(), process)
    assert list(watcher.results()) == ["b_daybreak.png"]


@pytest.mark.parametrize("options", [(), ("--poll", "0.2")], ids=["told", "polling"])
def test_slow_writers_renames_and_many_at_once(watcher, tmp_path, options):
    whole = picture(tmp_path / "slow.jpg", 200, 300).read_bytes()
    (tmp_path / "aside").mkdir()
    with watcher.running(*options, settle="1.2") as process:
        until(lambda: (watcher.out / ".daybreak-watch.lock").exists(), process)
        with (watcher.into / "slow.jpg").open("wb") as file:
            step = len(whole) // 8
            for start in range(0, len(whole), step):
                file.write(whole[start : start + step])
                file.flush()
                assert not watcher.results().keys() & {"slow_daybreak.jpg"}
                time.sleep(0.15)
        for number in range(20):
            made = picture(tmp_path / "aside" / f"{number:02}.png", seed=number)
            made.rename(watcher.into / made.name)
        (watcher.into / "notes.txt").write_text("no picture")
        (watcher.into / ".hidden.png").write_bytes(whole)
        until(lambda: len(watcher.results()) == 21, process)
        until(lambda: len(watcher.journal()) == 21, process)
    Image.open(watcher.out / "slow_daybreak.jpg").load()
    assert "waits" not in watcher.said
    assert watcher.said.count("slow.jpg ->") == 1


def test_poison_is_set_aside_with_its_reason_and_the_others_go_on(watcher):
    cut = picture(watcher.into / "cut.png", 100, 100)
    cut.write_bytes(cut.read_bytes()[:3000])
    with watcher.running("--attempts", "2") as process:
        reason = watcher.out / "failed" / "cut.png.json"
        until(reason.exists, process)
        picture(watcher.into / "good.png")
        until(lambda: "good.png" in watcher.journal(), process)
    told = json.loads(reason.read_text())
    assert "cannot be read as PNG" in told["reason"]
    assert told["attempts"] == 2
    assert (watcher.out / "failed" / "cut.png").stat().st_size == 3000
    assert [path.name for path in watcher.into.iterdir()] == ["good.png"]
    assert list(watcher.results()) == ["good_daybreak.png"]


def test_originals_are_moved_once_they_are_done(watcher, tmp_path):
    (watcher.into / "below").mkdir()
    picture(watcher.into / "below" / "a.png")
    done = tmp_path / "done"
    with watcher.running("-r", "--move-to", done) as process:
        until((done / "below/a.png").exists, process)
        picture(watcher.into / "below" / "a.png", seed=1)
        until(lambda: "is there already" in (tmp_path / "log.txt").read_text(), process)
    assert (watcher.out / "below/a_daybreak.png").exists()
    assert (done / "below/a.png").exists()


def test_one_process_for_a_folder(watcher):
    with watcher.running() as process:
        until(lambda: (watcher.out / ".daybreak-watch.lock").exists(), process)
        time.sleep(0.2)
        words = [sys.executable, "-m", "daybreak", "watch", str(watcher.into), "-o", str(watcher.out)]
        second = subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert second.returncode == 1
    assert "another process is watching into" in second.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_an_end_finishes_what_is_being_done_and_is_one_line(watcher, number):
    for place in range(8):
        picture(watcher.into / f"{place}.png", 300, 400, seed=place)
    with watcher.running() as process:
        until(watcher.results, process)
        os.kill(process.pid, number)
        process.wait(timeout=PATIENCE)
    assert watcher.code == 130
    assert watcher.said.rstrip().splitlines()[-1].startswith("daybreak: stopped; ")
    assert "Traceback" not in watcher.said
    for name in watcher.results():
        Image.open(watcher.out / name).load()
    assert not [
        path for path in watcher.out.iterdir() if path.name.startswith(".daybreak-") and path.suffix == ".tmp"
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nowhere", "-o", "out"), "is no folder"),
        (("in", "-o", "in"), "is the watched folder itself"),
        (("in", "-o", "out", "--move-to", "in"), "is the watched folder itself"),
        (("in", "-o", "out", "--move-to", "out"), "the same folder"),
        (("in", "-o", "out", "--evidence", "e.json"), "ends in .jsonl"),
        (("in", "-o", "out", "--evidence", "e.jsonl", "--format", "avif"), "--format png"),
        (("in", "-o", "out", "-m", "lme"), "Did you mean lime"),
    ],
)
def test_a_line_to_be_corrected(words, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    assert run(["watch", *words]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert len(err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
