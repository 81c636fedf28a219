"""`daybreak explain` from the words that are typed to the exit code."""

from __future__ import annotations

import sys

import pytest

from daybreak.cli.main import run
from daybreak.methods.registry import list_methods


def test_a_network_and_a_recipe(capsys):
    assert run(["explain", "sci"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("# sci\n")
    assert "258 in the exported graph" in told
    assert run(["explain", "neid.lol"]) == 0
    assert "## Training: neid.lol\n" in capsys.readouterr().out


def test_a_method_that_was_not_trained_is_told_by_its_card(capsys):
    assert run(["explain", "gamma"]) == 0
    explained = capsys.readouterr().out
    assert run(["methods", "gamma"]) == 0
    assert explained == capsys.readouterr().out


def test_unknown_names_are_a_usage_error(capsys):
    assert run(["explain", "neidd"]) == 2
    told = capsys.readouterr().err
    assert "Did you mean neid" in told
    assert told.count("\n") == 1


def test_pages_are_written(tmp_path, capsys):
    assert run(["explain", "sci", "--write", str(tmp_path / "docs")]) == 0
    assert {path.name for path in (tmp_path / "docs").iterdir()} == {"sci.md", "sci.svg"}
    assert "sci.svg" in capsys.readouterr().err
    assert run(["explain", "gamma", "--write", str(tmp_path)]) == 2


@pytest.mark.parametrize(("name", "code"), [("unet", 1), ("gamma", 0)])
def test_without_torch_methods_can_still_be_told(name, code, capsys, monkeypatch):
    monkeypatch.delattr("daybreak.training.explain", raising=False)
    monkeypatch.setitem(sys.modules, "daybreak.training.explain", None)
    assert name in list_methods() or code
    assert run(["explain", name]) == code
    assert ("daybreak[train]" in capsys.readouterr().err) is bool(code)
