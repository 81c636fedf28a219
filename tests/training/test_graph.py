"""Exported graphs: the inputs that may be left out, and parameters kept in the file beside."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save

from daybreak.engines import OnnxEngine
from daybreak.errors import TrainingError
from daybreak.layers.attention import MultiScaleAttention
from daybreak.layers.halve import Halve
from daybreak.networks import build
from daybreak.training.graph import UPSCALE, check_parity, macs_per_pixel, make_onnx
from daybreak.training.sharing import halved, share

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec"),
]


@pytest.fixture(scope="module")
def neid():
    torch.manual_seed(0)
    return build("neid", width=8, init="kaiming").eval()


@pytest.fixture(scope="module")
def model(neid):
    return make_onnx(neid)


def written(model, path):
    path.write_bytes(model.SerializeToString())
    return path


def test_one_graph_keeps_the_size_or_doubles_it(neid, model, tmp_path):
    path = written(model, tmp_path / "neid.onnx")
    assert check_parity(neid, path) <= 1e-4
    engine, low = OnnxEngine(path), np.random.default_rng(0).random((1, 3, 64, 96), np.float32)
    assert engine.run(low).shape == (1, 3, 64, 96)
    assert engine.run(low, {UPSCALE: np.array([True])}).shape == (1, 3, 128, 192)
    assert np.array_equal(engine.run(low, {UPSCALE: np.array([False])}), engine.run(low))


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_parameters_can_lie_in_the_file_beside(neid, model, tmp_path, precision):
    import onnx

    state = {key: value.contiguous() for key, value in neid.inference().state_dict().items()}
    file = tmp_path / "neid.safetensors"
    file.write_bytes(save(halved(state) if precision == "fp16" else state))
    sharing = onnx.ModelProto.FromString(model.SerializeToString())
    share(sharing, state, file)
    path = written(sharing, tmp_path / "neid.onnx")
    assert path.stat().st_size < 0.1 * len(model.SerializeToString())
    assert check_parity(neid, path, 2e-3 if precision == "fp16" else 1e-4) > 0
    for key, value in neid.inference().state_dict().items():
        assert torch.equal(value, state[key]), "the network itself changed"


def test_a_control_may_be_given_or_left_to_the_graph(tmp_path):
    torch.manual_seed(0)
    network = build("alpha-residual", width=4).eval()
    for module in network.modules():  # a fresh network gives back what it is given, whatever the control
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.normal_(module.weight, std=0.1)
    path = written(make_onnx(network), tmp_path / "alpha.onnx")
    assert check_parity(network, path) <= 1e-4
    engine, low = OnnxEngine(path), np.random.default_rng(0).random((2, 3, 32, 32), np.float32) ** 2
    with torch.no_grad():
        estimated = network.control.estimate(torch.from_numpy(low)).numpy()
    by_itself = engine.run(low)
    np.testing.assert_allclose(by_itself, engine.run(low, {"alpha": estimated}), atol=1e-6)
    assert np.abs(by_itself - engine.run(low, {"alpha": estimated * 0.5})).max() > 1e-3


def test_another_networks_graph_is_refused(neid, model, tmp_path):
    torch.manual_seed(1)
    with pytest.raises(TrainingError, match="differs from torch by"):
        check_parity(build("neid", width=8, init="kaiming").eval(), written(model, tmp_path / "neid.onnx"))


def test_multiply_adds_count_what_is_no_layer_of_its_own():
    """EMA's convolutions are shared by its groups: 16 groups of 4 channels, along lines and around pixels."""
    attention = MultiScaleAttention(64, 16)
    graph = torch.nn.Sequential(torch.nn.Conv2d(3, 64, 1), attention)
    along = 64 * 4 * (64 + 64) / 64**2
    assert macs_per_pixel(graph, 64) == 3 * 64 + 64 * 4 * 9 + along
    assert macs_per_pixel(Halve(), 64) == 3 * 64  # per pixel of what comes out


def test_multiply_adds_are_those_of_the_convolutions():
    graph = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1),
        torch.nn.MaxPool2d(2),
        torch.nn.ConvTranspose2d(8, 3, 2, stride=2),
    )
    assert macs_per_pixel(graph, 64) == 3 * 8 * 9 + round(8 * 3 * 4 / 4)
