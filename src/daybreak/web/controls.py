"""Sliders and lists made from a settings model: names, ranges, units and defaults stand there alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from daybreak.methods.base import Card
from daybreak.methods.describe import as_typed
from daybreak.serving.asking import settings_schema

Rule = Mapping[str, Any]


@dataclass(frozen=True)
class Setting:
    """One control of the page.

    Attributes:
        method: whose setting it is.
        name: of the setting.
        default: as the model has it.
        control: what is seen.
    """

    method: str
    name: str
    default: Any
    control: gr.components.Component


def controls_of(card: Card) -> list[Setting]:
    """A control for each setting of a method, in the model's order; to be called inside a layout."""
    return [
        Setting(card.name, name, rule["default"], _control(name, rule))
        for name, rule in settings_schema(card)["properties"].items()
    ]


def _control(name: str, rule: Rule) -> gr.components.Component:
    unit = f" ({rule['unit']})" if rule.get("unit") else ""
    shown: dict[str, Any] = {"label": name.replace("_", " ") + unit, "info": rule["description"]}
    default = rule["default"]
    if isinstance(default, bool):
        return gr.Checkbox(default, **shown)
    if "enum" in rule:
        return gr.Dropdown([as_typed(choice) for choice in rule["enum"]], value=as_typed(default), **shown)
    low, high = bounds(rule)
    if rule.get("type") not in ("number", "integer"):
        return gr.Textbox(as_typed(default), **shown)
    if low is None or high is None:
        return gr.Number(default, minimum=low, maximum=high, **shown)
    return gr.Slider(low, high, value=default, step=step(rule), **shown)


def bounds(rule: Rule) -> tuple[float | None, float | None]:
    """Least and greatest value; a bound that is excluded itself is refused when it is asked for."""
    low = rule.get("minimum", rule.get("exclusiveMinimum"))
    return low, rule.get("maximum", rule.get("exclusiveMaximum"))


def step(rule: Rule) -> float:
    """The step of a slider: 1 for whole numbers, else a power of ten that gives up to 1,000 of them.

    >>> step({"type": "number", "minimum": 0, "maximum": 10.0}), step({"type": "integer"})
    (0.01, 1)
    """
    if rule.get("type") == "integer":
        return 1
    low, high = bounds(rule)
    return 10.0 ** math.floor(math.log10((float(high or 1.0) - float(low or 0.0)) / 1000 + 1e-12))


def chosen(settings: list[Setting], values: tuple[Any, ...], method: str) -> dict[str, str]:
    """The words of a request for what was moved away from its default.

    Args:
        settings: all controls of the page.
        values: what they show, in the same order.
        method: only its settings count.
    """
    return {
        setting.name: as_typed(value)
        for setting, value in zip(settings, values, strict=True)
        if setting.method == method and as_typed(value) != as_typed(setting.default)
    }
