"""Adversarial losses against closed forms, and the pool of pictures that discriminators look back on."""

from __future__ import annotations

import io
import math

import pytest
import torch

from daybreak.losses.adversarial import judged
from daybreak.losses.pool import Pool


@pytest.fixture
def maps():
    return torch.full((2, 1, 3, 4), 0.25), torch.full((2, 1, 7, 5), -0.5)


def test_least_squares(maps):
    assert judged(maps, True, "lsgan").item() == pytest.approx((0.75**2 + 1.5**2) / 2)
    assert judged(maps, False, "lsgan").item() == pytest.approx((0.25**2 + 0.5**2) / 2)


def test_cross_entropy(maps):
    real = [-math.log(1 / (1 + math.exp(-s))) for s in (0.25, -0.5)]
    fake = [-math.log(1 - 1 / (1 + math.exp(-s))) for s in (0.25, -0.5)]
    assert judged(maps, True, "vanilla").item() == pytest.approx(sum(real) / 2)
    assert judged(maps, False, "vanilla").item() == pytest.approx(sum(fake) / 2)


def test_each_path_counts_the_same_whatever_the_size_of_its_map():
    small, large = torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 20, 20)
    assert judged([small, large], True, "lsgan").item() == pytest.approx(0.5)


def test_a_pool_of_none_gives_back_what_comes():
    pool, pictures = Pool(0), torch.rand(3, 3, 4, 4)
    assert all(pool.swap(pictures) is pictures for _ in range(3))
    assert pool.pictures == []


def numbered(*numbers):
    return torch.tensor(numbers, dtype=torch.float32).view(-1, 1, 1, 1).expand(-1, 3, 2, 2)


def told(pictures):
    return [int(p) for p in pictures[:, 0, 0, 0]]


def test_a_pool_fills_up_and_then_swaps_half():
    torch.manual_seed(0)
    pool, old = Pool(5), 0
    assert told(pool.swap(numbered(0, 1, 2, 3, 4))) == [0, 1, 2, 3, 4]
    for number in range(5, 405):
        (given,) = told(pool.swap(numbered(number)))
        kept = {int(p[0, 0, 0]) for p in pool.pictures}
        assert len(kept) == 5
        assert given == number or number in kept, "a picture got lost"
        assert given not in kept
        old += given != number
    assert 160 < old < 240  # 200 ± 4 standard deviations


def test_a_pool_goes_on_where_it_stopped():
    torch.manual_seed(1)
    pool = Pool(4)
    for number in range(9):
        pool.swap(numbered(number))
    file = io.BytesIO()
    torch.save(pool.state(), file)
    assert len(file.getvalue()) < 20_000  # the pictures, not the batches they were cut from
    file.seek(0)
    other = Pool(4)
    other.load_state(torch.load(file, weights_only=True))
    numbers = range(9, 40)
    assert [told(pool.swap(numbered(n))) for n in numbers] == [told(other.swap(numbered(n))) for n in numbers]


def test_what_a_pool_holds_does_not_change_with_the_batch_it_came_from():
    pool, pictures = Pool(2), torch.zeros(2, 3, 2, 2)
    pool.swap(pictures)
    pictures += 1
    assert all(p.max() == 0 for p in pool.pictures)
