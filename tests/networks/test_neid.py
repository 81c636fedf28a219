"""Paper 4's laws (methods.md A.4, F.1, H)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from daybreak.layers.halve import Halve
from daybreak.networks import build
from daybreak.networks.base import Batch
from daybreak.networks.neid import Fusion, NeidObjective, NeidSettings

STREAMS = pytest.mark.parametrize("streams", ["LE", "LE+DR", "LE+DR+FF"])


def small(**settings):
    torch.manual_seed(0)
    return build("neid", width=4, init="kaiming", **settings)


def picture(*size, seed=1):
    return torch.rand(size, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("streams", "inference", "training"),
    [
        ("LE+DR+FF", 12_780_835, 15_866_534),
        ("LE+DR", 7_797_923, 15_866_534 - 263_296),
        ("LE", 7_797_923, 7_797_923),
    ],
)
def test_parameter_counts(streams, inference, training):
    """Encoder 4,712,224, decoder 3,047,840, head 37,859, DR bottleneck 4,719,616, fusion 263,296."""
    with torch.device("meta"):
        network = build("neid", streams=streams)
    assert network.inference_parameters() == inference
    assert sum(p.numel() for p in network.parameters()) == training


@STREAMS
def test_what_comes_out_is_twice_what_goes_in_and_the_export_keeps_the_size(streams):
    network = small(streams=streams).eval()
    with torch.no_grad():
        bright, fine = network(picture(2, 3, 16, 48))
        assert bright.shape == (2, 3, 32, 96)
        assert fine is None if streams == "LE" else fine.shape == bright.shape
        low = picture(1, 3, 64, 32)
        assert network.inference()(low).shape == low.shape
        assert network.enlarging()(low).shape == (1, 3, 128, 64)
        torch.testing.assert_close(network.inference()(low), network(network.halve(low))[0])
        torch.testing.assert_close(network.enlarging()(low), network(low)[0])


@pytest.mark.parametrize(("upsampling", "grid"), [("plain", True), ("smooth", False)])
def test_an_even_picture_comes_out_without_a_grid_where_doublings_are_smooth(upsampling, grid):
    network = small(upsampling=upsampling).eval()
    with torch.no_grad():
        middle = network.inference()(torch.full((1, 3, 640, 640), 0.2))[..., 304:336, 304:336]
    apart = middle.flatten(2).std(2).max()
    assert apart > 1e-3 if grid else apart < 1e-6


@pytest.mark.parametrize("upsampling", ["plain", "smooth"])
def test_the_halo_is_what_a_cell_depends_on(upsampling, monkeypatch):
    """Tiles begin at cells of the deepest level, so that what lies around them is a number of whole cells."""
    network = small(upsampling=upsampling).double()
    for parameter in network.parameters():
        torch.nn.init.constant_(parameter, 0.01)
    monkeypatch.setattr(torch.nn.functional, "max_pool2d", torch.nn.functional.avg_pool2d)
    even = torch.full((1, 2, 64, 1, 1), 0.5, dtype=torch.float64)
    monkeypatch.setattr(network.fusion, "weights", lambda *_: even)  # which are told by the whole picture
    low = torch.full((1, 3, 704, 32), 0.5, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(network.inference()(low)[..., 320:352, :].sum(), low)
    seen = slope.abs().sum((0, 1, 3)).nonzero().flatten()
    assert max(320 - int(seen.min()), int(seen.max()) - 351) == network.halo


@STREAMS
def test_the_detail_stream_learns_and_is_not_exported(streams):
    network = small(streams=streams)
    low = picture(1, 3, 32, 32) * 0.2
    objective = NeidObjective(network, NeidSettings(width=4, streams=streams))
    sum(objective.terms(Batch(low, low.sqrt())).values()).backward()
    assert all(p.grad is not None for p in network.parameters())
    exported = {id(p) for p in network.inference().parameters()}
    for part in ("decoder", "head"):
        if streams != "LE":
            assert all(p.grad.abs().max() > 0 for p in network.detail[part].parameters())
            assert not exported & {id(p) for p in network.detail[part].parameters()}
    if streams != "LE":
        fused = {id(p) for p in network.detail["between"].parameters()} <= exported
        assert fused is (streams == "LE+DR+FF")


def test_the_fusion_weighs_two_streams_per_channel():
    torch.manual_seed(0)
    fusion, one, other = Fusion(8), picture(2, 8, 3, 4), picture(2, 8, 3, 4, seed=2)
    with torch.no_grad():
        shares, fused = fusion.weights(one, other), fusion(one, other)
    assert shares.shape == (2, 2, 8, 1, 1)
    torch.testing.assert_close(shares.sum(1), torch.ones(2, 8, 1, 1))
    assert shares.std() > 0
    torch.testing.assert_close(fused, shares[:, 0] * one + shares[:, 1] * other)


@pytest.mark.parametrize("target", ["low", "high"])
def test_the_terms_are_those_of_eq_7(target):
    network, low = small(detail_target=target), picture(2, 3, 32, 64) * 0.3
    high = low.sqrt()
    told = NeidSettings(width=4, detail_target=target, huber=0.05, detail=0.2, color=0.0)
    terms = NeidObjective(network, told).terms(Batch(low, high))
    bright, fine = network(network.halve(low))
    apart = (bright - high).abs()
    wanted = torch.where(apart <= 0.05, apart.square() / 2, 0.05 * (apart - 0.025)).mean()
    torch.testing.assert_close(terms["huber"], wanted)
    detail = (fine - (low if target == "low" else high)).square().mean()
    torch.testing.assert_close(terms["detail"], 0.2 * detail)
    assert terms["color"] == 0
    assert NeidObjective(network, NeidSettings(width=4)).terms(Batch(low, high))["color"] > 0


def test_with_no_weight_the_detail_stream_is_left_alone():
    network, low = small(), picture(2, 3, 32, 64) * 0.3
    with_it, without = (
        NeidObjective(network, NeidSettings(width=4, detail=weight)).terms(Batch(low, low.sqrt()))
        for weight in (0.1, 0.0)
    )
    assert set(without) == {"huber", "color"}
    torch.testing.assert_close(without["huber"], with_it["huber"])
    sum(without.values()).backward()
    for part in ("decoder", "head"):
        assert all(parameter.grad is None for parameter in network.detail[part].parameters())
    assert all(parameter.grad is not None for parameter in network.inference().parameters())


@pytest.mark.parametrize(("how", "deviation"), [("normal", 0.02), ("kaiming", (2 / (64 * 9)) ** 0.5)])
def test_initial_weights(how, deviation):
    torch.manual_seed(0)
    layer = build("neid", width=8, init=how).encoder.levels[4][0]  # 64 to 128 channels
    assert layer.weight.std().item() == pytest.approx(deviation, rel=0.02)
    assert layer.bias.abs().max() == 0


@pytest.mark.parametrize("size", [(64, 96), (32, 34), (2, 2)])
def test_halving_is_the_usual_bicubic_with_antialiasing(size):
    levels = np.random.default_rng(0).random(size, np.float32)
    half = Image.fromarray(levels).resize((size[1] // 2, size[0] // 2), Image.Resampling.BICUBIC)
    ours = Halve()(torch.from_numpy(levels).expand(1, 3, -1, -1))[0, 0].numpy()
    inside = (slice(2, -2),) * 2  # at the border Pillow leaves out what is beyond, we repeat it
    np.testing.assert_allclose(ours[inside], np.clip(half, 0, 1)[inside], atol=1e-5)
    assert ours.shape == np.asarray(half).shape


def test_halving_keeps_flat_pictures_flat_up_to_the_border():
    torch.testing.assert_close(Halve()(torch.full((1, 3, 8, 6), 0.3)), torch.full((1, 3, 4, 3), 0.3))
