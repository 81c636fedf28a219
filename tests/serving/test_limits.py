from __future__ import annotations

import asyncio
import io
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial

import httpx
import pytest
from PIL import Image

from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.memory import SHARE, bytes_per_pixel
from daybreak.errors import BadSetting, WeightsError
from daybreak.methods import gamma
from daybreak.methods.auto import FEW
from daybreak.serving.limits import Limits, ServerConfig, is_loopback
from daybreak.serving.server import allow_open_files, listen
from daybreak.serving.work import fitting_pixels
from daybreak.stopping import look

get = partial(httpx.get, timeout=60)  # machines differ and are shared
post = partial(httpx.post, timeout=60)  # machines differ and are shared


@pytest.fixture
def slow():
    """Gamma that waits until it is let go (or half a minute)."""
    gate = threading.Event()
    real = gamma.METHOD.run, gamma.METHOD.prepare

    def run(pixels, settings):
        gate.wait(120)
        return real[0](pixels, settings)

    def prepare(source, settings, room):
        gate.wait(120)
        return real[1](source, settings, room)

    object.__setattr__(gamma.METHOD, "run", run)
    object.__setattr__(gamma.METHOD, "prepare", prepare)
    yield gate
    gate.set()
    object.__setattr__(gamma.METHOD, "run", real[0])
    object.__setattr__(gamma.METHOD, "prepare", real[1])


def test_an_address_that_is_told_is_one_that_answers(tmp_path):
    """`serve` prints it before uvicorn runs: connections wait until it does."""
    with listen(ServerConfig(tmp_path, port=0)) as listener:
        socket.create_connection(listener.getsockname(), timeout=5).close()


def connect(address):
    host, port = address.removeprefix("http://").split(":")
    return closing(socket.create_connection((host, int(port)), timeout=60))


def read_all(line):
    """What comes until the other side closes, in whatever way."""
    came = b""
    with suppress(ConnectionError):
        while part := line.recv(65536):
            came += part
    return came


def exchange(line, head):
    """What comes for a request for JSON; the connection stays open."""
    line.sendall(head)
    came = b""
    while not came.endswith(b"}"):
        came += (more := line.recv(65536))
        assert more, came
    return came


def test_a_head_sent_too_slowly_loses_its_connection(serve, png):
    with serve(header_seconds=2) as address:
        with connect(address) as idle, connect(address) as trickle:
            start = time.monotonic()
            trickle.sendall(b"POST /v1/enhance HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            assert post(f"{address}/v1/enhance?method=gamma", content=png).status_code == 200
            with suppress(ConnectionError):  # each header in time, the whole not
                while time.monotonic() < start + 60:
                    trickle.sendall(b"X: 1\r\n")
                    time.sleep(0.2)
            assert time.monotonic() < start + 50
            assert read_all(idle) == b""
            assert read_all(trickle) == b""
        assert get(f"{address}/healthz").status_code == 200


def test_a_second_head_on_the_same_line_has_its_time_too(serve):
    with serve(header_seconds=0.5) as address, connect(address) as line:
        assert b"200 OK" in exchange(line, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        time.sleep(0.7)
        line.sendall(b"GET /healthz HTTP/1.1\r\nHo")
        start = time.monotonic()
        assert read_all(line) == b""
        assert time.monotonic() - start < 50


@pytest.mark.parametrize("path", ["/gradio_api/upload/", "/gradio_api/upload_progress", "/v1/jobsx"])
def test_only_the_very_paths_of_uploads_take_much(path, serve):
    with serve() as address, connect(address) as line:
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {2 << 20}\r\n\r\n"
        line.sendall(head.encode())
        assert line.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_the_body_of_a_request_that_is_answered_holds_no_connection(serve):
    with serve(header_seconds=0.5) as address, connect(address) as line:
        exchange(line, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n")
        line.sendall(b"x")
        assert read_all(line) == b""


def test_an_answer_whose_end_nobody_reads_gives_its_connection_back(serve):
    with serve(header_seconds=0.5, receive_seconds=0.5, connections=1) as address, connect(address) as deaf:
        deaf.settimeout(1)
        with suppress(OSError):  # until neither side can send
            while True:
                deaf.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 100)
        deadline = time.monotonic() + 60
        while get(f"{address}/healthz").status_code == 503:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_a_body_sent_too_slowly_is_answered_and_gives_its_place_back(serve, png):
    with serve(receive_seconds=4, in_flight=1) as address:
        with connect(address) as line:
            head = b"POST /v1/enhance HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(png)
            line.sendall(head + png[:100])
            time.sleep(0.2)
            assert post(f"{address}/v1/enhance", content=png).status_code == 429
            came = read_all(line)
            assert came.startswith(b"HTTP/1.1 408 ")
            assert b"application/problem+json" in came
        assert post(f"{address}/v1/enhance?method=gamma", content=png).status_code == 200


def test_a_client_that_goes_away_gives_its_place_back(serve, png):
    with serve(in_flight=1) as address:
        with connect(address) as line:
            line.sendall(b"POST /v1/enhance HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9999\r\n\r\nabc")
            time.sleep(0.2)
        deadline = time.monotonic() + 60
        while (answer := post(f"{address}/v1/enhance?method=gamma", content=png)).status_code == 429:
            assert time.monotonic() < deadline
        assert answer.status_code == 200


def test_too_many_connections_are_told_so(serve):
    with serve(connections=3, header_seconds=20) as address:
        with connect(address), connect(address), connect(address), connect(address) as one_more:
            came = read_all(one_more)
            assert came.startswith(b"HTTP/1.1 503 ")
            assert b"retry-after: 2" in came
        time.sleep(0.2)
        assert get(f"{address}/healthz").status_code == 200


def test_two_hundred_at_once_are_all_answered(serve, png):
    async def ask(address):
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(base_url=address, timeout=300, limits=limits) as client:
            return await asyncio.gather(
                *(client.post("/v1/enhance?method=gamma", content=png) for _ in range(200))
            )

    with serve(in_flight=8, seconds=300, receive_seconds=300, header_seconds=300) as address:
        answers = asyncio.run(ask(address))
        codes = [answer.status_code for answer in answers]
        assert set(codes) <= {200, 429}
        assert codes.count(200) >= 8
        refused = [answer for answer in answers if answer.status_code == 429]
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
        assert get(f"{address}/readyz").status_code == 200  # every place was given back


def metric(address, name):
    lines = get(f"{address}/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


def comes_to(address, name, value, seconds=60):
    deadline = time.monotonic() + seconds
    while metric(address, name) != value:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_outlasts_its_seconds_is_refused_and_keeps_its_place_until_it_ends(serve, png, slow):
    with serve(seconds=2, in_flight=3, workers=1) as address:
        url = f"{address}/v1/enhance?method=gamma&exposure=1"
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda _: post(url, content=png), range(2)))
        assert [answer.status_code for answer in answers] == [503, 503]
        assert all(answer.headers["retry-after"] for answer in answers)
        assert "2 seconds" in answers[0].json()["detail"]
        # the first is at work for nobody; the second never began and gave its place back
        comes_to(address, "daybreak_in_flight", 1)  # a place is given back once its answer has gone out
        comes_to(address, "daybreak_given_up", 1)
        refused = post(url, content=png)  # told at once, as no worker is free for it
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        assert "every worker" in refused.json()["detail"]
        assert get(f"{address}/readyz").status_code == 503
        slow.set()
        comes_to(address, "daybreak_in_flight", 0)
        comes_to(address, "daybreak_given_up", 0)
        assert post(url, content=png).status_code == 200


@pytest.fixture
def looping():
    """Gamma that computes without an end, but looks whether it is to; the event says that it began."""
    began = threading.Event()

    def run(*_):
        go_on = look()
        for _ in range(12_000):
            began.set()
            go_on()
            time.sleep(0.01)

    real = gamma.METHOD.run
    object.__setattr__(gamma.METHOD, "run", run)
    yield began
    object.__setattr__(gamma.METHOD, "run", real)


def test_work_that_outlasts_its_seconds_is_stopped(serve, png, looping):
    with serve(seconds=1, workers=1) as address:
        assert post(f"{address}/v1/enhance?method=gamma&exposure=1", content=png).status_code == 503
        comes_to(address, "daybreak_in_flight", 0)
        assert post(f"{address}/v1/enhance?method=crm", content=png, timeout=60).status_code in (200, 503)


def test_the_work_of_a_client_that_went_away_is_stopped(serve, png, looping):
    with serve(seconds=100, workers=1, in_flight=1) as address:
        with connect(address) as line:
            head = b"POST /v1/enhance?method=gamma&exposure=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            line.sendall(head + b"Content-Length: %d\r\n\r\n" % len(png) + png)
            assert looping.wait(60)
            assert metric(address, "daybreak_in_flight") == 1
        comes_to(address, "daybreak_in_flight", 0)


def test_the_token_is_asked_for(serve, png):
    with serve(token="sesame") as address:
        assert get(f"{address}/healthz").status_code == 200
        for given in ({}, {"Authorization": "Bearer sesam"}, {"Authorization": "Basic sesame"}):
            answer = post(f"{address}/v1/enhance", content=png, headers=given)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
        right = {"Authorization": "Bearer sesame"}
        answer = post(f"{address}/v1/enhance?method=gamma", content=png, headers=right)
        assert answer.status_code == 200
        schema = get(f"{address}/openapi.json", headers=right).json()
        assert schema["paths"]["/v1/enhance"]["post"]["security"] == [{"token": []}]


def test_a_browser_shows_the_token_once(serve):
    with serve(token="sesame") as address, httpx.Client(base_url=address) as browser:
        sent = browser.get("/docs", headers={"accept": "text/html"})
        assert (sent.status_code, sent.headers["location"]) == (303, "/login")
        assert browser.get("/login").status_code == 200
        assert browser.post("/login", files={"token": (None, "wrong")}).status_code == 401
        right = browser.post("/login", files={"token": (None, "sesame")})
        assert right.status_code == 303
        cookie = right.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "sesame" not in cookie
        assert browser.get("/docs").status_code == 200
        others = f'prefs={{"x": 1}}; path=/; {cookie.partition(";")[0]}'  # of other applications on this host
        assert get(f"{address}/docs", headers={"cookie": others}).status_code == 200


def test_other_hosts_and_other_pages_are_refused(serve, png):
    with serve() as address:
        url = f"{address}/v1/enhance?method=gamma"
        assert get(f"{address}/healthz", headers={"host": "evil.example"}).status_code == 403
        for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
            answer = post(url, content=png, headers={"origin": origin})
            assert answer.status_code == 403
        assert post(url, content=png, headers={"origin": address}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"host": "["}, {"host": "[::1"}, {"host": "a@127.0.0.1"}, {"origin": "http://["}, {"origin": "x"},
     {"sec-fetch-site": "cross-site"}],
)  # fmt: skip
def test_places_that_make_no_sense_are_refused(serve, png, headers):
    with serve() as address:
        answer = post(f"{address}/v1/enhance?method=gamma", content=png, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")


def test_who_brings_no_picture_brings_no_megabytes(serve):
    with serve(token="sesame") as address:
        files = {"token": (None, "x" * 2_000_000)}
        assert post(f"{address}/login", files=files).status_code == 413


def test_a_large_body_over_a_thin_line_arrives(serve, png):
    def trickle():
        for at in range(0, len(png), len(png) // 4):
            yield png[at : at + len(png) // 4]
            time.sleep(0.5)

    url = "v1/enhance?method=gamma"
    with serve(receive_seconds=0.7, receive_rate=len(png) // 10) as address:
        assert post(f"{address}/{url}", content=trickle()).status_code == 200
    with serve(receive_seconds=0.7) as address:
        assert post(f"{address}/{url}", content=trickle()).status_code == 408


def test_what_is_refused_at_the_door_is_counted(serve):
    with serve() as address:
        assert get(f"{address}/healthz", headers={"host": "evil.example"}).status_code == 403
        text = get(f"{address}/metrics").text
        assert 'daybreak_requests_total{path="other",status="403"} 1.0' in text


def test_beyond_this_machine_a_token_is_needed(tmp_path):
    for host in ("0.0.0.0", "::", "192.168.1.5", "example.org"):
        assert not is_loopback(host)
        with pytest.raises(BadSetting, match="without a token"):
            ServerConfig(tmp_path, host)
        assert ServerConfig(tmp_path, host, token="x").token
        assert ServerConfig(tmp_path, host, insecure=True)
    assert "sesame" not in repr(ServerConfig(tmp_path, token="sesame"))
    with pytest.raises(BadSetting, match="one word"):
        ServerConfig(tmp_path, token="zwei Wörter")
    with pytest.raises(BadSetting, match="above 0"):
        Limits(pixels=0)


@pytest.mark.parametrize("kind", [RuntimeError, WeightsError])
def test_a_fault_of_ours_is_a_problem_without_a_traceback(serve, png, monkeypatch, caplog, kind):
    def broken(*_, **__):
        raise kind("secret detail /home/someone")

    monkeypatch.setattr("daybreak.serving.pictures.enhance_bytes", broken)
    with serve() as address:
        answer = post(f"{address}/v1/enhance", content=png)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert "secret detail" in caplog.text


def test_too_little_memory_is_a_503(serve, png, monkeypatch):
    monkeypatch.setattr("daybreak.serving.work.free_memory", lambda: 100_000)
    with serve() as address:
        answer = post(f"{address}/v1/enhance?method=gamma", content=png)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "memory" in answer.json()["detail"]


@pytest.mark.parametrize("at_once", [1, 8])
@pytest.mark.parametrize("free", [10**6, 10**8, 10**9, 10**11])
@pytest.mark.parametrize("name", ["gamma", "auto"])
def test_what_is_let_in_fits_and_so_does_anything_smaller(name, free, at_once, monkeypatch):
    monkeypatch.setattr("daybreak.serving.work.free_memory", lambda: free)
    enhancer = Enhancer(name)
    fits = fitting_pixels(enhancer, at_once, b"no picture")
    for pixels in {fits, min(fits, int(FEW))}:
        assert pixels * bytes_per_pixel(enhancer.picked(pixels), None) <= SHARE * free / at_once


def test_fewer_pixels_fit_of_what_takes_more(monkeypatch):
    monkeypatch.setattr("daybreak.serving.work.free_memory", lambda: 10**8)
    files = []
    for mode in ("RGB", "RGBA", "CMYK"):
        file = io.BytesIO()
        Image.new(mode, (4, 3)).save(file, "TIFF")
        files.append(file.getvalue())
    plain, clear, ink = (fitting_pixels(Enhancer("gamma"), 1, data) for data in files)
    assert plain > clear > ink


OPEN_FILES = """
import resource
from daybreak.serving.server import allow_open_files
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (64, most))
allow_open_files()
assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == most
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of another system that allows fewer than it says")
def test_a_server_may_open_as_many_files_as_the_system_allows():
    subprocess.run([sys.executable, "-c", OPEN_FILES], check=True)


def test_a_server_opens_what_it_may_where_the_system_tells_of_no_limit(monkeypatch):
    """As on macOS, which says infinity and takes 10,240 at most."""
    resource = pytest.importorskip("resource")
    without, told = 2**63 - 1, []

    def set_limit(_, limits):
        if limits[0] > 10_240:
            raise ValueError("current limit exceeds maximum limit")
        told.append(limits)

    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, without))
    monkeypatch.setattr(resource, "setrlimit", set_limit)
    allow_open_files()
    assert told == [(10_240, without)]
