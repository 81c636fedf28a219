"""Text of shared options."""

from __future__ import annotations

import cv2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.cli.options import (
    chosen_enhancer,
    complete_device,
    complete_method,
    complete_methods,
    parse_methods,
    parse_sets,
)
from daybreak.errors import BadSetting, UnknownName
from daybreak.methods import list_methods
from daybreak.methods.base import parse_settings
from daybreak.methods.gamma import METHOD

KEYS = st.from_regex(r"[a-z_]+", fullmatch=True)


@given(st.dictionaries(KEYS, st.text('aé=, 0.-"', max_size=8).map(str.strip), max_size=4))
def test_what_is_written_is_read(values):
    assert parse_sets(f"{key}={value}" for key, value in values.items()) == values


def test_text_becomes_numbers_in_the_settings_model():
    assert parse_settings(METHOD.card, parse_sets([" gamma = 2.5 "])).gamma == 2.5


@pytest.mark.parametrize("text", ["gamma", "=2", "", " = "])
def test_no_key_or_no_equals_is_refused(text):
    with pytest.raises(BadSetting, match="KEY=VALUE"):
        parse_sets([text])


def test_one_key_twice_is_refused():
    with pytest.raises(BadSetting, match="twice"):
        parse_sets(["gamma=1", "gamma=2"])


def test_upscale_as_an_option_and_as_a_setting_is_refused():
    with pytest.raises(BadSetting, match="twice"):
        chosen_enhancer("neid", 1.0, None, 2, ["upscale=1"])


def test_upscale_of_a_method_that_cannot_names_one_that_can():
    with pytest.raises(BadSetting, match=r"--upscale with auto; expected a method that can\. Type -m neid"):
        chosen_enhancer("auto", 1.0, None, 2, None)


def test_a_list_of_methods_keeps_its_order_and_drops_repeats():
    assert parse_methods("gamma, gamma,gam*") == ["gamma"]
    assert parse_methods("*") == list_methods()


def test_unknown_and_empty_lists_are_refused():
    with pytest.raises(UnknownName, match="gamma"):
        parse_methods("gama")
    with pytest.raises(UnknownName):
        parse_methods("zz*")
    with pytest.raises(BadSetting):
        parse_methods(" , ")


def test_completion_offers_names_with_summaries():
    assert ("gamma", METHOD.card.summary) in complete_method("ga")
    assert complete_method("zz") == []
    assert [name for name, _ in complete_methods("x,gam")] == ["x,gamma"]


def test_devices_are_completed():
    assert [name for name, _ in complete_device("c")] == ["cpu", "cuda", "coreml"]
    assert complete_device("auto")


def test_a_setting_of_the_method_cannot_pass_for_an_option():
    for key in ("device", "precision", "threads", "strength"):
        with pytest.raises(UnknownName, match=key):
            chosen_enhancer("gamma", 1.0, None, None, [f"{key}=2"])


def test_threads_hold_for_all_that_runs():
    before = cv2.getNumThreads()
    try:
        assert chosen_enhancer("gamma", 1.0, None, None, None, threads=1).threads == 1
        assert cv2.getNumThreads() == 1
        with pytest.raises(BadSetting, match="0 threads"):
            chosen_enhancer("gamma", 1.0, None, None, None, threads=0)
    finally:
        cv2.setNumThreads(before)
