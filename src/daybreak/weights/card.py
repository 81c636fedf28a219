"""The card of a weight: what it is, where it comes from, on what terms, and how well it does."""

from __future__ import annotations

import datetime
import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from daybreak.errors import WeightsError


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Score(_Frozen):
    """One measured line.

    Attributes:
        dataset: name of the data set and its part.
        images: how many.
        protocol: how the numbers were taken.
        psnr: dB, mean over the images.
        ssim: mean over the images, or None where it was not taken.
    """

    dataset: str
    images: int = Field(gt=0)
    protocol: str
    psnr: float
    ssim: float | None = None


class Control(_Frozen):
    """A number the graph takes beside the picture; 0 lets the graph estimate it.

    Attributes:
        name: of the graph's input.
        least, most: the range it was trained in.
        intercept, slope: the estimate: intercept + slope · mean of the whole picture, within the range.
    """

    name: str
    least: float
    most: float
    intercept: float
    slope: float


class WeightCard(_Frozen):
    """Everything there is to know about one weight.

    Attributes:
        network: name of the network it belongs to.
        tag: what it was trained on or for; network and tag together name the weight.
        summary: one line for a list.
        paper: the publication of the network.
        date: when it was made.
        parameters: how many the exported graph holds.
        macs_per_pixel: multiply-adds per output pixel of a 512×512 picture, borders included.
        context: "local" with a halo, or "global", as on a method's card.
        halo: pixels of context on each side.
        point: whether each value depends on that value of the picture alone, and on the guide.
        multiple: the input's sides must be multiples of this.
        scale: output side / input side.
        guide: px, side of the small copy of the whole picture that the graph takes beside a tile as its input
            `guide`; it takes `wanted` and `strength` too then. 0 for a graph that has none.
        upscales: whether the graph has the input `upscale`, which gives twice the input's size.
        precision: of the parameters in the files; what is computed is float32.
        bf16: whether it may be computed in bf16; False where its picture then moves further than the
            self-test (`daybreak doctor`) allows, or nobody has looked.
        shared: whether the graph keeps its parameters in the safetensors file beside it.
        preprocessing: what happens inside the graph, so that nobody does it twice.
        memory_per_pixel: bytes of memory at the peak for each pixel of the input, as on a method's card, by
            `benchmarks/memory.py --card`; 0 where it was not measured.
        onnx_sha256, safetensors_sha256: of the two files beside the card.
        settings: the network's hyper-parameters, all of them.
        recipe: name of the training recipe.
        recipe_sha256: of the recipe as it ran, with every default filled in.
        changed: KEY=VALUE, as for `--set`, where the run was not by the package's recipe of that name.
        steps: optimiser steps up to this weight.
        training_data: what it was trained on.
        training_terms: licence and terms of that data.
        licence: terms of the weight itself.
        notes: what is worth knowing besides.
        control: the number the graph takes beside the picture, or None.
        scores: measured lines.
    """

    network: str
    tag: str
    summary: str
    paper: str
    date: datetime.date
    parameters: int = Field(gt=0)
    macs_per_pixel: int = Field(gt=0)
    context: Literal["local", "global"]
    halo: int = Field(ge=0)
    point: bool = False
    multiple: int = Field(default=1, ge=1)
    scale: Literal[1, 2] = 1
    guide: int = Field(default=0, ge=0)
    upscales: bool = False
    precision: Literal["fp32", "fp16"] = "fp32"
    bf16: bool = True
    shared: bool = False
    memory_per_pixel: float = Field(default=0.0, ge=0.0)
    preprocessing: str
    onnx_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    safetensors_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    settings: dict[str, str | bool | int | float]
    recipe: str
    recipe_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    changed: tuple[str, ...] = ()
    steps: int = Field(ge=0)
    training_data: str
    training_terms: str
    licence: str
    notes: str = ""
    control: Control | None = None
    scores: tuple[Score, ...] = ()

    @property
    def name(self) -> str:
        """The weight's name, for example "cascade.lol"."""
        return f"{self.network}.{self.tag}"

    @property
    def arithmetic(self) -> str:
        """ "gates" or "curve" where `daybreak.methods` has the network as arithmetic, else ""."""
        local = self.settings.get("local") if self.network == "daybreak" else None
        return str(local) if local in ("gates", "curve") else ""

    @property
    def sha256(self) -> str:
        """Of all that runs; `weights_sha256` in records, results and evidence.

        The graph's own SHA-256 where it holds its parameters. Where it keeps them in the safetensors file
        (`shared`), or that file alone runs (`arithmetic`), the SHA-256 of both files' hexadecimal digits, the
        graph's first, with a space between.
        """
        if not self.shared and not self.arithmetic:
            return self.onnx_sha256
        return hashlib.sha256(f"{self.onnx_sha256} {self.safetensors_sha256}".encode()).hexdigest()


def read_card(path: Path) -> WeightCard:
    """Read a card.

    Raises:
        WeightsError: no such file, no TOML, or keys and values that a card does not have.
    """
    try:
        return WeightCard(**tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, TypeError) as error:
        raise WeightsError(f"the card {path} cannot be read: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise WeightsError(f"the card {path} is not right at {where!r}: {first['msg']}") from None


def write_card(card: WeightCard) -> str:
    """The card as TOML text, one key per line, the tables at the end."""
    values = card.model_dump(exclude_none=True)
    scores, tables = values.pop("scores"), {"settings": values.pop("settings")}
    if card.control is not None:
        tables["control"] = values.pop("control")
    lines = [_line(key, value) for key, value in values.items()]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(_line(key, value) for key, value in table.items())]
    for score in scores:
        lines += ["", "[[scores]]", *(_line(key, value) for key, value in score.items())]
    return "\n".join(lines) + "\n"


def _line(key: str, value: Any) -> str:
    """One `key = value`; a JSON string without escapes beyond ASCII is a TOML basic string as well."""
    text = value.isoformat() if isinstance(value, datetime.date) else json.dumps(value, ensure_ascii=False)
    return f"{key} = {text}"
