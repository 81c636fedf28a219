"""The two small sizes of daybreak's own network, written down as arithmetic, against their graphs.

Each by NumPy, and by the compiled part where there is one.
"""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.engines import REFERENCE, Place, Runtime
from daybreak.engines.fastest import load
from daybreak.enhancing.bands import enhance_levels
from daybreak.enhancing.parts import plan_parts
from daybreak.enhancing.tiling import enhance_parts
from daybreak.errors import WeightsError
from daybreak.image.rows import Floats, Levels
from daybreak.methods import developing, get_method, glance
from daybreak.methods.pretrained import ARITHMETIC, run_weight
from daybreak.methods.registry import PRETRAINED
from daybreak.native import compiled, left_out
from daybreak.stopping import Stopped, stoppable
from daybreak.weights import find_weight

NAMES = ("daybreak", "daybreak.fast", "daybreak.curve")
WEIGHTS = {name: find_weight(PRETRAINED.get(name, name)) for name in NAMES}
ENGINES = {name: load(Place(REFERENCE, "fp32"), weight, 1) for name, weight in WEIGHTS.items()}
COMPILED = pytest.param(
    "compiled", marks=pytest.mark.skipif(not compiled(), reason="no compiler where it was installed")
)
WAYS = pytest.mark.parametrize("way", ["NumPy", COMPILED])


def by(way):
    """Runs what is in it without the compiled part, or as it is."""
    return left_out(way == "NumPy")


def picture(height, width, seed=0):
    """Large patches of all colours with noise on them, dark."""
    random = np.random.default_rng(seed)
    patches = np.kron(random.random((height // 24 + 1, width // 24 + 1, 3)), np.ones((24, 24, 1)))
    noisy = 0.5 * patches[:height, :width] ** 2 + random.normal(0, 0.03, (height, width, 3))
    return np.clip(noisy, 0, 1).astype(np.float32)


def settled(method, pixels, strength, **given):
    chosen = method.settle(pixels, method.card.settings(**given))
    return chosen if strength == 1 else method.strengthen(chosen, strength)


def graph_and_arithmetic(name, pixels, strength=1.0, **given):
    method = get_method(name)
    chosen = settled(method, pixels, strength, **given)
    return run_weight(ENGINES[name], WEIGHTS[name].card, pixels, chosen), method.run(pixels, chosen)


@WAYS
@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(NAMES),
    st.integers(1, 70),
    st.integers(1, 70),
    st.floats(0.1, 1.5),
    st.sampled_from([0.0, -3.0, -1.0]),
)
def test_the_arithmetic_is_the_graph(way, name, height, width, strength, light):
    with by(way):
        graph, arithmetic = graph_and_arithmetic(name, picture(height, width), strength, light=light)
    np.testing.assert_allclose(arithmetic, graph, atol=2e-5)


@WAYS
@pytest.mark.parametrize("shape", [(131, 1601), (1600, 33), (257, 512), (40, 9001)])
def test_of_more_than_one_band_and_very_wide_too(way, shape):
    with by(way):
        graph, arithmetic = graph_and_arithmetic("daybreak.fast", picture(*shape))
    np.testing.assert_allclose(arithmetic, graph, atol=2e-5)
    assert arithmetic.dtype == np.float32
    assert arithmetic.max() <= 1


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_black_stays_black_and_white_white(value):
    flat = np.full((40, 50, 3), value, np.float32)
    for name in NAMES:
        np.testing.assert_allclose(graph_and_arithmetic(name, flat)[1], flat, atol=1e-6)


@WAYS
@pytest.mark.parametrize("side", [32, 80, 256])
def test_parts_are_the_whole(way, side):
    pixels, method = picture(301, 275), get_method("daybreak.fast")
    chosen = settled(method, pixels, 1.0)
    with by(way):
        plan = plan_parts(Floats(pixels), method, chosen, 1.0, None, None, side=side)
        np.testing.assert_allclose(enhance_parts(pixels, plan), method.run(pixels, chosen), atol=1e-6)


@WAYS
@pytest.mark.parametrize(("kind", "peak"), [(np.uint8, 255), (np.uint16, 65_535), (np.uint16, 4095)])
@pytest.mark.parametrize("shape", [(150, 90), (400, 33), (1, 1), (3, 17)])
def test_levels_give_what_floats_give(way, kind, peak, shape):
    levels = Levels(np.rint(peak * picture(*shape)).astype(kind), peak)
    method = get_method("daybreak.fast")
    chosen = settled(method, levels, 1.0)
    with by(way):
        prepared = method.prepare(levels, chosen, None)
        floats = method.run(levels[:], chosen)
        np.testing.assert_allclose(prepared.rows(levels, 0, shape[0]), floats, atol=1e-6)
        made = enhance_levels(levels, prepared, 1.0)
        mean = made.once("mean", lambda: None)
    assert made.whole.dtype == kind
    np.testing.assert_allclose(made.whole, made.peak * floats, atol=0.51 if kind == np.uint8 else 0.6)
    np.testing.assert_allclose(mean, made.whole.mean() / made.peak, rtol=1e-9)


@WAYS
@pytest.mark.parametrize(("top", "bottom"), [(0, 1), (3, 50), (40, 77), (100, 150)])
def test_any_rows_are_those_of_the_whole(way, top, bottom):
    pixels, method = picture(150, 90), get_method("daybreak.fast")
    chosen = settled(method, pixels, 1.0)
    with by(way):
        rows = method.prepare(Floats(pixels), chosen, None).rows(pixels, top, bottom)
        np.testing.assert_allclose(rows, method.run(pixels, chosen)[top:bottom], atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (16, 16), (17, 33), (40, 70), (133, 201)])
def test_compiled_it_is_the_same(shape):
    if not compiled():
        pytest.skip("no compiler where it was installed")
    pixels, method = picture(*shape), get_method("daybreak")
    chosen, both = settled(method, pixels, 1.0), []
    for way in ("NumPy", "compiled"):
        with by(way):
            both.append((developing.seen(Floats(pixels)), method.run(pixels, chosen)))
    for by_numpy, by_library in zip(*both, strict=True):
        np.testing.assert_allclose(by_library, by_numpy, atol=2e-6)


@WAYS
def test_pictures_that_do_not_lie_in_one_piece(way):
    pixels, method = picture(90, 70), get_method("daybreak.fast")
    turned = np.ascontiguousarray(pixels.transpose(1, 0, 2)).transpose(1, 0, 2)
    chosen = settled(method, pixels, 1.0)
    with by(way):
        np.testing.assert_allclose(method.run(turned, chosen), method.run(pixels, chosen), atol=1e-6)


def test_the_input_is_left_as_it_is():
    pixels = picture(60, 70)
    before = pixels.copy()
    for name in NAMES:
        graph_and_arithmetic(name, pixels)
    np.testing.assert_array_equal(pixels, before)


def test_who_names_an_engine_gets_it():
    fast = get_method("daybreak.fast")
    assert {fast.placed(Runtime(device)).engine for device in ("cpu", "auto")} == {ARITHMETIC}
    pytest.importorskip("openvino")
    assert fast.placed(Runtime("openvino")).engine == "OpenVINO cpu fp32"


def test_its_constants_are_the_networks():
    pytest.importorskip("torch")
    from daybreak.layers import exposure, local
    from daybreak.networks import flagship

    for ours, module, names in (
        (glance, flagship, ("USUAL", "GAMMA", "BRIGHTEST")),
        (glance, exposure, ("LEAST", "MOST", "RUNGS", "NEAR")),
        (developing, local, ("FURTHEST", "KEPT", "COLOR", "RICHEST")),
    ):
        for name in names:
            assert getattr(ours, name) == getattr(module, name), name


def test_its_hash_covers_the_parameters_that_run():
    card = find_weight("daybreak.fast").card
    changed = card.model_copy(update={"safetensors_sha256": "0" * 64})
    assert changed.sha256 != card.sha256 == get_method("daybreak.fast").card.weights_sha256


def test_it_stops_between_two_bands():
    pixels, asked = picture(700, 20), iter([False, False])
    with stoppable(lambda: next(asked, True)), pytest.raises(Stopped):
        get_method("daybreak.fast").run(pixels, get_method("daybreak.fast").card.settings())


def test_parameters_that_are_not_the_cards_are_refused(tmp_path):
    weight = find_weight("daybreak.fast")
    damaged = replace(weight, safetensors=tmp_path / weight.safetensors.name)
    shutil.copy(weight.safetensors, damaged.safetensors)
    with damaged.safetensors.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"x")
    with pytest.raises(WeightsError, match="SHA-256"):
        damaged.parameters()
