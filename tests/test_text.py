"""`printable` makes any name one harmless line."""

from hypothesis import given
from hypothesis import strategies as st

from daybreak.text import printable


@given(st.text(st.characters(exclude_categories=()), max_size=40))
def test_result_is_one_printable_line_that_any_file_can_hold(name):
    shown = printable(name)
    assert shown.isprintable()
    assert "\n" not in shown
    shown.encode()  # lone surrogates (undecodable file names) are gone


@given(st.text(st.characters(categories=("L", "N", "P")), max_size=40))
def test_letters_of_any_language_stay(name):
    assert printable(name) == name
