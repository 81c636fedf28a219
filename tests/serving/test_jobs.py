from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import zipfile
from contextlib import closing, suppress
from functools import partial
from io import BytesIO
from types import SimpleNamespace

import httpx
import numpy as np
import pytest

from daybreak.enhancing.enhancer import Enhancer
from daybreak.errors import DaybreakError, OutputExists, UnreadablePicture, UnwritablePicture, WeightsError
from daybreak.files import writing
from daybreak.image.read import read_photo
from daybreak.image.write import encode_photo
from daybreak.serving.asking import understand
from daybreak.serving.jobs import films, runner
from daybreak.serving.jobs import pictures as work
from daybreak.serving.jobs.room import Room, given_up
from daybreak.serving.jobs.store import JobStore
from daybreak.serving.limits import Limits
from daybreak.stopping import Stopped, stoppable

get = partial(httpx.get, timeout=60)  # machines differ and are shared
post = partial(httpx.post, timeout=60)  # machines differ and are shared
delete = partial(httpx.delete, timeout=60)  # machines differ and are shared


def wait_for(look, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come to pass in time")


def zipped(members):
    with BytesIO() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return file.getvalue()


def queue(address, files, **words):
    sent = [("files", (name, data)) for name, data in files.items()]
    return post(f"{address}/v1/jobs", files=sent, data=words, timeout=60)


def over(address, id):
    job = get(f"{address}/v1/jobs/{id}").json()
    return job if job["state"] in ("done", "failed") else None


def unpacked(address, id):
    answer = get(f"{address}/v1/jobs/{id}/result")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(BytesIO(answer.content)) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    return found, json.loads(found.pop("report.json"))["files"]


@pytest.fixture
def gate(monkeypatch):
    """Lets a job's pictures through one by one: `gate.release()` each."""
    allowed = threading.Semaphore(0)
    real = work.enhance_bytes

    def waiting(*args, **options):
        allowed.acquire(timeout=30)
        return real(*args, **options)

    monkeypatch.setattr(work, "enhance_bytes", waiting)
    yield allowed
    allowed.release(1000)


@pytest.mark.parametrize(
    ("written", "called"),
    [("été/ночь.png".encode(), "été/ночь"), (b"\x82t\x82.png", "été"), ("夜.png".encode(), "夜")],
    ids=["zip on Linux", "zip on DOS", "zip on Linux, CJK"],
)
def test_names_in_zips_are_those_that_were_given(serve, png, written, called):
    """`zip` on Linux writes UTF-8 without saying so."""
    instead = b"q" * (len(written) - 4) + b".png"
    archive = zipped({instead.decode(): png}).replace(instead, written)
    with serve() as address:
        id = queue(address, {"z.zip": archive}, method="gamma").json()["id"]
        wait_for(lambda: over(address, id))
        files, report = unpacked(address, id)
    assert list(files) == [f"{called}.png"]
    assert report[0]["input"] == f"{called}.png"


def test_pictures_and_zips_come_back_as_a_zip_with_a_report(serve, png):
    with serve() as address:
        archive = zipped(
            {"trip/b.png": png, "trip/notes.txt": b"hello", "__MACOSX/._b.png": b"x", "b.png": png}
        )
        answer = queue(address, {"b.png": png, "more.zip": archive}, method="gamma", format="tiff")
        assert answer.status_code == 202, answer.text
        id = answer.json()["id"]
        assert answer.headers["location"] == f"/v1/jobs/{id}"
        job = wait_for(lambda: over(address, id))
        assert (job["state"], job["done"], job["failed"], job["total"]) == ("done", 4, 1, 4)
        assert job["expires"] - job["ended"] == pytest.approx(24 * 3600)
        files, report = unpacked(address, id)
        assert set(files) == {"b.tif", "trip/b.tif", "b-2.tif"}
        wanted = read_photo(Enhancer("gamma")(png)).pixels
        assert all(np.array_equal(read_photo(data).pixels, wanted) for data in files.values())
        told = {entry["input"]: entry["error"] for entry in report}
        assert "plain text" in told["trip/notes.txt"]
        assert [entry["method"] for entry in report if not entry["error"]] == ["gamma"] * 3


def test_a_part_of_a_result(serve, png):
    with serve() as address:
        id = queue(address, {"a.png": png}, method="gamma").json()["id"]
        wait_for(lambda: over(address, id))

        def ask(range):
            return get(f"{address}/v1/jobs/{id}/result", headers={"Range": range})

        whole = get(f"{address}/v1/jobs/{id}/result").content
        answer = ask("bytes=1-2")
        assert (answer.status_code, answer.content) == (206, whole[1:3])
        assert ask("bytes=0-1,4-5").status_code == 206
        for asked, status in (("lines=1-2", 400), ("bytes=", 400), ("bytes=9999999-", 416)):
            answer = ask(asked)
            assert answer.status_code == answer.json()["status"] == status
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["detail"] == f"the range {asked} of {len(whole)} bytes"
            assert answer.headers["content-range"] == f"bytes */{len(whole)}"


def test_the_head_of_a_result_reads_nothing_of_it(serve, tmp_path):
    with serve() as address:
        id = queue(address, {"a.png": b"x"}).json()["id"]
        wait_for(lambda: over(address, id))
        with (tmp_path / "state" / "jobs" / id / "result").open("wb") as file:
            file.write(b"\x1a\x45\xdf\xa3")  # as Matroska begins
            file.truncate(1 << 40)  # of holes
        answer = httpx.head(f"{address}/v1/jobs/{id}/result", timeout=30)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(1 << 40)


def test_a_job_with_evidence_is_confirmed_beside_its_originals(serve, png, beside, tmp_path):
    other = Enhancer("gamma")(png)
    with serve() as address:
        archive = zipped({"trip/b.png": png, "trip/../../b_daybreak.png": other, "trip/notes.txt": b"hello"})
        files = {"b.png": other, "more.zip": archive}
        id = queue(address, files, method="gamma", evidence="true").json()["id"]
        job = wait_for(lambda: over(address, id))
        assert (job["state"], job["done"], job["failed"]) == ("done", 4, 1)
        answer = get(f"{address}/v1/jobs/{id}/result")
    originals = {"b.png": other, "trip/b.png": png, "trip/b_daybreak.png": other}
    names = beside(answer.content, originals)
    # a result has the name of no original, and nothing lies above the folder
    made = ["b_daybreak.png", "trip/b_daybreak-2.png", "trip/b_daybreak_daybreak.png"]
    assert names == sorted([*made, "evidence.json", "report.json"])
    code, told = beside.verify()
    assert code == 0
    assert told.count("confirmed bit for bit\n") == 3
    assert f"SHA-256 {answer.headers['daybreak-evidence-sha256']}" in told
    manifest = json.loads((beside.folder / "evidence.json").read_bytes())
    assert [failure["path"] for failure in manifest["failed"]] == ["trip/notes.txt"]
    report = json.loads((beside.folder / "report.json").read_bytes())["files"]
    assert [entry["output"] for entry in report if entry["output"]] == made
    assert not any("evidence" in entry for entry in report)
    assert list((tmp_path / "state").rglob("*.png")) == []


@pytest.mark.parametrize(
    ("fault", "told", "logged"),
    [
        (
            RecursionError("deep in /usr/lib"),
            "b.png: an unexpected fault of the server; it is in its log",
            "RecursionError: deep in /usr/lib",
        ),
        (
            WeightsError("/usr/lib/neid.mine.onnx is damaged"),
            "this method is damaged on the server; its log says how",
            "/usr/lib/neid.mine.onnx is damaged",
        ),
    ],
    ids=["of the code", "of a weight"],
)
def test_a_fault_of_ours_fails_its_picture_alone(serve, png, monkeypatch, caplog, fault, told, logged):
    real = work.enhance_bytes

    def faulty(data, enhancer, output, source, *args, **options):
        if source.name == "b.png":
            raise fault
        return real(data, enhancer, output, source, *args, **options)

    monkeypatch.setattr(work, "enhance_bytes", faulty)
    with serve() as address:
        id = queue(address, {"a.png": png, "b.png": png, "c.png": png}, method="gamma").json()["id"]
        job = wait_for(lambda: over(address, id))
        assert (job["state"], job["done"], job["failed"]) == ("done", 3, 1)
        files, report = unpacked(address, id)
    assert set(files) == {"a.png", "c.png"}
    assert report[1]["error"] == told
    assert logged in caplog.text


def test_originals_of_one_name_are_no_evidence(serve, png, tmp_path):
    with serve() as address:
        refused = queue(address, {"b.png": png, "more.zip": zipped({"b.png": png})}, evidence="true")
        assert refused.status_code == 422
        assert "evidence of b.png: there is another file of that name" in refused.json()["detail"]
        assert queue(address, {"b.png": png}, evidence="true", format="avif").status_code == 422
        assert list((tmp_path / "state" / "jobs").iterdir()) == []


def test_what_cannot_be_repeated_fails_by_itself(serve, png, beside):
    photo = read_photo(png)
    avif = encode_photo(photo, "avif")
    with serve() as address:
        id = queue(address, {"a.avif": avif, "b.png": png}, method="gamma", evidence="true").json()["id"]
        wait_for(lambda: over(address, id))
        answer = get(f"{address}/v1/jobs/{id}/result")
    beside(answer.content, {"a.avif": avif, "b.png": png})
    (failure,) = json.loads((beside.folder / "evidence.json").read_bytes())["failed"]
    assert failure["path"] == "a.avif"
    assert "evidence in AVIF" in failure["error"]
    assert beside.verify()[0] == 0


def test_progress_comes_as_events(serve, png, gate):
    with serve() as address:
        id = queue(address, {"a.png": png, "b.png": png, "c.png": png}, method="gamma").json()["id"]
        seen = []
        with httpx.stream("GET", f"{address}/v1/jobs/{id}/events", timeout=60) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            name = ""
            for line in stream.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    seen.append((name, json.loads(line.removeprefix("data: "))["done"]))
                    gate.release()
        assert seen[-1] == ("done", 3)
        assert {("progress", 1), ("progress", 2)} <= set(seen)
        assert [done for _, done in seen] == sorted(done for _, done in seen)
        after = get(f"{address}/v1/jobs/{id}/events").text
        assert after.startswith("event: done\n")


def test_a_cancelled_job_stops_and_leaves_nothing(serve, png, gate, tmp_path):
    with serve() as address:
        id = queue(address, {f"{n}.png": png for n in range(5)}, method="gamma").json()["id"]
        gate.release()
        wait_for(lambda: get(f"{address}/v1/jobs/{id}").json()["done"] == 1)
        assert get(f"{address}/v1/jobs/{id}/result").status_code == 409
        with httpx.stream("GET", f"{address}/v1/jobs/{id}/events", timeout=60) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "event: progress"
            assert delete(f"{address}/v1/jobs/{id}").status_code == 204
            assert "event: cancelled" in list(lines)
        assert get(f"{address}/v1/jobs/{id}").status_code == 404
        gate.release(10)
        wait_for(lambda: not list((tmp_path / "state" / "jobs").iterdir()))
        again = queue(address, {"a.png": png}, method="gamma").json()["id"]  # the runner lives
        wait_for(lambda: over(address, again))


def test_a_full_queue_is_refused(serve, png, gate):
    with serve(jobs_queued=1) as address:
        first = queue(address, {"a.png": png}).json()["id"]
        wait_for(lambda: get(f"{address}/v1/jobs/{first}").json()["state"] == "running")
        assert queue(address, {"a.png": png}).status_code == 202
        refused = queue(address, {"a.png": png})
        assert refused.status_code == 429
        assert refused.headers["retry-after"]
        gate.release(10)


@pytest.mark.parametrize(
    ("files", "words", "status"),
    [
        ({"empty.zip": zipped({})}, {}, 422),
        ({"hidden.zip": zipped({".hidden": b"x", "a/": b""})}, {}, 422),
        ({"cut.zip": zipped({"a.png": b"x" * 999})[:60]}, {}, 422),
        ({"bent.zip": zipped({"a.png": b"x" * 999}).replace(b"\xab\xa8", b"\xff\xff")}, {}, 422),
        ({"large.zip": zipped({"a.png": bytes(3_000_000)})}, {}, 413),
        ({"large.png": bytes(200_000)}, {}, 413),
        ({f"{n}.png": b"x" for n in range(4)}, {}, 413),
        ({"many.zip": zipped({f"{n}.png": b"x" for n in range(4)})}, {}, 413),
        ({"a.png": b"x"}, {"method": "lme"}, 422),
        ({"a.png": b"x"}, {"kind": "audio"}, 422),
    ],
)
def test_what_cannot_be_a_job(serve, tmp_path, files, words, status):
    limits = {"job_bytes": 2_000_000, "bytes": 100_000, "job_pictures": 3}
    with serve(**limits) as address:
        answer = queue(address, files, **words)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert list((tmp_path / "state" / "jobs").iterdir()) == []


def test_a_zip_that_lies_about_its_sizes(serve):
    data = bytearray(zipped({"a.png": bytes(1_000_000)}))
    real, lie = (1_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little")
    assert data.count(real) == 2
    with serve(bytes=100_000) as address:
        answer = queue(address, {"lie.zip": bytes(data.replace(real, lie))})
        assert answer.status_code == 422, answer.text


def test_names_that_climb_stay_words(serve, png, tmp_path):
    with serve() as address:
        archive = zipped({"C:\\temp\\b.png": png, "/etc/c.png": png, "x/../../../a.png": png})
        id = queue(address, {"../../d.png": png, "z.zip": archive}, method="gamma").json()["id"]
        wait_for(lambda: over(address, id))
        files, _ = unpacked(address, id)
        assert set(files) == {"d.png", "C/temp/b.png", "etc/c.png", "x/a.png"}
    names = {path.name for path in (tmp_path / "state").rglob("*.png")}
    assert names == set()


def test_results_expire(serve, png, tmp_path):
    with serve(keep_hours=1e-6) as address:
        id = queue(address, {"a.png": png}, method="gamma").json()["id"]
        wait_for(lambda: get(f"{address}/v1/jobs/{id}").status_code == 404)
    store = JobStore(tmp_path / "state")
    assert store.sweep(time.time()) in (0, 1)
    assert store.find(id) is None
    assert list(store.folder.iterdir()) == []
    store.close()


def test_unknown_jobs(serve):
    with serve() as address:
        for id, status in (("0" * 32, 404), ("..%2f..%2fetc", 404), ("x", 422), ("A" * 32, 422)):
            for path in ("", "/result", "/events"):
                answer = get(f"{address}/v1/jobs/{id}{path}")
                assert answer.status_code == status
                assert answer.headers["content-type"] == "application/problem+json"


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """24 dark frames of 96x64 with sound."""
    pytest.importorskip("av")
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg on the PATH")
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    picture = "testsrc2=size=96x64:rate=24:duration=1,eq=brightness=-0.35"
    made = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=duration=1", "-shortest"]
    subprocess.run(["ffmpeg", "-v", "error", *made, "-c:v", "libx264", path], check=True)
    return path.read_bytes()


def test_a_film_is_a_job_of_frames(serve, film, tmp_path):
    with serve() as address:
        answer = queue(address, {"night.mp4": film}, kind="video", method="gamma")
        assert answer.status_code == 202, answer.text
        job = wait_for(lambda: over(address, answer.json()["id"]))
        assert (job["state"], job["error"], job["done"], job["total"]) == ("done", "", 24, 24)
        made = get(f"{address}/v1/jobs/{job['id']}/result")
        assert made.headers["content-type"] == "video/mp4"
        assert made.headers["content-disposition"].endswith('.mp4"')
    (tmp_path / "made.mp4").write_bytes(made.content)
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=codec_type,nb_read_frames",
         "-of", "json", tmp_path / "made.mp4"],
        capture_output=True, check=True,
    )  # fmt: skip
    streams = json.loads(told.stdout)["streams"]
    assert [stream["codec_type"] for stream in streams] == ["video", "audio"]
    assert streams[0]["nb_read_frames"] == "24"


@pytest.mark.parametrize("what", ["nothing", "version", "folder"])
def test_a_half_done_film_that_does_not_fit_any_more_is_begun_anew(film, tmp_path, monkeypatch, what):
    folder, told, asked = tmp_path / "job", [], understand({"method": "gamma"})

    def work(stop_at=None):
        def progress(done, *_):
            told.append(done)
            if done == stop_at:
                raise Stopped

        source, result = folder / "000000", folder / "result"
        films.run_film([source], ["night.mp4"], folder / "out", result, asked, Limits(), progress)

    (folder / "out").mkdir(parents=True)
    (folder / "000000").write_bytes(film)
    with pytest.raises(Stopped):
        work(stop_at=24)
    assert list((folder / "out").iterdir())
    if what == "version":
        monkeypatch.setattr("daybreak.enhancing.video.run.__version__", "another")
    if what == "folder":
        folder = folder.rename(tmp_path / "elsewhere")
    told.clear()
    work()
    assert told[-1] == 24
    assert what == "nothing" or told == list(range(1, 25))
    assert (folder / "result").read_bytes()[4:8] == b"ftyp"


def test_a_film_is_stopped_while_it_is_put_together(film, tmp_path):
    source, result, told = tmp_path / "000000", tmp_path / "result", []
    source.write_bytes(film)
    (tmp_path / "out").mkdir()

    def work():
        asked = understand({"method": "gamma"})

        def progress(done, *_):
            told.append(done)

        films.run_film([source], ["night.mp4"], tmp_path / "out", result, asked, Limits(), progress)

    with stoppable(lambda: told[-1:] == [24]), pytest.raises(DaybreakError, match="stopped"):
        work()
    assert not result.exists()
    work()
    assert result.read_bytes()[4:8] == b"ftyp"


def test_a_film_that_cannot_be_put_together_is_told_by_its_name(serve, film, tmp_path, monkeypatch):
    def refuse(*_):
        raise av.error.InvalidDataError(1, "Invalid data")

    av = pytest.importorskip("av")
    monkeypatch.setattr("daybreak.enhancing.video.run.mux", refuse)
    with serve() as address:
        id = queue(address, {"night.mp4": film}, kind="video", method="gamma").json()["id"]
        job = wait_for(lambda: over(address, id))
    assert (job["state"], job["error"]) == ("failed", "night.mp4 cannot be put together (Invalid data)")
    assert not list(tmp_path.rglob("*.daybreak-part"))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_film_with_evidence_comes_in_a_zip(serve, film, beside, suffix, tmp_path):
    source = tmp_path / f"source{suffix}"
    (tmp_path / "source").write_bytes(film)
    copy = ["-i", tmp_path / "source", "-t", "0.25", "-c", "copy", source]
    subprocess.run(["ffmpeg", "-v", "error", *copy], check=True)
    night = source.read_bytes()
    with serve() as address:
        words = {"kind": "video", "method": "gamma", "evidence": "true"}
        id = queue(address, {f"../night{suffix}": night}, **words).json()["id"]
        job = wait_for(lambda: over(address, id))
        assert (job["state"], job["error"]) == ("done", "")
        answer = get(f"{address}/v1/jobs/{id}/result")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].endswith('.zip"')
    assert beside(answer.content, {f"night{suffix}": night}) == ["evidence.json", f"night_daybreak{suffix}"]
    code, told = beside.verify()
    assert code == 0, told
    assert f"night_daybreak{suffix}: confirmed bit for bit\n" in told
    assert f"SHA-256 {answer.headers['daybreak-evidence-sha256']}" in told


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n", {}),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", {}),
        (b"ID3\x04G\0\0\0\0\0ffconcat version 1.0\nfile 000000\n", {}),
        (b"night\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n", {}),
        (b"\0\0\0\x18ftypmp42" + bytes(40), {}),
        (b"", {}),
        (b"\0\0\0\x18ftypmp42" + bytes(40), {"format": "png"}),
    ],
)
def test_what_is_no_film_is_refused_before_anything_opens_it(serve, data, words):
    pytest.importorskip("av")
    with serve() as address:
        answer = queue(address, {"night.mp4": data}, kind="video", **words)
        assert answer.status_code == 422, answer.text


def test_a_list_that_begins_like_a_film_is_not_opened(film, tmp_path, monkeypatch):
    source = pytest.importorskip("daybreak.enhancing.video.source")
    path = tmp_path / "000000"
    (tmp_path / "film").write_bytes(film)
    path.write_bytes(b"ffconcat version 1.0\nfile film\n")
    assert source.Film(path).about.width == 96
    monkeypatch.setattr(films, "_CONTAINERS", ((0, b"ffconcat", "mpegts"),))
    with pytest.raises(UnreadablePicture, match=r"^night\.mp4 cannot be read as a video"):
        films.check_film(path, "night.mp4", understand({}), Limits())


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".mpg", ".ts", ".m2ts", ".ogv"])
def test_every_container_is_taken(film, tmp_path, suffix):
    source = tmp_path / f"source{suffix}"
    (tmp_path / "source").write_bytes(film)
    codec = {".ogv": "libtheora", ".mpg": "mpeg2video"}.get(suffix, "copy")
    kept = ["-i", tmp_path / "source", "-an", "-c:v", codec, source]
    subprocess.run(["ffmpeg", "-v", "error", *kept], check=True)
    films.check_film(source, source.name, understand({}), Limits())


def test_a_film_of_too_many_pixels(serve, film):
    with serve(pixels=1000) as address:
        assert queue(address, {"night.mp4": film}, kind="video").status_code == 413


def test_one_film_a_job(serve, film):
    with serve() as address:
        assert queue(address, {"a.mp4": film, "b.mp4": film}, kind="video").status_code == 422


SLOW_SERVER = """
import sys, time
from pathlib import Path
from daybreak.serving.jobs import pictures
from daybreak.serving.app import create_app
from daybreak.serving.limits import ServerConfig
from daybreak.serving.server import listen, run
real = pictures.enhance_bytes
def slow(*args, **options):
    time.sleep(float(sys.argv[2]))
    made = real(*args, **options)
    with open(sys.argv[1] + "/calls", "a") as file:
        print(args[3], file=file)
    return made
pictures.enhance_bytes = slow
config = ServerConfig(Path(sys.argv[1]), port=0)
listener = listen(config)
print(listener.getsockname()[1], flush=True)
run(create_app(config), config, listener)
"""


def started(state, seconds):
    """A server in a process of its own whose pictures take so long; gives it and its address."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_SERVER, state, str(seconds)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    address = f"http://127.0.0.1:{process.stdout.readline().strip()}"

    def ready():
        try:
            return get(f"{address}/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    wait_for(ready)
    return process, address


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_job_survives_a_kill_and_does_no_picture_twice(tmp_path, png):
    process, address = started(tmp_path, 0.3)
    try:
        id = queue(address, {f"{n}.png": png for n in range(6)}, method="gamma").json()["id"]
        waiting = queue(address, {"later.png": png}, method="gamma").json()["id"]
        wait_for(lambda: get(f"{address}/v1/jobs/{id}").json()["done"] >= 2)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    process, address = started(tmp_path, 0)
    try:
        job = wait_for(lambda: over(address, id))
        assert (job["state"], job["done"], job["failed"]) == ("done", 6, 0)
        calls = [name for name in (tmp_path / "calls").read_text().split() if name != "later.png"]
        assert len(calls) <= 7  # the one at the kill may have been done and not noted
        files, _ = unpacked(address, id)
        assert len(files) == 6
        assert wait_for(lambda: over(address, waiting))["state"] == "done"
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode in (0, -signal.SIGTERM)


KILLED_AT_WORK = """
import os, signal, sys
from pathlib import Path
from daybreak.serving.jobs import pictures
from daybreak.serving.jobs.runner import Runner
from daybreak.serving.jobs.store import JobStore
from daybreak.stopping import look
from daybreak.serving.limits import Limits
pictures.enhance_bytes = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
runner = Runner(JobStore(Path(sys.argv[1])), Limits())
runner.start()
runner._thread.join(30)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("done", [0, 1])
def test_a_job_that_ends_the_server_does_not_end_it_for_ever(tmp_path, serve, png, done):
    store = JobStore(tmp_path / "state")
    id = store.new_id()
    names = ["a.png", "b.png"][: done + 1]
    for place in range(len(names)):
        (store.inputs(id) / f"{place:06}").write_bytes(png)
    for place in range(done):  # is told again at each start, which is no getting on
        (store.outputs(id) / f"{place:06}.json").write_text('{"error": ""}')
    store.add(id, "pictures", {}, names)
    store.close()
    for _ in range(3 + done):
        died = subprocess.run([sys.executable, "-c", KILLED_AT_WORK, tmp_path / "state"], check=False)
        assert died.returncode == -signal.SIGKILL
    with serve() as address:
        job = wait_for(lambda: over(address, id))
        assert (job["state"], job["error"]) == ("failed", "the server ended 3 times at the same place of it")


def test_one_server_a_folder(serve, tmp_path):
    with serve(), pytest.raises(OutputExists, match="serving from"), serve():
        pass
    JobStore(tmp_path / "state").close()


def test_a_store_that_is_none_is_said(tmp_path):
    (tmp_path / "jobs.sqlite").write_bytes(b"no database at all, but a file of some length" * 100)
    with pytest.raises(UnwritablePicture, match=r"jobs\.sqlite cannot be used"):
        JobStore(tmp_path)


def test_the_result_alone_stays(serve, png, tmp_path):
    with serve() as address:
        id = queue(address, {"a.png": png}, method="gamma").json()["id"]
        wait_for(lambda: over(address, id))
        folder = tmp_path / "state" / "jobs" / id
        wait_for(lambda: [path.name for path in folder.iterdir()] == ["result"])
        assert len(unpacked(address, id)[0]) == 1


def test_what_lies_here_is_bounded(serve, png):
    with serve(kept_bytes=16 * len(png)) as address:
        first = queue(address, {f"{n}.png": png for n in range(4)}, method="gamma").json()["id"]
        assert wait_for(lambda: over(address, first))["state"] == "done"
        refused = queue(address, {f"{n}.png": png for n in range(15)})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "60")
        assert delete(f"{address}/v1/jobs/{first}").status_code == 204
        assert queue(address, {"a.png": png}).status_code == 202


def test_a_job_that_makes_more_than_is_kept_fails(serve, png, tmp_path):
    with serve(kept_bytes=20 * read_photo(png).pixels.size) as address:  # a result of 16 bits takes 2 of them
        words = {"method": "gamma", "format": "tiff", "bit_depth": "16"}
        few = queue(address, {f"{n}.png": png for n in range(2)}, **words).json()["id"]
        many = queue(address, {f"{n}.png": png for n in range(9)}, **words).json()["id"]
        assert wait_for(lambda: over(address, few))["state"] == "done"
        job = wait_for(lambda: over(address, many))
        assert (job["state"], job["failed"]) == ("failed", 0)
        assert job["done"] < 9
        assert job["error"].startswith("there is no room for what the job makes: all jobs here may take ")
        folder = tmp_path / "state" / "jobs" / many
        wait_for(lambda: not list(folder.iterdir()))


def test_what_has_expired_is_gone_before_it_is_swept(tmp_path):
    store = JobStore(tmp_path)
    id = store.new_id()
    store.add(id, "pictures", {}, ["a.png"])
    store.finish(id, "", -1.0)
    assert store.find(id) is None
    store.close()


def test_a_full_disk_does_not_end_the_jobs(serve, png, monkeypatch):
    monkeypatch.setattr(runner, "_RETRY_SECONDS", 0.05)
    real, faults = JobStore.start, iter([sqlite3.OperationalError("database or disk is full")] * 2)

    def start(self, id):
        for fault in faults:
            raise fault
        real(self, id)

    monkeypatch.setattr(JobStore, "start", start)
    with serve() as address:
        id = queue(address, {"a.png": png}, method="gamma").json()["id"]
        assert wait_for(lambda: over(address, id))["state"] == "done"


@pytest.fixture
def full(monkeypatch):
    """While it is set, the disk takes no results of pictures; needs no right to mount one."""
    full, real = threading.Event(), work.write_whole

    def write(path, data, **options):
        with writing(path):
            if full.is_set() and path.suffix != ".json":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(path, data, **options)

    monkeypatch.setattr(work, "write_whole", write)
    monkeypatch.setattr(runner, "_RETRY_SECONDS", 0.05)
    return full


def waits_and_is_done(address, id, caplog, free):
    """A job of three, of which one is done, while its disk is full and after it was freed."""
    wait_for(lambda: caplog.text.count("the jobs cannot go on") > 2)
    job = get(f"{address}/v1/jobs/{id}").json()
    assert (job["state"], job["done"], job["failed"]) == ("running", 1, 0)
    free()
    job = wait_for(lambda: over(address, id))
    assert (job["state"], job["done"], job["failed"]) == ("done", 3, 0)


def test_a_job_waits_while_nothing_can_be_written(serve, png, gate, full, caplog):
    with serve() as address:
        id = queue(address, {"a.png": png, "b.png": png, "c.png": png}, method="gamma").json()["id"]
        gate.release()
        wait_for(lambda: get(f"{address}/v1/jobs/{id}").json()["done"] == 1)
        full.set()
        gate.release(1000)
        waits_and_is_done(address, id, caplog, full.clear)


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ("_enhance", OSError(errno.EMFILE, "")),
        ("enhance_bytes", OSError(errno.EIO, "")),
        ("enhance_bytes", OSError(errno.ESTALE, "")),
        ("_pack", OSError(errno.ENOMEM, "")),
        ("_pack", MemoryError()),
    ],
)
def test_a_job_waits_for_what_passes(serve, png, monkeypatch, caplog, part, fault):
    monkeypatch.setattr(runner, "_RETRY_SECONDS", 0.05)
    real, faults = getattr(work, part), iter([fault] * 2)

    def faulty(*args, **options):
        for one in faults:
            raise one
        return real(*args, **options)

    monkeypatch.setattr(work, part, faulty)
    with serve() as address:
        id = queue(address, {"a.png": png}, method="gamma").json()["id"]
        job = wait_for(lambda: over(address, id))
        assert (job["state"], job["failed"], job["error"]) == ("done", 0, "")
    assert caplog.text.count("the jobs cannot go on") == 2


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_picture_that_takes_too_much_memory_is_one_line(serve, png, monkeypatch, wrapped):
    real, faults = work.enhance_bytes, iter([MemoryError()])

    def faulty(*args, **options):
        for fault in faults:
            try:
                raise fault
            except MemoryError:
                if not wrapped:
                    raise
                raise UnreadablePicture("a.png does not fit in memory") from None
        return real(*args, **options)

    monkeypatch.setattr(work, "enhance_bytes", faulty)
    with serve() as address:
        id = queue(address, {"a.png": png, "b.png": png}, method="gamma").json()["id"]
        job = wait_for(lambda: over(address, id))
    assert (job["state"], job["failed"], job["error"]) == ("done", 1, "")


def test_only_a_full_disk_is_called_one():
    told = {
        OSError(errno.ENOSPC, "full"): "no room",
        sqlite3.OperationalError("database or disk is full"): "no room",
        sqlite3.OperationalError("database is locked"): "(database is locked)",
        OSError(errno.EIO, "Input/output error"): "(Input/output error)",
    }
    for fault, words in told.items():
        assert words in given_up(fault)


def test_what_does_not_pass_is_said(serve, png, monkeypatch):
    def faulty(*_, **__):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(work, "enhance_bytes", faulty)
    monkeypatch.setattr(runner, "_PATIENCE_SECONDS", 0.0)
    with serve() as address:
        id = queue(address, {"a.png": png}, method="gamma").json()["id"]
        job = wait_for(lambda: over(address, id))
    assert job["error"] == "the system refused for too long what the job needs (Too many open files)"


def test_a_job_that_does_not_get_on_lets_the_others_go_on(serve, png, full, monkeypatch, tmp_path):
    monkeypatch.setattr(runner, "_PATIENCE_SECONDS", 0.3)
    real = JobStore.finish

    def finish(self, id, error, keep_seconds):
        real(self, id, error, keep_seconds)
        full.clear()  # of what the first job left

    monkeypatch.setattr(JobStore, "finish", finish)
    full.set()
    with serve() as address:
        first, second = (queue(address, {"a.png": png}, method="gamma").json()["id"] for _ in range(2))
        job = wait_for(lambda: over(address, first))
        assert job["state"] == "failed"
        assert job["error"] == "there is no room for what the job makes: the disk took no more for too long"
        assert list((tmp_path / "state" / "jobs" / first).iterdir()) == []
        assert wait_for(lambda: over(address, second))["state"] == "done"


@pytest.mark.parametrize("ends", ["done", "failed"])
def test_a_job_whose_end_the_disk_refuses_is_not_done_again(ends, serve, png, full, monkeypatch):
    monkeypatch.setattr(runner, "_PATIENCE_SECONDS", 0.1)
    real, refusals, runs = JobStore._do, iter(range(3)), []

    def do(self, statement, *values):
        if statement.startswith("update jobs set state = ?") and next(refusals, None) is not None:
            raise sqlite3.OperationalError("database or disk is full")
        return real(self, statement, *values)

    def run(self, job, run=runner.Runner._run):
        runs.append(len(list(self.store.inputs(job.id).glob("*"))))
        return run(self, job)

    monkeypatch.setattr(JobStore, "_do", do)
    monkeypatch.setattr(runner.Runner, "_run", run)
    if ends == "failed":
        full.set()
    with serve() as address:
        id = queue(address, {"a.png": png}, method="gamma").json()["id"]
        job = wait_for(lambda: over(address, id))
    assert next(refusals, None) is None, "the disk did refuse"
    assert job["state"] == ends
    assert ("no room for what the job makes" in job["error"]) == (ends == "failed")
    assert runs == [1] * len(runs), "what came lay there each time"
    assert ends == "failed" or len(runs) == 1


def test_a_job_that_gets_on_is_waited_for(tmp_path, monkeypatch):
    now = iter([0.0, 3000.0, 4000.0, 7000.0, 7600.0])
    monkeypatch.setattr(runner, "time", SimpleNamespace(monotonic=lambda: next(now)))
    with closing(JobStore(tmp_path)) as store:
        id = store.new_id()
        store.add(id, "pictures", {}, ["a.png"])
        worker = runner.Runner(store, Limits())
        assert [worker._hopeless(id) for _ in range(2)] == [False, False]
        store.progress(id, 1, 0, 2)
        assert [worker._hopeless(id) for _ in range(3)] == [False, False, True]


@pytest.fixture
def room(tmp_path, monkeypatch):
    """room(made, ...) raises where a job of 10 bytes has no room for as many more; 100 lie beside it."""
    with closing(JobStore(tmp_path)) as store:
        mine, waits, done = (store.new_id() for _ in range(3))
        (store.inputs(mine) / "000000").write_bytes(bytes(10))
        (store.inputs(waits) / "000000").write_bytes(bytes(60))
        store.result(done).write_bytes(bytes(40))

        def check(made, *, kept, disk):
            used = SimpleNamespace(used=disk - 5, free=5)  # by others too
            monkeypatch.setattr("daybreak.serving.jobs.room.shutil.disk_usage", lambda _: used)
            Room(store, mine, kept).check(made)

        yield check


def test_what_came_for_jobs_that_wait_takes_no_room_of_one_that_runs(room):
    room(20, kept=70, disk=1000)
    with pytest.raises(UnwritablePicture, match="all jobs here may take 69 bytes"):
        room(20, kept=69, disk=1000)


def test_a_disk_that_is_smaller_than_what_may_be_kept(room):
    room(20, kept=1000, disk=130)
    with pytest.raises(UnwritablePicture, match="the disk of all jobs here has 129 bytes"):
        room(20, kept=1000, disk=129)


class Disk:
    """A disk of 4 MiB that holds a server's state; needs the right to mount one."""

    def __init__(self, folder):
        self.folder = folder

    def fill(self, *, but=0):
        """Leave so many bytes free, whole pages of 4 KiB."""
        with (self.folder / "filler").open("wb", buffering=0) as file:
            with suppress(OSError):
                while True:
                    file.write(bytes(4096))
            file.truncate(file.tell() - but)

    def take_names(self, *, but):
        """Leave room for so many files and folders."""
        free = os.statvfs(self.folder).f_ffree
        for n in range(free - but):
            (self.folder / f"empty-{n}").touch()

    def free(self):
        (self.folder / "filler").unlink()


@pytest.fixture
def disk(small_disk):
    """Where a server keeps its state."""
    return Disk(small_disk("state", "size=4m,nr_inodes=100"))


def test_a_job_waits_until_the_disk_has_room(serve, png, gate, disk, monkeypatch, caplog):
    monkeypatch.setattr(runner, "_RETRY_SECONDS", 0.05)
    with serve() as address:
        id = queue(address, {"a.png": png, "b.png": png, "c.png": png}, method="gamma").json()["id"]
        gate.release()
        wait_for(lambda: get(f"{address}/v1/jobs/{id}").json()["done"] == 1)
        disk.fill(but=12_288)  # for what is noted of a picture, not for its result
        gate.release(1000)
        waits_and_is_done(address, id, caplog, disk.free)
        assert len(unpacked(address, id)[0]) == 3


@pytest.mark.parametrize("evidence", ["false", "true"])
def test_a_film_waits_until_the_disk_has_room(serve, film, disk, monkeypatch, caplog, evidence):
    monkeypatch.setattr(runner, "_RETRY_SECONDS", 0.05)
    real, times = JobStore.progress, iter([None])

    def progress(self, id, done, failed, total):
        real(self, id, done, failed, total)
        if done == 24:
            for _ in times:
                disk.fill(but=20_480)  # for a note that it failed, not for the film

    monkeypatch.setattr(JobStore, "progress", progress)
    with serve() as address:
        words = {"kind": "video", "method": "gamma", "evidence": evidence}
        id = queue(address, {"night.mp4": film}, **words).json()["id"]
        wait_for(lambda: caplog.text.count("the jobs cannot go on") > 2)
        assert get(f"{address}/v1/jobs/{id}").json()["state"] == "running"
        disk.free()
        job = wait_for(lambda: over(address, id))
        assert (job["state"], job["error"], job["done"]) == ("done", "", 24)


@pytest.mark.parametrize("left", [0, 1, 2, 3])
def test_no_room_for_the_files_of_a_job(serve, png, disk, left):
    with serve() as address:
        disk.take_names(but=left)
        no_room(queue(address, {"a.png": png}), disk)


@pytest.mark.parametrize("left", [0, 4096])  # the file of one byte takes a page, and leaves none for its row
def test_no_room_for_the_bytes_of_a_job(serve, disk, left):
    with serve() as address:
        disk.fill(but=left)
        no_room(queue(address, {"a.png": b"x"}), disk)
        no_room(queue(address, {"a.zip": zipped({"a.png": b"x"})}), disk)


def no_room(answer, disk):
    """It was answered 503, without a path, and nothing of the request is left."""
    assert answer.status_code == 503, answer.text
    assert answer.headers["retry-after"]
    assert answer.json()["detail"].startswith("there is no room for the job (")
    assert str(disk.folder) not in answer.text
    assert list((disk.folder / "jobs").iterdir()) == []


def test_a_full_disk_lets_the_files_of_a_job_go(disk):
    with closing(JobStore(disk.folder)) as store:
        id = store.new_id()
        store.add(id, "pictures", {}, ["a.png"])
        disk.fill()
        with pytest.raises(sqlite3.OperationalError, match="full"):
            store.drop(id)
        assert list(store.folder.iterdir()) == []
        disk.free()
        assert store.drop(id)


def test_a_cancelled_job_stops_within_its_picture(serve, png, monkeypatch, endless):
    monkeypatch.setattr(work, "enhance_bytes", endless)
    with serve() as address:
        id = queue(address, {"a.png": png}).json()["id"]
        assert endless.began.wait(60)
        delete(f"{address}/v1/jobs/{id}")
        assert endless.stopped.wait(60)
