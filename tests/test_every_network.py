"""Laws that every registered network keeps; a new network is tested by being registered."""

from __future__ import annotations

import pytest
import torch

from daybreak.errors import BadSetting, RegistryError, UnknownName
from daybreak.networks import NETWORKS, build, get_network
from daybreak.networks.base import Batch
from daybreak.networks.registry import index

EVERY = pytest.mark.parametrize("spec", NETWORKS, ids=lambda s: s.name)
pytestmark = pytest.mark.filterwarnings("ignore:no feature extractor")


SMALL = {
    "msdrs-cyclegan": {"width": 16, "deep_blocks": 2, "side_blocks": 1, "discriminator_width": 16},
    "ema-aspp-cyclegan": {"width": 16, "blocks": 2, "groups": 8, "aspp_width": 16, "discriminator_width": 16},
    "cyclegan": {"width": 16, "blocks": 2, "discriminator_width": 16},
    "neid": {"width": 8},
    "unet": {"width": 8},
}
"""Of networks with millions of parameters: a law holds at any width."""


def made(spec):
    torch.manual_seed(0)
    return build(spec.name, **SMALL.get(spec.name, {})).eval()


def objective_of(spec, network):
    return spec.objective(network, spec.settings(**SMALL.get(spec.name, {})), None)


def dark(network, height=32, width=48, batch=2):
    multiple = network.multiple
    size = (batch, 3, -(-height // multiple) * multiple, -(-width // multiple) * multiple)
    return torch.rand(size, generator=torch.Generator().manual_seed(2)) * 0.3


@EVERY
def test_shape_and_range(spec):
    network = made(spec)
    low = dark(network)
    with torch.no_grad():
        enhanced = network.inference()(low)
    assert enhanced.shape[2:] == (low.shape[2] * network.scale, low.shape[3] * network.scale)
    assert enhanced.shape[:2] == low.shape[:2]
    assert enhanced.dtype == torch.float32
    assert enhanced.min() >= 0
    assert enhanced.max() <= 1


@EVERY
def test_pictures_of_a_batch_do_not_touch_each_other(spec):
    network = made(spec)
    low = dark(network)
    with torch.no_grad():
        both = network.inference()(low)
        alone = network.inference()(low[:1])
    tolerance = 1e-6 if network.context == "local" else 2e-5  # norms enlarge the kernels' rounding
    torch.testing.assert_close(both[:1], alone, atol=tolerance, rtol=0)


@pytest.mark.parametrize("spec", [s for s in NETWORKS if made(s).context == "local"], ids=lambda s: s.name)
def test_nothing_beyond_the_halo_matters(spec):
    network = made(spec)
    halo, side = network.halo, 2 * network.halo + 21
    low = dark(network, side, side, 1)
    other = torch.rand(low.shape, generator=torch.Generator().manual_seed(5)) * 0.3
    top = left = 10  # the pixel looked at is `halo` away from everything that changes
    keep = slice(0, 10 + halo + 1)
    other[..., keep, keep] = low[..., keep, keep]
    given = [torch.ones(1)] if network.control else []  # else it may be estimated from the whole picture
    given += [torch.full((1, 3, network.guide, network.guide), 0.1)] if network.guide else []
    with torch.no_grad():
        a, b = (network.inference()(x, *given)[..., top, left] for x in (low, other))
    torch.testing.assert_close(a, b, atol=1e-6, rtol=0)


@pytest.mark.parametrize("spec", [s for s in NETWORKS if made(s).control], ids=lambda s: s.name)
def test_a_control_is_one_number_per_picture(spec):
    network = made(spec)
    low = dark(network)
    with torch.no_grad():
        both = network.inference()(low, torch.tensor([0.7, 1.4]))
        alone = network.inference()(low[1:], torch.tensor([1.4]))
    torch.testing.assert_close(both[1:], alone, atol=1e-6, rtol=0)


@EVERY
def test_steps_of_training_lower_the_loss_and_reach_what_is_exported(spec):
    network = made(spec).train()
    low = dark(network, 64, 64)
    batch = Batch(low, low.sqrt(), torch.ones(len(low)))
    phases = objective_of(spec, network).phases()
    optimisers = [torch.optim.Adam([p for m in f.modules for p in m.parameters()], lr=1e-4) for f in phases]
    losses = []
    for _ in range(4):
        for phase, optimiser in zip(phases, optimisers, strict=True):
            loss = sum(phase.terms(batch).values())
            optimiser.zero_grad()
            loss.backward()
            if phase is phases[0]:
                losses.append(loss.item())
                learning = list(network.inference().parameters())
                assert all(p.grad is not None and p.grad.isfinite().all() for p in learning)
            optimiser.step()
    assert min(losses[1:]) < losses[0]


@EVERY
def test_the_phases_share_the_parameters_out(spec):
    network = made(spec)
    moved = [{id(p) for m in f.modules for p in m.parameters()} for f in objective_of(spec, network).phases()]
    assert sum(map(len, moved)) == len(set().union(*moved)), "two phases move the same parameter"
    assert {id(p) for p in network.inference().parameters()} <= set().union(*moved)


@EVERY
def test_panels_are_pictures(spec):
    network = made(spec)
    low = dark(network, 64, 64)
    objective = objective_of(spec, network)
    with torch.no_grad():
        panels = objective.panels(Batch(low, low.sqrt(), torch.ones(len(low))))
    assert {"input", "output"} <= panels.keys()
    for name, panel in panels.items():
        assert panel.shape[:2] == (2, 3), name
        assert panel.min() >= 0, name
        assert panel.max() <= 1, name


@EVERY
def test_all_of_what_is_exported_follows_the_network_to_a_device(spec):
    """A part that stays behind fails on a GPU, at the first scoring."""
    network = made(spec).to("meta")
    for graph in filter(None, (network.inference(), network.enlarging())):
        assert {tensor.device.type for tensor in (*graph.parameters(), *graph.buffers())} == {"meta"}


@EVERY
def test_counts_and_seeds(spec):
    network = made(spec)
    assert 0 < network.inference_parameters() <= sum(p.numel() for p in network.parameters())
    first, second = made(spec).state_dict(), made(spec).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


@EVERY
def test_every_hyper_parameter_says_where_it_comes_from(spec):
    for name, field in spec.settings.model_fields.items():
        assert field.description, name
        assert field.json_schema_extra["source"].startswith(("paper", "cited: ", "assumed: ")), name


@EVERY
def test_unknown_and_bad_hyper_parameters_are_refused(spec):
    with pytest.raises(UnknownName, match="hyper-parameter"):
        build(spec.name, no_such_thing=1)
    first = next(iter(spec.settings.model_fields))
    with pytest.raises(BadSetting, match=first):
        build(spec.name, **{first: "many"})


def test_unknown_network_and_duplicates():
    with pytest.raises(UnknownName, match="cascade"):
        get_network("cascad")
    with pytest.raises(RegistryError, match="two networks"):
        index((NETWORKS[0], NETWORKS[0]))
