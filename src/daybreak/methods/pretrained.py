"""A trained network as a method: its exported graph, run by an engine.

The graph is found by its weight card and trusted by its SHA-256; torch is never needed to run it. It is
loaded at the first picture, once per process and place, and stays warm. A network that is written down as
arithmetic (`daybreak.methods.glance`, `developing`) needs its parameters alone.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import cv2
import numpy as np

from daybreak.engines import REFERENCE, Engine, Place, Runtime, places
from daybreak.engines.runtime import AUTO
from daybreak.errors import EngineError
from daybreak.image.rows import Bands
from daybreak.image.tiles import Span, spans
from daybreak.methods.bands import by_bands
from daybreak.methods.base import Card, Method, Prepared
from daybreak.methods.developing import gated
from daybreak.methods.glance import curved, decide
from daybreak.methods.weight_settings import GuidedSettings, PretrainedSettings, settings_for
from daybreak.stopping import look
from daybreak.types import Array, Pixels
from daybreak.weights import Weight, WeightCard, find_weight

if TYPE_CHECKING:
    from daybreak.engines.frozen import FrozenGraph

ARITHMETIC = "NumPy and OpenCV cpu fp32"
"""What is said to run a network that is written down as arithmetic."""

MOST_ASKED = 1e14
"""Multiply-adds, halos and all, up to which a picture's numbers are asked for: 15 minutes on two cores."""

_LOADING: defaultdict[int, Lock] = defaultdict(Lock)
"""Process -> held while it loads a graph; a process that was forked meanwhile must not wait for it."""

T = TypeVar("T")

_WARM: dict[tuple[object, ...], tuple[str, Any]] = {}
"""What was loaded: of what, for what and in which process -> weight, graph.

A graph does not survive a fork, and a copy that is let go there would wait for threads that are not.
"""


def _warm(weight: Weight, threads: int, kind: object, load: Callable[[], T]) -> T:
    """The one graph of its kind that this process holds of a weight; another of its name takes its place."""
    process, card = os.getpid(), weight.card
    key = (process, card.name, threads, kind)
    with _LOADING[process]:  # many workers begin at the same time
        sha256, graph = _WARM.get(key, ("", None))
        if sha256 != card.sha256:
            graph = load()
            _WARM[key] = card.sha256, graph
        loaded: T = graph
    return loaded


def _engine(place: Place, weight: Weight) -> Engine:
    """A weight's graph where it is to run, for as many threads as OpenCV may use now."""
    from daybreak.engines import fastest

    threads = _threads(weight.card)
    return _warm(weight, threads, place, lambda: fastest.load(place, weight, threads))


def _frozen(weight: Weight) -> FrozenGraph:
    from daybreak.engines.frozen import FrozenGraph

    threads = cv2.getNumThreads()
    return _warm(weight, threads, FrozenGraph, lambda: FrozenGraph(weight.verified_onnx(), threads))


def _threads(card: WeightCard) -> int:
    return 1 if card.context == "local" else cv2.getNumThreads()  # tiles have a thread each


def _place(runtime: Runtime, weight: Weight) -> Place:
    """Where a weight is to run."""
    if runtime.computed == "bf16" and not weight.card.bf16:
        came = f"{weight.card.name} gives another picture in bf16, for all that is known"
        raise EngineError(came, hint="Type --precision fp32")
    among = places(runtime)
    if runtime.device != AUTO:
        return among[0]
    from daybreak.engines.fastest import fastest

    return fastest(weight, among, _threads(weight.card))


def written(
    weight: Weight, runtime: Runtime
) -> Callable[[Bands, GuidedSettings, int | None], Prepared] | None:
    """`Method.prepare` of a weight whose network is written down as arithmetic, for the CPU in fp32.

    Next to the engines it was the fastest on one core and two, but for small pictures on two: who says "auto"
    gets it too, who names an engine's device does not.
    """
    card, parameters = weight.card, cache(weight.parameters)
    if not card.arithmetic or runtime.device not in (AUTO, "cpu") or runtime.computed != "fp32":
        return None

    def prepare(source: Bands, settings: GuidedSettings, _: int | None) -> Prepared:
        given = settings.settled(card, source).inputs()
        wanted, strength = float(given["wanted"][0]), float(given["strength"][0])
        exposure = decide(parameters(), given["guide"][0], wanted, strength)
        return curved(exposure) if card.arithmetic == "curve" else gated(parameters(), source, exposure)

    return prepare


def freeze_weight(
    graph: FrozenGraph,
    card: WeightCard,
    source: Bands,
    side: int,
    settings: PretrainedSettings | None = None,
) -> Callable[[Pixels, int, int], Pixels] | None:
    """A run for windows of a picture that is given what it would ask of the whole.

    The picture is looked at from top to bottom, as often as the graph's numbers hang on each other.

    Args:
        graph: the weight's.
        card: the weight's.
        source: the picture.
        side: of the tiles that it is looked at in, px.
        settings: as for `run_weight`.

    Returns:
        (window, top, left) -> its result; tops and lefts are multiples of the card's. None where the graph
        cannot be followed, or asking for its numbers would take more than `MOST_ASKED`.
    """
    from daybreak.engines.frozen import Tally

    cell, (height, width, _) = card.multiple, source.shape
    whole = (-(-height // cell) * cell, -(-width // cell) * cell)  # as `_batch` brings it up
    windows = _windows(height, width, side, card)
    pixels = sum((below - above) * (after - before) for _, (above, below), _, (before, after) in windows)
    passes = len(graph.levels) / 2 + 1  # of a graph's levels half is run on average; and the result is made
    if not graph.parted or passes * pixels * card.macs_per_pixel > MOST_ASKED:
        return None
    besides = settings.inputs() if settings else {}
    numbers: dict[str, Array] = {}

    def given(batch: Array, top: int, left: int) -> dict[str, Array]:
        window = (batch.shape[2], batch.shape[3])
        return besides | graph.cut(numbers, whole, window, top, left)

    go_on = look()
    for level, pools in enumerate(graph.levels):
        tallies, asking = [(pool, Tally(pool, whole)) for pool in pools], graph.asking(level)
        held, band = (-1, -1), None
        for (top, bottom), (above, below), (left, right), (before, after) in windows:
            go_on()
            if held != (above, below):
                held, band = (above, below), source.band(above, below)
            assert band is not None
            batch = _batch(np.ascontiguousarray(band[:, before:after]), cell)
            told = asking.run(batch, given(batch, above, before))
            inside = (
                slice(top - above, (bottom if bottom < height else whole[0]) - above),
                slice(left - before, (right if right < width else whole[1]) - before),
            )
            for pool, tally in tallies:
                tally.add(told[pool.source], (batch.shape[2], batch.shape[3]), inside, top, left)
        del asking
        numbers |= {pool.name: tally.numbers() for pool, tally in tallies}

    def run(window: Pixels, top: int, left: int) -> Pixels:
        return run_graph(graph, window, cell, lambda batch: given(batch, top, left))

    return run


def _windows(height: int, width: int, side: int, card: WeightCard) -> list[tuple[Span, Span, Span, Span]]:
    """Rows of a tile and of its window, columns of both, from top to bottom."""
    halo = -(-card.halo // card.multiple) * card.multiple
    rows, columns = (spans(length, side, card.multiple) for length in (height, width))
    return [
        (
            (top, bottom),
            (max(0, top - halo), min(bottom + halo, height)),
            (left, right),
            (max(0, left - halo), min(right + halo, width)),
        )
        for top, bottom in rows
        for left, right in columns
    ]


def run_graph(
    engine: Engine,
    pixels: Pixels,
    multiple: int = 1,
    besides: Callable[[Array], dict[str, Array]] = lambda _: {},
) -> Pixels:
    """Run one picture through a graph.

    Args:
        engine: takes 1×3×H×W float32 in [0, 1] and gives as much.
        pixels: H×W×3 float32 in [0, 1].
        multiple: the graph's sides must be multiples of this; the picture is mirrored beyond its right and
            lower border as far as needed, and what was added is cut off.
        besides: the batch that the engine is given -> the graph's other inputs.

    Returns:
        H×W×3 float32 in [0, 1], times the graph's scale.
    """
    height, width = pixels.shape[:2]
    batch = _batch(pixels, multiple)
    enhanced = engine.run(batch, besides(batch))[0]
    scale = enhanced.shape[1] // batch.shape[2]
    planes = [np.asarray(plane, np.float32)[: height * scale, : width * scale] for plane in enhanced]
    if not planes[0].size:  # not what was asked for; who asked finds out
        return np.empty((*planes[0].shape, 3), np.float32)
    return np.asarray(cv2.merge(planes))  # a tenth of what NumPy takes to bring the planes together


def _batch(pixels: Pixels, multiple: int) -> Array:
    """1×3×H×W, with sides that are multiples."""
    below, right = (-side % multiple for side in pixels.shape[:2])
    if below or right:
        pixels = np.asarray(cv2.copyMakeBorder(pixels, 0, below, 0, right, cv2.BORDER_REFLECT_101))
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))[np.newaxis]


def run_weight(
    engine: Engine, card: WeightCard, pixels: Pixels, settings: PretrainedSettings | None = None
) -> Pixels:
    """Run one picture, or one tile of a local network's, through a shipped weight in one piece.

    Args:
        engine: with the weight's graph loaded.
        card: the weight's.
        pixels: H×W×3 float32 in [0, 1].
        settings: of the method that the weight is, settled on these pixels unless they are; None: defaults.

    Returns:
        H×W×3 float32 in [0, 1], times the scale.
    """
    settled = (settings or settings_for(card)()).settled(card, pixels)
    return run_graph(engine, pixels, card.multiple, lambda _: settled.inputs())


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
    found, asked = find_weight(weight), runtime or Runtime()
    card, arithmetic = found.card, written(found, asked)
    place = Place(REFERENCE, "fp32") if arithmetic else _place(asked, found)

    def inferred(pixels: Pixels, settings: PretrainedSettings) -> Pixels:
        return run_weight(_engine(place, found), card, pixels, settings)

    # parted graphs are run by ONNX Runtime on the CPU, and a result says what ran it
    parted = card.context == "global" and card.control is None and place == Place(REFERENCE, "fp32")

    def freeze(
        source: Bands, settings: PretrainedSettings, side: int
    ) -> Callable[[Pixels, int, int], Pixels] | None:
        return freeze_weight(_frozen(found), card, source, side, settings)

    def prepare(source: Bands, settings: GuidedSettings, _: int | None) -> Prepared:
        settled = settings.settled(card, source)
        return Prepared(lambda window, _top, _left: inferred(window, settled), point=True)

    looks = card.control is not None or card.guide > 0
    return Method(
        card=Card(
            name=name,
            summary=card.summary,
            paper=card.paper,
            kind="pretrained",
            settings=settings_for(card),
            context=card.context,
            halo=card.halo,
            multiple=card.multiple,
            scale=card.scale,
            licence=card.licence,
            memory_per_pixel=0.0 if card.arithmetic and not arithmetic else card.memory_per_pixel,
            notes=f"Trained on {card.training_data} ({card.training_terms}). {card.notes}".strip(),
            weights_sha256=card.sha256,
        ),
        run=by_bands(arithmetic) if arithmetic else inferred,
        prepare=arithmetic or (prepare if card.point else None),
        settle=(lambda rows, settings: settings.settled(card, rows)) if looks else None,
        freeze=freeze if parted else None,
        strengthen=(lambda settings, strength: settings.strengthened(strength)) if looks else None,
        engine=ARITHMETIC if arithmetic else str(place),
        on=lambda elsewhere: load(name, weight, elsewhere),
    )
