"""A file is whole or not there at all, whatever ends the writing of it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.errors import OutputExists, UnwritablePicture
from daybreak.files import (
    make_folder,
    move_file,
    one_process,
    remove_leftovers,
    whole_file,
    whole_path,
    write_whole,
)


class MadeUpError(Exception):
    """What goes wrong in the middle."""


def listing(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def write_some_and_fail(path, pieces, old):
    with whole_file(path, overwrite=True) as file:
        for piece in pieces:
            file.write(piece)
            file.flush()
        assert path.read_bytes() == old, "the old file stands until the new one is complete"
        raise MadeUpError


@given(st.binary(max_size=200), st.lists(st.binary(max_size=50), max_size=5), st.data())
def test_an_exception_anywhere_leaves_the_old_contents_and_nothing_else(old, pieces, data):
    fails_after = data.draw(st.integers(0, len(pieces)))
    with TemporaryDirectory() as name:
        path = Path(name, "a.bin")
        path.write_bytes(old)
        with pytest.raises(MadeUpError):
            write_some_and_fail(path, pieces[:fails_after], old)
        assert listing(path.parent) == {"a.bin": old}
        with whole_file(path, overwrite=True) as file:
            file.writelines(pieces)
        assert listing(path.parent) == {"a.bin": b"".join(pieces)}


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_what_is_there_is_kept_unless_it_is_to_be_replaced(old, new):
    with TemporaryDirectory() as name:
        path = Path(name, "a.bin")
        write_whole(path, old)
        with pytest.raises(OutputExists):
            write_whole(path, new)
        assert listing(path.parent) == {"a.bin": old}
        write_whole(path, new, overwrite=True)
        assert listing(path.parent) == {"a.bin": new}


KILLED = """
import os, signal, sys
from pathlib import Path
from daybreak.files import whole_file
with whole_file(Path(sys.argv[1]), overwrite=True) as file:
    file.write(b"half of")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_kill_in_the_middle_leaves_the_old_contents(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"the old one")
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"the old one"
    [other] = [entry.name for entry in tmp_path.iterdir() if entry != path]
    assert other.startswith(".daybreak-"), "what a kill leaves is hidden"
    write_whole(path, b"the new one", overwrite=True)
    assert path.read_bytes() == b"the new one"


def test_a_library_that_wants_a_name_gets_one_in_the_same_folder(tmp_path):
    path = tmp_path / "weights.bin"
    with whole_path(path) as hidden:
        assert hidden.parent == tmp_path
        assert not path.exists()
        hidden.write_bytes(b"all of it")
    assert listing(tmp_path) == {"weights.bin": b"all of it"}
    with (
        pytest.raises(UnwritablePicture, match=r"other\.bin cannot be written"),
        whole_path(tmp_path / "other.bin") as hidden,
    ):
        hidden.unlink()  # nothing was made after all
    assert listing(tmp_path) == {"weights.bin": b"all of it"}


def test_what_killed_runs_left_is_removed_once_nobody_writes_to_it(tmp_path):
    folder = tmp_path / "below"
    folder.mkdir()
    old, new, other = folder / ".daybreak-0a.tmp", tmp_path / ".daybreak-0b.tmp", tmp_path / ".other.tmp"
    for path in (old, new, other):
        path.write_bytes(b"half")
    for path in (old, other):
        os.utime(path, (1.0, 1.0))
    assert remove_leftovers(tmp_path) == [old]
    assert new.exists()
    assert other.exists()
    assert remove_leftovers(tmp_path / "none") == []


def test_the_contents_are_flushed_before_the_name_is_given(tmp_path, monkeypatch):
    order = []
    replace_was, fsync_was = Path.replace, os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (order.append("flush"), fsync_was(handle))[1])
    monkeypatch.setattr(Path, "replace", lambda *names: (order.append("name"), replace_was(*names))[1])
    write_whole(tmp_path / "a.bin", b"x", overwrite=True)
    assert order == ["flush", "name"]


@pytest.mark.skipif(os.name == "nt", reason="no such permissions")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o755])
def test_a_file_that_is_replaced_keeps_its_permissions(mode, tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    path.chmod(mode)
    with whole_file(path, overwrite=True) as file:
        [hidden] = [entry for entry in tmp_path.iterdir() if entry != path]
        assert hidden.stat().st_mode & 0o077 == 0, "nobody else may read it meanwhile"
        file.write(b"new")
    assert path.stat().st_mode & 0o777 == mode
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_the_mode_of_a_new_file_follows_the_umask(mask, tmp_path):
    was = os.umask(mask)
    try:
        for overwrite in (False, True, True):
            write_whole(tmp_path / f"{overwrite}.bin", b"", overwrite=overwrite)
    finally:
        os.umask(was)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o666 & ~mask}


def test_a_link_is_replaced_and_not_its_target(tmp_path):
    original, link = tmp_path / "original.bin", tmp_path / "link.bin"
    original.write_bytes(b"the original")
    link.symlink_to(original)
    with pytest.raises(OutputExists):
        write_whole(link, b"ours")
    write_whole(link, b"ours", overwrite=True)
    assert original.read_bytes() == b"the original"
    assert not link.is_symlink()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_what_is_no_file_is_never_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnwritablePicture, match="no regular file"):
        write_whole(tmp_path / "pipe", b"", overwrite=True)
    with pytest.raises(UnwritablePicture, match="Is a directory"):
        write_whole(tmp_path, b"", overwrite=True)
    assert (tmp_path / "pipe").is_fifo()


def test_folders_are_made_on_request(tmp_path):
    make_folder(tmp_path / "a/b")
    make_folder(tmp_path / "a/b")
    write_whole(tmp_path / "a/b/c.bin", b"x")
    with pytest.raises(UnwritablePicture, match=r"folder .*c\.bin/d cannot be made .*another folder"):
        make_folder(tmp_path / "a/b/c.bin/d")


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_a_file_that_appears_meanwhile_is_not_replaced(links, tmp_path, monkeypatch):
    if not links:
        monkeypatch.setattr(Path, "hardlink_to", no_links)
    path = tmp_path / "a.bin"
    open_was = Path.open

    def open_late(self, *args, **kwargs):
        if self.suffix == ".tmp":
            path.write_bytes(b"of somebody else")
        return open_was(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", open_late)
        with pytest.raises(OutputExists):
            write_whole(path, b"ours")
    assert path.read_bytes() == b"of somebody else"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def no_links(self, target):
    raise OSError(errno.EPERM, "Operation not permitted")


def test_writing_without_hard_links(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "hardlink_to", no_links)
    write_whole(tmp_path / "a.bin", b"ours")
    assert (tmp_path / "a.bin").read_bytes() == b"ours"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("step", ["hardlink_to", "replace"])
@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError(errno.EIO, "Input/output error")], ids=str)
def test_a_failure_at_the_last_step_leaves_nothing(step, failure, tmp_path, monkeypatch):
    def fail(self, target):
        raise failure

    monkeypatch.setattr(Path, step, fail)
    expected = KeyboardInterrupt if failure is KeyboardInterrupt else UnwritablePicture
    with pytest.raises(expected):
        write_whole(tmp_path / "a.bin", b"ours", overwrite=step == "replace")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_between_reserving_and_replacing_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(self, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a.bin", b"ours")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("disk", ["same", "another"])
def test_a_moved_file_takes_no_other_ones_name(disk, tmp_path, monkeypatch):
    if disk == "another":
        monkeypatch.setattr(Path, "hardlink_to", refuse_first(Path.hardlink_to))
    (tmp_path / "there").mkdir()
    (tmp_path / "there/a.b.png").write_bytes(b"another")
    source = tmp_path / "a.b.png"
    source.write_bytes(b"mine")
    moved = move_file(source, tmp_path / "there/a.b.png")
    assert moved == tmp_path / "there/a.b.2.png"
    assert listing(tmp_path / "there") == {"a.b.png": b"another", "a.b.2.png": b"mine"}
    assert not source.exists()


def refuse_first(link):
    """Hard links that fail between the folders of the test, as between disks, and work within one."""

    def linked(self, target):
        if self.parent != Path(target).parent:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        link(self, target)

    return linked


def test_a_move_that_a_kill_left_half_done_is_completed(tmp_path):
    (tmp_path / "there").mkdir()
    source = tmp_path / "a.png"
    source.write_bytes(b"mine")
    (tmp_path / "there/a.png").hardlink_to(source)
    assert move_file(source, tmp_path / "there/a.png") == tmp_path / "there/a.png"
    assert listing(tmp_path / "there") == {"a.png": b"mine"}
    assert not source.exists()


def test_a_file_that_comes_while_another_is_moved_stays(tmp_path, monkeypatch):
    source, new = tmp_path / "a.png", tmp_path / "new"
    source.write_bytes(b"mine")
    new.write_bytes(b"a newer one")
    (tmp_path / "there").mkdir()
    link = Path.hardlink_to

    def replaced(self, target):
        link(self, target)
        if new.exists():
            new.replace(source)

    monkeypatch.setattr(Path, "hardlink_to", replaced)
    move_file(source, tmp_path / "there/a.png")
    assert listing(tmp_path / "there") == {"a.png": b"mine"}
    assert source.read_bytes() == b"a newer one"


def test_a_move_to_nowhere_leaves_the_file(tmp_path):
    source = tmp_path / "a.png"
    source.write_bytes(b"mine")
    with pytest.raises(UnwritablePicture, match="cannot be written"):
        move_file(source, tmp_path / "no" / "a.png")
    assert listing(tmp_path) == {"a.png": b"mine"}


def test_a_lock_is_held_by_one_process_until_it_ends(tmp_path):
    code = (
        "import sys; from pathlib import Path; from daybreak.files import one_process\n"
        "with one_process(Path(sys.argv[1]), 'at work'):\n    print('held', flush=True); sys.stdin.read()"
    )
    lock = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        with pytest.raises(OutputExists, match="another process is at work"), one_process(lock, "at work"):
            pass
        other.kill()
    with one_process(lock, "at work"):
        pass
