"""`daybreak enhance` as it is typed."""

from __future__ import annotations

import io
import json
import os
import sys

import numpy as np
import pytest
from PIL import Image

from daybreak.cli.main import run
from daybreak.errors import UnwritablePicture
from daybreak.image.read import read_photo, read_record


def picture(path, level=20, size=(24, 32), **save):
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(level)
    Image.fromarray(rng.integers(0, 2 * level, (*size, 3), dtype=np.uint8)).save(path, **save)
    return path


def enhance(*words):
    return run(["enhance", *map(str, words)])


@pytest.fixture
def folder(tmp_path):
    for name, level in (("a.jpg", 15), ("b.png", 20), ("lit.png", 120)):
        picture(tmp_path / "in" / name, level)
    return tmp_path / "in"


def report_of(path):
    return {entry["input"].rpartition("/")[2]: entry for entry in json.loads(path.read_text())["files"]}


def test_a_report_says_what_was_done_and_a_rerun_says_the_same(folder, tmp_path, capsys):
    words = (folder, "-o", tmp_path / "out", "--report", tmp_path / "r" / "report.json")
    assert enhance(*words) == 0
    assert "3 pictures: 2 enhanced, 1 left as they were" in capsys.readouterr().err
    first = report_of(tmp_path / "r/report.json")
    assert first["a.jpg"]["method"] == "daybreak.best"
    assert first["a.jpg"]["settings"] == {"light": 0.0}
    assert first["a.jpg"]["brightness_after"] > 2 * first["a.jpg"]["brightness_before"]
    assert first["lit.png"]["state"] == "unchanged"
    assert (tmp_path / "out/lit_daybreak.png").read_bytes() == (folder / "lit.png").read_bytes()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    assert enhance(*words) == 0
    assert "3 done before" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == before
    again = report_of(tmp_path / "r/report.json")
    assert again["a.jpg"]["settings"] == first["a.jpg"]["settings"]
    assert again["a.jpg"]["method"] == "daybreak.best"


def test_a_second_run_beside_the_pictures_makes_no_results_of_results(folder):
    for _ in range(2):
        assert enhance(*sorted(folder.iterdir())) == 0
        assert enhance(folder) == 0
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *("a.jpg", "b.png", "lit.png"),
        *("a_daybreak.jpg", "b_daybreak.png", "lit_daybreak.png"),
    }


def test_in_place_the_same_again_does_the_rest_and_takes_no_result_for_a_picture(folder, capsys):
    words = (folder, "--suffix", "", "--overwrite", "-m", "gamma")
    assert enhance(folder / "a.jpg", *words[1:]) == 0  # what an interrupted run had done
    first = (folder / "a.jpg").read_bytes()
    assert enhance(*words, "--dry-run") == 0
    assert capsys.readouterr().out.count("(done before)") == 1
    assert enhance(*words) == 0
    assert "1 done before, 2 enhanced" in capsys.readouterr().err
    assert (folder / "a.jpg").read_bytes() == first
    assert enhance(folder / "a.jpg", "--suffix", "", "--overwrite", "-m", "gamma", "-s", "0.5") == 0
    assert (folder / "a.jpg").read_bytes() != first, "other settings are meant"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_pipe_among_the_pictures_is_refused_and_the_others_are_done(folder, capsys):
    os.mkfifo(folder / "pipe.jpg")
    assert enhance(folder / "pipe.jpg") == 1
    assert "is no regular file" in capsys.readouterr().err
    assert enhance(*sorted(folder.iterdir()), "-m", "gamma") == 1
    told = capsys.readouterr().err
    assert "pipe.jpg is no regular file" in told
    assert "3 enhanced" in told


def test_a_format_without_metadata_is_recognised_by_its_bytes(tmp_path):
    source = picture(tmp_path / "a.bmp")
    assert enhance(source, "-o", tmp_path / "out") == 0
    assert enhance(source, "-o", tmp_path / "out") == 0
    assert enhance(source, "-o", tmp_path / "out", "-m", "gamma") == 1


def test_the_same_bytes_at_the_target_are_no_result(tmp_path, capsys):
    source = picture(tmp_path / "in/dark.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/dark.png").write_bytes(source.read_bytes())
    assert enhance(source, "-o", tmp_path / "out", "--suffix", "") == 1
    assert "does not say how it was made" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["b.png", "photo.jpg", "out/a_daybreak.jpg", "other.png"])
def test_a_report_never_takes_the_place_of_a_picture(folder, tmp_path, name, capsys):
    victim = picture(folder / "photo.jpg") if name == "photo.jpg" else folder / name
    before = victim.read_bytes() if victim.exists() else None
    assert enhance(folder, "-o", folder / "out", "--report", victim) == 2
    told = "ends in .json" if name == "other.png" else "is a picture of this run"
    assert told in capsys.readouterr().err
    assert (victim.read_bytes() if victim.exists() else None) == before
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("more", "told"), [(["--gallery", "page.png"], "ends in .html"), (["--report", "d.json"], "is a folder")]
)
def test_documents_are_refused_before_anything_is_done(more, told, folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d.json").mkdir()
    (tmp_path / "r.json").write_text("an older report")
    words = ["-o", "out", "--report", "r.json", "--evidence", "e.json", *more]
    assert enhance(folder, *words) == 2
    assert told in capsys.readouterr().err
    assert (tmp_path / "r.json").read_text() == "an older report"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.json", "in", "r.json"]


def test_a_report_that_cannot_be_written_costs_no_evidence(folder, tmp_path, capsys, monkeypatch):
    def refuses(*_args, **_more):
        raise UnwritablePicture("r.json cannot be written (No space left on device)")

    monkeypatch.setattr("daybreak.cli.enhance.write_report", refuses)
    words = ("-o", tmp_path / "out", "--report", tmp_path / "r.json", "--evidence", tmp_path / "e.json")
    assert enhance(folder, *words, "-m", "gamma") == 1
    told = capsys.readouterr().err
    assert "r.json cannot be written" in told
    assert "3 enhanced" in told
    assert run(["verify", str(tmp_path / "e.json")]) == 0


def test_a_dry_run_writes_nothing(folder, tmp_path, capsys):
    assert enhance(folder, "-o", tmp_path / "out", "--dry-run", "--report", tmp_path / "r.json") == 0
    assert capsys.readouterr().out.count(" -> ") == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_a_dry_run_says_what_a_run_would_find(folder, tmp_path, capsys):
    words = (folder, "-o", tmp_path / "out", "-m", "gamma")
    assert enhance(*words) == 0
    for more, code, told in (
        ([], 0, "_daybreak.png (done before)"),
        (["--overwrite"], 0, "_daybreak.png (done before)"),
        (["--overwrite", "-s", "0.5"], 0, "_daybreak.png (replaced)"),
        (["-s", "0.5"], 1, ""),
    ):
        capsys.readouterr()
        assert enhance(*words, *more, "--dry-run") == code
        out, err = capsys.readouterr()
        assert out.count(told) == 2 if told else out == ""
        assert err.count("made otherwise (strength)") == (3 if code else 0)
    assert enhance(*words, "-s", "0.5") == 1


def test_overwrite_replaces_what_was_made_otherwise_alone(folder, tmp_path, capsys):
    words = (folder, "-o", tmp_path / "out", "-m", "gamma")
    assert enhance(*words) == 0
    first = tmp_path / "out/b_daybreak.png"
    made, whole = first.stat().st_mtime_ns, first.read_bytes()
    capsys.readouterr()
    assert enhance(*words, "--overwrite") == 0
    assert "3 done before" in capsys.readouterr().err
    assert first.stat().st_mtime_ns == made
    assert enhance(*words, "--overwrite", "-s", "0.5") == 0
    assert first.read_bytes() != whole
    Image.new("RGB", (30, 20)).save(first)  # it says nothing
    assert enhance(*words, "--overwrite") == 0
    assert first.read_bytes() == whole
    first.write_bytes(whole[: len(whole) * 3 // 4])  # it is damaged, and says what it was
    assert enhance(*words) == 0
    assert enhance(*words, "--overwrite") == 0
    assert first.read_bytes() == whole


def test_a_report_takes_no_manifests_place(folder, tmp_path, capsys):
    words = (folder, "-o", tmp_path / "out", "-m", "gamma")
    assert enhance(*words, "--evidence", tmp_path / "e.json") == 0
    kept = (tmp_path / "e.json").read_bytes()
    assert enhance(*words, "--report", tmp_path / "e.json") == 2
    assert f"--report {tmp_path / 'e.json'} is another file, which would be lost" in capsys.readouterr().err
    assert (tmp_path / "e.json").read_bytes() == kept
    for _ in range(2):
        assert enhance(*words, "--report", tmp_path / "r.json") == 0


def test_evidence_of_what_is_replaced_is_refused(folder, tmp_path, capsys):
    words = ("--suffix", "", "--overwrite", "-m", "gamma", "--evidence", tmp_path / "e.json")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert enhance(folder, *words) == 2
    assert "expected -o or a --suffix, so that the originals can be looked at" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_result_that_is_enhanced_once_more_in_place_says_so(folder, capsys):
    words = (folder / "b.png", "--suffix", "", "--overwrite", "-m", "gamma")
    assert enhance(*words) == 0
    assert "earlier result" not in capsys.readouterr().err
    assert enhance(*words, "-s", "0.5") == 0
    assert "on top of an earlier result, its original is gone" in capsys.readouterr().err


def test_a_name_that_has_no_room_for_the_suffix_is_told(tmp_path, capsys):
    picture(tmp_path / f"{251 * 'y'}.png")
    assert enhance(tmp_path, "-m", "gamma") == 1
    told = "the name of its result is too long. Give it another with -o, or a shorter --suffix"
    assert told in capsys.readouterr().err


def test_format_depth_and_settings_reach_the_file(tmp_path):
    source = picture(tmp_path / "a.jpg")
    words = (
        "-m",
        "gamma",
        "--set",
        "gamma=3",
        "--format",
        "png",
        "--bit-depth",
        "16",
        "-o",
        tmp_path / "out",
    )
    assert enhance(source, *words) == 0
    photo = read_photo(tmp_path / "out/a_daybreak.png")
    assert (photo.format, photo.bit_depth) == ("png", 16)
    record = read_record(tmp_path / "out/a_daybreak.png")
    assert json.loads(record["settings"])["gamma"] == 3.0
    assert json.loads(record["ran-settings"])["gamma"] == 3.0


def test_strength_and_exposure_change_the_brightness(tmp_path):
    source, means = picture(tmp_path / "a.png"), []
    for name, words in (("s", ["-s", "0.3"]), ("n", []), ("e", ["--exposure", "7"])):
        assert enhance(source, "-m", "gamma", "-o", tmp_path / f"{name}.png", *words) == 0
        means.append(read_photo(tmp_path / f"{name}.png").pixels.mean())
    assert means == sorted(means)


@pytest.fixture
def piped(tmp_path, monkeypatch):
    """A picture waiting on stdin, and what goes to stdout."""

    def pipe(data):
        stdin, stdout = io.TextIOWrapper(io.BytesIO(data)), io.TextIOWrapper(io.BytesIO())
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(sys, "stdout", stdout)
        return stdout

    return pipe


def test_stdin_goes_to_stdout(tmp_path, piped):
    source = picture(tmp_path / "a.png")
    stdout = piped(source.read_bytes())
    assert enhance("-", "-q") == 0
    made = Image.open(io.BytesIO(stdout.buffer.getvalue()))
    assert made.format == "PNG"
    assert np.asarray(made).mean() > 2 * np.asarray(Image.open(source)).mean()


def test_stdin_has_a_report_and_a_gallery_too(tmp_path, piped, capsys):
    source = picture(tmp_path / "a.png")
    stdout = piped(source.read_bytes())
    assert enhance("-", "--report", tmp_path / "r.json", "--gallery", tmp_path / "g.html") == 0
    assert stdout.buffer.getvalue()
    [entry] = json.loads((tmp_path / "r.json").read_text())["files"]
    assert (entry["input"], entry["output"], entry["method"]) == ("stdin", "stdout", "daybreak.best")
    assert (tmp_path / "g.html").read_text().count("<article") == 1
    piped(b"no picture")
    assert enhance("-", "--report", tmp_path / "r.json") == 1
    [entry] = json.loads((tmp_path / "r.json").read_text())["files"]
    assert entry["state"] == "failed"
    assert "no picture" in entry["error"]


def test_stdin_to_a_file_is_done_once(tmp_path, piped, capsys):
    source, target = picture(tmp_path / "a.png"), tmp_path / "new/out.jpg"
    for told in ("daybreak", "done before"):
        piped(source.read_bytes())
        assert enhance("-", "-o", target) == 0
        assert told in capsys.readouterr().err
    piped(picture(tmp_path / "b.png", 30).read_bytes())
    assert enhance("-", "-o", target) == 1
    assert "made otherwise (source)" in capsys.readouterr().err


def test_a_dry_run_leaves_stdin_alone(tmp_path, piped, monkeypatch):
    stdout = piped(b"not read")
    assert enhance("-", "--dry-run", "--report", tmp_path / "r.json") == 0
    stdout.flush()
    assert stdout.buffer.getvalue() == b"stdin -> stdout\n"
    assert sys.stdin.read() == "not read"
    assert list(tmp_path.iterdir()) == []


def test_stdin_keeps_to_the_most_pixels_too(tmp_path, piped, capsys):
    stdout = piped(picture(tmp_path / "a.png", size=(1000, 1100)).read_bytes())
    assert enhance("-", "--max-pixels", 1) == 1
    assert "claims 1100x1000 pixels (1 million); expected at most 1 million" in capsys.readouterr().err
    assert not stdout.buffer.getvalue()
    assert enhance(tmp_path / "a.png", "-o", tmp_path / "out", "--max-pixels", 2, "-m", "gamma", "-q") == 0


def test_what_a_format_cannot_hold_is_told_once_and_in_the_report(tmp_path, capsys):
    for name in ("a.png", "b.png"):
        clear = np.full((8, 8, 4), 30, np.uint8)
        Image.fromarray(clear).save(tmp_path / name)
    deep = np.full((8, 8), 3000, np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    words = (tmp_path, "--format", "jpg", "-o", tmp_path / "out", "--report", tmp_path / "r.json")
    for _ in range(2):  # a rerun says the same
        assert enhance(*words) == 0
        told = capsys.readouterr().err.splitlines()
        assert "2 pictures: transparency became white, for JPEG holds none" in told
        assert "1 picture: more than 8 bits became 8, for JPEG holds no more" in told
        assert told[-1].startswith("3 pictures: ")
        entries = report_of(tmp_path / "r.json")
        assert entries["deep.png"]["lost"] == ["more than 8 bits became 8, for JPEG holds no more"]
        assert len(entries["a.png"]["lost"]) == 1


def test_frames_left_out_are_told_of_in_a_folder_too(tmp_path, capsys):
    frames = [Image.fromarray(np.full((8, 8, 3), level, np.uint8)) for level in (10, 20)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    picture(tmp_path / "still.png")
    assert enhance(tmp_path, "-o", tmp_path / "out", "--report", tmp_path / "r.json") == 0
    told = "animated: only the first of 2 frames"
    assert f"1 picture: {told}" in capsys.readouterr().err.splitlines()
    assert told in report_of(tmp_path / "r.json")["moving.gif"]["notes"]


def test_an_exposure_that_is_out_of_reach_is_told_of_in_a_folder_too(folder, tmp_path, capsys):
    assert enhance(folder, "-o", tmp_path / "out", "--exposure", "9") == 0
    assert "EV of the +9 asked for" in capsys.readouterr().err


def test_a_copy_of_what_was_made_before_is_done_before_too(tmp_path, capsys):
    """A well-lit picture that daybreak once made is left as it is, and still tells of that first time."""
    enhance(
        picture(tmp_path / "dark.png"), "-o", tmp_path / "w" / "lit.png", "-m", "gamma", "--set", "gamma=5"
    )
    for state in ("unchanged", "done before"):
        assert enhance(tmp_path / "w", "-o", tmp_path / "out", "--report", tmp_path / "r.json") == 0
        assert report_of(tmp_path / "r.json")["lit.png"]["state"] == state
    capsys.readouterr()
    assert enhance(tmp_path / "w", "-o", tmp_path / "out", "-m", "gamma") == 1
    assert "lit_daybreak.png is there already" in capsys.readouterr().err


def test_where_nothing_is_found_it_says_where_else_to_look(tmp_path, capsys):
    picture(tmp_path / "in" / "below" / "a.png")
    assert enhance(tmp_path / "in") == 0
    assert "0 pictures: nothing to do (folders below are looked into with -r" in capsys.readouterr().err
    film = tmp_path / "a.mp4"
    film.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(50))
    assert enhance(film) == 1
    assert "Films: daybreak video" in capsys.readouterr().err


def test_a_quality_is_no_setting_of_a_format_without_one(tmp_path, capsys):
    for name, again in (("a.png", 0), ("a.jpg", 1)):
        source = picture(tmp_path / name)
        assert enhance(source, "-o", tmp_path / "out", "--quality", "70") == 0
        record = read_record(tmp_path / f"out/a_daybreak{source.suffix}")
        assert ("quality" in record["output"]) == bool(again)
        assert enhance(source, "-o", tmp_path / "out") == again


@pytest.mark.parametrize(("method", "code"), [("gamma", 0), ("he", 1)])
def test_what_another_process_makes_meanwhile_is_done_if_it_is_the_same(
    method, code, tmp_path, monkeypatch, capsys
):
    from daybreak.enhancing import shelf

    source, out, real = picture(tmp_path / "a.png"), tmp_path / "out", shelf.write_whole

    def late(path, data, **kwargs):
        monkeypatch.setattr(shelf, "write_whole", real)
        assert enhance(source, "-m", method, "-o", out, "-q") == 0
        real(path, data, **kwargs)

    monkeypatch.setattr(shelf, "write_whole", late)
    assert enhance(source, "-m", "gamma", "-o", out) == code
    assert ("done before" if code == 0 else "made otherwise (method") in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["a_daybreak.png"]


def test_a_gallery_shows_every_picture(folder, tmp_path):
    assert enhance(folder, "-o", tmp_path / "out", "--gallery", tmp_path / "g.html") == 0
    page = (tmp_path / "g.html").read_text()
    assert page.count("<article") == 3
    assert "http" not in page.replace("http-equiv", "")


def test_a_fault_of_ours_with_a_picture_is_told_in_a_line(folder, tmp_path, monkeypatch, capsys):
    from daybreak.enhancing import one

    def encode(*args, **kwargs):
        raise ZeroDivisionError("made up")

    monkeypatch.setattr(one, "encode_photo", encode)
    assert enhance(folder / "a.jpg", "-o", tmp_path / "out") == 1
    told = capsys.readouterr().err
    assert "a.jpg: an unexpected ZeroDivisionError: made up" in told
    assert not list((tmp_path / "out").glob("*"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--set", "strength=2"], "no setting of auto named 'strength'"),
        ([""], "an empty path"),
        (["-o", "x.jpg", "--format", "png"], "one and the same format"),
        (["x/**.jpg"], "a glob such as"),
        (["-o", "-"], "daybreak enhance - < night.jpg > bright.jpg"),
    ],
)
def test_lines_to_be_corrected(tmp_path, words, told, capsys):
    assert enhance(picture(tmp_path / "a.png"), *words) == 2
    assert told in capsys.readouterr().err
