"""`daybreak methods`."""

from __future__ import annotations

import json

import pytest

from daybreak.cli.main import run
from daybreak.methods import every_method, get_method, list_methods

NAMES = [method.card.name for method in every_method()]


def told(capsys, *args):
    assert run(["methods", *args]) == 0
    return capsys.readouterr().out


def test_the_list_has_name_kind_and_summary_of_each(capsys):
    lines = told(capsys).splitlines()
    for method in every_method():
        assert any(line.split()[:2] == [method.card.name, method.card.kind] for line in lines), (
            method.card.name
        )
    assert every_method()[0].card.summary.split()[0] in "".join(lines)


def test_a_pattern_shortens_the_list(capsys):
    listed = {line.split()[0] for line in told(capsys, "g*").split("\n\n")[0].splitlines()}
    assert listed == set(list_methods("g*"))


@pytest.mark.parametrize("name", NAMES)
def test_the_card_shows_every_setting_with_all_there_is_to_know(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    text = " ".join(told(capsys, name).split())
    card = get_method(name).card
    assert " ".join(card.summary.split()) in text
    assert f"-m {name}" in text
    for setting, field in card.settings.model_fields.items():
        assert f"{setting}=" in text
        assert " ".join(field.description.split()) in text
        assert " ".join(field.json_schema_extra["source"].split())[8:] in text
        assert field.json_schema_extra["unit"] in text


def test_no_line_is_wider_than_the_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    text = told(capsys) + told(capsys, "gamma").partition("Example:")[0]
    assert max(map(len, text.splitlines())) <= 60


def test_json_is_a_list_of_cards(capsys):
    cards = json.loads(told(capsys, "--json"))
    assert [card["name"] for card in cards] == NAMES
    (gamma,) = json.loads(told(capsys, "gamma", "--json"))
    assert gamma["settings"]["gamma"] == {
        "default": 2.2,
        "range": "0.1 to 10",
        "unit": "",
        "source": "paper: the usual display gamma",
        "description": "Output = input^(1/gamma); more is brighter.",
    }


@pytest.mark.parametrize("name", ["gama", "zz*"])
def test_an_unknown_name_is_a_usage_error(name, capsys):
    assert run(["methods", name]) == 2
    assert "gamma" in capsys.readouterr().err
