"""Times of decoding, and the file of an unfinished run."""

from __future__ import annotations

import errno
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.errors import OutputExists

pytest.importorskip("daybreak.enhancing.video", reason="the extra [video] is not installed")
from av.packet import Packet

from daybreak.enhancing.video.packets import PacketLog, decoding_times
from daybreak.enhancing.video.steady import State

ASKED = {"method": "gamma", "strength": "1"}


@given(st.lists(st.integers(-1000, 100_000), unique=True, min_size=1, max_size=60))
def test_times_of_decoding_rise_and_none_is_after_its_frame(pts):
    dts = decoding_times(pts)
    assert len(dts) == len(pts)
    assert all(a < b for a, b in pairwise(dts))
    assert all(decode <= show for decode, show in zip(dts, pts, strict=True))


def test_frames_in_order_are_decoded_when_they_are_shown():
    assert decoding_times([5, 9, 10]) == [5, 9, 10]


def test_what_lies_before_the_first_frame_has_the_pace_of_the_first_ones():
    assert decoding_times([0, 80, 40, 120, 500, 300]) == [-40, 0, 40, 80, 120, 300]


def packet(pts, key=False):
    made = Packet(bytes([pts % 251]) * 10)
    made.pts, made.is_keyframe = pts, key
    return made


def state(value):
    plane = np.full((2, 3, 3), value, np.float32)
    sums, level, changes = np.zeros((3, 2, 17)), np.zeros(3, np.float32), np.full(4, 0.1)
    return State(plane, plane, plane, plane, sums, level, plane, changes)


def written(path, pts_of_marks=(0, 4)):
    log = PacketLog(path, ASKED, resume=False, overwrite=False)
    for pts in range(7):
        if pts in pts_of_marks:
            log.note(pts, state(pts))
        log.add(packet(pts, key=pts in (0, 4, 6)), 1)
    return log


def test_a_run_goes_on_at_its_last_mark(tmp_path):
    path = tmp_path / "log"
    written(path).close(remove=False)
    log = PacketLog(path, ASKED, resume=True, overwrite=False)
    assert log.mark.pts == 4, "6 is a key frame without a note"
    assert float(log.mark.state.held[0, 0, 0]) == 4.0
    assert list(log.mark.state.changes) == [0.1] * 4
    assert [entry.pts for entry in log.entries()] == [0, 1, 2, 3]
    log.add(packet(4, key=True), 1)
    assert [(entry.pts, entry.key) for entry in log.entries()][-1] == (4, True)
    assert bytes(log.packet(log.entries()[3])) == bytes([3]) * 10
    log.close(remove=True)
    assert not path.exists()


def test_a_mark_may_hold_nothing(tmp_path):
    log = PacketLog(tmp_path / "log", ASKED, resume=False, overwrite=False)
    for pts in range(4):
        if pts in (0, 2):
            log.note(pts, None)
        log.add(packet(pts, key=pts in (0, 2)), 1)
    log.close(remove=False)
    log = PacketLog(tmp_path / "log", ASKED, resume=True, overwrite=False)
    assert (log.mark.pts, log.mark.state) == (2, None)
    assert [entry.pts for entry in log.entries()] == [0, 1]
    log.close(remove=True)


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_whatever_a_kill_cuts_off_the_rest_is_read(cut, tmp_path):
    path = tmp_path / "log"
    written(path).close(remove=False)
    path.write_bytes(path.read_bytes()[:-cut])
    log = PacketLog(path, ASKED, resume=True, overwrite=False)
    assert log.mark.pts == 4
    log.close(remove=True)


def test_nothing_to_go_on_with_begins_anew(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"milk, bread, candles" * 5)
    log = PacketLog(path, ASKED, resume=True, overwrite=False)
    assert (log.mark, log.entries()) == (None, [])
    log.close(remove=True)


def test_a_full_disk_at_the_end_leaves_nothing(tmp_path, monkeypatch):
    log = written(tmp_path / "log")

    file = log._file

    class Full:
        def close(self):
            file.close()
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(log, "_file", Full())
    log.close(remove=True)
    assert not (tmp_path / "log").exists()


def test_another_run_is_kept_out(tmp_path):
    log = written(tmp_path / "log")
    with pytest.raises(OutputExists, match="another run is at work"):
        PacketLog(tmp_path / "log", ASKED, resume=True, overwrite=False)
    assert len(log.entries()) == 7
    log.close(remove=True)


def test_other_options_are_told(tmp_path):
    written(tmp_path / "log").close(remove=False)
    with pytest.raises(OutputExists, match="had another strength"):
        PacketLog(tmp_path / "log", {**ASKED, "strength": "0.5"}, resume=True, overwrite=False)
    assert (tmp_path / "log").stat().st_size > 100


def test_hours_of_work_are_not_begun_anew_unasked(tmp_path):
    path = tmp_path / "log"
    written(path).close(remove=False)
    kept = path.read_bytes()
    told = r"can be gone on with\. Type --resume, or --overwrite to begin anew"
    with pytest.raises(OutputExists, match=told):
        PacketLog(path, ASKED, resume=False, overwrite=False)
    with pytest.raises(
        OutputExists, match=r"had another strength\. Type what it was asked and --resume, or --over"
    ):
        PacketLog(path, {**ASKED, "strength": "0.5"}, resume=False, overwrite=False)
    assert path.read_bytes() == kept
    with pytest.raises(OutputExists, match="had another strength"):
        PacketLog(path, {**ASKED, "strength": "0.5"}, resume=True, overwrite=True)
    for asked in (ASKED, {**ASKED, "strength": "0.5"}):
        written(tmp_path / "other").close(remove=False)
        log = PacketLog(tmp_path / "other", asked, resume=False, overwrite=True)
        assert (log.mark, log.entries()) == (None, [])
        log.close(remove=True)


def test_a_run_that_was_killed_at_its_beginning_is_begun_anew(tmp_path):
    written(tmp_path / "log", pts_of_marks=(0,)).close(remove=False)
    log = PacketLog(tmp_path / "log", ASKED, resume=False, overwrite=False)
    assert (log.mark, log.entries()) == (None, [])
    log.close(remove=True)


def test_notes_of_another_form_are_told(tmp_path, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr("daybreak.enhancing.video.packets._FORM", {})
        written(tmp_path / "log").close(remove=False)
    with pytest.raises(OutputExists, match="had another form of notes"):
        PacketLog(tmp_path / "log", ASKED, resume=True, overwrite=False)
