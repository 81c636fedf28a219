"""Small data sets on disk."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from daybreak.cli.main import run
from daybreak.evaluation.results import read_results


def scene(seed: int, height: int = 40, width: int = 60) -> np.ndarray:
    """A well-lit picture with texture, H×W×3 uint8 BGR."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(60, 220, (5, 7, 3)).astype(np.float32)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth + rng.normal(0, 4, smooth.shape), 0, 255).astype(np.uint8)


def darker(bright: np.ndarray) -> np.ndarray:
    return np.rint((bright / 255.0) ** 2.2 * 255).astype(np.uint8)


@pytest.fixture
def pairs(tmp_path) -> Path:
    """Six pairs of 60×40 under low/ and high/, names 1 … 6."""
    root = tmp_path / "set"
    for side in ("low", "high"):
        (root / side).mkdir(parents=True)
    for number in range(1, 7):
        bright = scene(number)
        cv2.imwrite(str(root / "high" / f"{number}.png"), bright)
        cv2.imwrite(str(root / "low" / f"{number}.png"), darker(bright))
    return root


@pytest.fixture
def evaluate(pairs, tmp_path, capsys, monkeypatch):
    """Run it on the pairs; gives exit code, stdout, lines of stderr and the results file."""
    monkeypatch.setenv("DAYBREAK_CACHE", str(tmp_path / "cache"))

    def call(*args, dataset="paired", root=None):
        path = tmp_path / "r.json"
        code = run(["evaluate", "-d", dataset, "--root", str(root or pairs), "--json", str(path), *args])
        told = capsys.readouterr()
        results = read_results(path) if path.is_file() else None
        return code, told.out, told.err.splitlines(), results

    return call
