"""A card in words."""

from __future__ import annotations

import shlex
from typing import Literal

import pytest

from daybreak.cli.options import parse_sets
from daybreak.methods import every_method
from daybreak.methods.base import Card, Settings, parse_settings, setting
from daybreak.methods.describe import describe, example


class Every(Settings):
    """One setting of each kind."""

    flag: bool = setting(True, "A switch.", source="paper")
    steps: int = setting(3, "How often.", source="paper", ge=1, le=9)
    radius: float = setting(7.0, "How far.", source="paper", unit="px", gt=0)
    share: float = setting(0.5, "How much.", source="paper", ge=0, lt=1)
    free: float = setting(0.0, "Anything.", source="paper")
    mode: Literal["a", "b"] = setting("b", "Which.", source="paper")
    scales: tuple[float, ...] = setting((15.0, 80.0), "Sizes.", source="paper", unit="px")
    seed: int | None = setting(None, "Where to begin.", source="paper")


CARD = Card(name="every", summary="One.", paper="", kind="classical", settings=Every)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("flag", "true | false"),
        ("steps", "whole number, 1 to 9"),
        ("radius", "above 0 px"),
        ("share", "at least 0 and below 1"),
        ("free", "number"),
        ("mode", "a | b"),
        ("scales", "list, each number px"),
        ("seed", "whole number | none"),
    ],
)
def test_ranges_are_told_in_words(name, words):
    assert describe(CARD)["settings"][name]["range"] == words


def test_facts_of_the_card_are_all_there():
    facts = describe(CARD)
    assert facts.keys() == vars(CARD).keys()
    assert facts["settings"]["scales"]["default"] == [15.0, 80.0]


def test_the_example_moves_a_switch():
    assert example(CARD).endswith("--set flag=false")


@pytest.mark.parametrize("method", every_method(), ids=lambda m: m.card.name)
def test_the_example_of_every_method_can_be_typed(method):
    words = shlex.split(example(method.card))
    assert words[:5] == ["daybreak", "enhance", "night.jpg", "-m", method.card.name]
    parse_settings(method.card, parse_sets(words[6:]))
