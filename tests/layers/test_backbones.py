"""AlexNet and VGG16: their published shape, taps, and loading of state dicts."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from daybreak.assets import get_asset, registry
from daybreak.errors import UnknownName, WeightsError
from daybreak.layers.backbones import alexnet, vgg16
from daybreak.layers.looking import DEVIATION, MEAN, Eye, vgg_eye
from daybreak.layers.pth import read_pth
from daybreak.losses.perceptual import Perceptual

# place of each convolution in torchvision's chain, its stride and padding; "pool" comes after it
ALEX = [(0, 4, 2, 3), (3, 1, 2, 3), (6, 1, 1, 0), (8, 1, 1, 0), (10, 1, 1, 0)]
VGG = [(0, 0), (2, 2), (5, 0), (7, 2), (10, 0), (12, 0), (14, 2), (17, 0), (19, 0), (21, 2), (24, 0), (26, 0)]
VGG += [(28, 0)]


@pytest.fixture(scope="module")
def picture():
    return torch.rand(2, 3, 61, 47, generator=torch.Generator().manual_seed(0))


def published(network):
    """A state dict as torchvision publishes it: the whole chain and a classifier."""
    generator = torch.Generator().manual_seed(1)
    whole = {"alexnet": alexnet(), "vgg16": vgg16()}[network.name].state_dict()
    made = {
        name: torch.randn(v.shape, generator=generator) / v[0].numel() ** 0.5 for name, v in whole.items()
    }
    return made | {"classifier.1.weight": torch.zeros(10, 10), "classifier.1.bias": torch.zeros(10)}


@pytest.mark.parametrize(
    ("network", "parameters", "channels"),
    # torchvision's models have 61,100,840 and 138,357,544, of which the classifiers hold 58,631,144 and
    # 123,642,856
    [
        (alexnet(), 61_100_840 - 58_631_144, [64, 192, 384, 256, 256]),
        (vgg16(), 138_357_544 - 123_642_856, [64, 128, 256, 512, 512]),
    ],
    ids=["alexnet", "vgg16"],
)
def test_published_size_and_channels_of_the_taps(network, parameters, channels, picture):
    assert sum(p.numel() for p in network.parameters()) == parameters
    with torch.no_grad():
        maps = network(picture)
    assert [m.shape[1] for m in maps] == channels
    assert all((m >= 0).all() for m in maps), "a tap is no ReLU"


def test_alexnet_equals_its_layers_written_out(picture, tmp_path):
    network = alexnet()
    state = published(network)
    torch.save(state, tmp_path / "alexnet.pth")
    network.load(tmp_path / "alexnet.pth")
    x, expected = picture, []
    for place, stride, padding, pool in ALEX:
        x = F.conv2d(x, state[f"features.{place}.weight"], state[f"features.{place}.bias"], stride, padding)
        x = F.relu(x)
        expected.append(x)
        x = F.max_pool2d(x, pool, 2) if pool else x
    with torch.no_grad():
        torch.testing.assert_close(network(picture), tuple(expected))


def test_vgg16_equals_its_layers_written_out(picture, tmp_path):
    network = vgg16()
    state = published(network)
    torch.save(state, tmp_path / "vgg16.pth")
    network.load(tmp_path / "vgg16.pth")
    x, after = picture, {}
    for place, pool in VGG:
        x = F.conv2d(x, state[f"features.{place}.weight"], state[f"features.{place}.bias"], 1, 1)
        x = after[place] = F.relu(x)
        x = F.max_pool2d(x, pool) if pool else x
    with torch.no_grad():
        torch.testing.assert_close(network(picture), tuple(after[place] for place in (2, 7, 14, 21, 28)))
        some = vgg16(["relu5_1", "relu2_2"])
        some.load(tmp_path / "vgg16.pth")
        torch.testing.assert_close(some(picture), (after[24], after[7]))
    assert len(some.features) == 26  # nothing is computed beyond the last tap


def test_an_unknown_tap_names_the_nearest():
    with pytest.raises(UnknownName, match=r"no layer of vgg16 named 'relu2_3'\. Did you mean relu5_3"):
        vgg16(["relu2_3"])


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda s: s.pop("features.3.bias"), "has no 'features.3.bias'"),
        (lambda s: s.update({"features.0.weight": torch.zeros(64, 3, 3, 3)}), "has shape"),
        (lambda s: s["features.0.bias"].__setitem__(3, float("nan")), "finite"),
        (lambda s: s.update({"features.0.bias": torch.zeros(64, dtype=torch.int64)}), "torch.int64"),
        (lambda s: s.update(epoch=3), "named tensors"),
    ],
    ids=["missing", "shape", "nan", "integers", "no tensor"],
)
def test_a_state_dict_of_something_else_is_refused(spoil, told, tmp_path):
    network = alexnet()
    state, before = published(network), network.features[0].weight.clone()
    spoil(state)
    torch.save(state, tmp_path / "x.pth")
    with pytest.raises(WeightsError, match=told):
        network.load(tmp_path / "x.pth")
    assert torch.equal(network.features[0].weight, before)


class Trap:
    """What a pickle can do to whoever loads it."""

    def __reduce__(self):
        return print, ("a pickle ran this",)


def test_a_pickle_never_runs(tmp_path, capsys):
    torch.save({"features.0.weight": Trap()}, tmp_path / "trap.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Trap(), protocol=2))
    (tmp_path / "empty.pth").touch()
    (tmp_path / "text.pth").write_text("no pickle at all")
    torch.save({"weight": torch.ones(9)}, tmp_path / "cut.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "cut.pth").read_bytes()[:-100])
    for name in ("trap", "plain", "empty", "text", "cut", "missing"):
        with pytest.raises(WeightsError, match=rf"{name}\.pth cannot be loaded"):
            read_pth(tmp_path / f"{name}.pth")
    assert not capsys.readouterr().out


def test_the_eye_normalises_and_lets_gradients_through(picture):
    torch.manual_seed(0)
    backbone = vgg16(["relu2_2"])
    eye = Eye(backbone)
    given = picture.clone().requires_grad_()
    seen = eye(given)
    mean, deviation = (torch.tensor(v).view(3, 1, 1) for v in (MEAN, DEVIATION))
    torch.testing.assert_close(seen, backbone((picture - mean) / deviation)[0])
    Perceptual(eye)(given, torch.flip(picture, [3])).backward()
    assert given.grad.abs().sum() > 0
    assert all(p.grad is None and not p.requires_grad for p in eye.parameters())


def test_no_eye_where_the_parameters_are_absent(tmp_path, monkeypatch):
    monkeypatch.setenv("DAYBREAK_CACHE", str(tmp_path))
    assert vgg_eye() is None
    with pytest.raises(UnknownName, match="relu9"):
        vgg_eye("relu9")


def test_an_eye_where_they_are_here(tmp_path, monkeypatch, picture):
    """A random network in the place of the published one, which a registry that knows it finds."""
    monkeypatch.setenv("DAYBREAK_CACHE", str(tmp_path))
    path = tmp_path / "assets" / "vgg16-397923af.pth"
    path.parent.mkdir()
    state = published(vgg16())
    torch.save(state, path)
    data = path.read_bytes()
    asset = replace(get_asset("vgg16"), size=len(data), sha256=hashlib.sha256(data).hexdigest())
    monkeypatch.setattr(registry, "_BY_NAME", {**registry._BY_NAME, "vgg16": asset})
    eye = vgg_eye()
    assert torch.equal(eye.backbone.features[7].weight, state["features.7.weight"])
