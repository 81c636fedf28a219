"""Shipped weights as methods: an exported graph behind the same contract as any algorithm. No torch.

The graph takes and gives 1×3×H×W float32 in [0, 1] and clamps; everything a network needs besides is inside
it. It is loaded at the first picture, once per process, and stays warm.
"""

from __future__ import annotations

import os
from functools import cache

import numpy as np

from daybreak.engines import Engine, OnnxEngine
from daybreak.errors import UnknownName
from daybreak.image.tiles import in_tiles
from daybreak.methods.base import Card, Method, Settings
from daybreak.types import Pixels
from daybreak.weights import find_weight

WEIGHTS = {"cascade": "cascade.lol"}
"""Method -> the shipped weight that it runs."""


class PretrainedSettings(Settings):
    """A trained network has nothing to set."""


_MEMORY_PER_PIXEL = 50.0  # measured with cascade; what a tile takes besides does not grow with the picture


@cache
def _engine(weight: str, process: int) -> Engine:  # noqa: ARG001 - what is loaded does not survive a fork
    return OnnxEngine(find_weight(weight).verified_onnx())


def run_graph(engine: Engine, pixels: Pixels) -> Pixels:
    """Run one picture through a graph.

    Args:
        engine: takes 1×3×H×W float32 in [0, 1] and gives as much.
        pixels: H×W×3 float32 in [0, 1].

    Returns:
        H×W×3 float32 in [0, 1].
    """
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1))  # 3×H×W
    enhanced = engine.run(planes[np.newaxis])[0]
    return np.ascontiguousarray(enhanced.transpose(1, 2, 0), dtype=np.float32)


def load(name: str) -> Method[PretrainedSettings]:
    """A shipped weight as a method; reads nothing but its card.

    Args:
        name: a key of `WEIGHTS`.

    Raises:
        UnknownName: there is no such weight.
        WeightsError: its card cannot be read.
    """
    if name not in WEIGHTS:
        raise UnknownName("method with a weight", name, WEIGHTS)
    card = find_weight(WEIGHTS[name]).card

    def run(pixels: Pixels, settings: PretrainedSettings) -> Pixels:  # noqa: ARG001 - there are none
        engine = _engine(card.name, os.getpid())
        return in_tiles(lambda tile: run_graph(engine, tile), pixels, card.halo)

    return Method(
        card=Card(
            name=name,
            summary=card.summary,
            paper=card.paper,
            kind="pretrained",
            settings=PretrainedSettings,
            context=card.context,
            halo=card.halo,
            multiple=card.multiple,
            scale=card.scale,
            licence=card.licence,
            memory_per_pixel=_MEMORY_PER_PIXEL,
            notes=f"Trained on {card.training_data} ({card.training_terms}). {card.notes}".strip(),
            weights_sha256=card.onnx_sha256,
        ),
        run=run,
    )
