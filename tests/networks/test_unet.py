"""The plain U-Net: its counts, its reach, its start."""

from __future__ import annotations

import pytest
import torch

from daybreak.errors import BadSetting
from daybreak.networks import build
from daybreak.networks.base import Batch
from daybreak.networks.registry import get_network


@pytest.mark.parametrize(("width", "count"), [(64, 31_031_875), (32, 7_760_163)])
def test_parameter_counts(width, count):
    network = build("unet", width=width)
    assert network.inference_parameters() == sum(p.numel() for p in network.parameters()) == count


def test_the_halo_is_what_a_row_depends_on(monkeypatch):
    """Rows of all 16 places in a cell of the deepest level; a mean pool sees all that a max pool may see."""
    torch.manual_seed(0)
    network = build("unet", width=1).double()
    for parameter in network.parameters():
        torch.nn.init.constant_(parameter, 0.01)
    monkeypatch.setattr(torch.nn.functional, "max_pool2d", torch.nn.functional.avg_pool2d)
    farthest = 0
    low = torch.ones(1, 3, 288, 16, dtype=torch.float64, requires_grad=True)
    output = network.inference()(low)
    for row in range(128, 144):
        (slope,) = torch.autograd.grad(output[..., row, :].sum(), low, retain_graph=True)
        seen = slope.abs().sum((0, 1, 3)).nonzero().flatten()
        farthest = max(farthest, row - int(seen.min()), int(seen.max()) - row)
    assert farthest == network.halo


def test_the_loss_is_the_mean_absolute_error():
    network, low = build("unet", width=4), torch.rand(2, 3, 32, 48)
    spec = get_network("unet")
    terms = spec.objective(network, spec.settings(), None).terms(Batch(low, low.sqrt()))
    expected = (network.inference()(low) - low.sqrt()).abs().mean()
    torch.testing.assert_close(terms["absolute"], expected)


def test_it_wants_pairs_and_a_width():
    spec = get_network("unet")
    with pytest.raises(ValueError, match="normally lit"):
        spec.objective(build("unet", width=2), spec.settings(), None).terms(Batch(torch.rand(1, 3, 16, 16)))
    with pytest.raises(BadSetting, match="width"):
        build("unet", width=0)
