"""Pictures that several metric tests share."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data


@pytest.fixture(scope="session")
def lcg_pair():
    """The deterministic pair of the specification (F.2): no file, no generator of a library."""
    state, noise = 1, []
    for _ in range(192 * 288):
        state = (1103515245 * state + 12345) % 2**31
        noise.append(state / 2**31)
    i, j = np.mgrid[:192, :288]
    waves = 60 * np.sin(i / 7) * np.cos(j / 11)
    first = np.clip(np.round(127.5 + waves + 50 * (np.reshape(noise, (192, 288)) - 0.5)), 0, 255)
    return first.astype(np.uint8), np.round(255 * (first / 255) ** 2.2).astype(np.uint8)


@pytest.fixture(scope="session")
def camera():
    return data.camera()


@pytest.fixture(scope="session")
def dark_camera(camera):
    return np.round(255 * (camera / 255) ** 2.2).astype(np.uint8)


@pytest.fixture(scope="session")
def astronaut():
    return data.astronaut()


@pytest.fixture(scope="session")
def dark_astronaut(astronaut):
    return np.floor(0.25 * astronaut).astype(np.uint8)
