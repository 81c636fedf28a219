"""Fetching from a real HTTP server on loopback, and from a folder."""

from __future__ import annotations

import hashlib
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from daybreak.assets.fetching import bring
from daybreak.assets.registry import Asset
from daybreak.errors import AssetError

DATA = bytes(range(256)) * 12_000  # 3 MB: three of the pieces in which a download is written


class Answers(BaseHTTPRequestHandler):
    """What a server may do: give the file, another one, half of it, a page, another address or nothing."""

    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/good")
            self.end_headers()
            return
        if self.path not in ("/good", "/wrong", "/short", "/page"):
            self.send_error(404)
            return
        data = {"/wrong": DATA[::-1], "/page": b"<html>log in first</html>"}.get(self.path, DATA)
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[:1_500_000] if self.path == "/short" else data)

    def log_message(self, *args):
        """Not on the terminal."""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as running:
        running.asked = []
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def asset(server, path="/good"):
    port = server.server_address[1]
    digest = hashlib.sha256(DATA).hexdigest()
    return Asset("toy", "toy.bin", "", f"http://127.0.0.1:{port}{path}", len(DATA), digest, "")


def names(folder):
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("path", ["/good", "/moved"])
def test_a_download_arrives_whole_and_is_asked_for_once(server, tmp_path, path, capfd):
    arrived = []
    toy = asset(server, path)
    found = bring(toy, tmp_path / "new" / "cache", watch=arrived.append)
    assert found.read_bytes() == DATA
    assert names(found.parent) == ["toy.bin"]
    assert arrived == sorted(arrived)
    assert arrived[-1] == len(DATA)
    before = len(server.asked)
    assert bring(toy, found.parent) == found
    assert len(server.asked) == before
    assert capfd.readouterr() == ("", "")
    if os.name == "posix":
        assert found.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/wrong", r"127\.0\.0\.1:\d+/wrong has SHA-256 \w{12}….*as published"),
        ("/page", "25 bytes; expected 3,072,000"),
        ("/short", "cannot be downloaded"),
        ("/nowhere", "the server says 404 Not Found"),
    ],
)
def test_a_bad_download_leaves_what_was_there(server, tmp_path, path, told):
    with pytest.raises(AssetError, match=told) as caught:
        bring(asset(server, path), tmp_path)
    assert caught.value.hint.endswith("daybreak assets fetch toy --from FOLDER")
    assert "0x" not in str(caught.value)
    assert names(tmp_path) == []
    (tmp_path / "toy.bin").write_bytes(b"damaged before")
    with pytest.raises(AssetError, match=told):
        bring(asset(server, path), tmp_path)
    assert names(tmp_path) == ["toy.bin"]
    assert (tmp_path / "toy.bin").read_bytes() == b"damaged before"


def test_a_damaged_file_is_replaced(server, tmp_path):
    (tmp_path / "toy.bin").write_bytes(b"damaged before")
    assert bring(asset(server), tmp_path).read_bytes() == DATA


def test_no_server_at_all(server, tmp_path):
    toy = asset(server)
    server.shutdown()
    server.server_close()
    with pytest.raises(AssetError, match=r"/good cannot be downloaded \([^(]*[Rr]efused\)"):
        bring(toy, tmp_path)
    assert names(tmp_path) == []


def test_an_interrupted_download_leaves_nothing(server, tmp_path):
    def interrupt(arrived):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(asset(server), tmp_path, watch=interrupt)
    assert names(tmp_path) == []


def test_from_a_folder_nothing_is_asked_of_the_network(server, tmp_path):
    source, cache = tmp_path / "stick", tmp_path / "cache"
    source.mkdir()
    with pytest.raises(AssetError, match=r"stick holds no file toy\.bin"):
        bring(asset(server), cache, source)
    (source / "toy.bin").write_bytes(DATA[:-1])
    with pytest.raises(AssetError, match=r"stick/toy\.bin has 3,071,999 bytes") as caught:
        bring(asset(server), cache, source)
    assert caught.value.hint.startswith("It is published at http")
    assert names(cache) == []
    (source / "toy.bin").write_bytes(DATA)
    assert bring(asset(server), cache, source).read_bytes() == DATA
    assert (source / "toy.bin").read_bytes() == DATA
    assert server.asked == []
