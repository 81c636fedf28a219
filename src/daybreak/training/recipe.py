"""Recipes: what a training run is made of. A file holds only what differs from the presets below.

A recipe ships as `recipes/NAME.TAG.toml` and opens with comments on hardware, time and score.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from daybreak.errors import BadSetting, UnknownName
from daybreak.networks.base import Sampling
from daybreak.networks.registry import NETWORKS, get_network, parse_settings

FOLDER = Path(__file__).parent / "recipes"

BOOKKEEPING = ("save_every", "score_every", "score_pairs", "log_every", "panels_every")
"""Keys of a recipe that the steps of training do not depend on."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Data(_Part):
    """What is trained on.

    Attributes:
        source: name of a data set as `daybreak.data` knows it.
        sampling: the kind of batch, one of those the network can learn from; "" for its preset.
        crop: px, side of the square that is cut at random.
        shrink: up to how many times the crop a square is cut, as far as the picture reaches, and brought down
            to it by averaging; each by another factor, all ratios equally likely; with 1, none is.
        whole: share of the crops that show half to all of their picture, brought down to the crop's size
            whatever its proportions and never upside down: what a look at a whole picture sees of one.
        batch: crops per step, over all processes.
        rotate: whether crops are turned by 90° as well as flipped.
        channel_shuffle: share of the crops whose red, green and blue are put in an order drawn at random, the
            same for both sides of a pair: colours are then found in the dark picture, not remembered.
        darkened: share of each batch that paper 3's generator makes from normally lit photos.
        darken_highs: whether it may take the references of the pairs too.
        sensor: share of those crops that are darkened as a camera would in their place: in linear light, with
            the noise of a sensor, off white balance and JPEG.
        lit: share of the crops that would be darkened, either way, that are left as lit as they are.
        exposure: EV; a photographed dark side is brightened or darkened by up to this much, each crop by
            another amount. Crops that are darkened here are left alone: they differ by themselves.
        flat: share of the crops in whose place a flat gray one with noise is taken, so that gray stays gray.
    """

    source: str = "lol-v1"
    sampling: Sampling | Literal[""] = ""
    crop: int = Field(default=256, ge=16)
    shrink: float = Field(default=1.0, ge=1, le=32)
    whole: float = Field(default=0.0, ge=0, le=1)
    batch: int = Field(default=8, ge=1)
    rotate: bool = False
    channel_shuffle: float = Field(default=0.0, ge=0, le=1)
    darkened: float = Field(default=0.0, ge=0, le=1)
    darken_highs: bool = False
    sensor: float = Field(default=0.0, ge=0, le=1)
    lit: float = Field(default=0.0, ge=0, le=1)
    exposure: float = Field(default=0.0, ge=0, le=4)
    flat: float = Field(default=0.0, ge=0, le=1)


class Optimiser(_Part):
    """Adam, its schedule and its limits.

    Attributes:
        lr: learning rate at the start.
        critic_lr: that of the discriminators; 0 for the same.
        betas, eps, weight_decay: as in torch.optim.Adam.
        clip: largest norm of a phase's whole gradient.
        schedule: constant; linear: constant for the first half of the steps, then straight down to 0 at the
            last; step: a tenth at each of `drops`; cosine: a half cosine down to 0 at the last step.
        drops: where the step schedule drops, as shares of all steps.
        warmup: steps over which the rate first grows from 0.
    """

    lr: float = Field(default=1e-4, gt=0)
    critic_lr: float = Field(default=0.0, ge=0)
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = Field(default=1e-8, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    clip: float = Field(default=5.0, gt=0)
    schedule: Literal["constant", "linear", "step", "cosine"] = "constant"
    drops: tuple[float, ...] = (0.25, 0.5)
    warmup: int = Field(default=0, ge=0)


class Recipe(_Part):
    """Everything that decides what a run learns.

    Attributes:
        network: name in the registry of networks.
        tag: names the weight, together with the network.
        settings: the network's hyper-parameters that differ from its preset.
        start: name of a weight, or path of a weight's card, to learn on from; several with + between give
            what fits of each, the first before the others; "" for random weights.
        data, optimiser: see there.
        steps: optimiser steps of the whole run.
        save_every: steps between two checkpoints; a kill loses no more than this.
        score_every: steps between two scorings on the validation pairs.
        score_pairs: how many validation pairs are scored, spread evenly over all of them.
        log_every: steps between two lines of the loss curve.
        panels_every: steps between two rows of pictures for TensorBoard; 0 for none.
        ema: decay per step of the averaged weights that are scored and exported; 0 for none.
        precision: "fp32", "bf16" for autocast with float32 weights, or "auto": bf16 where the machine has it.
        seed: of the initial weights and of the sampling.
    """

    network: str
    tag: str
    settings: dict[str, Any] = Field(default_factory=dict)
    start: str = ""
    data: Data = Data()
    optimiser: Optimiser = Optimiser()
    steps: int = Field(gt=0)
    save_every: int = Field(default=100, ge=1)
    score_every: int = Field(default=100, ge=1)
    score_pairs: int = Field(default=20, ge=1)
    log_every: int = Field(default=10, ge=1)
    panels_every: int = Field(default=500, ge=0)
    ema: float = Field(default=0.0, ge=0, lt=1)
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    seed: int = Field(default=0, ge=0)

    @property
    def name(self) -> str:
        """NETWORK.TAG."""
        return f"{self.network}.{self.tag}"

    @property
    def sampling(self) -> Sampling:
        """The kind of batch: the recipe's, else the network's preset."""
        preset: Sampling = get_network(self.network).sampling[0]
        return self.data.sampling or preset

    def complete(self) -> dict[str, Any]:
        """The recipe with every default filled in, the network's too; what the hash is taken of."""
        values = self.model_dump(mode="json")
        values["settings"] = parse_settings(get_network(self.network), self.settings).model_dump(mode="json")
        return values

    def changed(self) -> tuple[str, ...]:
        """KEY=VALUE where this is not the recipe of its name in the package; nothing where there is none."""
        if self.name not in list_recipes():
            return ()
        ours = dict(_flat(load_recipe(self.name).complete()))
        mine = ((key, value) for key, value in _flat(self.complete()) if key not in BOOKKEEPING)
        return tuple(
            f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in mine if ours[key] != value
        )

    def digest(self) -> str:
        """SHA-256 of the complete recipe as sorted JSON."""
        return hashlib.sha256(json.dumps(self.complete(), sort_keys=True).encode()).hexdigest()


_PARTS: dict[str, type[_Part]] = {"data": Data, "optimiser": Optimiser}


def list_recipes(folder: Path = FOLDER) -> list[str]:
    """Names of the recipes in the package, sorted."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def load_recipe(name: str, changes: Mapping[str, str] | None = None, folder: Path = FOLDER) -> Recipe:
    """Read a recipe and apply changes.

    Args:
        name: of a recipe in the package, or a path that ends in `.toml`.
        changes: "key" or "part.key" -> value as TOML would have it (text may go unquoted).

    Raises:
        UnknownName: no such recipe, key, network or hyper-parameter.
        BadSetting: a file that is no TOML, or a value of the wrong kind or out of range.
    """
    path = Path(name) if name.endswith(".toml") else folder / f"{name}.toml"
    if not path.is_file():
        raise UnknownName("recipe", name, list_recipes(folder), "A path to a .toml file works as well")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"the recipe {path} is no TOML: {error}") from None
    for key, text in (changes or {}).items():
        _change(values, key, text)
    recipe = parse_recipe(values)
    if not re.fullmatch(r"[A-Za-z][\w-]*", recipe.tag):  # it names files and folders
        raise BadSetting(f"tag={recipe.tag!r} in the recipe", "letters, digits, - and _, a letter first")
    return recipe


def implied(recipe: Recipe, folders: int, normal: bool) -> dict[str, str]:
    """What the kind of data that is given changes in a recipe, as for `load_recipe`.

    Args:
        recipe: as it is without.
        folders: how many folders were named; two hold dark and normally lit pictures that are no pairs.
        normal: whether photos to darken were given.

    Raises:
        BadSetting: two folders for a network that learns from pairs.
    """
    changes, able = {}, get_network(recipe.network).sampling
    if folders == 2 and recipe.sampling == "aligned":
        if "unpaired" not in able:
            raise BadSetting(
                f"two folders of pictures that are no pairs, for {recipe.network}",
                "one --data, with the dark and the normally lit side of each pair in it",
                f"Without pairs learn {', '.join(s.name for s in NETWORKS if 'unpaired' in s.sampling)}",
            )
        changes["data.sampling"] = "unpaired"
    if normal and recipe.sampling != "darkened":
        if not folders:
            changes["data.darkened"] = "1"
        elif not recipe.data.darkened:
            changes["data.darkened"] = "0.5"
    return changes


def parse_recipe(values: dict[str, Any]) -> Recipe:
    """Check a recipe's keys and values, those of its network included.

    Raises:
        UnknownName: a key, a network or a hyper-parameter that is not there.
        BadSetting: a value of the wrong kind or out of range, or a required key that is missing.
    """
    try:
        recipe = Recipe(**values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            part = _PARTS.get(str(first["loc"][0]), Recipe)
            raise UnknownName("key of a recipe", where, part.model_fields) from None
        came = f"{where}={first['input']!r}" if first["type"] != "missing" else f"no {where}"
        told = first["msg"].removeprefix("Input should be ")
        raise BadSetting(f"{came} in the recipe", told) from None
    spec = get_network(recipe.network)
    parse_settings(spec, recipe.settings)
    if recipe.sampling not in spec.sampling:
        raise BadSetting(
            f"data.sampling={recipe.sampling!r} for {recipe.network}", f"one of {', '.join(spec.sampling)}"
        )
    return recipe


def _flat(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Each key, as `--set` takes it, and its value."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield above + key, value


def _change(values: dict[str, Any], key: str, text: str) -> None:
    try:
        value = tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        value = text
    *parts, last = key.split(".")
    table = values
    for part in parts:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise BadSetting(f"the key {key} of a recipe", f"{part} is a single value and holds no {last}")
    table[last] = value
