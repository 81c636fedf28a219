"""The one look-up that all explicit lists stand on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.errors import RegistryError, UnknownName
from daybreak.listing import index, look_up, matching

names = st.lists(st.text("abc", min_size=1, max_size=3))


@given(names)
def test_every_thing_is_found_under_its_name_and_a_name_twice_is_refused(things):
    if len(set(things)) < len(things):
        with pytest.raises(RegistryError, match="one name, one thing"):
            index("thing", things, str)
        return
    table = index("thing", things, str)
    assert list(table) == things == matching("*", table)
    assert [look_up("thing", name, table) for name in things] == things


def test_an_unknown_name_gets_the_nearest_and_the_hint():
    table = index("thing", ["dusk", "dawn"], str)
    with pytest.raises(UnknownName, match=r"no thing named 'dusq'\. Did you mean dusk\? See: things"):
        look_up("thing", "dusq", table, "See: things")


def test_a_table_cannot_be_changed():
    table = index("thing", ["dusk"], str)
    with pytest.raises(TypeError):
        table["dawn"] = "dawn"
