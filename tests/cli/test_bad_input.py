"""Every row of docs/bad-input.md, made and run."""

from __future__ import annotations

import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

DOC = Path(__file__).parents[2] / "docs/bad-input.md"
ROWS = {
    cells[0]: (int(cells[2]), cells[3])
    for line in DOC.read_text().splitlines()
    if line.startswith("| ")
    and len(cells := [c.strip() for c in line.strip("|").split("|")]) == 4
    and cells[2].isdigit()
}


def daybreak(*arguments, before=(), command="enhance", **options) -> subprocess.CompletedProcess[str]:
    """Run `daybreak enhance`, or another command, in a process of its own."""
    command = [*before, sys.executable, "-m", "daybreak", command, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **options)


def picture(path: Path, height: int = 24, width: int = 32, **save) -> Path:
    rng = np.random.default_rng(height * width)
    Image.fromarray(rng.integers(0, 40, (height, width, 3), dtype=np.uint8)).save(path, **save)
    return path


def frames(path: Path) -> Path:
    stack = [Image.fromarray(np.full((16, 16, 3), level, np.uint8)) for level in (10, 30, 50)]
    stack[0].save(path, save_all=True, append_images=stack[1:], duration=50)
    return path


def cut(path: Path) -> Path:
    picture(path, 200, 300)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def huge(path: Path) -> Path:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )
    return path


def text(path: Path) -> Path:
    path.write_text("milk, bread, candles\n")
    return path


def empty(path: Path) -> Path:
    path.touch()
    return path


def mislabelled(path: Path) -> Path:
    return picture(path, format="PNG")


def links(path: Path) -> Path:
    picture(path / "inside.png")
    (path / "up").symlink_to(path)
    (path / "self").symlink_to(path / "self")
    return path


def folder(make):
    def build(path: Path) -> Path:
        path.mkdir()
        return make(path)

    return build


def odd(path: Path) -> Path:
    for name in ("with space", 'it\'s "quoted"', "two\nlines", "ночь 夜", "-dash"):
        picture(path / f"{name}.png")
    return path


# case -> (name, how it is made, further arguments): run as `daybreak enhance CASE GOOD -o OUT ...`
FILES = {
    "missing": ("missing.png", lambda path: path, ()),
    "empty-file": ("empty.jpg", empty, ()),
    "truncated-jpeg": ("cut.jpg", cut, ()),
    "truncated-png": ("cut.png", cut, ()),
    "text-named-jpg": ("notes.jpg", text, ()),
    "huge-header": ("huge.png", huge, ()),
    "one-pixel": ("one.png", lambda path: picture(path, 1, 1), ()),
    "three-by-three": ("three.png", lambda path: picture(path, 3, 3), ()),
    "one-row": ("row.png", lambda path: picture(path, 1, 5000), ()),
    "odd-names": ("odd", folder(odd), ()),
    "wrong-suffix": ("really-png.jpg", mislabelled, ()),
    "link-loop": ("loop", folder(links), ("-r",)),
    "animated-gif": ("moving.gif", frames, ()),
    "animated-webp": ("moving.webp", frames, ()),
}
TYPED = {
    "unknown-method": ("-m", "lme"),
    "unknown-setting": ("-m", "gamma", "--set", "gama=2"),
    "bad-value": ("-m", "gamma", "--set", "gamma=99"),
    "bad-strength": ("-s", "3"),
    "strength-and-exposure": ("-s", "0.5", "--exposure", "1"),
    "unknown-option": ("--strenth", "1"),
    "evidence-avif": ("--evidence", "evidence.json", "--format", "avif"),
    "evidence-memory": ("-m", "auto", "--max-memory", "1GB", "--evidence", "evidence.json"),
    "evidence-device": ("-m", "cascade", "--device", "auto", "--evidence", "evidence.json"),
    "unknown-device": ("-m", "cascade", "--device", "cude"),
    "unknown-precision": ("-m", "cascade", "--precision", "fp8"),
    "device-for-arithmetic": ("-m", "gamma", "--device", "openvino"),
}
OWN_TEST = {
    "unreadable-file",
    "unwritable-folder",
    "full-disk",
    "output-is-input",
    "other-settings",
    "same-result",
    "two-folders",
    "stdin-to-folder",
    "lost-in-format",
    "in-place-by-a-link",
    "in-place-again",
    "in-place-record",
    "mistyped-ending",
    "other-document",
    "named-pipe",
    "evidence-there",
    "verify-no-manifest",
    "verify-retouched",
    "watch-itself",
    "interrupted",
}


def expect(case: str, done: subprocess.CompletedProcess[str]) -> None:
    """The exit code and the line that the document promises; never a traceback."""
    code, line = ROWS[case]
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    pattern = ".*".join(re.escape(part) for part in line.split("…"))
    assert re.search(pattern, done.stderr, re.IGNORECASE), done.stderr
    if code == 1:
        failures = [text for text in done.stderr.splitlines() if text.startswith("daybreak: ")]
        assert len(failures) == 1, "one line for one failure"


def snapshot(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()}


def sound(folder: Path) -> bool:
    """No temporary file left, and everything there opens as a whole picture."""
    for path in folder.rglob("*"):
        if path.is_file():
            Image.open(path).load()
    return True


def without_override() -> list[str]:
    """What to put before a command so that permissions count for root too."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        pytest.skip("root ignores permissions and there is no setpriv to drop that privilege")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def test_the_document_and_the_tests_name_the_same_cases():
    assert set(ROWS) == set(FILES) | set(TYPED) | OWN_TEST


@pytest.mark.parametrize("case", FILES)
def test_one_bad_file_beside_a_good_one(case, tmp_path):
    name, make, arguments = FILES[case]
    (tmp_path / "in").mkdir()
    bad = make(tmp_path / "in" / name)
    good = picture(tmp_path / "in" / "good.png")
    before = snapshot(tmp_path / "in")
    report = tmp_path / "report.json"
    if case.startswith("animated"):
        done = daybreak(bad, "-o", tmp_path / "out", *arguments)
        expect(case, done)
        assert len(list((tmp_path / "out").iterdir())) == 1
        return
    done = daybreak(bad, good, "-o", tmp_path / "out", "--report", report, *arguments)
    expect(case, done)
    assert snapshot(tmp_path / "in") == before
    assert (tmp_path / "out/good_daybreak.png").exists()
    assert sound(tmp_path / "out")
    made = len(snapshot(tmp_path / "out"))
    pictures = len(before) if bad.is_dir() else 2
    assert made == pictures - (done.returncode == 1)


@pytest.mark.parametrize("case", TYPED)
def test_a_line_to_be_corrected_does_nothing(case, tmp_path, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("DAYBREAK_CACHE", str(tmp_path_factory.mktemp("cache")))  # for `auto`
    good = picture(tmp_path / "good.png")
    expect(case, daybreak(good, *TYPED[case]))
    assert list(tmp_path.iterdir()) == [good]


def test_unreadable_file(tmp_path):
    locked, good = picture(tmp_path / "locked.png"), picture(tmp_path / "good.png")
    locked.chmod(0)
    expect("unreadable-file", daybreak(locked, good, "-o", tmp_path / "out", before=without_override()))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good_daybreak.png"]


def test_unwritable_folder(tmp_path):
    good = picture(tmp_path / "good.png")
    (tmp_path / "out").mkdir(mode=0o555)
    expect("unwritable-folder", daybreak(good, "-o", tmp_path / "out", before=without_override()))
    assert list((tmp_path / "out").iterdir()) == []


def test_full_disk(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        large, good = picture(tmp_path / "large.png", 400, 400), picture(tmp_path / "good.png")
        expect("full-disk", daybreak(large, good, "-o", small))
        assert [path.name for path in small.iterdir()] == ["good_daybreak.png"]
        assert sound(small)
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_output_is_input(tmp_path):
    good = picture(tmp_path / "good.png")
    before = snapshot(tmp_path)
    expect("output-is-input", daybreak(good, "--suffix", ""))
    assert snapshot(tmp_path) == before
    assert daybreak(good, "--suffix", "", "--overwrite").returncode == 0
    assert snapshot(tmp_path) != before


def test_other_settings(tmp_path):
    good = picture(tmp_path / "good.png")
    assert daybreak(good, "-m", "gamma").returncode == 0
    result = (tmp_path / "good_daybreak.png").read_bytes()
    again = daybreak(good, "-m", "gamma")
    assert again.returncode == 0
    assert "done before" in again.stderr
    expect("other-settings", daybreak(good, "-m", "gamma", "--set", "gamma=3"))
    assert (tmp_path / "good_daybreak.png").read_bytes() == result
    assert daybreak(good, "-m", "gamma", "--set", "gamma=3", "--overwrite").returncode == 0
    assert (tmp_path / "good_daybreak.png").read_bytes() != result


def test_same_result(tmp_path):
    for folder_name in ("one", "two"):
        (tmp_path / folder_name).mkdir()
        picture(tmp_path / folder_name / "a.png")
    files = sorted(tmp_path.glob("*/a.png"))
    expect("same-result", daybreak(*files, "-o", tmp_path / "out"))
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_two_folders(tmp_path):
    for folder_name in ("one", "two"):
        (tmp_path / folder_name).mkdir()
        picture(tmp_path / folder_name / "a.png")
    expect("two-folders", daybreak(tmp_path / "one", tmp_path / "two", "-o", tmp_path / "out"))
    made = {str(path.relative_to(tmp_path / "out")) for path in snapshot(tmp_path / "out")}
    assert made == {"one/a_daybreak.png", "two/a_daybreak.png"}


def test_stdin_to_folder(tmp_path):
    (tmp_path / "out").mkdir()
    expect("stdin-to-folder", daybreak("-", "-o", tmp_path / "out", input=""))
    assert list(tmp_path.rglob("*")) == [tmp_path / "out"]


def test_what_the_format_cannot_hold(tmp_path):
    clear = Image.fromarray(np.full((8, 8, 4), 30, np.uint8))
    clear.save(tmp_path / "clear.png")
    expect("lost-in-format", daybreak(tmp_path / "clear.png", "--format", "jpg"))


def test_in_place_by_a_link(tmp_path):
    real = picture(tmp_path / "real.png")
    real.chmod(0o640)
    (tmp_path / "link.png").symlink_to(real)
    before = real.read_bytes()
    expect("in-place-by-a-link", daybreak(tmp_path / "link.png", "--suffix", "", "--overwrite"))
    assert (tmp_path / "link.png").is_symlink()
    assert real.read_bytes() != before
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.png", "real.png"]


def test_in_place_again(tmp_path):
    path = picture(tmp_path / "a.png")
    daybreak(path, "--suffix", "", "--overwrite")
    first = path.read_bytes()
    expect("in-place-again", daybreak(path, "--suffix", "", "--overwrite"))
    assert path.read_bytes() == first


def test_in_place_of_what_keeps_no_record(tmp_path):
    path = picture(tmp_path / "a.bmp")
    before = path.read_bytes()
    expect("in-place-record", daybreak(path, "--suffix", "", "--overwrite"))
    assert path.read_bytes() == before


def test_mistyped_ending(tmp_path):
    expect("mistyped-ending", daybreak(picture(tmp_path / "a.png"), "-o", tmp_path / "out.jpgg"))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_other_document(tmp_path):
    good, notes = picture(tmp_path / "good.png"), tmp_path / "notes.json"
    notes.write_text("{}")
    expect("other-document", daybreak(good, "-o", tmp_path / "out", "--report", notes))
    assert notes.read_text() == "{}"
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_named_pipe(tmp_path):
    good = picture(tmp_path / "good.png")
    os.mkfifo(tmp_path / "pipe.png")
    expect("named-pipe", daybreak(tmp_path / "pipe.png", good))
    assert (tmp_path / "good_daybreak.png").is_file()


def test_evidence_there(tmp_path):
    good, manifest = picture(tmp_path / "good.png"), tmp_path / "evidence.json"
    words = (good, "-o", tmp_path / "out", "--evidence", manifest)
    assert daybreak(*words).returncode == 0
    before = snapshot(tmp_path)
    expect("evidence-there", daybreak(*words))
    assert snapshot(tmp_path) == before


def test_verify_no_manifest(tmp_path):
    expect("verify-no-manifest", daybreak(picture(tmp_path / "good.png"), command="verify"))


def test_verify_retouched(tmp_path):
    good, manifest = picture(tmp_path / "good.png"), tmp_path / "evidence.json"
    assert daybreak(good, "-o", tmp_path / "out", "--evidence", manifest).returncode == 0
    picture(tmp_path / "out/good_daybreak.png")
    before = snapshot(tmp_path)
    expect("verify-retouched", daybreak(manifest, command="verify"))
    assert snapshot(tmp_path) == before


def test_watch_itself(tmp_path):
    good = picture(tmp_path / "good.png")
    expect("watch-itself", daybreak(tmp_path, "-o", tmp_path, command="watch"))
    assert list(tmp_path.iterdir()) == [good]


def test_interrupted_batches_go_on_where_they_stopped(tmp_path):
    (tmp_path / "in").mkdir()
    for i in range(40):
        picture(tmp_path / "in" / f"{i:02}.png", 300, 400)
    command = [sys.executable, "-m", "daybreak", "enhance", str(tmp_path / "in"), "-o", str(tmp_path / "out")]
    command += ["-m", "msr", "--jobs", "1", "--report", str(tmp_path / "report.json")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("out/*_daybreak.png")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    expect("interrupted", subprocess.CompletedProcess(command, process.returncode, "", errors))
    first = snapshot(tmp_path / "out")
    assert 0 < len(first) < 40
    assert sound(tmp_path / "out")
    assert (tmp_path / "report.json").exists()
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    everything = snapshot(tmp_path / "out")
    assert len(everything) == 40
    assert all(everything[path] == data for path, data in first.items()), "done pictures were done again"
