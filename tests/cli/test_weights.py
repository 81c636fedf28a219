"""`daybreak weights` from the words that are typed to the exit code."""

from __future__ import annotations

import shutil

import pytest

from daybreak.cli import weights as command
from daybreak.cli.main import run
from daybreak.weights import find_weight, list_weights
from daybreak.weights.store import FOLDER


def test_the_list_names_every_weight_with_its_size(capsys):
    assert run(["weights"]) == 0
    told = capsys.readouterr().out
    for name in list_weights():
        (line,) = [line for line in told.splitlines() if line.split()[:1] == [name]]
        assert f"{find_weight(name).card.parameters:,}" in line


def test_one_can_be_picked(capsys):
    assert run(["weights", "verify", "cascade.lol"]) == 0
    assert capsys.readouterr().out == "cascade.lol  as on its card\n"
    assert run(["weights", "list", "cascade.lll"]) == 2
    assert "Did you mean cascade.lol" in capsys.readouterr().err


@pytest.mark.parametrize("harm", ["change", "remove"])
@pytest.mark.parametrize("ending", ["onnx", "safetensors"])
def test_what_is_not_as_on_its_card_is_told_and_the_rest_verified(
    harm, ending, tmp_path, capsys, monkeypatch
):
    for path in FOLDER.glob("cascade.lol.*"):
        shutil.copy(path, tmp_path)
    file = tmp_path / f"cascade.lol.{ending}"
    if harm == "change":
        file.write_bytes(file.read_bytes()[:-1] + b"!")
    else:
        file.unlink()
    harmed, whole = find_weight("cascade.lol", tmp_path), find_weight("cascade.lol")
    found = iter([harmed, whole])
    monkeypatch.setattr(command, "find_weight", lambda name: next(found))
    assert run(["weights", "verify", "harmed", "whole"]) == 1
    told = capsys.readouterr()
    assert file.name in told.err
    assert told.err.count("\n") == 1
    assert told.out == "cascade.lol  as on its card\n"
