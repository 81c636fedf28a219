"""Clocks that jump back or stand still: nothing of a film is lost, and sound stays with its picture."""

from __future__ import annotations

import subprocess
from itertools import pairwise

import numpy as np
import pytest

from daybreak.enhancing.enhancer import Enhancer
from daybreak.errors import OutputExists, UnwritablePicture

pytest.importorskip("daybreak.enhancing.video", reason="the extra [video] is not installed")
import av

from daybreak.enhancing import video
from daybreak.enhancing.video.clock import FollowingClock
from daybreak.enhancing.video.source import Film

GAMMA = Enhancer("gamma")
SECONDS = 8


def run(source, target, stop=None, **options):
    return video.enhance_video(source, target, GAMMA, video.VideoOptions(speed="fast", **options), stop=stop)


def gone_on_with(source, out, after):
    """A run that is stopped after some frames and done in a second one."""
    asked = iter(range(10_000))
    with pytest.raises(video.Stopped):
        run(source, out, lambda: next(asked) >= after, resume=True)
    return run(source, out, resume=True)


def packets(path, kind):
    """Times of the packets of a stream in seconds."""
    with av.open(str(path)) as film:
        stream = film.streams.get({kind: 0})
        return [float(packet.pts * packet.time_base) for packet in film.demux(stream) if packet.size]


def beeps(path):
    """When beeps begin, in seconds."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-af", "aresample=8000:async=1:first_pts=0"]
    command += ["-ac", "1", "-f", "f32le", "-"]
    data = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    samples = np.abs(np.frombuffer(data, np.float32))
    loud = samples[: len(samples) // 80 * 80].reshape(-1, 80).max(axis=1) > 0.02
    return np.flatnonzero(loud[1:] & ~loud[:-1]) / 100.0


def flashes(path):
    """When white frames begin, in seconds."""
    with av.open(str(path)) as film:
        frames = [(float(one.time), one.to_ndarray(format="gray").mean()) for one in film.decode(video=0)]
    return np.array([after[0] for before, after in pairwise(frames) if before[1] < 150 < after[1]])


@pytest.fixture(scope="module")
def joined(tools, tmp_path_factory):
    """Two recordings one behind the other in a file, which flash and beep at every third second."""
    one = tmp_path_factory.mktemp("joined") / "one.ts"
    each = "lt(mod(t+1.5\\,3)\\,0.2)"
    dark = f"color=c=0x202020:s=64x48:r=25:d={SECONDS}"
    tools.ffmpeg(
        *("-f", "lavfi", "-i", f"{dark},drawbox=c=white:t=fill:enable='{each}'"),
        *("-f", "lavfi", "-i", f"sine=440:d={SECONDS},volume=0:enable='not({each})'"),
        *("-c:v", "libx264", "-g", "25", "-c:a", "aac", one),
    )
    path = one.with_name("all.ts")
    path.write_bytes(2 * one.read_bytes())
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_recording_joined_to_another_keeps_both_sounds_in_time(suffix, joined, tmp_path):
    out = tmp_path / f"out{suffix}"
    assert run(joined, out).frames == 2 * 25 * SECONDS
    assert len(packets(out, "audio")) == len(packets(joined, "audio"))
    assert max(packets(out, "video")) > 2 * SECONDS - 0.2
    seen, heard = flashes(out), beeps(out)
    assert len(seen) == len(heard) == 6
    assert np.abs(seen - heard).max() < 0.05


def test_a_stopped_run_goes_on_behind_the_joint(joined, tmp_path, monkeypatch):
    monkeypatch.setattr("daybreak.enhancing.video.encoder.KEY_SECONDS", 1.0)
    out = tmp_path / "out.mp4"
    result = gone_on_with(joined, out, 25 * SECONDS + 110)
    assert result.resumed > 25 * SECONDS
    assert result.frames == 2 * 25 * SECONDS
    assert np.abs(flashes(out) - beeps(out)).max() < 0.05


def test_packets_too_rare_to_tell_of_a_jump_follow_by_where_they_lie(joined):
    film = Film(joined)
    assert len(list(film.frames(0, None))) == 2 * 25 * SECONDS
    assert [float(jump.added) for jump in film.jumps] == [SECONDS]
    found = [], []
    for sparse in (False, True):
        clock = FollowingClock(film.jumps, sparse=sparse)
        with av.open(str(joined)) as source:
            for place, packet in enumerate(source.demux(audio=0)):
                if not sparse or (place % 70 in (20, 21) and packet.size):
                    clock(packet)
                    found[sparse].append(packet.pts)
    assert len(found[1]) > 12
    assert set(found[1]) < set(found[0])


@pytest.fixture(scope="module")
def standing(joined, tmp_path_factory):
    """A film whose every fifth packet of sound has the time of the one before."""
    path = tmp_path_factory.mktemp("standing") / "in.flv"
    with av.open(str(joined.with_name("one.ts"))) as film, av.open(str(path), "w") as out:
        copies = [out.add_stream_from_template(stream) for stream in film.streams]
        last, count = 0, 0
        for packet in film.demux():
            if packet.size and packet.stream.type == "audio":
                count += 1
                packet.pts = packet.dts = last = packet.dts if count % 5 else last
            if packet.size:
                packet.stream = copies[packet.stream_index]
                out.mux_one(packet)
    times = packets(path, "audio")
    assert sum(one == other for one, other in pairwise(times)) > 50
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_whose_packets_share_a_time_is_copied(suffix, standing, tmp_path):
    out = tmp_path / f"out{suffix}"
    run(standing, out)
    first, second = (np.array(packets(path, "audio")) for path in (standing, out))
    assert first == pytest.approx(second, abs=2e-3)


def test_what_was_encoded_is_kept_where_the_file_cannot_be_put_together(standing, tmp_path, monkeypatch):
    out, other = tmp_path / "out.mp4", tmp_path / "out.mkv"
    with monkeypatch.context() as patched:
        patched.setattr("daybreak.enhancing.video.mux._in_order", lambda *_: None)  # FFmpeg refuses it then
        with pytest.raises(UnwritablePicture, match=r"cannot be put together.*Rename.*--resume"):
            run(standing, out)
    part = tmp_path / ".out.mp4.daybreak-part"
    assert list(tmp_path.iterdir()) == [part]
    part.rename(tmp_path / ".out.mkv.daybreak-part")
    result = run(standing, other, resume=True)
    assert result.resumed > 0
    assert result.frames == 25 * SECONDS
    assert list(tmp_path.iterdir()) == [other]


def test_what_was_encoded_is_kept_where_a_file_of_that_name_has_come(clips, tmp_path):
    out = tmp_path / "out.mp4"
    with pytest.raises(OutputExists, match=r"--overwrite.*--resume"):
        video.enhance_video(clips("h264"), out, GAMMA, progress=lambda _: out.write_bytes(b"new"))
    assert out.read_bytes() == b"new"
    options = video.VideoOptions(resume=True, overwrite=True)
    assert video.enhance_video(clips("h264"), out, GAMMA, options).frames == 20
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_a_stream_without_times_is_begun_late_and_gone_on_with(codec, tools, tmp_path, monkeypatch):
    monkeypatch.setattr("daybreak.enhancing.video.encoder.KEY_SECONDS", 1.0)
    source, out = tmp_path / f"in.{codec}", tmp_path / "out.mp4"
    more = ("-x265-params", "log-level=none") if codec == "hevc" else ()
    picture = ("-f", "lavfi", "-i", f"testsrc2=s=64x48:r=25:d=8,{tools.DARK}", "-pix_fmt", "yuv420p")
    tools.ffmpeg(*picture, "-c:v", tools.CODECS[codec][0], *more, source)
    assert run(source, tmp_path / "late.mp4", start=6.0).frames == 50
    result = gone_on_with(source, out, 190)
    assert result.resumed > 5 * 25
    assert result.frames == 200
