"""Errors reach other processes whole."""

from __future__ import annotations

import pickle
from multiprocessing import get_context

import pytest

import daybreak
from daybreak import errors
from daybreak.errors import DaybreakError, MissingAsset, MissingExtra, UnknownName

SPECIAL = {
    UnknownName: ("method", "gama", ("gamma", "he")),
    MissingExtra: ("reading HEIC", "heif"),
    MissingAsset: ("vgg16", "niqe"),
}
KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DaybreakError)]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_is_the_same_after_pickling(kind):
    error = kind(*SPECIAL.get(kind, ("a.jpg is too dark", "light", "Type: daybreak")))
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_a_pool_of_processes_hands_on_a_mistyped_name():
    with get_context("spawn").Pool(1) as pool, pytest.raises(UnknownName, match="Did you mean gamma"):
        pool.apply_async(daybreak.Enhancer, ("gama",)).get(60)
