"""Parts of a picture give what one piece gives, keep to the memory, and show no seam."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.memory import Room, resident
from daybreak.enhancing.parts import (
    COPY,
    LEAST_SIDE,
    Part,
    copy_block,
    fitting_side,
    plan_parts,
    shrunken,
)
from daybreak.enhancing.tiling import enhance_parts, in_parts
from daybreak.errors import NotEnoughMemory
from daybreak.image.rows import Floats, Levels
from daybreak.methods import every_method, get_method
from daybreak.methods.base import Card, Method, Settings, parse_settings
from daybreak.metrics.seams import seam_score

LOCAL = [m for m in every_method() if m.card.context == "local"]
PARTED = ("neid", "neid.wild")
"""Global methods that work on tiles with numbers of the whole; their halo takes more room than the rest."""
GLOBAL = [m for m in every_method() if m.card.context == "global" and m.choose is None]


def photo(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A dark picture with large and small things in it and some noise, H×W×3 float32 in [0, 1]."""
    rng = np.random.default_rng(seed)
    big = cv2.resize(rng.random((6, 8, 3), np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    small = cv2.resize(rng.random((40, 60, 3), np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    noisy = 0.25 * np.clip(big, 0, 1) * (0.4 + 0.6 * small) + rng.normal(0, 0.005, big.shape)
    return np.clip(noisy, 0, 1).astype(np.float32)


def blur(pixels, _):
    """A local method with a reach of 3 that repeats the border."""
    out = cv2.blur(np.ascontiguousarray(pixels), (7, 7), borderType=cv2.BORDER_REPLICATE)
    return out.reshape(pixels.shape)


def method(run, halo=3, multiple=1) -> Method:
    card = Card("some", "", "", "pretrained", Settings, "local", halo, multiple, memory_per_pixel=60.0)
    return Method(card, run)


def settled(some: Method, pixels):
    """The defaults, with what the method takes from the whole picture, as `Enhancer` settles them."""
    settings = parse_settings(some.card, {})
    return settings if some.settle is None else some.settle(pixels, settings)


def parts(some: Method, pixels, side: int, strength: float = 1.0, room: int | None = None):
    plan = plan_parts(Floats(pixels), some, settled(some, pixels), strength, None, room)
    return enhance_parts(
        pixels, replace(plan, side=max(plan.part.cell, side // plan.part.cell * plan.part.cell))
    )


@settings(max_examples=40)
@given(height=st.integers(1, 60), width=st.integers(1, 60), side=st.integers(4, 40), seed=st.integers(0, 9))
def test_tiles_equal_one_piece(height, width, side, seed):
    pixels = np.random.default_rng(seed).random((height, width, 3), np.float32)
    np.testing.assert_allclose(parts(method(blur), pixels, side), blur(pixels, None), atol=1e-6)


def cells(pixels, _):
    """A network that halves, as it were: each 16×16 cell becomes its largest value."""
    height, width = pixels.shape[:2]
    wider = np.pad(pixels, ((0, -height % 16), (0, -width % 16), (0, 0)), mode="edge")
    tall, wide = wider.shape[0] // 16, wider.shape[1] // 16
    largest = wider.reshape(tall, 16, wide, 16, 3).max((1, 3), keepdims=True)
    return np.broadcast_to(largest, (tall, 16, wide, 16, 3)).reshape(wider.shape)[:height, :width]


@settings(max_examples=20)
@given(height=st.integers(1, 120), width=st.integers(1, 120), side=st.integers(16, 80))
def test_tiles_keep_to_the_cells_of_a_network_that_halves(height, width, side):
    pixels = np.random.default_rng(0).random((height, width, 3), np.float32)
    np.testing.assert_array_equal(parts(method(cells, 20, 16), pixels, side), cells(pixels, None))


def test_too_small_a_halo_is_seen():
    pixels = np.random.default_rng(0).random((60, 60, 3), np.float32)
    assert np.abs(parts(method(blur, halo=2), pixels, 20) - blur(pixels, None)).max() > 1e-3
    assert seam_score(parts(method(blur, halo=0), pixels, 20), [20, 40], [20, 40], blur(pixels, None)) > 1


@pytest.mark.parametrize("some", LOCAL, ids=lambda m: m.card.name)
@pytest.mark.parametrize("threads", [1, 2])
def test_every_local_method_equals_one_piece(some, threads, monkeypatch):
    monkeypatch.setattr(cv2, "getNumThreads", lambda: threads)
    pixels = photo(230, 310)
    whole = some.run(pixels, settled(some, pixels))
    for side in (64, 150, 229):
        np.testing.assert_allclose(parts(some, pixels, side), whole, atol=1e-6)


@pytest.mark.parametrize("strength", [0.4, 1.0, 1.3])
def test_levels_in_parts_are_the_levels_of_one_piece(strength):
    pixels = (photo(530, 700) * 255).round().astype(np.uint8)
    made = Enhancer("cascade", strength=strength).run(Levels(pixels, 255))
    expected = Enhancer("cascade", strength=strength).run((pixels / np.float32(255)).astype(np.float32))
    assert isinstance(made.rows, Levels)
    off = np.abs(made.rows.whole - expected.pixels * 255)
    assert off.max() < 0.51
    assert made.reduced == expected.reduced == ""


@pytest.mark.parametrize("some", GLOBAL, ids=lambda m: m.card.name)
def test_no_global_method_shows_where_it_was_cut(some):
    """What is learnt from a copy is the same wherever the cuts are: not a tenth of a level of 8 bits."""
    pixels = photo(240, 330)
    room = 3_000_000 if some.card.name not in PARTED else 800_000_000
    plan = plan_parts(Floats(pixels), some, parse_settings(some.card, {}), 1.0, None, room)
    assert plan.note or some.prepare or some.card.name in PARTED, "the whole would have fitted"
    single = enhance_parts(pixels, replace(plan, side=-(-330 // plan.part.cell) * plan.part.cell))
    for side in (40, 77, 160) if some.card.name not in PARTED else (160,):
        side = side // plan.part.cell * plan.part.cell
        rows, columns = range(side, 238, side), range(side, 328, side)
        made = enhance_parts(pixels, replace(plan, side=side))
        assert seam_score(made, rows, columns, single) < 0.1


@pytest.mark.parametrize("some", GLOBAL, ids=lambda m: m.card.name)
def test_what_a_copy_taught_is_near_the_result_of_the_whole(some):
    height, width = (200, 264) if some.card.kind == "pretrained" else (360, 480)
    pixels = photo(height, width)
    set_as = parse_settings(some.card, {})
    whole = some.run(pixels, set_as)
    each = max(600, int(some.card.memory_per_pixel) + 100)  # for a copy of a quarter of the pixels
    room = 2 * height * width // 4 * each if some.card.name not in PARTED else 800_000_000
    plan = plan_parts(Floats(pixels), some, set_as, 1.0, None, room)
    assert plan.note or some.prepare or some.card.name in PARTED, "the whole would have fitted"
    error = float(np.mean((enhance_parts(pixels, plan) - whole) ** 2))
    assert error < 10**-2.8, "28 dB on a picture of pure texture; photographs come nearer"


def test_settings_in_pixels_shrink_with_the_copy():
    msr, npe = (get_method(name).card for name in ("msr", "npe"))
    smaller = shrunken(parse_settings(msr, {}), 4)
    assert (smaller.sigma_small, smaller.sigma_large, smaller.clip) == (3.75, 62.5, 1.0)
    assert shrunken(parse_settings(npe, {}), 10).window == 3, "the least that npe takes"
    assert shrunken(parse_settings(npe, {}), 1) == parse_settings(npe, {})


@given(st.integers(1, 40_000), st.integers(1, 40_000), st.none() | st.integers(0, 10**10))
def test_a_copy_keeps_within_its_pixels(height, width, room):
    block = copy_block((height, width, 3), get_method("srie"), room)
    assert -(-height // block) * -(-width // block) <= COPY


@given(st.integers(1, 10**5), st.integers(0, 300), st.sampled_from([1, 16, 32]), st.integers(0, 10**10))
def test_tiles_keep_within_the_room(width, halo, cell, room):
    part = Part(lambda window, top, left: window, halo, cell, per_pixel=100.0)
    try:
        side = fitting_side(width, part, room)
    except NotEnoughMemory:
        return
    assert side % cell == 0
    window = (side + 2 * halo) * min(width, side + 2 * halo)
    assert window * 100.0 + 12 * width * side <= room


class Hungry:
    """A method that cannot have memory for more than so many pixels."""

    def __init__(self, most: int, error: Exception) -> None:
        self.most, self.error, self.failed = most, error, 0

    def run(self, pixels, _):
        if pixels.size > 3 * self.most:
            self.failed += 1
            raise self.error
        return blur(pixels, _)


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("... : Failed to allocate memory for requested buffer of size 9"),
     cv2.error("OpenCV: (-4:Insufficient memory) Failed to allocate 9 bytes")],
    ids=["numpy", "onnxruntime", "opencv"],
)  # fmt: skip
def test_where_memory_runs_out_tiles_are_halved_and_the_work_goes_on(error):
    pixels = photo(200, 260)
    hungry = Hungry(70 * 70, error)
    made = parts(method(hungry.run), pixels, 200)
    np.testing.assert_allclose(made, blur(pixels, None), atol=1e-6)
    assert hungry.failed, "it was never short of memory"


def test_a_picture_that_does_not_fit_in_one_piece_is_worked_on_in_parts_all_the_same():
    """Memory that runs out where nobody expected it: the plan said that the whole fits."""
    hungry = Hungry(150 * 150, MemoryError())
    enhancer = Enhancer("mf")
    enhancer.method = replace(get_method("mf"), run=hungry.run, prepare=None)
    outcome = enhancer.run(photo(200, 260))
    assert hungry.failed == 1
    assert outcome.reduced
    assert outcome.pixels.shape == (200, 260, 3)


def test_when_not_even_small_tiles_fit_it_is_told():
    hungry = Hungry(0, MemoryError())
    with pytest.raises(MemoryError):
        parts(method(hungry.run), photo(80, 80), 64)
    with pytest.raises(NotEnoughMemory, match=r"tiles of 32 pixels takes .* MB; .*--max-memory"):
        fitting_side(10_000, Part(partial(blur), 3), 1_000_000)
    assert LEAST_SIDE == 32


def test_other_errors_come_out():
    def fail(pixels, _):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        parts(method(fail), np.zeros((50, 50, 3), np.float32), 20)


def test_bands_come_from_top_to_bottom_and_none_twice():
    pixels = photo(100, 50)
    plan = replace(plan_parts(Floats(pixels), method(blur), Settings(), 1.0, None, None), side=32)
    found = list(in_parts(Floats(pixels), plan, 8))
    assert [top for top, _ in found] == [0, 25, 50, 75], "as few nearly equal ones as will do"
    assert sum(len(band) for _, band in found) == 100


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")
def test_room_is_what_was_asked_for_less_what_is_taken():
    left = Room(resident() + 10**9).left()
    assert 0 < left < 10**9
    assert Room(1).left() == 0
