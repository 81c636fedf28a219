"""The table of formats holds together."""

from __future__ import annotations

import pytest

from daybreak.errors import UnknownName
from daybreak.image.encode import ENCODERS
from daybreak.image.formats import FORMATS, find_format, format_of, is_picture_name, suffix_for


@pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)
def test_rows_agree_with_each_other(form):
    assert FORMATS[form.name] is form
    assert FORMATS[form.fallback].writable
    assert form.writable == (form.name in ENCODERS)
    assert form.fallback == form.name or not form.writable
    for suffix in form.suffixes:
        assert format_of(f"a{suffix.upper()}") is form
        assert find_format(suffix[1:]) is form
    assert suffix_for(form.name) == form.suffixes[0]


def test_no_suffix_stands_for_two_formats():
    suffixes = [suffix for form in FORMATS.values() for suffix in form.suffixes]
    assert len(set(suffixes)) == len(suffixes)


def test_names_that_are_no_pictures():
    for name in ("a.txt", "a", ".jpg", "jpg", "a.jpg.part"):
        assert not is_picture_name(name)
    with pytest.raises(UnknownName, match="jpeg"):
        find_format("jpge")
