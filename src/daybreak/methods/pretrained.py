"""A trained network as a method: its exported graph, run by an engine.

The graph is found by its weight card and trusted by its SHA-256; torch is never needed to run it. It is
loaded at the first picture, once per process and place, and stays warm.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np

from daybreak.engines import REFERENCE, Engine, Place, Runtime, places
from daybreak.engines.runtime import AUTO
from daybreak.image.rows import Levels, Rows
from daybreak.methods.base import Card, Method, Settings, setting
from daybreak.types import Array, Pixels
from daybreak.weights import Control, Weight, WeightCard, find_weight

if TYPE_CHECKING:
    from daybreak.engines.frozen import FrozenGraph

_LOADING: defaultdict[int, Lock] = defaultdict(Lock)
"""Process -> held while it loads a graph; a process that was forked meanwhile must not wait for it."""


class PretrainedSettings(Settings):
    """A trained network has nothing to set."""


class UpscaleSettings(Settings):
    """A network that works at half the size, and can be given the picture itself instead."""

    upscale: Literal[1, 2] = setting(
        1,
        "2 takes the picture as the small one it would have made of it: the result is twice as large.",
        source="paper: 4, section 3.1; the network super-resolves by 2",
    )


class AlphaSettings(Settings):
    """A network with paper 3's α."""

    alpha: float = setting(
        0.0,
        "How much of the light that is missing is given back; 0 estimates it from the picture.",
        source="paper: section 4, α from 0.5 to 2; above it the network was not trained",
        ge=0,
        le=3,
    )


def _settings(card: WeightCard) -> type[Settings]:
    if card.control is not None:
        return AlphaSettings
    return UpscaleSettings if card.upscales else PretrainedSettings


@cache
def _loaded(place: Place, weight: str, threads: int, process: int) -> Engine:  # noqa: ARG001 - what is loaded does not survive a fork
    from daybreak.engines.fastest import load

    return load(place, find_weight(weight), threads)


def _engine(place: Place, card: WeightCard) -> Engine:
    """The one warm engine of this process, for as many threads as OpenCV may use now."""
    process = os.getpid()
    with _LOADING[process]:  # many workers begin at the same time
        return _loaded(place, card.name, _threads(card), process)


def _threads(card: WeightCard) -> int:
    return 1 if card.context == "local" else cv2.getNumThreads()  # tiles have a thread each


def _place(runtime: Runtime, weight: Weight) -> Place:
    """Where a weight is to run."""
    among = places(runtime)
    if runtime.device != AUTO:
        return among[0]
    from daybreak.engines.fastest import fastest

    return fastest(weight, among, _threads(weight.card))


@cache
def _frozen(weight: str, threads: int, process: int) -> FrozenGraph:  # noqa: ARG001 - as above
    from daybreak.engines.frozen import FrozenGraph

    return FrozenGraph(find_weight(weight).verified_onnx(), threads)


def freeze_weight(
    graph: FrozenGraph, card: WeightCard, copy: Pixels, upscale: int = 1
) -> Callable[[Pixels], Pixels] | None:
    """A run for windows of a picture that takes from a reduced copy what it would ask of the whole.

    Args:
        graph: the weight's.
        card: the weight's.
        copy: h×w×3 float32 in [0, 1], of the whole picture.
        upscale: as for `run_weight`.

    Returns:
        None where the graph has norms in it, which no few numbers stand for.
    """
    if not graph.parted:
        return None
    besides = {"upscale": np.array([True])} if upscale == 2 else {}
    pooled = graph.look(_batch(copy, card.multiple), besides)
    return lambda window: run_graph(graph, window, card.multiple, besides | pooled)


def run_graph(
    engine: Engine, pixels: Pixels, multiple: int = 1, besides: dict[str, Array] | None = None
) -> Pixels:
    """Run one picture through a graph.

    Args:
        engine: takes 1×3×H×W float32 in [0, 1] and gives as much.
        pixels: H×W×3 float32 in [0, 1].
        multiple: the graph's sides must be multiples of this; the picture is mirrored beyond its right and
            lower border as far as needed, and what was added is cut off.
        besides: the graph's other inputs.

    Returns:
        H×W×3 float32 in [0, 1], times the graph's scale.
    """
    height, width = pixels.shape[:2]
    batch = _batch(pixels, multiple)
    enhanced = engine.run(batch, besides or {})[0]
    scale = enhanced.shape[1] // batch.shape[2]
    enhanced = enhanced[:, : height * scale, : width * scale]
    return np.ascontiguousarray(enhanced.transpose(1, 2, 0), dtype=np.float32)


def _batch(pixels: Pixels, multiple: int) -> Array:
    """1×3×H×W, with sides that are multiples."""
    below, right = (-side % multiple for side in pixels.shape[:2])
    if below or right:
        pixels = _mirrored(pixels, below, right)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))[np.newaxis]


def _mirrored(pixels: Pixels, below: int, right: int) -> Pixels:
    """Mirrored beyond the lower and the right border, which are not repeated; as often as it takes."""
    rows, columns = (
        _folded(np.arange(side + more), side)
        for side, more in zip(pixels.shape[:2], (below, right), strict=True)
    )
    wider: Pixels = pixels[np.ix_(rows, columns)]
    return wider


def _folded(places: Array, length: int) -> Array:
    """Places beyond the end, mirrored back inside.

    >>> _folded(np.arange(6), 3).tolist()
    [0, 1, 2, 1, 0, 1]
    """
    if length == 1:
        return np.zeros_like(places)
    period = 2 * (length - 1)
    place = places % period
    folded: Array = np.minimum(place, period - place)
    return folded


def run_weight(
    engine: Engine, card: WeightCard, pixels: Pixels, alpha: float = 0.0, upscale: int = 1
) -> Pixels:
    """Run one picture, or one tile of a local network's, through a shipped weight in one piece.

    Args:
        engine: with the weight's graph loaded.
        card: the weight's.
        pixels: H×W×3 float32 in [0, 1].
        alpha: the graph's control, where it has one; 0 estimates it from these pixels.
        upscale: 2 for twice the size, where the graph can.

    Returns:
        H×W×3 float32 in [0, 1], times `upscale`.
    """
    besides: dict[str, Array] = {}
    if card.control is not None:
        besides[card.control.name] = np.array([alpha or estimate(card.control, pixels)], np.float32)
    if upscale == 2:
        besides["upscale"] = np.array([True])
    return run_graph(engine, pixels, card.multiple, besides)


def estimate(control: Control, rows: Rows) -> float:
    """A graph's control from the brightness of the whole picture, H×W×3 in [0, 1]."""
    values, peak = (rows.whole, rows.peak) if isinstance(rows, Levels) else (rows, 1)
    value = control.intercept + control.slope * float(values.mean(dtype=np.float64)) / peak
    return min(max(value, control.least), control.most)


def load(name: str, weight: str, runtime: Runtime | None = None) -> Method[Any]:
    """A shipped weight as a method; reads nothing but its card, unless the fastest place is to be found.

    Args:
        name: of the method.
        weight: NETWORK.TAG.
        runtime: where it is to run; None for the reference.

    Raises:
        UnknownName: there is no such weight.
        WeightsError: its card cannot be read.
        MissingExtra: the engine is not installed.
        EngineError: the device or the precision cannot be had on this machine.
    """
    found = find_weight(weight)
    card, place = found.card, _place(runtime or Runtime(), found)

    def run(pixels: Pixels, settings: Settings) -> Pixels:
        return run_weight(_engine(place, card), card, pixels, **settings.model_dump())

    # parted graphs are run by ONNX Runtime on the CPU, and a result says what ran it
    parted = card.context == "global" and card.control is None and place == Place(REFERENCE, "fp32")

    def freeze(copy: Pixels, settings: Settings) -> Callable[[Pixels], Pixels] | None:
        graph = _frozen(card.name, cv2.getNumThreads(), os.getpid())
        return freeze_weight(graph, card, copy, **settings.model_dump())

    def settle(rows: Rows, settings: Settings) -> Settings:
        assert card.control is not None
        alpha = getattr(settings, "alpha", 0.0) or estimate(card.control, rows)
        return settings.model_copy(update={"alpha": alpha})

    def strengthen(settings: Settings, strength: float) -> Settings:
        return settings.model_copy(update={"alpha": getattr(settings, "alpha", 0.0) * strength})

    return Method(
        card=Card(
            name=name,
            summary=card.summary,
            paper=card.paper,
            kind="pretrained",
            settings=_settings(card),
            context=card.context,
            halo=card.halo,
            multiple=card.multiple,
            scale=card.scale,
            licence=card.licence,
            memory_per_pixel=card.memory_per_pixel,
            notes=f"Trained on {card.training_data} ({card.training_terms}). {card.notes}".strip(),
            weights_sha256=card.sha256,
        ),
        run=run,
        settle=settle if card.control else None,
        freeze=freeze if parted else None,
        strengthen=strengthen if card.control else None,
        engine=str(place),
        on=lambda elsewhere: load(name, weight, elsewhere),
    )
