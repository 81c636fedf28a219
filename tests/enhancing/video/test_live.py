"""Live streams: a real one over UDP, pipes, the newest frame wins, lost sources are looked for again."""

from __future__ import annotations

import io
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from fractions import Fraction
from itertools import groupby
from types import SimpleNamespace

import numpy as np
import pytest

from daybreak.enhancing.enhancer import Enhancer
from daybreak.errors import BadSetting, OutputExists, UnreadablePicture, UnwritablePicture
from daybreak.image.rows import Levels
from daybreak.methods.base import FILM

pytest.importorskip("daybreak.enhancing.video", reason="the extra [video] is not installed")
from daybreak.enhancing.video.live import enhance_live
from daybreak.enhancing.video.raw import RawFormat, parse_raw, write_raw
from daybreak.enhancing.video.sink import EncodedSink, RawSink

GAMMA = Enhancer("gamma")
NAMED_PIPES = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")


class Kept:
    """A sink that keeps what it is given."""

    may_stall = True

    def __init__(self):
        self.frames, self.times, self.closed = [], [], False

    def write(self, rows, seconds):
        self.frames.append(rows)
        self.times.append(seconds)

    def close(self):
        self.closed = True


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def sender(port, seconds, size="64x48"):
    """ffmpeg sending MPEG-TS to a port, in real time."""
    source = f"testsrc2=s={size}:r=25:d={seconds},eq=brightness=-0.3:contrast=0.4"
    command = ["ffmpeg", "-v", "error", "-re", "-f", "lavfi", "-i", source]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "10", "-f", "mpegts"]
    return subprocess.Popen([*command, f"udp://127.0.0.1:{port}?pkt_size=1316"])


def until(condition, seconds=30.0):
    """A `stop` that says so when a condition holds, or after a time."""
    end = time.monotonic() + seconds
    return lambda: condition() or time.monotonic() > end


def test_a_udp_stream_goes_through_and_the_delay_is_told(tools, tmp_path):
    port, out = free_port(), tmp_path / "out.ts"
    process = sender(port, 8)
    try:
        count = iter(range(10**6))
        sink = EncodedSink(str(out))
        address = f"udp://127.0.0.1:{port}"
        result = enhance_live(address, sink, GAMMA, stop=until(lambda: next(count) > 60))
    finally:
        process.kill()
        process.wait()
    assert result.enhanced >= 20
    assert result.received == result.enhanced + result.dropped
    assert 0.0 < result.latency_median <= result.latency_95 <= result.latency_most < 5.0
    stream = tools.ffprobe(out)["streams"][0]
    assert (stream["codec_name"], stream["width"], stream["height"]) == ("h264", 64, 48)
    assert len(tools.times(out)) == result.enhanced


def test_the_newest_frame_wins_and_the_delay_stays_bounded(tools):
    """A method of four frames a second on a stream of 25: most frames are overtaken, none gets old."""

    class Slow:
        def run(self, levels, size):
            assert size == FILM
            time.sleep(0.25)
            return SimpleNamespace(rows=levels)

    port, sink = free_port(), Kept()
    process = sender(port, 12)
    try:
        stop = until(lambda: len(sink.frames) >= 20)
        result = enhance_live(f"udp://127.0.0.1:{port}", sink, Slow(), stop=stop)
    finally:
        process.kill()
        process.wait()
    assert sink.closed
    assert result.dropped > 2 * result.enhanced > 10
    assert result.latency_median < 1.0, "the delay of a queue would grow by a fifth of a second a frame"
    assert sink.times == sorted(sink.times)


def test_a_lost_source_is_found_again(tools):
    port, sink, told = free_port(), Kept(), []
    first = sender(port, 30)
    second = []

    def swap():
        while len(sink.frames) < 5:
            time.sleep(0.05)
        first.kill()
        first.wait()
        seen = len(told)
        while len(told) == seen:
            time.sleep(0.05)
        second.append((sender(port, 30), len(sink.frames)))

    thread = threading.Thread(target=swap, daemon=True)
    thread.start()
    try:
        done = until(lambda: bool(second) and len(sink.frames) > second[0][1] + 3, 60)
        result = enhance_live(f"udp://127.0.0.1:{port}", sink, GAMMA, stop=done, tell=told.append)
    finally:
        for process in [first, *(process for process, _ in second)]:
            process.kill()
            process.wait()
    assert second, "the loss was noticed"
    assert "nothing came for 5 s; trying again in" in told[0]
    assert result.reconnects >= 1
    assert len(sink.frames) > second[0][1]


def test_a_source_that_is_gone_for_a_while_is_found_again(tools, tmp_path):
    source, aside, sound = (tmp_path / f"{name}.ts" for name in ("camera", "unplugged", "sound"))
    sink, told = Kept(), []
    tools.ffmpeg("-f", "lavfi", "-i", f"testsrc2=s=64x48:r=25:d=0.4,{tools.DARK}", source)
    tools.ffmpeg("-f", "lavfi", "-i", "sine=d=0.4", "-c:a", "aac", sound)
    back = []

    def unplug():
        while not sink.frames:
            time.sleep(0.02)
        source.rename(aside)
        while sum("No such file" in line for line in told) < 2:
            time.sleep(0.02)
        sound.rename(source)
        while not any("no video stream" in line for line in told):
            time.sleep(0.02)
        back.append(len(sink.frames))
        aside.rename(source)

    thread = threading.Thread(target=unplug, daemon=True)
    thread.start()
    done = until(lambda: bool(back) and len(sink.frames) > back[0])
    result = enhance_live(str(source), sink, GAMMA, stop=done, tell=told.append)
    thread.join(10)
    assert len(sink.frames) > back[0]
    assert 1 <= result.reconnects <= sum("the stream ended" in line for line in told) < len(told) - 1


def test_a_source_may_change_its_size(tools, tmp_path):
    parts = []
    for size in ("64x48", "160x96", "48x64"):
        parts.append(tmp_path / f"{size}.ts")
        picture = f"testsrc2=s={size}:r=25:d=1,{tools.DARK}"
        tools.ffmpeg("-f", "lavfi", "-i", picture, "-c:v", "libx264", "-bf", "0", parts[-1])
    out, (read, write) = Kept(), os.pipe()

    def feed():
        with os.fdopen(write, "wb") as pipe:
            for part in parts:
                seen, end = len(out.frames), time.monotonic() + 20
                pipe.write(part.read_bytes())
                pipe.flush()
                while len(out.frames) == seen and time.monotonic() < end:
                    time.sleep(0.01)

    feeder = threading.Thread(target=feed)
    feeder.start()
    enhance_live(f"pipe:{read}", out, GAMMA, stop=until(lambda: False))
    feeder.join()
    assert [shape for shape, _ in groupby(frame.shape[:2] for frame in out.frames)] == [
        (48, 64),
        (96, 160),
        (64, 48),
    ]


def test_an_address_that_can_never_be_opened_is_an_error():
    sink = Kept()
    for address in ("/dev/video-none", "nothing://at.all/x"):
        with pytest.raises(UnreadablePicture, match="cannot be opened"):
            enhance_live(address, sink, GAMMA)
    assert sink.closed


def raw_frames(count, raw):
    rng = np.random.default_rng(0)
    return rng.integers(0, 60, (count, raw.height, raw.width, 3), dtype=np.uint8)


def test_of_a_raw_pipe_every_frame_comes_out_in_order():
    raw = RawFormat(32, 24, Fraction(25))
    frames, out = raw_frames(15, raw), io.BytesIO()
    result = enhance_live(io.BytesIO(frames.tobytes()), RawSink(out, raw), GAMMA, raw=raw, steady=0.0)
    made = np.frombuffer(out.getvalue(), np.uint8).reshape(frames.shape)
    assert result.enhanced == result.received == 15
    for before, after in zip(frames, made, strict=True):
        assert np.array_equal(after, GAMMA(before))


def test_a_raw_pipe_that_ends_within_a_frame_is_told():
    raw = RawFormat(32, 24, Fraction(25))
    data = raw_frames(2, raw).tobytes()[:-7]
    out = io.BytesIO()
    with pytest.raises(UnreadablePicture, match="ends with 2297 bytes of a frame of 2304"):
        enhance_live(io.BytesIO(data), RawSink(out, raw), GAMMA, raw=raw)
    assert len(out.getvalue()) == 2304


@pytest.mark.skipif(sys.platform == "win32", reason="no such pipes")
def test_a_raw_pipe_that_does_not_block_is_waited_for():
    raw = RawFormat(640, 480, Fraction(25))  # of which a pipe holds a part
    frames, made, waits, real = raw_frames(2, raw), bytearray(), [], select.select
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def read():
        with os.fdopen(reader, "rb", buffering=0) as pipe:
            time.sleep(0.3)
            while part := pipe.read(1 << 16):
                made.extend(part)

    def counted(*args):
        waits.append(args)
        return real(*args)

    thread = threading.Thread(target=read)
    thread.start()
    with pytest.MonkeyPatch.context() as patched, os.fdopen(writer, "wb", buffering=0) as pipe:
        patched.setattr("daybreak.enhancing.video.raw.select.select", counted)
        for frame in frames:
            write_raw(pipe, Levels(frame, 255))
    thread.join(30)
    assert bytes(made) == frames.tobytes()
    assert 1 <= len(waits) < 200, "it waits, and does not try again and again"


def test_nobody_reads_on():
    raw = RawFormat(64, 64, Fraction(25))
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb", buffering=0) as pipe, pytest.raises(UnwritablePicture, match="has ended"):
        enhance_live(io.BytesIO(raw_frames(50, raw).tobytes()), RawSink(pipe, raw), GAMMA, raw=raw)


@NAMED_PIPES
@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize("limit", ["seconds", "stop"])
def test_an_output_that_takes_nothing_more_can_be_left(encoded, limit, tmp_path):
    raw, out = RawFormat(640, 480, Fraction(25)), tmp_path / "out.ts"
    grain = io.BytesIO(raw_frames(10, raw).tobytes())
    os.mkfifo(out)
    reader = os.open(out, os.O_RDONLY | os.O_NONBLOCK)  # which never reads
    with os.fdopen(os.open(out, os.O_WRONLY), "wb", buffering=0) as pipe:
        sink = EncodedSink(str(out), quality=100) if encoded else RawSink(pipe, raw)
        begun = time.monotonic()
        limits = {"seconds": 3.0} if limit == "seconds" else {"stop": until(lambda: False, 3.0)}
        result = enhance_live(grain, sink, GAMMA, raw=raw, **limits)
        assert time.monotonic() - begun < 15.0
        assert result.stalled
        os.close(reader)  # the thread that writes ends


@NAMED_PIPES
@pytest.mark.parametrize("words", [("--raw", "640x480@25"), ("-o", "out.ts")])
def test_the_command_is_stopped_though_nobody_reads_on(words, tools, tmp_path):
    os.mkfifo(tmp_path / "out.ts")
    reader = os.open(tmp_path / "out.ts", os.O_RDONLY | os.O_NONBLOCK)
    form = ("rawvideo", "-pix_fmt", "rgb24") if "--raw" in words else ("mpegts", "-g", "10")
    picture = ["-f", "lavfi", "-i", "testsrc2=s=640x480:r=25,noise=alls=60:allf=t", "-f", *form, "-"]
    line = [sys.executable, "-m", "daybreak", "stream", "-", "-m", "gamma", *words]
    with (
        subprocess.Popen(["ffmpeg", "-v", "quiet", "-re", *picture], stdout=subprocess.PIPE) as maker,
        subprocess.Popen(
            line, cwd=tmp_path, stdin=maker.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as command,
    ):
        try:
            time.sleep(8)
            assert command.poll() is None
            command.send_signal(signal.SIGINT)
            assert command.wait(20) == 130
            told = command.stderr.read()
        finally:
            maker.kill()
            command.kill()
            os.close(reader)
    assert "takes nothing more" in told
    assert "rror" not in told


@pytest.mark.parametrize("encoded", [False, True])
def test_a_slow_output_into_a_file_is_waited_for(encoded, tools, tmp_path, monkeypatch):
    """Its index comes last: without it nothing plays an MP4."""
    monkeypatch.setattr("daybreak.enhancing.video.live._GIVE_UP", 0.05)
    raw, out = RawFormat(32, 24, Fraction(25)), tmp_path / "out.mp4"
    frames = io.BytesIO(raw_frames(4, raw).tobytes())
    with (tmp_path / "out.raw").open("wb", buffering=0) as file:
        sink = EncodedSink(str(out)) if encoded else RawSink(file, raw)
        real = sink.write

        def write(rows, seconds):
            time.sleep(0.4)
            real(rows, seconds)

        monkeypatch.setattr(sink, "write", write)
        result = enhance_live(frames, sink, GAMMA, raw=raw)
    assert (result.enhanced, result.stalled) == (4, False)
    if encoded:
        assert len(tools.times(out)) == 4
    else:
        assert (tmp_path / "out.raw").stat().st_size == 4 * raw.bytes


@pytest.mark.parametrize(
    ("where", "stalls"),
    [
        ("udp://10.0.0.7:5000", True),
        ("rtsp://server/bright", True),
        (os.devnull, True),
        ("none.mp4", False),
        ("file:none.mp4", False),
        ("C:/none.mp4", False),
    ],
)
def test_what_may_stall(where, stalls):
    assert EncodedSink(where).may_stall is stalls


def test_standard_output_may_be_a_file(tmp_path):
    code = "import sys; from daybreak.enhancing.video.sink import EncodedSink; "
    code += "sys.stderr.write(str(EncodedSink('pipe:1').may_stall))"
    told = []
    for kind in ("file", "pipe"):
        with (tmp_path / "out.ts").open("wb") as file:
            out = file if kind == "file" else subprocess.PIPE
            done = subprocess.run(
                [sys.executable, "-c", code], stdout=out, stderr=subprocess.PIPE, check=True
            )
        told.append(done.stderr)
    assert told == [b"False", b"True"]


def test_a_file_that_is_there_is_replaced_only_when_asked_to(tools, tmp_path):
    out, link = tmp_path / "out.ts", tmp_path / "link.ts"
    out.write_bytes(b"precious")
    link.symlink_to(out)
    for where in (out, link, f"file:{out}"):
        with pytest.raises(OutputExists, match="is there already"):
            EncodedSink(str(where))
    assert out.read_bytes() == b"precious"
    raw = RawFormat(32, 24, Fraction(25))
    sink = EncodedSink(str(out), overwrite=True)
    enhance_live(io.BytesIO(raw_frames(3, raw).tobytes()), sink, GAMMA, raw=raw)
    assert len(tools.times(out)) == 3


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
@pytest.mark.parametrize("rate", [1, 25])
def test_there_is_a_key_frame_every_five_seconds_whatever_the_rate(codec, rate, tools, tmp_path):
    out = tmp_path / "out.mkv"
    sink = EncodedSink(str(out), codec)
    still = Levels(raw_frames(1, RawFormat(64, 64, Fraction(rate)))[0], 255)
    for count in range(21 * rate):
        sink.write(still, count / rate)
    sink.close()
    command = ["ffprobe", "-v", "error", "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0", str(out)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    lines = [line.split(",") for line in done.stdout.split()]
    keys = [float(time) for time, flags in lines if flags.startswith("K")]
    assert len(lines) == 21 * rate
    assert keys[0] == 0.0
    assert 4.0 < np.diff([*keys, 21.0])[:-1].min() <= np.diff([*keys, 21.0]).max() <= 5.1


def test_a_file_that_comes_before_the_first_frame_is_kept(tmp_path):
    out, raw = tmp_path / "out.ts", RawFormat(32, 24, Fraction(25))
    sink = EncodedSink(str(out))
    out.write_bytes(b"precious")
    with pytest.raises(OutputExists, match="is there already"):
        enhance_live(io.BytesIO(raw_frames(3, raw).tobytes()), sink, GAMMA, raw=raw)
    assert out.read_bytes() == b"precious"


@NAMED_PIPES
def test_a_pipe_of_that_name_is_written_to(tmp_path):
    out, raw = tmp_path / "out.ts", RawFormat(32, 24, Fraction(25))
    os.mkfifo(out)
    reader = subprocess.Popen(["cat", str(out)], stdout=subprocess.PIPE)
    enhance_live(io.BytesIO(raw_frames(3, raw).tobytes()), EncodedSink(str(out)), GAMMA, raw=raw)
    made, _ = reader.communicate(timeout=30)
    assert made[:1] == b"G", "the first byte of a transport stream"


@pytest.mark.parametrize(
    "text", ["640", "640x", "0x5@25", "64x48@0", "64x48@1/0", "64x48@25fps", "99999x9@5"]
)
def test_a_raw_format_that_is_none_is_told(text):
    with pytest.raises(BadSetting, match="WIDTHxHEIGHT@FPS"):
        parse_raw(text)


def test_the_command_works_between_two_ffmpegs(tools, tmp_path):
    make = "ffmpeg -v error -f lavfi -i testsrc2=s=64x48:r=25:d=0.8 -f rawvideo -pix_fmt rgb24 -"
    take = "ffmpeg -v error -f rawvideo -pix_fmt rgb24 -s 64x48 -r 25 -i - out.mp4"
    command = f"{make} | {sys.executable} -m daybreak stream - --raw 64x48@25 -m gamma | {take}"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert len(tools.times(tmp_path / "out.mp4")) == 20
    assert "20 frames came, 20 went out, 0 were overtaken; delay" in done.stderr


def test_the_command_takes_and_gives_encoded_pipes(tools, tmp_path):
    make = "ffmpeg -v error -re -f lavfi -i testsrc2=s=64x48:r=25:d=3 -c:v libx264 -tune zerolatency -g 10"
    command = f"{make} -f mpegts - | {sys.executable} -m daybreak stream - -m gamma > out.ts"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert 1 <= len(tools.times(tmp_path / "out.ts")) <= 75
