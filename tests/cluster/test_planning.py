"""Plans of a million keys in little memory, names that collide, names that lead elsewhere."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import fsspec
import pytest
from fsspec.spec import AbstractFileSystem
from hypothesis import given
from hypothesis import strategies as st

from daybreak.cluster.digests import Digests, digest, plain
from daybreak.cluster.manifest import Known
from daybreak.cluster.place import Place
from daybreak.cluster.planning import Plan
from daybreak.cluster.rows import Order, Row, Task
from daybreak.enhancing.batch import Output
from daybreak.enhancing.enhancer import Enhancer

A_FOLDER = 1000


class Endless(AbstractFileSystem):
    """A tree of generated keys: `endless://N` has N folders of a thousand pictures, none of which exists."""

    protocol = "endless"
    listed = 0

    def ls(self, path, detail=True, **more):
        path = self._strip_protocol(path).strip("/")
        root, _, folder = path.partition("/")
        if not folder:
            return [{"name": f"{root}/{n:05d}", "size": 0, "type": "directory"} for n in range(int(root))]
        type(self).listed += A_FOLDER
        return [
            {"name": f"{path}/{n:04d}.jpg", "size": 5, "type": "file", "mtime": n} for n in range(A_FOLDER)
        ]

    def info(self, path, **more):
        return {"name": path, "size": 0, "type": "directory"}

    def __eq__(self, other):
        return self is other

    __hash__ = AbstractFileSystem.__hash__


@pytest.fixture(autouse=True, scope="module")
def kind():
    fsspec.register_implementation("endless", Endless, clobber=True)


def plan(source, target, known=None, suffix="", format=None):
    order = Order.of(str(source), str(target), Enhancer("gamma"), Output(format))
    return Plan(Place(str(source)), Place(str(target)), order, suffix, known or Known())


def test_an_order_keeps_to_the_limit_of_memory(tmp_path):
    order = Order.of(str(tmp_path), str(tmp_path), Enhancer("auto", max_memory="1GB"), Output())
    assert order.enhancer().room.limit == 10**9


def test_keys_are_listed_as_they_are_taken(tmp_path):
    Endless.listed = 0
    tasks = iter(plan("endless://100", tmp_path))
    first = next(tasks)
    assert (first.source, first.target) == ("00000/0000.jpg", "00000/0000.jpg")
    assert Endless.listed == A_FOLDER
    assert sum(1 for _ in tasks) == 100 * A_FOLDER - 1


def most_memory(folders, target, goes=2):
    """The least of some goes: what other threads of the process allocate meanwhile is counted too."""
    found = []
    for _ in range(goes):
        tasks = iter(plan(f"endless://{folders}", target))
        tracemalloc.start()
        assert sum(1 for _ in tasks) == folders * A_FOLDER
        found.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return min(found)


def test_many_keys_take_little_memory(tmp_path):
    most_memory(20, tmp_path, goes=1)  # Python's own table of names grows once
    few, many = most_memory(5, tmp_path), most_memory(20, tmp_path)
    assert many - few < 15 * A_FOLDER * 64  # bytes: 16 a key, thrice while sorting


def test_what_is_done_is_skipped_by_the_thousand(tmp_path):
    known = Known()
    for folder in range(10):
        names = [f"{folder:05d}/{n:04d}.jpg" for n in range(A_FOLDER)]
        known.done.add([digest(name, f"5:{n}", name) for n, name in enumerate(names) if n])
    planned = plan("endless://10", tmp_path, known)
    assert len(list(planned)) == 10  # those of mtime 0, of which no version is known
    assert planned.skipped == 10 * (A_FOLDER - 1)


def put(folder, *names):
    for name in names:
        path = folder / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return folder / "in"


def test_only_pictures_by_name_and_none_that_is_hidden(tmp_path):
    source = put(tmp_path, "a.jpg", "b.txt", ".hidden.png", "c.CR2", "deep/d.tif", "e")
    found = {task.source: task.target for task in plan(source, tmp_path / "out", suffix="_x")}
    assert found == {"a.jpg": "a_x.jpg", "c.CR2": "c_x.png", "deep/d.tif": "deep/d_x.tif"} | (
        {"c.CR2": found["c.CR2"]}
    )
    as_png = plan(source, tmp_path / "out", suffix="_x", format="png")
    assert {task.target for task in as_png} == {"a_x.png", "c_x.png", "deep/d_x.png"}


def test_two_results_of_one_name_are_told(tmp_path):
    items = list(plan(put(tmp_path, "a.gif", "a.png", "b.png"), tmp_path / "out"))
    assert [item.source for item in items if isinstance(item, Task)] == ["a.gif", "b.png"]
    (row,) = [item for item in items if isinstance(item, Row)]
    assert (row.source, row.state) == ("a.png", "failed")
    assert "would take the place of another's" in row.error


@pytest.mark.parametrize("folds", [True, False])
def test_keys_that_differ_in_case_alone(tmp_path, monkeypatch, folds):
    monkeypatch.setattr(Place, "folds_case", lambda self: folds)
    names = ["A.jpg", "a.jpg", "Caf\u00e9.jpg", "CAFE\u0301.jpg"]
    items = list(plan(put(tmp_path, *names), tmp_path / "out"))
    rows = [item for item in items if isinstance(item, Row)]
    assert len(items) == 4
    assert len(rows) == (2 if folds else 0)
    assert all("does not tell A from a" in row.error for row in rows)


def test_this_disk_is_asked_whether_it_folds_case(tmp_path):
    (tmp_path / "probe").touch()
    assert Place(str(tmp_path / "not yet" / "there")).folds_case() == (tmp_path / "PROBE").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["probe"]


@pytest.mark.parametrize("key", ["../../a.jpg", "x/../a.jpg", "./a.jpg", "x//a.jpg", "/a.jpg"])
def test_keys_that_lead_out_of_the_folder_are_refused(s3, bucket, tmp_path, key):
    s3.call_s3("put_object", Bucket=bucket[5:], Key=f"in/{key}", Body=b"x")
    (row,) = plan(f"{bucket}/in", tmp_path / "out")
    assert row.state == "failed"
    assert "no folder could keep" in row.error


@given(st.lists(st.lists(st.text(max_size=3), max_size=30), max_size=12))
def test_digests_are_a_set(batches):
    ours, theirs = Digests(), set()
    for batch in batches:
        new = []
        for text in batch:
            new.append(plain(text) not in theirs)
            theirs.add(plain(text))
        assert ours.add([digest(text) for text in batch]) == new
        assert len(ours) == len(theirs)
    assert all(ours.hold([digest(text) for text in theirs]))
    assert ours.hold([digest("none of these")]) == [False]


@given(st.text(), st.text(), st.text(), st.text())
def test_digests_tell_where_one_text_ends(a, b, c, d):
    clean = all("\0" not in text and "\\" not in text for text in (a, b, c, d))
    if clean:
        assert (digest(a, b) == digest(c, d)) == ((a, b) == (c, d))


def test_names_that_are_no_unicode_can_be_planned_and_noted(tmp_path):
    import os

    folder = tmp_path / "in"
    folder.mkdir()
    (folder / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"x")
    (task,) = plan(folder, tmp_path / "out")
    assert plain(task.source) == "caf\\udce9.jpg"
    assert Path(task.target).name == task.source
