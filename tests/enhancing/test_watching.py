"""The parts of a watched folder, with a clock of the test's own."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from daybreak.enhancing import shelf
from daybreak.enhancing.batch import Output
from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.manifest import read_manifests
from daybreak.enhancing.verify import verify_entry
from daybreak.enhancing.watching import Watched, loop, watch
from daybreak.enhancing.watching.arrivals import Arrivals, Facts, facts_of
from daybreak.enhancing.watching.journal import NAME, Journal
from daybreak.enhancing.watching.wakes import wakes
from daybreak.errors import MissingExtra, UnreadablePicture, UnwritablePicture
from daybreak.image.photo import Photo
from daybreak.image.write import write_photo

SETTLE = 2.0


def picture(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    write_photo(Photo.from_pixels(rng.random((12, 16, 3), np.float32) * np.float32(0.2)), path)
    return path


def arrivals(folder, *, recursive=False, left_out=(), known=lambda name, facts: False):
    return Arrivals(folder, recursive=recursive, settle=SETTLE, left_out=left_out, known=known)


def test_a_file_is_due_once_it_has_rested(tmp_path):
    seen = arrivals(tmp_path)
    path = tmp_path / "a.jpg"
    for second in range(5):  # a writer that adds something every second
        with path.open("ab") as file:
            file.write(b"more")
        seen.look(None, float(second))
        assert seen.due(float(second)) == []
    seen.look((), 5.9)
    assert seen.due(5.9) == []
    seen.look((), 6.0)
    assert seen.due(6.0) == ["a.jpg"]


def test_a_rewritten_file_of_the_same_size_is_seen(tmp_path):
    seen = arrivals(tmp_path)
    path = tmp_path / "a.jpg"
    path.write_bytes(b"1234")
    seen.look(None, 0.0)
    os.utime(path, ns=(1, 1))
    seen.look((), 2.0)
    assert seen.due(2.0) == []


def test_attempts_begin_anew_when_the_file_changes(tmp_path):
    seen = arrivals(tmp_path)
    path = tmp_path / "a.jpg"
    path.write_bytes(b"1")
    seen.look(None, 0.0)
    seen.postpone("a.jpg", 2.0, 1.0, counts=True)
    assert seen.waiting["a.jpg"].attempts == 1
    assert seen.due(2.9) == []
    assert seen.due(3.0) == ["a.jpg"]
    path.write_bytes(b"12")
    seen.look((), 3.0)
    assert seen.waiting["a.jpg"].attempts == 0


def test_what_is_written_to_while_it_is_read_is_not_used(tmp_path, monkeypatch):
    seen = arrivals(tmp_path)
    path = tmp_path / "a.jpg"
    path.write_bytes(b"1")
    seen.look(None, 0.0)
    assert seen.read(path) == b"1"

    def read_and_write(path):
        data = path.read_bytes()
        path.write_bytes(data + b"2")
        return data

    monkeypatch.setattr("daybreak.enhancing.watching.arrivals.read_bytes", read_and_write)
    with pytest.raises(UnreadablePicture, match="being written to"):
        seen.read(path)
    path.unlink()
    seen.look((), 9.0)
    assert not seen.waiting


def test_what_is_no_picture_hidden_or_left_out_is_not_looked_at(tmp_path):
    names = ["a.jpg", "notes.txt", ".b.jpg", "in/c.jpg", ".d/e.jpg", "out/f.jpg", "g.jpg.part"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
    for recursive, wanted in ((False, ["a.jpg"]), (True, ["a.jpg", "in/c.jpg"])):
        for told in (None, names):
            seen = arrivals(tmp_path, recursive=recursive, left_out=[tmp_path / "out"])
            seen.look(told, 0.0)
            assert sorted(seen.waiting) == wanted


def test_news_of_a_folder_within_the_output_are_heard(tmp_path):
    names = ["a.jpg", "in/b.jpg", "done/c.jpg"]
    for name in names:
        (tmp_path / "watched" / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / "watched" / name).write_bytes(b"1")
    for told in (None, names):
        seen = arrivals(
            tmp_path / "watched", recursive=True, left_out=[tmp_path, tmp_path / "watched" / "done"]
        )
        seen.look(told, 0.0)
        assert sorted(seen.waiting) == ["a.jpg", "in/b.jpg"]


def test_a_folder_that_is_gone_is_told(tmp_path):
    with pytest.raises(UnreadablePicture, match="cannot be looked at"):
        arrivals(tmp_path / "gone").look(None, 0.0)


def deep(folder: Path) -> Path:
    """A folder inside that nobody can look into by its path, which is too long."""
    here, part = os.open(folder, os.O_RDONLY), "d" * 200
    for _ in range(os.pathconf(folder, "PC_PATH_MAX") // len(part) + 1):
        os.mkdir(part, dir_fd=here)
        below = os.open(part, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    return folder / part


def test_a_folder_inside_that_cannot_be_looked_into_is_left_out(tmp_path):
    deep(tmp_path)
    for name in ("a.jpg", "z/b.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
    seen = arrivals(tmp_path, recursive=True)
    for second in (0.0, 2.0):
        seen.look(None, second)
        (why,) = seen.left_unread
        assert "cannot be looked at (File name too long) and is left out" in why
    assert seen.due(2.0) == ["a.jpg", "z/b.jpg"]


def test_a_folder_inside_without_permission_is_left_out():
    with tempfile.TemporaryDirectory() as name:
        folder, was = Path(name), os.geteuid()
        folder.chmod(0o755)
        (folder / "a.jpg").write_bytes(b"1")
        (folder / "lost+found").mkdir(mode=0)
        seen = arrivals(folder, recursive=True)
        try:
            if was == 0:
                os.seteuid(65_534)
            seen.look(None, 0.0)
        finally:
            os.seteuid(was)
        assert list(seen.waiting) == ["a.jpg"]
        (why,) = seen.left_unread
        assert why == f"{folder / 'lost+found'} cannot be looked at (Permission denied) and is left out"
        seen.look(None, 1.0)
        assert was != 0 or not seen.left_unread, "root may look into it"


def test_the_journal_survives_a_cut_line_and_odd_names(tmp_path):
    odd = os.fsdecode(b"n\xff\n.jpg")
    first = Journal(tmp_path)
    first.add("a.jpg", Facts(1, 2))
    first.add(odd, Facts(3, 4))
    first.add("a.jpg", Facts(5, 6))
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'{"name": "cut.jpg", "si')
    second = Journal(tmp_path)
    assert second.knows("a.jpg", Facts(5, 6))
    assert not second.knows("a.jpg", Facts(1, 2))
    assert second.knows(odd, Facts(3, 4))
    assert not second.knows("cut.jpg", Facts(0, 0))
    second.add("b.jpg", Facts(7, 8))
    assert Journal(tmp_path).knows("b.jpg", Facts(7, 8))
    assert len((tmp_path / NAME).read_bytes().splitlines()) == 3


def test_a_journal_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / NAME).mkdir()
    with pytest.raises(UnwritablePicture):
        Journal(tmp_path)


def watched(tmp_path, **more):
    (tmp_path / "in").mkdir(exist_ok=True)
    return Watched(tmp_path / "in", tmp_path / "out", settle=0.0, poll=0.1, **more)


def news_until(wanted, *arguments):
    """What happens up to the first news of that kind, that one included."""
    told = []
    for news in watch(*arguments, Event()):
        told.append(news)
        if news.what == wanted:
            return told
    raise AssertionError


def test_a_full_disk_is_not_the_pictures_fault(tmp_path, monkeypatch):
    picture(tmp_path / "in/a.png")
    real, refused = shelf.write_whole, []

    def full(path, data, *, overwrite=False):
        if len(refused) < 2:
            refused.append(path)
            raise UnwritablePicture("no space") from OSError(errno.ENOSPC, "no space")
        real(path, data, overwrite=overwrite)

    monkeypatch.setattr(shelf, "write_whole", full)
    told = news_until("done", watched(tmp_path, attempts=1), Enhancer("gamma"), Output())
    assert [news.what for news in told] == ["blocked", "done"], "told once, tried until it went"
    assert len(refused) == 2
    assert not (tmp_path / "out/failed").exists()


def test_a_name_that_is_too_long_is(tmp_path):
    picture(tmp_path / "in" / f"{'n' * 245}.png")
    told = news_until("set aside", watched(tmp_path, attempts=1), Enhancer("gamma"), Output())
    assert "too long" in told[-1].result.error.lower()


def test_a_poison_file_that_cannot_be_moved_stays_and_is_not_tried_again(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.png").write_bytes(b"poison")

    def refuse(source, target):
        raise UnwritablePicture("read-only")

    monkeypatch.setattr("daybreak.enhancing.watching.loop.move_file", refuse)
    told = news_until("set aside", watched(tmp_path, attempts=1), Enhancer("gamma"), Output())
    assert told[-1].text == "the original stays: read-only"
    assert json.loads((tmp_path / "out/failed/a.png.json").read_text())["file"] == "a.png"
    picture(tmp_path / "in/b.png")
    told = news_until("done", watched(tmp_path, attempts=1), Enhancer("gamma"), Output())
    assert [news.result.source.name for news in told] == ["b.png"]


def test_a_moved_original_that_comes_back_is_done_before_and_moved_again(tmp_path):
    picture(tmp_path / "in/a.png")
    settings = watched(tmp_path, move_to=tmp_path / "done")
    (told,) = news_until("done", settings, Enhancer("gamma"), Output())
    assert told.result.state == "enhanced"
    (tmp_path / "done/a.png").rename(tmp_path / "in/a.png")
    (told,) = news_until("done", settings, Enhancer("gamma"), Output())
    assert told.result.state == "done before"
    assert (tmp_path / "done/a.png").exists()


def test_evidence_knows_originals_where_they_were_moved_to(tmp_path):
    picture(tmp_path / "done/a.png", seed=7)  # another of that name
    picture(tmp_path / "in/a.png")
    lines = tmp_path / "out/evidence.jsonl"
    settings = watched(tmp_path, move_to=tmp_path / "done", evidence=lines)
    news_until("done", settings, Enhancer("gamma"), Output(evidence=True))
    (entry,) = read_manifests(lines)[0].entries
    assert entry.input.path == "../done/a.2.png"
    assert verify_entry(entry, lines.parent).confirmed


def test_a_folder_that_comes_and_goes_is_told_once(tmp_path):
    picture(tmp_path / "in/a.png")
    told = []
    for news in watch(watched(tmp_path), Enhancer("gamma"), Output(), Event()):
        told.append(news.what)
        if len(told) == 1:
            (tmp_path / "in/a.png").unlink()
            (tmp_path / "in").rmdir()
        elif told[-1] == "blocked":
            picture(tmp_path / "in/b.png")
        else:
            break
    assert told == ["done", "blocked", "done"]


def test_a_folder_that_cannot_be_looked_into_is_told_once(tmp_path):
    picture(tmp_path / "in/a.png")
    deep(tmp_path / "in")
    told = []
    for news in watch(watched(tmp_path, recursive=True), Enhancer("gamma"), Output(), Event()):
        told.append(news.what)
        if told.count("done") == 1:
            picture(tmp_path / "in/b.png")
        elif told.count("done") == 2:
            break
    assert told == ["blocked", "done", "done"]


def replaced(path: Path, seed: int) -> bytes:
    """Put another picture under a name, as a camera does; what tells the two apart cannot be the same."""
    other = picture(path.with_name(f".{path.name}"), seed=seed)
    os.utime(other, ns=(seed, seed))
    other.replace(path)
    return path.read_bytes()


def test_what_replaced_an_original_at_work_is_not_moved_in_its_place(tmp_path):
    first, second, result = tmp_path / "in/a.png", tmp_path / "in/b.png", tmp_path / "out/b_daybreak.png"
    picture(first)
    before = picture(second).read_bytes()
    lines = tmp_path / "out/evidence.jsonl"
    settings = watched(tmp_path, move_to=tmp_path / "done", evidence=lines)
    told, after = [], b""
    for news in watch(settings, Enhancer("gamma"), Output(overwrite=True, evidence=True), Event()):
        told.append((news.result.source.name, news.what, news.text))
        if len(told) == 1:  # both are worked on together: the result of the second is made, and not told yet
            end = time.monotonic() + 60
            while not result.exists():
                assert time.monotonic() < end
                time.sleep(0.01)
            after = replaced(second, 1)
        elif len(told) == 2:
            assert second.read_bytes() == after
            assert not (tmp_path / "done/b.png").exists()
        else:
            break
    left = f"{second} is another by now, or gone: not moved"
    assert told == [("a.png", "done", ""), ("b.png", "done", left), ("b.png", "done", "")]
    assert (tmp_path / "done/b.png").read_bytes() == after
    entries = [entry for manifest in read_manifests(lines) for entry in manifest.entries]
    assert [entry.input.path for entry in entries] == ["../done/a.png", "../in/b.png", "../done/b.png"]
    assert [entry.input.sha256 for entry in entries[1:]] == [
        hashlib.sha256(data).hexdigest() for data in (before, after)
    ]
    assert verify_entry(entries[2], lines.parent).confirmed


def test_what_replaces_an_original_while_its_evidence_is_written_is_not_moved(tmp_path, monkeypatch):
    source = picture(tmp_path / "in/a.png")
    real, after = loop.append_entry, []

    def append_and_replace(manifest, entry):
        real(manifest, entry)
        if not after:
            after.append(replaced(source, 1))

    monkeypatch.setattr(loop, "append_entry", append_and_replace)
    settings = watched(tmp_path, move_to=tmp_path / "done", evidence=tmp_path / "out/evidence.jsonl")
    told = []
    for news in watch(settings, Enhancer("gamma"), Output(overwrite=True, evidence=True), Event()):
        told.append(news.text)
        if len(told) == 2:
            break
        assert not (tmp_path / "done").exists()
    assert told == [f"{source} is another by now, or gone: not moved", ""]
    assert (tmp_path / "done/a.png").read_bytes() == after[0]


def test_a_changed_original_replaces_its_result_only_when_asked_to(tmp_path):
    source = picture(tmp_path / "in/a.png")
    news_until("done", watched(tmp_path), Enhancer("gamma"), Output())
    before = (tmp_path / "out/a_daybreak.png").read_bytes()
    source.unlink()
    picture(source, seed=1)
    told = news_until("done", watched(tmp_path), Enhancer("gamma"), Output(overwrite=True))
    assert told[-1].result.state == "enhanced"
    assert (tmp_path / "out/a_daybreak.png").read_bytes() != before
    assert facts_of(source) is not None


@pytest.mark.parametrize("together", [True, False])
def test_two_originals_of_one_result_are_told_and_neither_is_lost(tmp_path, together):
    first, second, result = tmp_path / "in/a.png", tmp_path / "in/a.tif", tmp_path / "out/a_daybreak.jpg"
    picture(first)
    if together:
        picture(second, seed=1)
    settings, made = watched(tmp_path, attempts=1, move_to=tmp_path / "done"), b""
    for news in watch(settings, Enhancer("gamma"), Output(format="jpeg", overwrite=True), Event()):
        if news.what == "set aside":
            break
        assert news.result.source == first
        made = result.read_bytes()
        if not together:
            picture(second, seed=1)
    assert news.result.source == second
    assert f"{second}: its result would take the place of that of a.png ({result})" in news.result.error
    assert result.read_bytes() == made
    assert (tmp_path / "out/failed/a.tif").exists()


def test_an_original_that_cannot_be_read_keeps_no_name_from_another(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.png").write_bytes(b"no picture")
    picture(tmp_path / "in/a.tif")
    told = news_until("done", watched(tmp_path), Enhancer("gamma"), Output(format="jpeg", overwrite=True))
    assert [(news.what, news.result.source.name) for news in told] == [("waits", "a.png"), ("done", "a.tif")]


def test_a_start_removes_what_an_old_kill_left(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    picture(folder / "a.png")
    out.mkdir()
    left = out / ".daybreak-0123456789abcdef.tmp"
    left.write_bytes(b"half")
    os.utime(left, (1.0, 1.0))
    news = watch(Watched(folder, out, settle=0.0, poll=0.1), Enhancer("gamma"), Output(), Event())
    assert next(news).what == "done"
    news.close()
    assert not left.exists()


def test_without_the_package_polling_is_left(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    told = wakes(tmp_path, recursive=False, poll=None, tick=0.01)
    assert next(told) is None
    with pytest.raises(MissingExtra, match=r"daybreak\[watch\]"):
        next(told)
    told = wakes(tmp_path, recursive=False, poll=0.01, tick=0.01)
    assert [next(told) for _ in range(4)].count(None) >= 2
