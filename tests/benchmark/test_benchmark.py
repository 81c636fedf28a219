"""The benchmark: what a run measures, its file, and what counts as a regression."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.benchmark.child import macs_of
from daybreak.benchmark.compare import AGAIN, changes, confirmed, regressions
from daybreak.benchmark.results import Benchmark, Case, Row, Seconds, read_benchmark, write_benchmark
from daybreak.benchmark.run import Run, cases_of
from daybreak.benchmark.show import HEADS, markdown_table, plot_quality
from daybreak.cli.main import run
from daybreak.enhancing.enhancer import Enhancer
from daybreak.errors import BadSetting, DataError, UnknownName
from daybreak.evaluation.results import read_results
from daybreak.methods import every_method
from daybreak.weights import find_weight, list_weights

SCORES = Path(__file__).parents[2] / "benchmarks" / "results" / "eval15.json"


def row(method: str = "gamma", slower: float = 1.0, memory: float = 100.0, machine: float = 1.0) -> Row:
    """Made-up figures: `slower` is the method, `machine` everything."""

    def seconds(*each: float) -> Seconds:
        return Seconds(each=tuple(machine * value for value in each))

    return Row(
        case=Case(method=method, width=600, height=400, threads=1),
        floor=seconds(0.010, 0.012, 0.011),
        method=seconds(*(slower * value for value in (0.020, 0.024, 0.022))),
        whole=seconds(*(slower * value for value in (0.030, 0.036, 0.033))),
        cpu_floor=seconds(0.01, 0.01, 0.01),
        cpu_whole=seconds(0.03, 0.03, 0.03),
        peak_mb=memory,
        macs=24_000_000,
        ceiling_gflops=50.0,
    )


def benchmark(*rows: Row) -> Benchmark:
    return Benchmark(daybreak="0", date="2026-01-01", machine={"cores": 2}, repeats=3, rows=rows)


def test_figures_follow_from_the_repeats():
    made = row()
    assert made.method.median == 0.022
    assert made.method.spread == pytest.approx(0.004)
    assert made.method_over_floor == pytest.approx(2.0)
    assert made.pictures_per_second == pytest.approx(1 / 0.033)
    assert made.gflops == pytest.approx(2 * 0.024 / 0.022)


def test_a_file_comes_back_as_it_was(tmp_path):
    path = tmp_path / "b.json"
    write_benchmark(benchmark(row()), path)
    assert read_benchmark(path) == benchmark(row())
    told = json.loads(path.read_text())
    assert told["benchmark_schema"] == 1
    assert set(told["rows"][0]) >= {
        "case",
        "floor",
        "method",
        "whole",
        "peak_mb",
        "gflops",
        "whole_over_floor",
    }


@pytest.mark.parametrize("text", ["", "{}", '{"rows": 3}', "[]"])
def test_another_file_is_refused(text, tmp_path):
    path = tmp_path / "b.json"
    path.write_text(text)
    with pytest.raises(DataError, match="benchmark --json"):
        read_benchmark(path)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_benchmark(tmp_path / "b.json")


def test_a_made_up_regression_is_flagged_worst_first():
    old = benchmark(row("gamma"), row("he"), row("mf"))
    new = benchmark(row("gamma", slower=1.5), row("he"), row("mf", memory=190.0))
    found = regressions(old, new)
    assert [(change.case.method, change.figure.split()[0]) for change in found] == [
        ("mf", "peak"),
        ("gamma", "method"),
        ("gamma", "whole"),
    ]
    assert "2.00 -> 3.00 (1.50x)" in str(found[1])
    assert regressions(old, new, tolerance=1.0) == []


def test_what_looks_worse_once_and_not_again_is_no_regression():
    old = benchmark(row("gamma"), row("he"), row("mf"))
    worse = regressions(
        old, benchmark(row("gamma", slower=1.5), row("he", slower=2.0), row("mf", slower=2.0))
    )
    asked = []

    def measure(cases):
        """gamma is as it was, he is slower still, mf does not run any more."""
        asked.append([case.method for case in cases])
        return benchmark(row("gamma"), row("he", slower=1.6))

    left = confirmed(worse, old, measure, 0.25)
    assert {change.case.method for change in left} == {"he", "mf"}
    assert len(asked) == AGAIN
    assert sorted(asked[0]) == ["gamma", "he", "mf"]
    assert sorted(asked[1]) == ["he", "mf"]
    assert confirmed([], old, measure, 0.25) == []
    assert len(asked) == AGAIN


def test_what_got_better_or_was_not_measured_before_is_no_regression():
    assert regressions(benchmark(row()), benchmark(row(slower=0.5), row("he", slower=9.0))) == []


@given(st.floats(0.01, 100.0))
def test_equal_runs_pass_on_a_machine_of_any_speed(speed):
    found = list(changes(benchmark(row()), benchmark(row(machine=speed))))
    assert all(math.isclose(change.ratio, 1.0, rel_tol=1e-9) for change in found)
    assert regressions(benchmark(row()), benchmark(row(machine=speed))) == []


def test_cases_are_every_combination_and_classical_methods_have_no_device():
    cases = cases_of(["gamma", "cascade"], [(60, 40), (30, 20)], [1, 2], ["cpu", "openvino"])
    assert len(cases) == 4 + 8
    assert {case.device for case in cases if case.method == "gamma"} == {""}
    assert {case.device for case in cases if case.method == "cascade"} == {"cpu", "openvino"}
    with pytest.raises(UnknownName):
        cases_of(["gamma"], [(60, 40)], [1], ["abacus"])


def test_nothing_to_measure_is_refused():
    with pytest.raises(BadSetting):
        Run([], 3)


def test_a_table_has_a_line_a_case_and_says_where():
    lines = list(markdown_table(benchmark(row(), row("he"))))
    assert len(lines) == 2 + 2 + 2
    assert all(line.count("|") == len(HEADS) + 1 for line in lines[:4])
    assert "2 cores" in lines[-1]
    assert "Others" not in lines[-1]
    busy = benchmark(row()).model_copy(update={"load": 3.5})
    assert "Others were at work (load 3.5)" in list(markdown_table(busy))[-1]


def test_quality_is_plotted_against_speed(tmp_path):
    scores = read_results(SCORES)
    plot_quality(benchmark(row(), row("he", slower=3.0)), scores, tmp_path / "q.svg")
    drawn = (tmp_path / "q.svg").read_text()
    assert "<svg" in drawn
    with pytest.raises(BadSetting, match="nothing to plot"):
        plot_quality(benchmark(row("no such method")), scores, tmp_path / "r.svg")


def test_the_command_measures_writes_compares_and_fails_on_a_regression(tmp_path, capsys):
    """Real processes; only the figures of the earlier run are made up."""
    path = tmp_path / "now.json"
    words = ["benchmark", "-m", "gamma,cascade", "--size", "64x48", "--threads", "1", "--repeats", "1"]
    assert run([*words, "--json", str(path)]) == 0
    assert capsys.readouterr().out.startswith("| method |")
    found = read_benchmark(path)
    assert [measured.case.method for measured in found.rows] == ["gamma", "cascade"]
    assert len(found.rows[0].whole.each) == len(found.rows[0].floor.each) > 1  # for a second, it is so short
    assert found.rows[0].macs is None
    assert (found.rows[1].macs or 0) > 0
    assert all(measured.peak_mb > 20 and measured.ceiling_gflops > 0 for measured in found.rows)
    assert not any("host" in key or "node" in key for key in found.machine)

    def earlier(factor: float) -> str:
        """The same run, each figure of it multiplied."""
        rows = []
        for one in found.rows:
            changed = {"peak_mb": one.peak_mb * factor}
            for name in ("method", "whole"):
                changed[name] = Seconds(each=tuple(factor * value for value in getattr(one, name).each))
            rows.append(one.model_copy(update=changed))
        write_benchmark(found.model_copy(update={"rows": tuple(rows)}), tmp_path / "old.json")
        return str(tmp_path / "old.json")

    lenient = ["--tolerance", "20"]  # of what was timed a moment ago on a busy machine nothing is asked
    assert run([*words, "--compare", earlier(1.0), *lenient]) == 0
    assert run([*words, "--compare", earlier(0.01), *lenient]) == 1
    assert "worse than in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--size", "huge"], "--size"),
        (["--threads", "0"], "--threads"),
        (["--device", "abacus"], "abacus"),
        (["-m", "magic"], "magic"),
        (["--plot", "a.png"], "--scores"),
    ],
)
def test_lines_to_be_corrected(words, told, capsys):
    assert run(["benchmark", *words]) == 2
    assert told in capsys.readouterr().err


def test_a_plot_without_matplotlib_is_refused_before_anything_is_measured(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setattr("daybreak.cli.benchmark.Run", None)  # to measure would fail in another way
    assert run(["benchmark", "--plot", str(tmp_path / "q.png"), "--scores", str(SCORES)]) == 1
    assert 'pip install "daybreak[plots]"' in capsys.readouterr().err


@pytest.mark.parametrize("name", list_weights())
def test_the_work_of_every_weight_that_ships_is_known(name):
    card = find_weight(name).card
    method = next(method for method in every_method() if method.card.weights_sha256 == card.sha256)
    known = None if card.guide else 10 * card.macs_per_pixel  # a copy of one size has no work per pixel
    assert macs_of(Enhancer(method.card.name), 10) == known
