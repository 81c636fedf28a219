"""Spans cover a length."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from daybreak.image.tiles import spans


@given(length=st.integers(1, 5000), cells=st.integers(1, 600), cell=st.sampled_from([1, 1, 8, 16]))
def test_spans_cover_once_and_keep_to_the_side_and_the_cells(length, cells, cell):
    side = cells * cell
    cut = spans(length, side, cell)
    assert all(start % cell == 0 for start, _ in cut)
    assert [i for start, end in cut for i in (start, end)][1:-1] == [e for _, e in cut[:-1] for _ in (0, 1)]
    assert cut[0][0] == 0
    assert cut[-1][1] == length
    sizes = [end - start for start, end in cut]
    assert max(sizes) <= side
    assert max(sizes) - min(sizes) <= (1 if cell == 1 else 2 * cell - 1)  # the last cell may be cut
