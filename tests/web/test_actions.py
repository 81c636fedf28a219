"""What the page's buttons do, without the page: long work, films with subtitles, faults with one picture."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from daybreak.enhancing import one
from daybreak.enhancing.enhancer import Enhancer
from daybreak.errors import UnreadablePicture, UnwritablePicture
from daybreak.serving.limits import Limits
from daybreak.stopping import Stopped, look
from daybreak.web.actions import Actions
from daybreak.web.folder import PageFolder
from daybreak.web.visits import Overtaken, Visits

WORDS = {"method": "gamma"}


@pytest.fixture
def pages(tmp_path):
    return PageFolder(tmp_path / "page")


@pytest.fixture
def actions(pages):
    return Actions(Limits(), pages, 1)


@pytest.fixture
def pictures(pages):
    """Uploads: two PNG and a JPEG, each in a folder of its own, as Gradio lays them."""
    dark = np.random.default_rng(0).integers(0, 40, (30, 40, 3), np.uint8)
    paths = [pages.uploads / str(place) / name for place, name in enumerate(("a.png", "b.jpg", "c.png"))]
    for path in paths:
        path.parent.mkdir()
        cv2.imwrite(str(path), dark)
    return paths


@pytest.fixture
def film(pages):
    """film(name, subtitles=False): an upload of 12 dark frames with a tone."""
    pytest.importorskip("av")
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg on the PATH")

    def make(name, *, subtitles=False):
        path = pages.uploads / "film" / name
        path.parent.mkdir()
        picture, sound = "testsrc2=size=64x48:rate=12:duration=1,eq=brightness=-0.35", "sine=440:d=1"
        lines = "1\n00:00:00,100 --> 00:00:00,600\nhello\n"
        command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound]
        texts = ["-i", "pipe:0", "-c:s", "srt"] if subtitles else []
        command += [*texts, "-c:v", "libx264", "-c:a", "aac", str(path)]
        subprocess.run(command, check=True, input=lines.encode(), timeout=120)
        return path

    return make


def kinds(path):
    import av

    with av.open(str(path)) as film:
        return [stream.type for stream in film.streams]


def quiet(share, words):
    pass


def hours_pass(pages, uploads):
    """A `tell` between any two calls of which an hour passes, and what is old by then is removed."""

    def tell(share, words):
        pages.sweep()
        for upload in uploads:
            upload.unlink(missing_ok=True)  # as Gradio does
        for path in pages.uploads.iterdir():
            os.utime(path, (0, 0))

    return tell


def test_a_film_that_takes_hours_keeps_its_source_and_its_folder(actions, pages, film):
    upload = film("night.mp4")
    made = actions.video(str(upload), WORDS, hours_pass(pages, [upload]), whole=True)
    assert kinds(made) == ["video", "audio"]
    assert not upload.exists()
    assert [path.name for path in made.parent.iterdir()] == ["night_daybreak.mp4"]


def test_pictures_that_take_hours_all_come_back(actions, pages, pictures):
    done = actions.enhance(list(map(str, pictures)), WORDS, hours_pass(pages, pictures))
    with zipfile.ZipFile(done.file) as archive:
        names = archive.namelist()
    assert names == ["a_daybreak.png", "b_daybreak.jpg", "c_daybreak.png", "report.json"]
    assert list(done.file.parent.iterdir()) == [done.file]


def test_what_went_before_the_work_began_is_named(actions, pictures):
    pictures[1].unlink()
    with pytest.raises(UnreadablePicture, match=r"b\.jpg is here no more.*Drop or choose it again"):
        actions.enhance(list(map(str, pictures)), WORDS, quiet)


def test_a_comparison_of_what_went_meanwhile_is_refused_in_words(actions, pictures):
    assert set(actions.compare([str(pictures[0])], ["gamma", "he"])) == {"original", "gamma", "he"}
    pictures[0].unlink()
    with pytest.raises(UnreadablePicture, match=r"a\.png is here no more.*Drop or choose it again"):
        actions.compare([str(pictures[0])], ["gamma"])


def test_each_method_is_compared_once(actions, pictures, monkeypatch):
    runs, real = [], Enhancer.photo

    def photo(self, picture):
        runs.append(self.method.card.name)
        return real(self, picture)

    monkeypatch.setattr(Enhancer, "photo", photo)
    assert list(actions.compare([str(pictures[0])], ["he", "gamma", "he"] * 100)) == [
        "original",
        "he",
        "gamma",
    ]
    assert runs == ["he", "gamma"]


def test_work_ends_when_its_visitor_leaves(actions, pictures, film, monkeypatch):
    monkeypatch.setattr("daybreak.web.visits._ON_ITS_WAY", 0.0)
    visits, uploads = Visits(), list(map(str, pictures))

    def leave(share, words):
        visits.leave("somebody else")
        visits.leave("me")
        raised.append(words)

    for work in (
        lambda: actions.enhance(uploads, WORDS, leave),
        lambda: actions.video(str(film("night.mp4")), WORDS, leave, whole=True),
    ):
        raised = []
        with pytest.raises(Stopped), visits.work("me"):
            work()
        assert len(raised) == 1
    with visits.work("me"):
        assert set(actions.compare(uploads, ["gamma"])) == {"original", "gamma"}


def test_work_that_was_on_its_way_when_its_visitor_left_ends_too(actions, pictures, monkeypatch):
    visits, uploads = Visits(), list(map(str, pictures))
    visits.leave("me")
    with visits.work("somebody else"):
        actions.enhance(uploads, WORDS, quiet)
    with pytest.raises(Stopped), visits.work("me"):
        actions.enhance(uploads, WORDS, quiet)
    monkeypatch.setattr("daybreak.web.visits._ON_ITS_WAY", 0.0)  # as if that time had passed
    with visits.work("me"):
        actions.enhance(uploads, WORDS, quiet)


def test_work_for_one_place_is_overtaken_by_newer_work_of_that_visitor():
    visits = Visits()

    def overtaken():
        go_on = look()
        with visits.work("me", "pictures"):
            look()()
        with pytest.raises(Stopped):
            go_on()  # and goes on to its end all the same

    with visits.work("me", "films"), visits.work("somebody else", "pictures"), visits.work("me"):
        with pytest.raises(Overtaken), visits.work("me", "pictures"):
            overtaken()
        look()()


def test_a_film_that_is_being_put_together_ends_when_its_visitor_leaves(actions, film, monkeypatch):
    from daybreak.enhancing.video import run

    visits, real = Visits(), run.mux

    def mux(*args):
        visits.leave("me")
        return real(*args)

    monkeypatch.setattr(run, "mux", mux)
    with pytest.raises(Stopped), visits.work("me"):
        actions.video(str(film("night.mp4")), WORDS, quiet, whole=True)


def test_a_film_that_cannot_be_put_together_is_told_by_its_name_and_goes(actions, pages, film, monkeypatch):
    def refuse(*_):
        raise av.error.InvalidDataError(1, "Invalid data")

    av = pytest.importorskip("av")
    monkeypatch.setattr("daybreak.enhancing.video.run.mux", refuse)
    with pytest.raises(UnwritablePicture, match=r"^night\.mp4 cannot be put together \(Invalid data\)$"):
        actions.video(str(film("night.mp4")), WORDS, quiet, whole=True)
    assert not list(pages.root.rglob(".*"))


def test_a_held_upload_counts_once_and_is_copied_where_there_are_no_links(pages, pictures, monkeypatch):
    before, data = pages.size(), pictures[0].read_bytes()
    folder = pages.fresh()
    with pages.held(pictures, folder) as held:
        assert [path.name for path in held] == ["a.png", "b.jpg", "c.png"]
        assert pages.size() == before
    assert list(folder.iterdir()) == []

    def refuse(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    with pages.held(pictures[:1], folder) as [path]:
        pictures[0].unlink()
        assert path.read_bytes() == data


@pytest.mark.parametrize("whole", [False, True])
def test_text_subtitles_make_matroska_of_a_film(actions, film, whole):
    made = actions.video(str(film("night.mkv", subtitles=True)), WORDS, quiet, whole=whole)
    assert made.name == "night_daybreak.mkv"
    assert sorted(kinds(made)) == ["audio", "subtitle", "video"]


def test_what_mp4_holds_stays_mp4(actions, film):
    made = actions.video(str(film("night.mkv")), WORDS, quiet, whole=False)
    assert made.name == "night_daybreak.mp4"


def test_a_fault_of_ours_with_one_picture_is_that_pictures_alone(actions, pictures, monkeypatch, caplog):
    real = one.encode_photo

    def encode(photo, *args, **kwargs):
        if photo.format == "jpeg":
            raise ZeroDivisionError("secret detail")
        return real(photo, *args, **kwargs)

    monkeypatch.setattr(one, "encode_photo", encode)
    done = actions.enhance(list(map(str, pictures)), WORDS, quiet)
    with zipfile.ZipFile(done.file) as archive:
        told = {entry["input"]: entry["error"] for entry in json.loads(archive.read("report.json"))["files"]}
        assert archive.namelist() == ["a_daybreak.png", "c_daybreak.png", "report.json"]
    fault = "b.jpg: an unexpected fault of the server; it is in its log"
    assert told == {"a.png": "", "b.jpg": fault, "c.png": ""}
    assert fault in done.words.splitlines()
    assert "secret detail" in caplog.text


@pytest.mark.parametrize("count", [1, 3])
def test_a_result_that_cannot_be_shown_is_handed_out(actions, pictures, monkeypatch, caplog, count):
    def large(*_, **__):
        raise MemoryError("no room for a preview")

    monkeypatch.setattr("daybreak.web.actions.read_photo", large)
    done = actions.enhance(list(map(str, pictures[:count])), WORDS, quiet)
    assert done.pictures == {}
    assert "no room for a preview" in caplog.text
    if count == 1:
        assert done.file.name == "a_daybreak.png"
        return
    with zipfile.ZipFile(done.file) as archive:
        assert len(archive.namelist()) == count + 1
        assert [entry["error"] for entry in json.loads(archive.read("report.json"))["files"]] == [""] * count


def test_work_that_is_stopped_is_no_fault_of_a_picture(actions, pictures, monkeypatch):
    def stopped(*_, **__):
        raise Stopped

    monkeypatch.setattr(one, "encode_photo", stopped)
    with pytest.raises(Stopped):
        actions.enhance(list(map(str, pictures)), WORDS, quiet)
