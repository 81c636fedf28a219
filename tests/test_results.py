"""The committed tables are what the committed results say."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from daybreak.evaluation.published import read_papers
from daybreak.methods import list_methods

ROOT = Path(__file__).parents[1]
COUNTS = {"eval15": 15, "lime": 9, "kodak24": 24}


@pytest.fixture
def tables(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("tables")


@pytest.mark.parametrize("name", COUNTS)
def test_docs_hold_the_table_of_the_results_file(tables, name):
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    assert f"<!-- {name} -->\n{tables.results_table(name)}\n<!-- /{name} -->" in page
    results = tables.results_of(name)
    assert results.problems == ()
    assert len(results.images) == COUNTS[name]
    assert all(score.n == COUNTS[name] for row in results.rows for score in row.scores)


@pytest.mark.parametrize(
    ("name", "row", "least"),
    [
        ("eval15", "neid", {"psnr": 19.6, "ssim": 0.72}),
        ("eval15", "ema-aspp-cyclegan", {"psnr": 17.5}),
        ("eval15", "msdrs-cyclegan", {"psnr": 17.5}),
        ("eval15", "cascade", {"psnr": 14.9}),
        ("kodak24", "alpha-residual", {"psnr": 18.12}),
        ("kodak24", "alpha-residual alpha=known", {"psnr": 18.12, "ssim": 0.85}),
    ],
)
def test_no_weight_ships_that_is_below_what_was_asked_of_it(tables, name, row, least):
    means = without_gt_mean(tables.results_of(name), row)
    assert {metric: means[metric] >= value for metric, value in least.items()} == dict.fromkeys(least, True)


def test_the_weight_for_real_pictures_holds_up_on_lol_and_is_the_better_one_elsewhere(tables):
    lol, others = tables.results_of("eval15"), tables.results_of("kodak24")
    classical = [row.name for row in others.rows if row.parameters is None and row.name != "auto"]
    assert "gamma mode=auto" in classical
    psnr = without_gt_mean(others, "neid.wild")["psnr"]
    assert psnr >= without_gt_mean(others, "neid")["psnr"] + 3.0
    assert psnr > max(without_gt_mean(others, name)["psnr"] for name in classical)
    assert without_gt_mean(lol, "neid.wild")["psnr"] >= without_gt_mean(lol, "neid")["psnr"] - 1.0


def without_gt_mean(results, name):
    """Means of a row by metric."""
    (row,) = (row for row in results.rows if row.name == name)
    return {s.column.metric: s.mean for s in row.scores if not s.column.protocol.gt_mean}


def test_the_readme_holds_the_methods_with_their_scores(tables):
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"<!-- methods -->\n{tables.readme_table()}\n<!-- /methods -->" in page


def test_the_readme_holds_the_speeds(tables):
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"<!-- speed -->\n{tables.speed_table()}\n<!-- /speed -->" in page


def test_the_page_about_video_holds_the_flicker_of_every_method_and_what_a_film_takes(tables):
    page = (ROOT / "docs" / "video.md").read_text(encoding="utf-8")
    assert f"<!-- flicker -->\n{tables.flicker_table()}\n<!-- /flicker -->" in page
    assert f"<!-- film -->\n{tables.film_table()}\n<!-- /film -->" in page
    measured = json.loads((ROOT / "benchmarks" / "results" / "flicker.json").read_text())
    assert all(measured[method]["ratio"] <= 1.1 for method in list_methods())


def test_every_published_row_stands_in_the_docs():
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    part = page.partition("<!-- reproduce -->")[2].partition("<!-- /reproduce -->")[0]
    for paper in read_papers().values():
        assert f"### {paper.name}: {paper.title}" in part
        for table in paper.tables:
            if table.other:
                assert f"- Our pictures: {table.other}." in part
            for line in table.lines:
                assert f"| {line.method} |" in part


def test_the_page_about_scale_holds_what_its_model_makes_of_the_results(tables):
    model = importlib.import_module("scale_model")
    results = json.loads((ROOT / "benchmarks" / "results" / "cluster_scale.json").read_text())
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    for name, table in model.tables(results).items():
        assert f"<!-- {name} -->\n{table}\n<!-- /{name} -->" in page
    for size in results["pictures"]:
        rates = [model.estimate(results, size, nodes).real for nodes in model.NODES]
        assert rates == sorted(rates)
        assert model.estimate(results, size, 1).hours == pytest.approx(10**7 / rates[0] / 3600)
