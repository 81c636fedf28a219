"""An evaluation that is stopped by Ctrl-C, or cannot save: what was scored is told, and how much that is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from daybreak.evaluation import subjects


@pytest.fixture
def stop_at(monkeypatch):
    """Let Ctrl-C come in the middle of making the n-th output."""

    def set_up(nth):
        run, calls = subjects.Enhancer.run, []

        def interrupted(enhancer, pixels):
            calls.append(1)
            if len(calls) == nth:
                raise KeyboardInterrupt
            return run(enhancer, pixels)

        monkeypatch.setattr(subjects.Enhancer, "run", interrupted)

    return set_up


def test_what_was_scored_by_every_row_is_told_and_written(evaluate, stop_at, tmp_path):
    page = tmp_path / "p.html"
    stop_at(8)  # the second of two rows, on the fourth picture
    code, out, errors, results = evaluate("-m", "gamma,clahe", "--metrics", "psnr", "--html", str(page))
    assert code == 130
    assert errors == ["daybreak: stopped after 3 of 6 pictures; what was scored follows"]
    assert [image.name for image in results.images] == ["1", "2", "3"]
    assert {score.n for row in results.rows for score in row.scores} == {3}
    assert {len(row.seconds) for row in results.rows} == {3}
    assert "Stopped after 3 of 6 pictures" in out
    assert "Stopped after 3 of 6 pictures" in page.read_text(encoding="utf-8")


def test_a_part_of_a_list_is_another_list(evaluate, stop_at):
    whole = evaluate("-m", "gamma", "--metrics", "psnr")[3]
    stop_at(4)
    part = evaluate("-m", "gamma", "--metrics", "psnr")[3]
    assert part.images_sha256 != whole.images_sha256
    ours, all_of_it = part.rows[0].scores[0].each, whole.rows[0].scores[0].each
    assert ours == {name: all_of_it[name] for name in ("1", "2", "3")}


def test_before_the_first_picture_there_is_nothing_to_write(evaluate, stop_at, tmp_path):
    stop_at(1)
    code, out, errors, results = evaluate("-m", "gamma", "--html", str(tmp_path / "p.html"))
    assert (code, out, results) == (130, "", None)
    assert errors == ["daybreak: stopped after 0 of 6 pictures; nothing is written"]
    assert not (tmp_path / "p.html").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to another process")
def test_a_real_ctrl_c_leaves_whole_files_or_none(pairs, tmp_path):
    target = tmp_path / "out" / "r.json"
    args = ["evaluate", "-m", "lime:solver=exact,srie", "-d", "paired", "--root", str(pairs), "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "daybreak", *args, str(target), "--save", str(tmp_path / "saved")],
        env={**os.environ, "DAYBREAK_CACHE": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and not list(tmp_path.glob("saved/*/*.png")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) in (130, 0)  # 0 where it was done before the signal came
    left = [path.name for path in target.parent.iterdir()]
    assert left in ([], ["r.json"])


def test_an_output_that_cannot_be_saved_is_told_and_scored(evaluate, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "gamma").touch()  # where the folder of its outputs should be
    code, _, errors, results = evaluate("-m", "gamma", "--metrics", "psnr", "--save", str(tmp_path / "out"))
    assert code == 1
    assert results.rows[0].n == 6
    assert any(line.startswith("daybreak: saving gamma: 6 pictures") for line in errors)
