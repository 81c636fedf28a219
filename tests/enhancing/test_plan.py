"""From what was typed to jobs: nothing on the disk but names is looked at here."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from daybreak.enhancing.batch import Output
from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.finding import Refusal, _trees
from daybreak.enhancing.one import run_job
from daybreak.enhancing.plan import STDIN, STDOUT, Job, plan, plan_stream
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


@pytest.mark.parametrize(
    ("paths", "output"), [(["."], "."), (["a.png", "b.png", "out"], "out"), (["**/*.png"], "out")]
)
def test_the_same_command_again_takes_no_result_for_an_input(paths, output, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path / "a.png", tmp_path / "b.png")
    (tmp_path / output).mkdir(exist_ok=True)
    first = plan(paths, output=Path(output))
    assert [job.source.name for job in first] == ["a.png", "b.png"]
    for job in first:
        job.target.write_bytes(job.source.read_bytes())
    assert plan(paths, output=Path(output)) == first


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
    one, two = tmp_path / "one/a.png", tmp_path / "two/a.png"
    touch(one, two)
    first, second = plan([str(one), str(two)], output=tmp_path / "out")
    assert isinstance(first, Job)
    assert isinstance(second, Refusal)
    assert str(one) in str(second.error)
    assert "give their folders" in str(second.error)


@pytest.mark.parametrize(
    ("folders", "trees"),
    [
        (["one", "two"], ["one", "two"]),
        (["a/low", "b/low"], ["a/low", "b/low"]),
        (["a/low", "b/low", "c"], ["a/low", "b/low", "c"]),
        (["a/low", "a/../b"], ["low", "b"]),
    ],
)
def test_several_folders_keep_their_names_in_one_output(folders, trees, tmp_path):
    (tmp_path / "a").mkdir()  # "a/.." needs it
    touch(*(tmp_path / folder / "x.png" for folder in folders))
    jobs = plan([str(tmp_path / folder) for folder in folders], output=tmp_path / "out", suffix="")
    assert [str(job.target.relative_to(tmp_path / "out")) for job in jobs] == [f"{t}/x.png" for t in trees]


def test_where_a_folder_goes_depends_on_what_was_typed_and_not_on_what_is_in_it(tmp_path):
    touch(tmp_path / "in/a.png", tmp_path / "b.png")
    out, folder, file = tmp_path / "out", str(tmp_path / "in"), str(tmp_path / "b.png")
    assert targets(plan([folder], output=out, suffix=""), out) == ["a.png"]
    assert targets(plan([folder, file], output=out, suffix=""), out) == ["b.png", "in/a.png"]
    assert targets(plan([folder, f"{folder}/"], output=out, suffix=""), out) == ["in/a.png"]


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), min_size=1, max_size=6))
def test_trees_never_fall_together_and_stay_below_the_output(names):
    folders = [Path("/", *parts) for parts in names]
    trees = _trees(folders)
    assert len(set(trees.values())) == len(set(folders))
    for folder, tree in trees.items():
        assert not tree.is_absolute()
        assert folder.parts[-len(tree.parts) :] == tree.parts


def test_a_result_falls_on_its_input_only_when_asked(tmp_path):
    touch(tmp_path / "a.png")
    [refused] = plan([str(tmp_path / "a.png")], suffix="")
    assert isinstance(refused, Refusal)
    assert "--overwrite" in str(refused.error)
    [job] = plan([str(tmp_path / "a.png")], suffix="", overwrite=True)
    assert job.target == tmp_path / "a.png"


def test_in_place_means_the_file_behind_a_link_and_that_only_once(tmp_path):
    touch(tmp_path / "store/real.png")
    for name in ("a.png", "b.png"):
        (tmp_path / name).symlink_to(tmp_path / "store/real.png")
    first, second = plan([str(tmp_path / "a.png"), str(tmp_path / "b.png")], suffix="", overwrite=True)
    assert first == Job(tmp_path / "a.png", tmp_path / "store/real.png", in_place=True)
    assert isinstance(second, Refusal)


def test_a_picture_from_a_pipe_goes_to_a_pipe_or_to_a_file(tmp_path):
    assert plan_stream(["-"]) == Job(STDIN, STDOUT)
    assert plan_stream(["-"], output=tmp_path / "a.png") == Job(STDIN, tmp_path / "a.png")
    for output in (tmp_path, tmp_path / "no-suffix"):
        with pytest.raises(BadSetting, match="the name of a picture"):
            plan_stream(["-"], output=output)
    with pytest.raises(BadSetting, match="same format"):
        plan_stream(["-"], output=tmp_path / "a.png", format="jpeg")
    with pytest.raises(BadSetting, match="one or the other"):
        plan_stream(["-", "a.png"])


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


def test_what_cannot_be_looked_at_is_told_and_the_rest_goes_on(tmp_path):
    """No rights, a share that is gone; or, for root too, a name that is too long."""
    touch(tmp_path / "a.png")
    (tmp_path / "b.png").symlink_to("c" * 300)
    (tmp_path / "d").symlink_to("e" * 300)
    for jobs in (
        plan([str(tmp_path)], recursive=True),
        plan([str(tmp_path / "a.png"), str(tmp_path / ("f" * 300 + ".png"))]),
    ):
        assert [type(job) for job in jobs] == [Job, Refusal]
        assert "cannot be looked at (File name too long)" in str(jobs[1].error)


def test_names_that_some_disk_takes_for_one_do_not_replace_each_other(tmp_path):
    touch(tmp_path / "in/IMG.png", tmp_path / "in/img.png")
    out = tmp_path / "out"
    assert len({job.target for job in plan([str(tmp_path / "in")], output=out)}) == 2
    first, second = plan([str(tmp_path / "in")], output=out, overwrite=True)
    assert isinstance(second, Refusal)
    assert "would take the place of" in str(second.error)
    touch(first.target, out / "img_daybreak.png")  # a disk that tells them apart
    assert all(isinstance(job, Job) for job in plan([str(tmp_path / "in")], output=out, overwrite=True))


def test_what_is_taken_stays_taken_whatever_lies_beside_it(tmp_path):
    out = tmp_path / "out"
    sources = [tmp_path / place for place in ("x/A.png", "y/a.png", "z/A.png")]
    touch(*sources, out / "A_daybreak.png", out / "a_daybreak.png")
    jobs = plan(list(map(str, sources)), output=out, overwrite=True)
    assert [type(job) for job in jobs] == [Job, Job, Refusal]


def test_a_name_of_dots_is_one_too(tmp_path):
    touch(tmp_path / "..png")
    (job,) = plan([str(tmp_path / "..png")])
    assert job.source.name == "..png"


def test_a_loop_of_links_ends(tmp_path):
    touch(tmp_path / "in/a.png", tmp_path / "in/sub/b.png")
    (tmp_path / "in/sub/up").symlink_to(tmp_path / "in")
    (tmp_path / "in/self").symlink_to(tmp_path / "in/self")
    jobs = plan([str(tmp_path / "in")], recursive=True)
    assert sorted(job.source.name for job in jobs) == ["a.png", "b.png"]


def test_a_suffix_stays_in_its_folder():
    with pytest.raises(BadSetting, match="slash"):
        plan(["a.png"], suffix=f"..{os.sep}x")


def test_a_mistyped_ending_makes_no_folder(tmp_path):
    source = tmp_path / "a.png"
    source.touch()
    for name in ("out.jpgg", "out.mp4", "out.txt"):
        with pytest.raises(BadSetting, match=r"a folder, or a name that ends in \.jpg, .*Type mkdir"):
            plan([str(source)], output=tmp_path / name)
    for name in ("2024.11.29", "out.v2", "out.pictures"):
        (job,) = plan([str(source)], output=tmp_path / name)
        assert job.target == tmp_path / name / "a_daybreak.png"
    (tmp_path / "out.txt").mkdir()
    for paths, folder in (([source], "out.txt"), ([tmp_path], "of.pix")):
        (job,) = plan([*map(str, paths)], output=tmp_path / folder)
        assert job.target == tmp_path / folder / "a_daybreak.png"


def test_without_a_suffix_results_beside_their_originals_are_known_by_their_record(tmp_path):
    """`--suffix "" --format png`, once more; a PNG that is no result is an original of its own."""
    Image.fromarray(np.full((8, 8, 3), 9, np.uint8)).save(tmp_path / "a.jpg")
    options = {"suffix": "", "format": "png"}
    (job,) = plan([str(tmp_path)], **options)
    assert run_job(job, Enhancer("gamma"), Output(format="png")).state == "enhanced"
    for overwrite in (False, True):
        assert plan([str(tmp_path)], overwrite=overwrite, **options) == [job]
    Image.fromarray(np.full((8, 8, 3), 7, np.uint8)).save(tmp_path / "a.png")
    (_, itself) = plan([str(tmp_path)], overwrite=True, **options)
    assert itself == Job(tmp_path / "a.png", tmp_path / "a.png", in_place=True)
    assert run_job(itself, Enhancer("gamma"), Output(format="png", overwrite=True)).state == "enhanced"
    first, again = plan([str(tmp_path)], overwrite=True, **options)
    assert str(first.error).endswith("a.png is an input. Type a --suffix or an -o")
    assert again == itself, "a result, but not that of a.jpg"
    first, second = plan([str(tmp_path)], **options)
    assert str(first.error).endswith("a.png is an input. Type a --suffix or an -o")
    assert str(second.error).endswith(
        "a.png is an input. Type a --suffix or an -o, or --overwrite to replace it"
    )


def test_what_keeps_no_record_is_not_replaced_in_place(tmp_path):
    touch(tmp_path / "a.bmp", tmp_path / "b.png")
    first, second = plan([str(tmp_path)], suffix="", overwrite=True)
    assert "the same command again would brighten it again, for bmp keeps no record" in str(first.error)
    assert second.in_place
    assert len([job for job in plan([str(tmp_path)], output=tmp_path / "out") if isinstance(job, Job)]) == 2
