"""From what was typed to jobs: nothing on the disk but names is looked at here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from daybreak.enhancing.plan import Job, Refusal, plan
from daybreak.errors import BadSetting


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def targets(jobs, root):
    return sorted(str(job.target.relative_to(root)) for job in jobs)


def test_a_file_gets_its_result_beside_it(tmp_path):
    touch(tmp_path / "night.JPG")
    assert plan([str(tmp_path / "night.JPG")]) == [
        Job(tmp_path / "night.JPG", tmp_path / "night_daybreak.JPG")
    ]


def test_formats_that_are_only_read_get_one_that_is_written(tmp_path):
    touch(tmp_path / "a.gif", tmp_path / "b.CR2", tmp_path / "c.jpg")
    assert targets(plan([str(tmp_path)]), tmp_path) == ["a_daybreak.png", "b_daybreak.tif", "c_daybreak.jpg"]
    assert targets(plan([str(tmp_path / "c.jpg")], format="webp"), tmp_path) == ["c_daybreak.webp"]


def test_a_folder_means_its_pictures_and_recursive_keeps_the_tree(tmp_path):
    touch(tmp_path / "in/a.png", tmp_path / "in/notes.txt", tmp_path / "in/sub/deep/b.png")
    assert targets(plan([str(tmp_path / "in")], output=tmp_path / "out"), tmp_path) == ["out/a_daybreak.png"]
    deep = plan([str(tmp_path / "in")], output=tmp_path / "out", recursive=True, suffix="")
    assert targets(deep, tmp_path) == ["out/a.png", "out/sub/deep/b.png"]


def test_our_own_results_and_the_output_folder_are_no_inputs(tmp_path):
    touch(tmp_path / "a.png", tmp_path / "out/a.png", tmp_path / ".hidden.png")
    (tmp_path / "a_daybreak.png").write_bytes((tmp_path / "a.png").read_bytes())
    assert [job.source.name for job in plan([str(tmp_path)])] == ["a.png"]
    jobs = plan([str(tmp_path)], output=tmp_path / "out", recursive=True, suffix="_x")
    assert [job.source.name for job in jobs] == ["a.png", "a_daybreak.png"]


def test_a_picture_whose_name_ends_like_a_result_is_an_input_still(tmp_path):
    (tmp_path / "z.png").write_bytes(b"one")
    (tmp_path / "za.png").write_bytes(b"another")
    assert len(plan([str(tmp_path)], suffix="a", output=tmp_path / "out")) == 2
    first, second = plan([str(tmp_path)], suffix="a")
    assert isinstance(first, Refusal)
    assert isinstance(second, Job)


def test_a_glob_and_the_file_itself_are_one_job(tmp_path):
    touch(tmp_path / "a.png", tmp_path / "b.png", tmp_path / "[odd].png")
    jobs = plan([str(tmp_path / "?.png"), str(tmp_path / "a.png")])
    assert [job.source.name for job in jobs] == ["a.png", "b.png"]
    assert [job.source.name for job in plan([str(tmp_path / "[odd].png")])] == ["[odd].png"]


def test_output_may_name_a_file_for_one_picture_only(tmp_path):
    touch(tmp_path / "a.png", tmp_path / "b.png")
    assert plan([str(tmp_path / "a.png")], output=tmp_path / "x.jpg")[0].target == tmp_path / "x.jpg"
    with pytest.raises(BadSetting, match="a folder"):
        plan([str(tmp_path / "a.png"), str(tmp_path / "b.png")], output=tmp_path / "x.jpg")


def test_two_inputs_never_share_a_result(tmp_path):
    touch(tmp_path / "one/a.png", tmp_path / "two/a.png")
    first, second = plan([str(tmp_path / "one"), str(tmp_path / "two")], output=tmp_path / "out")
    assert isinstance(first, Job)
    assert isinstance(second, Refusal)
    assert str(tmp_path / "one/a.png") in str(second.error)


def test_a_result_falls_on_its_input_only_when_asked(tmp_path):
    touch(tmp_path / "a.png")
    [refused] = plan([str(tmp_path / "a.png")], suffix="")
    assert isinstance(refused, Refusal)
    assert "--overwrite" in str(refused.error)
    [job] = plan([str(tmp_path / "a.png")], suffix="", overwrite=True)
    assert job.target == tmp_path / "a.png"


def test_a_result_never_falls_on_another_input(tmp_path):
    touch(tmp_path / "a.png")
    (tmp_path / "a_x.png").write_bytes(b"mine")
    jobs = plan([str(tmp_path / "a.png"), str(tmp_path / "a_x.png")], suffix="_x", overwrite=True)
    assert isinstance(jobs[0], Refusal)


def test_missing_paths_and_dead_links_are_told_and_the_rest_goes_on(tmp_path):
    touch(tmp_path / "a.png")
    (tmp_path / "dead.png").symlink_to(tmp_path / "gone.png")
    jobs = plan([str(tmp_path / name) for name in ("none.png", "dead.png", "no*.png", "a.png")])
    assert [type(job) for job in jobs] == [Refusal, Refusal, Refusal, Job]
    assert "link to nothing" in str(jobs[1].error)


def test_a_loop_of_links_ends(tmp_path):
    touch(tmp_path / "in/a.png", tmp_path / "in/sub/b.png")
    (tmp_path / "in/sub/up").symlink_to(tmp_path / "in")
    (tmp_path / "in/self").symlink_to(tmp_path / "in/self")
    jobs = plan([str(tmp_path / "in")], recursive=True)
    assert sorted(job.source.name for job in jobs) == ["a.png", "b.png"]


def test_a_suffix_stays_in_its_folder():
    with pytest.raises(BadSetting, match="slash"):
        plan(["a.png"], suffix=f"..{os.sep}x")
