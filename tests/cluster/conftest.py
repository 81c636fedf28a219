"""A real S3 server on loopback, small pictures in it, and one Ray cluster for all tests that need one."""

from __future__ import annotations

import os
import secrets

import cv2
import numpy as np
import pytest

from daybreak.cluster.place import Place
from daybreak.cluster.run import Run
from daybreak.enhancing.batch import Output
from daybreak.enhancing.enhancer import Enhancer

KEYS = {"AWS_ACCESS_KEY_ID": "tested", "AWS_SECRET_ACCESS_KEY": "hush-hush-hush"}


@pytest.fixture(scope="session")
def s3():
    """The file system of a moto server; the environment names the server as long as the tests run."""
    import s3fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in KEYS.items():
            patch.setenv(name, value)
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield s3fs.S3FileSystem(use_listings_cache=False)
    server.stop()


@pytest.fixture
def bucket(s3):
    """The URL of an empty bucket."""
    name = f"photos-{secrets.token_hex(4)}"
    s3.mkdir(name)
    return f"s3://{name}"


@pytest.fixture
def keys():
    """The environment's variables that let us in."""
    return KEYS


@pytest.fixture
def picture():
    """Makes a small picture of a number."""
    return _picture


def _picture(seed: int) -> bytes:
    """A dark PNG of 16×12 pixels, each seed another."""
    levels = np.random.default_rng(seed).integers(0, 40, (12, 16, 3), dtype=np.uint8)
    return cv2.imencode(".png", levels)[1].tobytes()


@pytest.fixture
def fill(s3):
    """Put numbered pictures under a URL, in a tree; gives name -> bytes."""

    def put(url: str, count: int) -> dict[str, bytes]:
        made = {f"{n % 3}/deep {n % 2}/{n:04d}.png": _picture(n) for n in range(count)}
        for name, data in made.items():
            s3.pipe_file(f"{url}/{name}", data)
        return made

    return put


@pytest.fixture
def make_run():
    def make(source, target, suffix="", overwrite=False, method="gamma", **settings):
        return Run(
            str(source), str(target), Enhancer(method, **settings), Output(overwrite=overwrite), suffix
        )

    return make


@pytest.fixture
def rows_of():
    """Every row of the manifest at a URL, by its source."""
    from daybreak.cluster.manifest import Manifest

    def read(url) -> dict[str, dict]:
        rows = list(Manifest(Place(str(url))).rows())
        assert len({row["source"] for row in rows}) == len(rows)
        return {row["source"]: row for row in rows}

    return read
