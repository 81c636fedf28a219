"""The committed tables are what the committed results say."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def eval15(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("eval15")


def test_docs_hold_the_table_of_the_results_file(eval15):
    results = json.loads((ROOT / "benchmarks" / "results" / "eval15.json").read_text(encoding="utf-8"))
    assert eval15.results_table(results) in (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    for row in results["rows"]:
        assert len(row["each"]) == len(results["images"]) == 15
        low, high = row["interval_95"]["psnr"]
        assert low <= row["mean"]["psnr"] <= high


def test_a_table_goes_between_its_markers_and_nowhere_else(eval15, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("above\n<a>\nold\n</a>\nbelow\n")
    eval15.write_between(page, "<a>", "</a>", "new")
    assert page.read_text() == "above\n<a>\nnew\n</a>\nbelow\n"
    with pytest.raises(ValueError, match="lacks the lines"):
        eval15.write_between(page, "<b>", "</b>", "new")
