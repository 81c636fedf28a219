"""A recipe in words: each key with its value, its meaning, what the source gives, and why they differ."""

from __future__ import annotations

import inspect
import re
import shlex
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from daybreak.networks.registry import AnySpec
from daybreak.training.recipe import BOOKKEEPING, FOLDER, Data, Optimiser, Recipe

USUAL: Mapping[str, str] = {
    "start": "assumed: random weights, as every source begins",
    "data.source": "assumed: the pairs that are at hand",
    "data.sampling": "assumed: what the objective is made for",
    "data.crop": "assumed: what the time and memory of two cores allow",
    "data.shrink": "assumed: pictures at the size they were photographed in",
    "data.batch": "assumed: what the time and memory of two cores allow",
    "data.rotate": "assumed: flips alone, as most of the sources do",
    "data.channel_shuffle": "assumed: colours stay as they are, as in every source",
    "data.darkened": "assumed: photographed darkness alone",
    "data.darken_highs": "assumed: photos that are given for it; a batch that is all darkened takes both",
    "data.whole": "assumed: squares cut at random, as the sources do",
    "data.lit": "assumed: every photo is darkened, as the sources do",
    "data.sensor": "assumed: paper 3's generator alone, as the sources that darken at all",
    "data.exposure": "assumed: the exposure as it was photographed",
    "data.flat": "assumed: photographs alone",
    "optimiser.lr": "assumed: Adam's usual rate for such networks",
    "optimiser.critic_lr": "assumed: one rate for all, where the source does not tell two",
    "optimiser.betas": "cited: Adam's own, Kingma and Ba, ICLR 2015",
    "optimiser.eps": "cited: Adam's own, Kingma and Ba, ICLR 2015",
    "optimiser.weight_decay": "assumed: none where the source names none",
    "optimiser.clip": "assumed: stops the rare step that would undo many",
    "optimiser.schedule": "assumed: none where the source names none",
    "optimiser.drops": "assumed: a schedule of steps alone looks at it",
    "optimiser.warmup": "assumed: none where the source names none",
    "ema": "assumed: none where the source names none",
    "precision": "assumed: bf16 trains convolutions 2 to 4 times as fast where a CPU has it",
    "seed": "assumed: any will do",
}
"""Why a key that no source tells of has the value that holds where a recipe leaves it out."""

CHANGED: Mapping[str, str] = {
    "start": "assumed: what was learned on photographed darkness is not learned again",
    "data.shrink": "assumed: instance norm meets whole pictures later, and a small crop has other means",
    "data.rotate": "assumed: what is turned is a picture still, and there are few",
    "data.channel_shuffle": "assumed: colours are then found in the picture, not remembered from its like",
    "data.darkened": "assumed: two kinds of darkness, so that neither is learned by heart",
    "data.darken_highs": "assumed: more clean pictures to darken",
    "data.whole": "assumed: what is judged of whole pictures is learned on whole pictures",
    "data.lit": "assumed: users bring pictures that need nothing, too",
    "data.sensor": "assumed: pictures from cameras have a sensor's noise, and most are JPEGs",
    "data.exposure": "assumed: so that exposure is estimated from the picture and not learned as a constant",
    "data.flat": "assumed: photographs teach little of gray, and a picture that has none would gain a colour",
    "optimiser.clip": USUAL["optimiser.clip"],
    "optimiser.warmup": "assumed: Adam's first steps are its least sure ones",
    "optimiser.critic_lr": "assumed: keeps the two sides in balance",
    "ema": "assumed: averaged weights jump less from step to step",
    "precision": USUAL["precision"],
    "seed": "assumed: the best of those tried by the validation score",
}
"""Why a recipe gives one of those keys another value."""


def tell_recipe(spec: AnySpec, recipe: Recipe) -> Iterator[str]:
    """A recipe in its own words, then each key."""
    made = 1.0 if recipe.sampling == "darkened" else recipe.data.darkened
    photos = made == 1 or (made > 0 and not recipe.data.darken_highs)
    data = " ".join([*["--data ROOT"] * (made < 1), *["--from-normal PHOTOS"] * photos])
    changed = recipe.changed()
    sets = "".join(f" --set {shlex.quote(text)}" for text in changed)
    of_the_run = {text.partition("=")[0] for text in changed}
    yield from (f"    daybreak train {recipe.name} {data}{sets}", "")
    yield from ("The recipe's own words:", "")
    yield from (f"    {line}".rstrip() for line in _comments(recipe.name))
    yield ""
    preset = spec.settings().model_dump()
    for name, value in recipe.settings.items():
        if value != preset[name]:
            yield f"- `settings.{name}` = {typed(value)} in place of the preset, {typed(preset[name])}."
    values, told, usual = _keys(recipe), meanings(), _keys(Recipe(network=spec.name, tag="x", steps=1))
    for key, value in values.items():
        if key in BOOKKEEPING:
            continue
        source = "as the run had it" if key in of_the_run else provenance(spec, key, value, usual[key])
        yield from entry(key, value, told[key], source)
    kept = ", ".join(f"`{key}` = {typed(values[key])}" for key in BOOKKEEPING)
    yield from textwrap.wrap(f"- Bookkeeping, which no step depends on: {kept}.", 110, subsequent_indent="  ")


def provenance(spec: AnySpec, key: str, value: Any, preset: Any) -> str:
    """Where a recipe's value is from.

    Args:
        spec: the network's.
        key: as "optimiser.lr".
        value: the recipe's.
        preset: what holds where a recipe leaves the key out.
    """
    if key in spec.published:
        published, source = spec.published[key]
        if published == value:
            return source
        return f"ours, for the reasons above, in place of {typed(published)} ({source})"
    reasons = USUAL if value == preset else CHANGED
    return reasons.get(key, "ours, for the reasons above; no source tells of it")


def _keys(recipe: Recipe) -> dict[str, Any]:
    """ "part.key" -> value, of all that decides how a run learns and is no setting of the network."""
    values = recipe.complete() | {"steps": recipe.steps}
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{key}": part for key, part in value.items() if name != "settings"}
        elif name not in ("network", "tag"):
            flat[name] = value
    flat["data.sampling"] = recipe.sampling
    return flat


def meanings() -> dict[str, str]:
    """What each key of a recipe means, from where the recipe's parts say it."""
    parts = (("", Recipe), ("data.", Data), ("optimiser.", Optimiser))
    return {prefix + key: text for prefix, part in parts for key, text in _attributes(part).items()}


def _attributes(model: type[BaseModel]) -> dict[str, str]:
    """The "Attributes:" of a docstring; names that share a line share its text."""
    text = (inspect.getdoc(model) or "").partition("Attributes:\n")[2]
    found: dict[str, str] = {}
    for names, meaning in re.findall(r"^    ([\w, ]+): (.*(?:\n     .*)*)", text, re.MULTILINE):
        found |= dict.fromkeys(names.split(", "), " ".join(meaning.split()))
    return found


def _comments(recipe: str) -> list[str]:
    """The comment that a recipe opens with."""
    lines = (FOLDER / f"{recipe}.toml").read_text(encoding="utf-8").splitlines()
    count = next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return [line[1:].removeprefix(" ") for line in lines[:count]]


def entry(name: str, value: Any, text: str, source: str) -> list[str]:
    """One hyper-parameter: name, value and meaning, and below it where the value is from."""
    lead = f"- `{name}` = {typed(value)}: "
    wrapped = (
        textwrap.wrap(part, 110, subsequent_indent="  ", break_on_hyphens=False)
        for part in (lead + text, f"  *{source}*")
    )
    return [line for part in wrapped for line in part]


def typed(value: Any) -> str:
    """A value as it stands in a recipe, or in words.

    >>> typed(1e-3), typed(True), typed([0.25, 0.5]), typed("800 epochs"), typed(200000)
    ('0.001', 'true', '[0.25, 0.5]', '800 epochs', '200000')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(typed, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
