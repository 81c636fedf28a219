"""Pictures of any size through a network as it trains."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from daybreak.layers.thumbnail import thumbnail
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


def test_what_looks_at_the_whole_picture_is_shown_that_and_not_what_was_added_to_it():
    torch.manual_seed(0)
    network = build("daybreak", local="gates", width=4, glance=3, numbers=2)
    picture = np.full((32, 33, 3), 10, np.uint8)
    picture[:, 30:] = 120  # mirrored up to 48 columns, it would be a third of the whole
    graph = network.inference().eval()
    low = torch.from_numpy(to_floats(picture)).permute(2, 0, 1)[None]
    with torch.no_grad():
        padded = torch.cat([low, low[..., 17:32].flip(3)], dim=3)
        own, of_padded = (graph(padded, thumbnail(seen, 64))[0, :, :, :33] for seen in (low, padded))
    scored = enhance(network, picture)
    assert np.abs(scored.astype(int) - to_bytes(own.permute(1, 2, 0).numpy())).max() <= 1
    assert np.abs(scored.astype(int) - to_bytes(of_padded.permute(1, 2, 0).numpy())).max() > 2
