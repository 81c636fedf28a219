"""A method's card in words and as JSON can hold it, made from the settings model alone.

The command line, the documentation and the HTTP schema show the same ranges, units and sources from here.
"""

from __future__ import annotations

import shlex
from typing import Any

from daybreak.methods.base import Card

Rule = dict[str, Any]
"""The JSON schema of one setting."""


def describe(card: Card) -> dict[str, Any]:
    """The card's facts by name; `settings` maps each name to default, range, unit, source and description."""
    facts = {name: value for name, value in vars(card).items() if name != "settings"}
    defaults = card.settings().model_dump(mode="json")
    schema = card.settings.model_json_schema()
    shared = schema.get("$defs", {})
    facts["settings"] = {
        name: {
            "default": defaults[name],
            "range": f"{allowed(rule, shared)} {rule.get('unit', '')}".strip(),
            "unit": rule.get("unit", ""),
            "source": rule.get("source", ""),
            "description": rule.get("description", ""),
        }
        for name, rule in schema.get("properties", {}).items()
    }
    return facts


def allowed(rule: Rule, shared: dict[str, Rule]) -> str:
    """What a setting takes, in words: "0.1 to 10", "fixed | auto", "true | false", "whole number, 1 to 9".

    Args:
        rule: the schema of the setting.
        shared: the schema's `$defs`, where named types lie.
    """
    if "$ref" in rule:
        return allowed(shared[rule["$ref"].rpartition("/")[2]], shared)
    if "anyOf" in rule:
        return " | ".join(allowed(part, shared) for part in rule["anyOf"])
    if "enum" in rule or "const" in rule:
        return " | ".join(as_typed(value) for value in rule.get("enum", [rule.get("const")]))
    if rule["type"] == "array":
        each = rule.get("items") or rule.get("prefixItems", [{"type": "string"}])[0]
        return f"list, each {allowed(each, shared)}"
    words = {"boolean": "true | false", "null": "none", "string": "text", "integer": "whole number"}
    kind = words.get(rule["type"], "")
    return ", ".join(filter(None, (kind, limits(rule)))) or "number"


def limits(rule: Rule) -> str:
    """The range of a number in words; "" where it has none."""
    words = {
        "minimum": "at least {:g}",
        "exclusiveMinimum": "above {:g}",
        "maximum": "at most {:g}",
        "exclusiveMaximum": "below {:g}",
    }
    if "minimum" in rule and "maximum" in rule:
        return f"{rule['minimum']:g} to {rule['maximum']:g}"
    return " and ".join(text.format(rule[key]) for key, text in words.items() if key in rule)


def as_typed(value: Any) -> str:
    """A value as it is typed after `--set KEY=`.

    >>> as_typed(True), as_typed(0.5), as_typed([15.0, 80.0]), as_typed(None)
    ('true', '0.5', '15,80', 'none')
    """
    if isinstance(value, (list, tuple)):
        return ",".join(map(as_typed, value))
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def example(card: Card) -> str:
    """A command line that uses the method, with its first setting moved to another choice if it has one."""
    words = ["daybreak", "enhance", "night.jpg", "-m", card.name]
    for name, rule in card.settings.model_json_schema().get("properties", {}).items():
        default = card.settings.model_fields[name].default
        choices = [True, False] if isinstance(default, bool) else rule.get("enum", [])
        others = [choice for choice in choices if choice != default]
        if default in (ends := [rule.get("minimum"), rule.get("maximum")]) and None not in ends:
            middle = sum(ends) / 2  # an end of the range often stands for "not given"
            others = [round(middle) if rule["type"] == "integer" else middle]
        return shlex.join([*words, "--set", f"{name}={as_typed((others or [default])[0])}"])
    return shlex.join(words)
