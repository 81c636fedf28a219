"""From bucket to bucket in this process: what is made, what is noted, what a second run does."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from daybreak.cluster.manifest import NAME, PARTS, Manifest
from daybreak.cluster.place import Place
from daybreak.cluster.threads import Threads
from daybreak.cluster.worker import Worker
from daybreak.enhancing.batch import Output, enhance_bytes, run_batch
from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.plan import plan
from daybreak.errors import PlaceError


def states(run, pool=None):
    found = {}
    for row in run.rows(pool or Threads(2)):
        assert row.source not in found
        found[row.source] = row.state
    return found


def test_names_and_tree_stay_and_each_result_is_that_of_one_machine(s3, bucket, fill, make_run, rows_of):
    pictures = fill(f"{bucket}/in", 7)
    run = make_run(f"{bucket}/in", f"{bucket}/out")
    assert states(run) == dict.fromkeys(pictures, "enhanced")
    rows = rows_of(f"{bucket}/out")
    assert rows.keys() == pictures.keys()
    for name, data in pictures.items():
        made = s3.cat_file(f"{bucket}/out/{name}")
        assert made == enhance_bytes(data, Enhancer("gamma"), Output(), Path(name), Path(name))[0]
        assert rows[name]["sha256"] == hashlib.sha256(made).hexdigest()
        assert rows[name]["source_sha256"] == hashlib.sha256(data).hexdigest()
        assert (rows[name]["state"], rows[name]["error"], rows[name]["bytes"]) == ("enhanced", "", len(made))
        assert rows[name]["seconds"] > 0
    assert s3.ls(f"{bucket}/out/_daybreak") == [f"{bucket[5:]}/out/{NAME}"]


def test_no_more_cores_are_taken_than_were_said(fill, bucket, make_run, monkeypatch):
    fill(f"{bucket}/in", 8)
    do, seen = Worker.do, set()

    def watched(self, task):
        seen.add(threading.current_thread().name)
        time.sleep(0.02)
        return do(self, task)

    monkeypatch.setattr(Worker, "do", watched)
    assert set(states(make_run(f"{bucket}/in", f"{bucket}/out"), Threads(cores=1)).values()) == {"enhanced"}
    assert len(seen) == 1
    assert len(states(make_run(f"{bucket}/in", f"{bucket}/more"), Threads(3, cores=1))) == 8
    assert len(seen) > 1, "as many as were asked for by their own number"


def test_a_picture_costs_four_requests(bucket, fill, make_run, caplog):
    fill(f"{bucket}/in", 5)
    run = make_run(f"{bucket}/in", f"{bucket}/out")
    with caplog.at_level("DEBUG", "s3fs"):
        caplog.clear()
        list(run.rows(Threads(1)))
    pictures = [
        (record.args[0], record.args[2]["Key"])
        for record in caplog.records
        if record.msg.startswith("CALL") and record.args[2].get("Key", "").endswith(".png")
    ]
    assert Counter(verb for verb, _ in pictures) == {"head_object": 10, "get_object": 5, "put_object": 5}


def test_a_second_run_does_the_new_the_changed_and_the_lost(s3, bucket, fill, make_run, rows_of):
    names = list(fill(f"{bucket}/in", 6))
    make = lambda: make_run(f"{bucket}/in", f"{bucket}/out", overwrite=True)  # noqa: E731
    states(make())
    s3.pipe_file(f"{bucket}/in/new.png", s3.cat_file(f"{bucket}/in/{names[0]}"))
    s3.pipe_file(f"{bucket}/in/{names[1]}", s3.cat_file(f"{bucket}/in/{names[0]}"))
    s3.rm_file(f"{bucket}/out/{names[2]}")
    s3.pipe_file(f"{bucket}/out/{names[3]}", b"somebody else's")
    run = make()
    assert states(run).keys() == {"new.png", *names[1:4]}
    assert run.skipped == 3
    assert len(rows_of(f"{bucket}/out")) == 7
    assert states(make()) == {}


def test_without_a_manifest_a_result_is_known_by_its_record(s3, bucket, fill, make_run, rows_of):
    pictures = fill(f"{bucket}/in", 3)
    states(make_run(f"{bucket}/in", f"{bucket}/out"))
    first = rows_of(f"{bucket}/out")
    s3.rm(f"{bucket}/out/_daybreak", recursive=True)
    assert states(make_run(f"{bucket}/in", f"{bucket}/out")) == dict.fromkeys(pictures, "done before")
    again = rows_of(f"{bucket}/out")
    assert {name: row["sha256"] for name, row in again.items()} == {
        name: row["sha256"] for name, row in first.items()
    }


def test_other_settings_are_refused_and_replace_only_when_told(bucket, fill, make_run):
    pictures = fill(f"{bucket}/in", 2)
    states(make_run(f"{bucket}/in", f"{bucket}/out"))
    other = make_run(f"{bucket}/in", f"{bucket}/out", gamma=3.0)
    rows = list(other.rows(Threads(1)))
    assert {row.state for row in rows} == {"failed"}
    assert all("made otherwise (settings" in row.error for row in rows)
    replacing = make_run(f"{bucket}/in", f"{bucket}/out", overwrite=True, gamma=3.0)
    assert states(replacing) == dict.fromkeys(pictures, "enhanced")
    assert states(make_run(f"{bucket}/in", f"{bucket}/out", overwrite=True, gamma=3.0)) == {}


def test_a_folder_of_one_machine_is_done_for_the_cluster_too(tmp_path, fill, bucket, s3, make_run):
    fill(f"{bucket}/in", 3)
    s3.get(f"{bucket}/in", f"{tmp_path}/in", recursive=True)
    jobs = plan([str(tmp_path / "in")], output=tmp_path / "out", recursive=True)
    assert {result.state for result in run_batch(jobs, Enhancer("gamma"), Output())} == {"enhanced"}
    run = make_run(tmp_path / "in", tmp_path / "out", suffix="_daybreak")
    assert set(states(run).values()) == {"done before"}


def test_a_well_lit_picture_is_copied_and_told_so(tmp_path, make_run, rows_of):
    import cv2
    import numpy as np

    (tmp_path / "in").mkdir()
    bright = cv2.imencode(".png", np.full((8, 8, 3), 150, np.uint8))[1].tobytes()
    (tmp_path / "in" / "a.png").write_bytes(bright)
    assert states(make_run(tmp_path / "in", tmp_path / "out", method="auto")) == {"a.png": "unchanged"}
    assert (tmp_path / "out" / "a.png").read_bytes() == bright
    Place(str(tmp_path / "out")).remove(NAME)
    assert states(make_run(tmp_path / "in", tmp_path / "out", method="auto")) == {"a.png": "done before"}
    assert rows_of(tmp_path / "out")["a.png"]["sha256"] == hashlib.sha256(bright).hexdigest()


def test_results_below_the_input_are_no_inputs(s3, bucket, fill, make_run):
    pictures = fill(f"{bucket}/in", 3)
    assert len(states(make_run(f"{bucket}/in", f"{bucket}/in/done"))) == 3
    assert states(make_run(f"{bucket}/in", f"{bucket}/in/done")) == {}
    assert {name: s3.cat_file(f"{bucket}/in/{name}") for name in pictures} == pictures


def test_a_single_picture(s3, bucket, fill, make_run):
    fill(bucket, 1)
    assert states(make_run(f"{bucket}/0/deep 0/0000.png", f"{bucket}/out", suffix="_b")) == {
        "0000.png": "enhanced"
    }
    assert s3.exists(f"{bucket}/out/0000_b.png")


def test_rows_of_a_killed_run_are_merged_by_the_next(bucket, fill, make_run, rows_of, s3):
    pictures = fill(f"{bucket}/in", 6)
    rows = make_run(f"{bucket}/in", f"{bucket}/out").rows(Threads(1))
    for _ in range(3):
        next(rows)
    rows.close()  # as a kill, but for the last rows, which are put
    assert s3.ls(f"{bucket}/out/{PARTS}")
    assert not s3.exists(f"{bucket}/out/{NAME}")
    rest = states(make_run(f"{bucket}/in", f"{bucket}/out"))
    assert 0 < len(rest) <= 3
    assert rows_of(f"{bucket}/out").keys() == pictures.keys()
    assert not s3.exists(f"{bucket}/out/{PARTS}")


def test_a_manifest_that_is_none_stops_before_any_work(bucket, fill, make_run, s3):
    fill(f"{bucket}/in", 1)
    s3.pipe_file(f"{bucket}/out/{NAME}", b"not Parquet")
    with pytest.raises(PlaceError, match="cannot be read as a manifest"):
        list(make_run(f"{bucket}/in", f"{bucket}/out").rows(Threads(1)))
    assert Manifest(Place(f"{bucket}/out"))._names() == [NAME]
