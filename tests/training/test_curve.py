"""A curve goes on where the run goes on."""

from __future__ import annotations

from daybreak.training.curve import Curve


def test_rows_after_the_resumed_step_are_dropped(tmp_path):
    path = tmp_path / "loss.csv"
    first = Curve(path, ("loss",), since=0)
    for step in range(1, 6):
        first.add(step, loss=1 / step)
    first.close()
    path.write_text(path.read_text() + "6,0.1")  # a row that a kill cut short is past the checkpoint anyway
    second = Curve(path, ("loss",), since=3)
    second.add(4, loss=0.25)
    second.close()
    assert path.read_text().splitlines() == ["step,loss", "1,1.0", "2,0.5", "3,0.3333333333333333", "4,0.25"]


def test_other_columns_begin_anew(tmp_path):
    path = tmp_path / "loss.csv"
    path.write_text("step,old\n1,2.0\n")
    Curve(path, ("loss",), since=5).close()
    assert path.read_text() == "step,loss\n"
