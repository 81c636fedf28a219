"""Pictures of any size through a network as it trains."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from daybreak.methods.pretrained import run_graph
from daybreak.networks import build
from daybreak.training.pictures import to_bytes, to_floats
from daybreak.training.scoring import enhance


@pytest.fixture
def network():
    torch.manual_seed(0)
    return build("neid", width=4, init="kaiming").train()


class Graph:
    """The exported part, as an engine would run it."""

    def __init__(self, network):
        self.graph = network.inference()

    @torch.no_grad()
    def run(self, batch, besides):
        return self.graph.eval()(torch.from_numpy(batch)).numpy()


@pytest.mark.parametrize("size", [(32, 64), (40, 50), (9, 100), (1, 1)])
def test_scoring_sees_what_a_weight_will_give(network, size):
    """Smaller than half the multiple too: reflection alone would not fill that up."""
    picture = np.random.default_rng(0).integers(0, 80, (*size, 3), dtype=np.uint8)
    scored = enhance(network, picture)
    assert scored.shape == picture.shape
    assert network.training
    assert np.array_equal(scored, to_bytes(run_graph(Graph(network), to_floats(picture), 32)))
