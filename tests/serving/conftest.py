"""A real server on loopback, in a thread of the test's process."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

import cv2
import httpx
import numpy as np
import pytest

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
