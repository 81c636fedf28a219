"""LPIPS: its wiring against a float64 reference written out, its laws, and where its parts are absent."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data
from torchmetrics.functional.image import lpips as shipped_beside

from daybreak import assets, metrics
from daybreak.assets import registry
from daybreak.errors import AssetError, MetricError, MissingAsset, MissingExtra, UnknownName
from daybreak.layers.backbones import alexnet, vgg16
from daybreak.metrics.lpips import PUBLISHED, LpipsModel, load_lpips

HEADS = Path(shipped_beside.__file__).parent / "lpips_models"
CHAINS = {  # (stride, padding, pooling window after it, whether it is tapped) of each convolution
    "alex": [(4, 2, 3, True), (1, 2, 3, True), (1, 1, 0, True), (1, 1, 0, True), (1, 1, 0, True)],
    "vgg": [(1, 1, *rest) for n in (2, 2, 3, 3, 3) for rest in [(0, False)] * (n - 1) + [(2, True)]],
}
CHAINS["vgg"][-1] = (1, 1, 0, True)


def backbone_of(looks, seed=0):
    torch.manual_seed(seed)
    network = {"alex": alexnet, "vgg": vgg16}[looks]()
    for layer in network.features:  # so that the signal neither dies nor grows on its way
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(layer.weight)
            torch.nn.init.normal_(layer.bias, std=0.1)
    return network.eval()


def model_of(looks, dtype=torch.float32):
    network = backbone_of(looks).to(dtype)
    heads = tuple(torch.rand(count).to(dtype) for count in PUBLISHED[looks].channels)
    return LpipsModel(looks, network, heads, PUBLISHED[looks].smallest)


def windows(maps, size, stride):
    """C×H×W to C×h×w×size×size."""
    seen = np.lib.stride_tricks.sliding_window_view(maps, (size, size), axis=(1, 2))
    return seen[:, ::stride, ::stride]


def by_hand(looks, weights, heads, first, second):
    """D.3 in float64 NumPy, of two H×W×3 pictures in 0 to 255."""
    total = 0.0
    maps = [p.transpose(2, 0, 1) / 127.5 - 1 for p in (first, second)]
    shift, scale = np.array([-0.030, -0.088, -0.188]), np.array([0.458, 0.448, 0.450])
    maps = [(m - shift[:, None, None]) / scale[:, None, None] for m in maps]
    heads = iter(heads)
    for (kernel, bias), (stride, padding, pooled, tapped) in zip(weights, CHAINS[looks], strict=True):
        for i in (0, 1):
            padded = np.pad(maps[i], ((0, 0), (padding, padding), (padding, padding)))
            seen = windows(padded, kernel.shape[2], stride)
            maps[i] = np.maximum(
                np.einsum("chwij,ocij->ohw", seen, kernel, optimize=True), -bias[:, None, None]
            )
            maps[i] += bias[:, None, None]
        if tapped:
            a, b = (m / (np.sqrt((m**2).sum(0)) + 1e-10) for m in maps)
            total += np.tensordot(next(heads), (a - b) ** 2, 1).mean()
        if pooled:
            maps = [windows(m, pooled, 2).max((3, 4)) for m in maps]
    return total


def weights_of(network):
    layers = [layer for layer in network.features if isinstance(layer, torch.nn.Conv2d)]
    return [
        (layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()) for layer in layers
    ]


@pytest.mark.parametrize(("looks", "size"), [("alex", (53, 70)), ("vgg", (16, 21))])
def test_wiring_equals_the_equations(looks, size):
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, 256, (2, *size, 3), dtype=np.uint8)
    exact = model_of(looks, torch.float64)
    expected = by_hand(
        looks,
        weights_of(exact.backbone),
        [h.numpy() for h in exact.heads],
        first.astype(float),
        second.astype(float),
    )
    assert expected > 0.01
    # float32 pixels in both; the convolutions and sums in float64 and in float32
    assert metrics.lpips(first, second, exact) == pytest.approx(expected, rel=1e-6)
    assert metrics.lpips(first, second, model_of(looks)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("looks", ["alex", "vgg"])
def test_equal_is_zero_order_does_not_matter_and_noise_adds(looks):
    model = model_of(looks)
    truth = data.astronaut()[100:148, 180:228]
    noise = np.random.default_rng(0).normal(size=truth.shape)
    noisy = [np.clip(truth + sigma * noise, 0, 255).astype(np.uint8) for sigma in (2, 8, 32)]
    scores = [metrics.lpips(picture, truth, model) for picture in noisy]
    assert metrics.lpips(truth, truth, model) == 0
    assert scores == sorted(scores)
    assert scores[0] > 0
    assert metrics.lpips(truth, noisy[2], model) == scores[2]


def test_gray_is_colour_with_equal_channels():
    first, second = np.random.default_rng(0).integers(0, 256, (2, 40, 50), dtype=np.uint8)
    model = model_of("alex")
    colour = [np.repeat(picture[..., None], 3, 2) for picture in (first, second)]
    assert metrics.lpips(first, second, model) == metrics.lpips(*colour, model)


def test_constant_and_black_pictures_are_finite():
    black, white = np.zeros((31, 31, 3), np.uint8), np.full((31, 31, 3), 255, np.uint8)
    assert np.isfinite(metrics.lpips(black, white, model_of("alex")))
    dead = LpipsModel("dead", lambda x: [x * 0], (torch.ones(3),))  # every map zero: 0 / (0 + ε)
    assert metrics.lpips(black, white, dead) == 0


@pytest.mark.parametrize(("looks", "smallest"), [("alex", 31), ("vgg", 16)])
def test_the_smallest_picture(looks, smallest):
    model = model_of(looks)
    first, second = np.random.default_rng(0).integers(0, 256, (2, smallest, 3 * smallest, 3), dtype=np.uint8)
    assert metrics.lpips(first, second, model) > 0
    with pytest.raises(MetricError, match=f"pixels; expected at least {smallest} on each side"):
        metrics.lpips(first[1:], second[1:], model)
    assert metrics.get_metric(f"lpips-{looks}").smallest == smallest
    with pytest.raises(RuntimeError, match=r"small|size"):  # the limit is the network's, not a guess
        model.backbone(torch.zeros(1, 3, smallest - 1, smallest))


@pytest.mark.parametrize("heads", [(), (torch.tensor([1.0, -0.1]),), (torch.ones(1, 3, 1, 1),)])
def test_heads_that_cannot_be_are_refused(heads):
    with pytest.raises(MetricError, match="none negative"):
        LpipsModel("odd", lambda x: [x], heads)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DAYBREAK_CACHE", str(tmp_path))
    load_lpips.cache_clear()
    yield tmp_path / "assets"
    load_lpips.cache_clear()


@pytest.mark.parametrize("looks", ["alex", "vgg"])
def test_unavailable_with_the_one_line_to_type(cache, looks):
    first, second = np.zeros((2, 40, 40, 3), np.uint8)
    parts = PUBLISHED[looks]
    both = f"daybreak assets fetch {parts.heads} {parts.backbone}$"
    with pytest.raises(MissingAsset, match=both):
        metrics.lpips(first, second, looks)
    with pytest.raises(MissingAsset, match=both):
        metrics.get_metric(f"lpips-{looks}").load()
    assets.fetch(parts.heads, HEADS)
    with pytest.raises(MissingAsset, match=f"fetch {parts.backbone}$"):
        load_lpips(looks)
    (cache / assets.get_asset(parts.backbone).file).write_bytes(b"<html>")
    with pytest.raises(AssetError, match="6 bytes"):
        load_lpips(looks)


def test_without_torch_the_extra_is_named(monkeypatch):
    load_lpips.cache_clear()
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"daybreak\[train\]"):
        metrics.lpips(np.zeros((40, 40, 3), np.uint8), np.zeros((40, 40, 3), np.uint8))


def test_absent_assets_are_told_of_without_importing_torch(tmp_path):
    check = (
        "import sys\nfrom daybreak.errors import MissingAsset\nfrom daybreak.metrics import load_lpips\n"
        "try:\n    load_lpips('alex')\nexcept MissingAsset:\n    print('torch' in sys.modules)"
    )
    env = {**os.environ, "DAYBREAK_CACHE": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.strip() == "False"


def test_an_unknown_backbone():
    with pytest.raises(UnknownName, match="alex, vgg"):
        load_lpips("squeeze")


@pytest.mark.parametrize("looks", ["alex", "vgg"])
def test_published_heads_and_a_backbone_from_the_cache(cache, monkeypatch, looks):
    """The whole way with the real heads; the backbone's file is random, and the registry told its hash."""
    parts = PUBLISHED[looks]
    head_file = assets.fetch(parts.heads, HEADS)
    network = backbone_of(looks)
    path = cache / assets.get_asset(parts.backbone).file
    torch.save(network.state_dict() | {"classifier.6.bias": torch.zeros(3)}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    known = replace(assets.get_asset(parts.backbone), size=path.stat().st_size, sha256=digest)
    monkeypatch.setattr(registry, "_BY_NAME", {**registry._BY_NAME, parts.backbone: known})
    stored = torch.load(head_file, map_location="cpu", weights_only=True)
    heads = [stored[f"lin{i}.model.1.weight"].double().numpy().reshape(-1) for i in range(5)]
    first, second = np.random.default_rng(2).integers(0, 256, (2, 33, 35, 3), dtype=np.uint8)
    expected = by_hand(looks, weights_of(network), heads, first.astype(float), second.astype(float))
    assert metrics.lpips(first, second, looks) == pytest.approx(expected, rel=1e-4)
    card = metrics.get_metric(f"lpips-{looks}")
    assert card.score(first, second, model=card.load()) == metrics.lpips(first, second, looks)
    assert load_lpips(looks).name == looks
