"""What a request asks for, by name: the few words of every picture and the settings of the method.

Names, ranges and defaults of a method's settings are read from its settings model; nothing is repeated here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from daybreak.enhancing.amount import MAX_EXPOSURE, MAX_STRENGTH
from daybreak.enhancing.batch import Output
from daybreak.enhancing.enhancer import Enhancer
from daybreak.errors import BadSetting
from daybreak.methods.base import Card, parse_settings
from daybreak.methods.registry import get_method, list_methods

Schema = dict[str, Any]

TEXT = {"type": "string"}


def _flag(value: object) -> object:
    """Of the many words that pydantic takes, the two that the schema tells of."""
    if isinstance(value, bool) or value in ("true", "false"):
        return value
    raise PydanticCustomError("flag", "true or false")


class Wish(BaseModel):
    """What is asked of every method; sent as query or form."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    method: str = Field("auto", description="Name of a method; auto looks at the picture and decides.")
    strength: float = Field(
        1.0,
        ge=0,
        le=MAX_STRENGTH,
        description="0 gives the input back, 1 the method's own result, more goes beyond it.",
    )
    exposure: float | None = Field(
        None,
        ge=-MAX_EXPOSURE,
        le=MAX_EXPOSURE,
        description="Instead of a strength: stops (EV) from the input's mean linear light to the result's.",
    )
    format: Literal["keep", "jpg", "png", "tiff", "webp", "avif"] = Field(
        "keep", description="Of the result."
    )
    quality: int | None = Field(None, ge=1, le=100, description="For JPEG, WebP and AVIF.")
    bit_depth: Literal["keep", "8", "16"] = Field("keep", description="Bits a channel of the result.")
    evidence: Annotated[bool, BeforeValidator(_flag)] = Field(
        False,
        description="Answer with a zip of the result and evidence.json, a manifest by which daybreak verify "
        "makes the result again from the original and compares bit for bit.",
    )


@dataclass(frozen=True)
class Asked:
    """A request understood.

    Attributes:
        enhancer: what is to run.
        output: how the result is written.
        values: the request's own words, by name; `understand` makes the same of them again.
    """

    enhancer: Enhancer
    output: Output
    values: dict[str, str]


def once(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Names and values as a mapping.

    Raises:
        BadSetting: a name came twice.
    """
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise BadSetting(f"{name} came twice", "each name once, in the query or in the form")
        values[name] = value
    return values


def understand(values: Mapping[str, str]) -> Asked:
    """Make what is to run of a request's names and values.

    Raises:
        UnknownName: no such method or setting; carries the nearest names.
        BadSetting: a value of the wrong kind or out of its range; evidence of what cannot be repeated.
    """
    own = {name: value for name, value in values.items() if name in Wish.model_fields}
    try:
        wish = Wish.model_validate(own)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadSetting(
            f"{first['loc'][0]}={str(first['input'])[:80]!r}", first["msg"].removeprefix("Input should be ")
        ) from None
    settings: dict[str, Any] = {name: value for name, value in values.items() if name not in own}
    parse_settings(get_method(wish.method).card, settings)
    enhancer = Enhancer(wish.method, strength=wish.strength, exposure=wish.exposure, **settings)
    format = None if wish.format == "keep" else {"jpg": "jpeg"}.get(wish.format, wish.format)
    depth = None if wish.bit_depth == "keep" else int(wish.bit_depth)
    if wish.evidence:
        from daybreak.enhancing.evidence import check_repeatable  # few ask for it

        check_repeatable(enhancer, format)
    return Asked(enhancer, Output(format, wish.quality, depth, evidence=wish.evidence), dict(values))


def properties() -> dict[str, Schema]:
    """Name -> JSON schema of everything that can be asked for: every method's settings too.

    A setting that several methods have in different ranges takes any of them.
    """
    return _properties(tuple(list_methods()))


@lru_cache(maxsize=1)
def _properties(methods: tuple[str, ...]) -> dict[str, Schema]:
    found = {name: _plain(rule) for name, rule in Wish.model_json_schema()["properties"].items()}
    found["method"]["enum"] = list(methods)
    several: dict[str, dict[str, Schema]] = {}
    for method in map(get_method, methods):
        for name, rule in settings_schema(method.card)["properties"].items():
            several.setdefault(name, {})[method.card.name] = rule
    return found | {name: _joined(rules) for name, rules in several.items()}


def settings_schema(card: Card) -> Schema:
    """JSON schema of a method's settings: ranges, defaults, units and sources."""
    schema = card.settings.model_json_schema()
    schema.setdefault("properties", {})
    return schema


def _plain(rule: Schema) -> Schema:
    """A rule without what says that a value may be left out: on the wire, that is said by leaving it out."""
    kinds = [kind for kind in rule.get("anyOf", []) if kind.get("type") != "null"]
    if kinds:
        rule = {**kinds[0], "description": rule["description"]}
    return {key: value for key, value in rule.items() if key != "title"}


def _joined(rules: Mapping[str, Schema]) -> Schema:
    """One rule for a setting that methods share."""
    keys = ("type", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
    kinds = [{key: rule[key] for key in keys if key in rule} for rule in rules.values()]
    different = [kind for place, kind in enumerate(kinds) if kind not in kinds[:place]]
    told = " ".join(
        f"{method}: {rule['description']} Default {rule['default']} {rule['unit']}".strip() + "."
        for method, rule in rules.items()
    )
    return {**(different[0] if len(different) == 1 else {"anyOf": different}), "description": told}


def parameters() -> list[Schema]:
    """The query's parameters for the OpenAPI."""
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": rule["description"],
            "schema": {key: value for key, value in rule.items() if key != "description"},
        }
        for name, rule in properties().items()
    ]


def headers(told: Mapping[str, str]) -> dict[str, Schema]:
    """An answer's headers for the OpenAPI, each with what it says."""
    return {name: {"description": text, "schema": TEXT} for name, text in told.items()}


def form(files: Mapping[str, Schema]) -> Schema:
    """The form's schema for the OpenAPI: its files (required) and everything that can be asked for."""
    return {
        "type": "object",
        "properties": {**files, **properties()},
        "required": list(files),
        "additionalProperties": False,
    }
