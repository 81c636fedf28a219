"""What goes wrong with places and clusters: one sentence, the rest done, a rerun that finishes."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
import urllib.request

import numpy as np
import pytest

from daybreak.cli.main import run
from daybreak.cluster.threads import Threads
from daybreak.errors import DaybreakError, PlaceError
from daybreak.image.photo import Photo
from daybreak.image.write import encode_photo


@pytest.fixture
def told(capsys, keys):
    """Run a command line; gives its exit code and what it printed, which never holds a secret."""

    def give(*words):
        code = run([str(word) for word in words])
        printed = capsys.readouterr()
        text = printed.out + printed.err
        assert not any(secret in text for secret in keys.values())
        assert "Traceback" not in text
        return code, text

    return give


@pytest.fixture
def forget(s3):
    """Have no connection outlive a change of the environment."""
    type(s3).clear_instance_cache()
    yield
    type(s3).clear_instance_cache()


def test_the_whole_line(bucket, fill, told, s3):
    fill(f"{bucket}/in", 3)
    s3.pipe_file(f"{bucket}/in/zero.png", b"")
    s3.pipe_file(f"{bucket}/in/text.jpg", b"hello")
    line = ["enhance", f"{bucket}/in", "-o", f"{bucket}/out", "-m", "gamma"]
    code, text = told(*line)
    assert code == 1
    assert "zero.png is empty (0 bytes)" in text
    assert "text.jpg is plain text, no picture" in text
    assert "5 pictures: " in text
    assert "3 enhanced" in text
    assert "2 failed" in text
    s3.rm([f"{bucket}/in/zero.png", f"{bucket}/in/text.jpg"])
    code, text = told(*line)
    assert (code, "3 pictures: 3 done before" in text) == (0, True)
    assert sum(name.endswith("_daybreak.png") for name in s3.find(f"{bucket}/out")) == 3


def test_a_dry_run_writes_nothing(bucket, fill, told, s3):
    fill(f"{bucket}/in", 2)
    code, text = told("enhance", f"{bucket}/in", "-o", f"{bucket}/out", "--dry-run")
    assert code == 0
    assert text.splitlines() == [
        "0/deep 0/0000.png -> 0/deep 0/0000_daybreak.png",
        "1/deep 1/0001.png -> 1/deep 1/0001_daybreak.png",
    ]
    assert not s3.exists(f"{bucket}/out")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["s3://x/in"], 2, "no -o with a URL"),
        (["s3://x/in", "s3://y/in", "-o", "out"], 2, "2 places"),
        (["in", "-o", "nosuch://x"], 2, "nosuch://x"),
        (["sftp://me:hidden@x/in", "-o", "out"], 2, "a password in sftp://me:***@x/in"),
        (["s3://x/in", "-o", "out", "--gallery", "g.html"], 2, "--gallery g.html with a URL"),
        (["in", "-o", "out", "--address", "x:1"], 2, "--address x:1 without --engine ray"),
        (["in", "-o", "out", "--worker-cpus", "2"], 2, "--worker-cpus 2.0 without --engine ray"),
        (["in", "-o", "out", "--engine", "ray", "--threads", "1"], 2, "--threads 1 with --engine ray"),
        (["in", "-o", "out", "--engine", "ray", "--address", "x:y"], 2, "--address x:y"),
        (["in", "-o", "out", "--engine", "ray", "--worker-cpus", "0"], 2, "workers of 0 CPUs and 0 GPUs"),
        (
            ["in", "-o", "out", "--engine", "ray", "--address", "127.0.0.1:1"],
            1,
            "nobody answers at the address",
        ),
        (["ftp://127.0.0.1:1/in", "-o", "out"], 1, "ftp://127.0.0.1:1/in: Connection refused"),
        (["gone", "-o", "out", "--engine", "ray"], 1, "there is no such bucket or folder"),
        (["s3://no-such-bucket/in", "-o", "out"], 1, "there is no such bucket or folder"),
    ],
)
def test_lines_that_cannot_be_done(words, code, sentence, told, tmp_path, monkeypatch, s3, picture):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(picture(0))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    came, text = told("enhance", *words)
    assert (came, sentence in text) == (code, True), text
    assert len(text.splitlines()) <= 2


def test_no_credentials(bucket, told, monkeypatch, tmp_path, forget, keys):
    for name in keys:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    code, text = told("enhance", f"{bucket}/in", "-o", tmp_path)
    assert (code, "no credentials were found" in text, "Set AWS_PROFILE" in text) == (1, True, True), text


def ask_for_keys(actions: bytes) -> None:
    """Let the server check credentials after so many requests."""
    url = os.environ["AWS_ENDPOINT_URL"] + "/moto-api/reset-auth"
    kind = {"Content-Type": "text/plain"}
    urllib.request.urlopen(urllib.request.Request(url, actions, kind, method="POST")).close()


def test_wrong_credentials(bucket, fill, told, tmp_path, forget):
    fill(f"{bucket}/in", 1)
    ask_for_keys(b"0")
    try:
        code, text = told("enhance", f"{bucket}/in", "-o", tmp_path)
    finally:
        ask_for_keys(b"inf")
    assert (code, "the credentials are refused" in text) == (1, True), text


def test_a_server_that_does_not_answer(bucket, told, tmp_path, monkeypatch, forget):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    code, text = told("enhance", f"{bucket}/in", "-o", tmp_path)
    assert (code, "the server does not answer" in text) == (1, True), text


@pytest.mark.parametrize("which", ["in", "out"])
def test_a_bucket_that_vanishes_in_the_middle(s3, which, make_run, fill, bucket, rows_of):
    places = {"in": f"{bucket}-in", "out": f"{bucket}-out"}
    for url in places.values():
        s3.mkdir(url)
    pictures = fill(f"{places['in']}/x", 70)
    make = lambda: make_run(f"{places['in']}/x", places["out"])  # noqa: E731
    seen = []

    def work():
        for row in make().rows(Threads(1)):
            seen.append(row)
            while len(seen) == 5 and s3.exists(places[which]):
                with contextlib.suppress(OSError):  # not empty: a picture was written meanwhile
                    s3.rm(places[which], recursive=True)

    with pytest.raises(PlaceError) as error:
        work()
    assert 5 < len(seen) < 70
    told = {"in": "no such bucket or folder", "out": "NoSuchBucket|does not exist|no such bucket"}[which]
    assert any(word in str(error.value) for word in told.split("|"))
    s3.mkdir(places[which])
    if which == "in":
        for name, data in pictures.items():
            s3.pipe_file(f"{places['in']}/x/{name}", data)
    assert all(row.state in ("enhanced", "done before") for row in make().rows(Threads(2)))
    assert rows_of(places["out"]).keys() == pictures.keys()


def test_what_lies_in_an_archive_is_told_and_the_rest_is_done(bucket, fill, make_run, s3, monkeypatch):
    monkeypatch.setattr("daybreak.cluster.run._FAULTS", 3)
    pictures = fill(f"{bucket}/in", 2)
    cold = [f"0/{n}.png" for n in range(5)]
    for name in cold:
        s3.pipe_file(f"{bucket}/in/{name}", next(iter(pictures.values())), StorageClass="GLACIER")
    rows = {row.source: row for row in make_run(f"{bucket}/in", f"{bucket}/out").rows(Threads(1))}
    assert {name: rows[name].state for name in pictures} == dict.fromkeys(pictures, "enhanced")
    assert {rows[name].state for name in cold} == {"failed"}
    assert rows[cold[0]].error == (
        "0/0.png cannot be read (The operation is not valid for the object's storage class)"
    )


def test_a_full_disk(tmp_path, picture):
    (tmp_path / "in").mkdir()
    for n in range(3):
        (tmp_path / "in" / f"{n}.png").write_bytes(picture(n))
    command = [
        sys.executable,
        "-m",
        "daybreak",
        "enhance",
        "in",
        "-o",
        f"file://{tmp_path}/out",
        "-m",
        "gamma",
    ]

    def start(limit):
        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False, preexec_fn=small_files
        )

    full = start(100)
    assert full.returncode == 1
    assert "0_daybreak.png cannot be written" in full.stderr
    assert "the manifest in" in full.stderr
    assert "Traceback" not in full.stderr
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    again = start(resource.RLIM_INFINITY)
    assert (again.returncode, "3 enhanced" in again.stderr) == (0, True)


def test_more_pixels_than_were_allowed(tmp_path, told):
    (tmp_path / "in").mkdir()
    large = Photo.from_pixels(np.full((1000, 1100, 3), 0.1, np.float32), bit_depth=8)
    (tmp_path / "in" / "a.png").write_bytes(encode_photo(large, "png"))
    line = ["enhance", f"file://{tmp_path}/in", "-o", f"file://{tmp_path}/out", "-m", "gamma"]
    code, text = told(*line, "--max-pixels", 1)
    assert (code, "claims 1100x1000 pixels" in text, "at most 1 million" in text) == (1, True, True), text
    code, text = told(*line, "--max-pixels", 2)
    assert (code, "1 enhanced" in text) == (0, True), text


def test_without_the_extra(tmp_path, told, monkeypatch):
    for module in ("fsspec", "fsspec.core"):
        monkeypatch.setitem(sys.modules, module, None)
    code, text = told("enhance", "s3://x/in", "-o", tmp_path)
    assert (code, 'pip install "daybreak[cluster]"' in text) == (1, True)


def test_without_ray(tmp_path, told, monkeypatch):
    (tmp_path / "in").mkdir()
    monkeypatch.setitem(sys.modules, "ray", None)
    code, text = told("enhance", tmp_path / "in", "-o", tmp_path / "out", "--engine", "ray")
    assert (code, 'pip install "daybreak[cluster]"' in text) == (1, True)


def test_importing_the_house_brings_no_cluster():
    code = "import daybreak, daybreak.cluster, daybreak.cli.main, daybreak.cli.enhance, sys;"
    code += "print([name for name in ('ray', 'fsspec', 'pyarrow', 's3fs') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_errors_are_of_the_house():
    assert issubclass(PlaceError, DaybreakError)
