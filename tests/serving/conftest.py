"""A real server on loopback, in a thread of the test's process."""

from __future__ import annotations

import threading
import time
import zipfile
from contextlib import contextmanager
from io import BytesIO

import cv2
import httpx
import numpy as np
import pytest

from daybreak.cli.main import run
from daybreak.serving.app import create_app
from daybreak.serving.limits import Limits, ServerConfig
from daybreak.serving.server import listen, make_server


@contextmanager
def running(config):
    """Serve until the block ends; gives the address."""
    app = create_app(config)
    listener = listen(config)
    server = make_server(app, config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(60)
        listener.close()


@pytest.fixture
def serve(tmp_path):
    """serve(limit=value, ...) as a context manager."""

    def start(*, token="", workers=2, state=None, **limits):
        folder = state or tmp_path / "state"
        return running(ServerConfig(folder, port=0, token=token, workers=workers, limits=Limits(**limits)))

    return start


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """A client of one server with its usual limits, for a whole file of tests."""
    with (
        running(ServerConfig(tmp_path_factory.mktemp("state"), port=0)) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield client


def noise(height=60, width=80, seed=0, peak=40):
    """Dark noise, H×W×3 uint8."""
    return np.random.default_rng(seed).integers(0, peak, (height, width, 3), np.uint8)


@pytest.fixture(scope="session")
def png():
    """A dark picture of 80x60."""
    return cv2.imencode(".png", noise())[1].tobytes()


@pytest.fixture(scope="session")
def run_server():
    """`running`, for fixtures of single files."""
    return running


class Unpacked:
    """A zip with evidence, unpacked beside the originals as a person would."""

    def __init__(self, folder, capsys):
        self.folder, self._capsys = folder, capsys

    def __call__(self, archive, originals):
        for name, data in originals.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_bytes(data)
        with zipfile.ZipFile(BytesIO(archive)) as members:
            names = members.namelist()
            assert not set(names) & set(originals)
            members.extractall(self.folder)
        return sorted(names)

    def verify(self):
        """The exit code of `daybreak verify evidence.json`, and what it says."""
        self._capsys.readouterr()
        code = run(["verify", str(self.folder / "evidence.json")])
        return code, self._capsys.readouterr().out


@pytest.fixture
def beside(tmp_path, capsys):
    """beside(zip, {name: original}), then beside.verify()."""
    folder = tmp_path / "person"
    folder.mkdir()
    return Unpacked(folder, capsys)
