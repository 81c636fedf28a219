"""`daybreak video` and `daybreak stream`: every row of the table in docs/video.md, made and run."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

DOC = Path(__file__).parents[2] / "docs/video.md"
ROWS = {
    cells[0]: (int(cells[2]), cells[3])
    for line in DOC.read_text(encoding="utf-8").splitlines()
    if len(cells := [c.strip() for c in line.strip("|").split("|")]) == 4 and cells[2].isdigit()
}
COMMAND = [sys.executable, "-m", "daybreak"]

pytestmark = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="there is no ffmpeg to make clips with")
pytest.importorskip("av", reason="the extra [video] is not installed")


def ffmpeg(*words):
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, words)], check=True, timeout=60)


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "night.mp4"
    picture = "testsrc2=s=64x48:r=25:d=0.8,eq=brightness=-0.35:contrast=0.4"
    ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=d=0.8", "-pix_fmt", "yuv420p", path)
    return path


@pytest.fixture
def night(clip, tmp_path) -> Path:
    path = tmp_path / "night.mp4"
    shutil.copy(clip, path)
    return path


def call(*words, before=(), command="video", **options) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    line = [*before, *COMMAND, command, *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=120, **options)


def expect(case: str, done: subprocess.CompletedProcess[str]) -> None:
    """The exit code and the line that the document promises; never a traceback."""
    code, line = ROWS[case]
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    pattern = ".*".join(re.escape(part) for part in line.split("…"))
    assert re.search(pattern, done.stderr, re.IGNORECASE), done.stderr


def cut(night):
    path = night.with_name("cut.mp4")
    path.write_bytes(night.read_bytes()[:2000])
    return path


def text(night):
    path = night.with_name("notes.mp4")
    path.write_text("milk, bread, candles\n" * 40)
    return path


def sound(night):
    path = night.with_name("sound.m4a")
    ffmpeg("-i", night, "-map", "0:a", "-c", "copy", path)
    return path


def hurt(night):
    data = bytearray(night.read_bytes())
    place = data.index(b"mdat") + 3000
    data[place : place + 300] = bytes(300)
    night.write_bytes(data)
    return night


def odd(night):
    path = night.with_name("odd.webm")
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc=s=63x49:r=25:d=0.4", "-pix_fmt", "yuv420p", "-c:v", "libvpx-vp9", path
    )
    return path


def short(night):
    """Four seconds by its header, half of its bytes."""
    path = night.with_name("short.mkv")
    picture = "testsrc2=s=64x48:r=25:d=4,eq=brightness=-0.35"
    ffmpeg("-f", "lavfi", "-i", picture, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-g", "5", path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def titled(night):
    words, path = night.with_name("s.srt"), night.with_name("titled.mkv")
    words.write_text("1\n00:00:00,100 --> 00:00:00,600\nhello\n")
    ffmpeg("-i", night, "-i", words, "-map", "0:v", "-map", "1", "-c:v", "copy", "-c:s", "srt", path)
    return path


def same(night):
    return night


# case -> (how the input is made, the output's name, further words)
LINES = {
    "missing": (lambda night: night.with_name("none.mp4"), "out.mp4", ()),
    "text": (text, "out.mp4", ()),
    "truncated": (cut, "out.mp4", ()),
    "cut-short": (short, "out.mkv", ("-m", "gamma")),
    "no-picture": (sound, "out.mp4", ()),
    "damaged": (hurt, "out.mp4", ()),
    "odd-size": (odd, "out.mp4", ()),
    "output-is-input": (same, "night.mp4", ("--overwrite",)),
    "no-name": (same, "out.jpg", ()),
    "subtitles": (titled, "out.mp4", ()),
    "late-start": (same, "out.mp4", ("--start", "1:30")),
    "no-time": (same, "out.mp4", ("--preview", "soon")),
    "too-many-colons": (same, "out.mp4", ("--start", "1:2:3:4")),
    "no-length": (same, "out.mp4", ("--preview", "0")),
    "unknown-codec": (same, "out.mp4", ("--codec", "vp9")),
}
OWN_TEST = {
    "output-there",
    "unwritable-folder",
    "full-disk",
    "missing-extra",
    "other-settings",
    "interrupted",
    "interrupted-resume",
    "begun-before",
    "killed",
    "stream-of-a-file",
    "stream-nowhere",
    "stream-evidence",
    "stream-output-there",
    "stream-into-itself",
    "stream-raw",
    "stream-raw-codec",
    "stream-silent",
}


def test_the_document_and_the_tests_name_the_same_cases():
    assert set(ROWS) == set(LINES) | OWN_TEST


@pytest.mark.parametrize("case", LINES)
def test_a_line(case, night):
    make, name, words = LINES[case]
    source, out = make(night), night.with_name(name)
    before = source.read_bytes() if source.exists() else b""
    expect(case, call(source, "-o", out, "-m", "gamma", *words))
    assert not source.exists() or source.read_bytes() == before
    assert out.exists() == (ROWS[case][0] == 0 or out == source)
    assert not list(night.parent.glob(".*"))


def test_output_there(night):
    out = night.with_name("out.mp4")
    out.write_bytes(b"precious")
    expect("output-there", call(night, "-o", out))
    assert out.read_bytes() == b"precious"
    assert call(night, "-o", out, "-m", "gamma", "--overwrite").returncode == 0
    assert out.stat().st_size > 1000


def test_unwritable_folder(night):
    before = []
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("root ignores permissions and there is no setpriv to drop that privilege")
        before = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    folder = night.with_name("locked")
    folder.mkdir(mode=0o555)
    expect("unwritable-folder", call(night, "-o", folder / "out.mp4", before=before))
    assert not list(folder.iterdir())


def test_full_disk(night):
    small = night.with_name("small")
    small.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(small)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        line = (night, "-o", small / "out.mp4", "-m", "gamma")
        expect("full-disk", call(*line))
        part = small / ".out.mp4.daybreak-part"
        assert list(small.iterdir()) == [part], "all frames are encoded"
        subprocess.run(["mount", "-o", "remount,size=1m", str(small)], check=True)
        assert call(*line, "--resume").returncode == 0
        assert list(small.iterdir()) == [small / "out.mp4"]
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_missing_extra(night):
    code = (
        "import sys; sys.modules['av'] = None; from daybreak.cli.main import run; sys.exit(run(sys.argv[1:]))"
    )
    line = [sys.executable, "-c", code, "video", str(night), "-o", str(night.with_name("out.mp4"))]
    expect("missing-extra", subprocess.run(line, capture_output=True, text=True, check=False, timeout=60))


def long(night) -> Path:
    """Some minutes' work: a film that loops."""
    path = night.with_name("long.mp4")
    ffmpeg("-stream_loop", "150", "-i", night, "-c", "copy", path)
    return path


def begun(source, out, *words, until=60_000) -> subprocess.Popen[str]:
    """A run that has encoded something."""
    line = [*COMMAND, "video", str(source), "-o", str(out), "-m", "gamma", "--speed", "fast", *words]
    process = subprocess.Popen(line, stderr=subprocess.PIPE, text=True, start_new_session=True)
    part = out.with_name(f".{out.name}.daybreak-part")
    end = time.monotonic() + 90
    while time.monotonic() < end and (not part.exists() or part.stat().st_size < until):
        assert process.poll() is None, "the run ended too soon to be stopped"
        time.sleep(0.01)
    return process


def stopped(process, with_signal) -> subprocess.CompletedProcess[str]:
    process.send_signal(with_signal)
    _, told = process.communicate(timeout=60)
    return subprocess.CompletedProcess([], process.returncode, "", told)


def frames(path: Path) -> int:
    line = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-count_packets"]
    line += ["-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", str(path)]
    return int(subprocess.run(line, check=True, capture_output=True, text=True).stdout.split(",")[0])


def test_interrupted_leaves_nothing(night):
    source, out = long(night), night.with_name("out.mp4")
    expect("interrupted", stopped(begun(source, out), signal.SIGINT))
    assert sorted(path.name for path in night.parent.iterdir()) == ["long.mp4", "night.mp4"]


@pytest.mark.parametrize(("how", "case"), [(signal.SIGINT, "interrupted-resume"), (signal.SIGKILL, "killed")])
def test_what_was_stopped_or_killed_goes_on(how, case, night):
    source, out = long(night), night.with_name("out.mp4")
    words = ("--resume",) if how == signal.SIGINT else ()
    done = stopped(begun(source, out, *words, until=250_000), how)
    if how == signal.SIGINT:
        expect(case, done)
    assert not out.exists()
    line = (source, "-o", out, "-m", "gamma", "--speed", "fast", "--resume")
    expect("other-settings", call(*line, "-s", "0.5"))
    expect("begun-before", call(*line[:-1]))
    again = call(*line)
    assert again.returncode == 0, again.stderr
    expect("killed", again)
    assert frames(out) == frames(source)
    ffmpeg("-xerror", "-i", out, "-f", "null", "-")  # every frame decodes
    assert sorted(path.name for path in night.parent.iterdir()) == ["long.mp4", "night.mp4", "out.mp4"]


def test_stream_of_a_file_and_of_nothing(night):
    expect("stream-of-a-file", call(night, command="stream"))
    expect("stream-nowhere", call("/dev/none", "-o", night.with_name("o.ts"), command="stream"))
    live = ("rtsp://127.0.0.1:9/1", "-o", night.with_name("o.ts"), "--evidence", night.with_name("e.json"))
    expect("stream-evidence", call(*live, command="stream"))
    expect(
        "stream-silent",
        call("udp://127.0.0.1:9", "-o", night.with_name("o.ts"), "--for", "1s", command="stream"),
    )


def test_what_stream_would_have_to_ignore_is_refused(night):
    raw, live = ("--raw", "64x48@25"), ("rtsp://127.0.0.1:9/1", "-o", night.with_name("o.ts"))
    expect("stream-raw", call(*live, *raw, command="stream"))
    expect("stream-raw-codec", call("-", *raw, "--codec", "hevc", command="stream"))


def test_stream_into_a_file_that_is_there(night):
    before, raw = night.read_bytes(), night.with_name("frames.rgb")
    raw.write_bytes(bytes(3 * 64 * 48) * 2)
    words = ("-", "-m", "gamma", "--raw", "64x48@25", "-o")
    with raw.open("rb") as pipe:
        expect("stream-output-there", call(*words, night, command="stream", stdin=pipe))
    assert night.read_bytes() == before
    with night.open("rb") as film:
        expect("stream-into-itself", call("-", "-o", night, "--overwrite", command="stream", stdin=film))
    assert night.read_bytes() == before
    with raw.open("rb") as pipe:
        done = call(*words, night, "--overwrite", command="stream", stdin=pipe)
    assert done.returncode == 0, done.stderr
    assert frames(night) == 2


def test_the_line_at_the_end_and_silence(night):
    out = night.with_name("out.mp4")
    done = call(night, "-o", out)
    assert re.search(
        r"night\.mp4 -> .*out\.mp4: daybreak, h264, 20 frames, dark .* frames a second", done.stderr
    )
    assert call(night, "-o", out, "--overwrite", "-q").stderr == ""
