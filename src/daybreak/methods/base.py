"""What a method is: settings that exist once, a card, and a function from pixels to pixels."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from daybreak.errors import BadPixels, BadSetting, UnknownName
from daybreak.image.rows import Bands, Levels, Rows
from daybreak.types import Array, Pixels

if TYPE_CHECKING:
    from daybreak.engines import Runtime


class Settings(BaseModel):
    """Base of every method's settings: frozen, typed, unknown keys refused.

    The command line, the HTTP schema, the web sliders and the documentation are made from these models,
    so a default, a range or a unit is written here and nowhere else.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def setting(
    default: Any,
    text: str,
    *,
    source: str,
    unit: str = "",
    ge: float | None = None,
    le: float | None = None,
    gt: float | None = None,
    lt: float | None = None,
) -> Any:
    """Declare one setting of a method.

    Args:
        default: the value used when nothing is said.
        text: one sentence: what it does and what more of it brings.
        source: where the default comes from: "paper: …" or "assumed: <the reason>".
        unit: "px", "dB", "grey levels" …; "" for a pure number.
        ge, le, gt, lt: the range, inclusive (ge, le) or exclusive (gt, lt).

    Raises:
        ValueError: source opens with neither "paper" nor "assumed".
    """
    if not source.startswith(("paper", "assumed: ")):
        raise ValueError(f"source of a setting starts with 'paper' or 'assumed: <reason>', got {source!r}")
    return Field(
        default,
        description=text,
        ge=ge,
        le=le,
        gt=gt,
        lt=lt,
        json_schema_extra={"unit": unit, "source": source},
    )


S = TypeVar("S", bound=Settings)


@dataclass(frozen=True)
class Prepared:
    """What is left to do to the parts of one picture once a method has looked at the whole of it.

    Attributes:
        run: (window, top, left) -> the window's result, clamped: a window of h×w×3 float32 whose upper left
            pixel is (top, left) of the picture; its memory may be used. Within the halo anything may come
            back. Called from several threads.
        halo: pixels around a part that its result depends on; a window has them, but for what lies beyond
            the picture's border.
        cell: windows begin at multiples of this, and end there or where the picture does.
        kept: bytes of memory that it holds.
        reduced: for people, what was made at a reduced size for want of memory; "" where the parts together
            are what the method makes of the whole.
        point: whether each value of a result depends on that value of the window alone, wherever it is: a
            picture of whole numbers is then looked up in a table of them.
        light: whether it takes but a few nanoseconds a pixel, as what is looked up in a table does.
        levels: for a method that need not make a picture of floats first: (picture, top, bottom, into) -> the
            sums of each colour's levels. The result of some rows, rounded, is written into h×W×3 of uint8 or
            uint16.
    """

    run: Callable[[Pixels, int, int], Pixels]
    halo: int = 0
    cell: int = 1
    kept: int = 0
    reduced: str = ""
    point: bool = False
    light: bool = False
    levels: Callable[[Levels, int, int, Array], Array] | None = None

    def rows(self, source: Rows, top: int, bottom: int) -> Pixels:
        """The result of some rows of the picture, h×W×3 float32.

        Args:
            source: the whole, left unchanged.
            top, bottom: the first row and the one after the last.
        """
        above = max(0, top - self.halo) // self.cell * self.cell
        window = source[above : -(-bottom // self.cell) * self.cell + self.halo]
        made = self.run(window if isinstance(source, Levels) else window.copy(), above, 0)
        return made[top - above : bottom - above]


@dataclass(frozen=True)
class Card:
    """What there is to know about a method before running it.

    Attributes:
        name: lower case, as typed after `-m`.
        summary: one line for a list.
        paper: the publication, with year and venue ("" where there is none).
        kind: "classical" (arithmetic alone), "pretrained" (runs a shipped network) or "automatic" (chooses).
        settings: the settings model.
        context: "local": each output pixel depends on the input within `halo` pixels; "global": on all of it.
        halo: pixels of context on each side; 0 for "global".
        multiple: the input's sides must be multiples of this (`daybreak.enhancing` pads).
        scale: output side / input side, 1 or 2.
        licence: terms of the algorithm's code or of the weight ("Apache-2.0" for our own).
        cost: what running it takes where that is remarkable: time, memory ("" otherwise).
        memory_per_pixel: bytes of memory at the peak for each pixel of the input, from reading to encoding
            one 8-bit picture on one core, with the defaults or the exact solver, whichever takes more; 0
            where it was not measured: such pictures run one after the other. The figures are those of
            benchmarks/results/memory.json, made by benchmarks/memory.py.
        notes: where we differ from the source and why.
        weights_sha256: of the network's files that run, see `WeightCard.sha256` ("" for classical methods).
    """

    name: str
    summary: str
    paper: str
    kind: Literal["classical", "pretrained", "automatic"]
    settings: type[Settings]
    context: Literal["local", "global"] = "global"
    halo: int = 0
    multiple: int = 1
    scale: Literal[1, 2] = 1
    licence: str = "Apache-2.0"
    cost: str = ""
    memory_per_pixel: float = 0.0
    notes: str = ""
    weights_sha256: str = ""


FILM = math.inf
"""How many pixels the frames of a film are said to have: they are to be quick, however small they are."""


@dataclass(frozen=True)
class Choice:
    """What an automatic method decided for one picture.

    Attributes:
        strength: share of its result that the picture needs, in [0, 1]; multiplies the user's strength.
            0 leaves the picture as it is.
        reason: one clause for the summary, for example
            "already well lit (geometric mean of max(R, G, B) 0.52)".
    """

    strength: float
    reason: str


@dataclass(frozen=True)
class Method(Generic[S]):
    """An enhancement method: its card and its arithmetic.

    Attributes:
        card: what there is to know before running it.
        run: (pixels, settings) -> pixels. Receives checked H×W×3 float32 sRGB in [0, 1] of any size from
            1×1, C-contiguous, and must not change them; gives back float32 of the same shape (times
            card.scale, or a setting `upscale`), clamped to [0, 1] as its last step.
        prepare: for a method whose last step is local: (picture, settings, room) -> what is left to do to
            its parts. It looks at the picture, from top to bottom and as often as it needs, within `room`
            bytes of memory; None lets it take what it likes, and the parts together then equal `run`. A
            large picture is thus never float as a whole.
        settle: for a method that is local but for a number it takes from the whole picture: (rows, settings)
            -> the settings with that number in them, so that a tile need not guess it.
        freeze: for a global method that can be parted into looks at the whole and local work: (picture,
            settings, side of the tiles it may be looked at in) -> a run for windows of the picture, with
            `card.halo` around them: (window, top, left) -> its result; None where this picture's cannot.
        strengthen: for a method with a control of its own: (settled settings, strength) -> the settings that
            realise a strength other than 0 and 1. Without it, strength mixes the result with the input.
        choose: only for kind "automatic": (the picture or a reduced copy, settings) -> what it needs.
        pick: only for kind "automatic": (how many pixels a picture has, or `FILM`) -> the method that runs
            where there is need.
        engine: of a network: what runs it, as "ONNX Runtime cpu fp32" ("" for classical methods).
        on: of a network, and of what chooses one: the same method somewhere else.
    """

    card: Card
    run: Callable[[Pixels, S], Pixels]
    prepare: Callable[[Bands, S, int | None], Prepared] | None = None
    settle: Callable[[Rows, S], S] | None = None
    freeze: Callable[[Bands, S, int], Callable[[Pixels, int, int], Pixels] | None] | None = None
    strengthen: Callable[[S, float], S] | None = None
    choose: Callable[[Rows, S], Choice] | None = None
    pick: Callable[[float], Method[Any]] | None = None
    engine: str = ""
    on: Callable[[Runtime], Method[S]] | None = None

    def placed(self, runtime: Runtime) -> Method[S]:
        """The same method on the device and in the precision that were asked for.

        Raises:
            BadSetting: it is arithmetic and runs on the CPU alone.
            MissingExtra: the engine is not installed.
            EngineError: the device or the precision cannot be had on this machine.
        """
        if self.on is not None:
            return self.on(runtime)
        if runtime.device not in ("auto", "cpu") or runtime.computed != "fp32":
            raise BadSetting(
                f"{self.card.name} is arithmetic and runs on the CPU alone, not on {runtime}",
                "--device cpu and --precision fp32",
                "See: daybreak methods",
            )
        return self

    def enhance(self, pixels: Pixels, **settings: Any) -> Pixels:
        """Run the method on one picture.

        Args:
            pixels: H×W×3, RGB, sRGB-encoded, float32 in [0, 1]; left unchanged.
            settings: by name, as in `card.settings`; those left out take their defaults.

        Returns:
            H×W×3 (times `card.scale`), float32 in [0, 1].

        Raises:
            BadPixels: another shape or dtype, or NaN.
            BadSetting: a value of the wrong kind or out of its range.
            UnknownName: a setting that the method does not have.
        """
        return self.run(check_pixels(pixels), parse_settings(self.card, settings))  # type: ignore[arg-type]


def check_pixels(pixels: Pixels) -> Pixels:
    """Refuse what is not H×W×3 float32, finite and in [0, 1]; give back a C-contiguous array."""
    if not isinstance(pixels, np.ndarray) or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        shape = getattr(pixels, "shape", type(pixels).__name__)
        raise BadPixels(f"pixels of shape {shape}", "an array of H×W×3 with at least one pixel")
    if pixels.dtype != np.float32:
        raise BadPixels(f"pixels of dtype {pixels.dtype}", "float32 in [0, 1]")
    low, high = float(pixels.min()), float(pixels.max())  # NaN shows up in both
    if not (low >= 0.0 and high <= 1.0):
        raise BadPixels(f"pixels between {low:g} and {high:g}", "finite values in [0, 1]")
    return np.ascontiguousarray(pixels)


def parse_settings(card: Card, values: dict[str, Any]) -> Settings:
    """Make the settings model of a method from names and values (text is converted).

    Raises:
        BadSetting: a value of the wrong kind or out of its range.
        UnknownName: a setting that the method does not have.
    """
    for name in values:
        if name not in card.settings.model_fields:
            raise UnknownName(f"setting of {card.name}", name, card.settings.model_fields)
    try:
        return card.settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "?"
        told = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
        raise BadSetting(
            f"setting {name}={first['input']!r} of {card.name}",
            told,
            f"See: daybreak methods {card.name}",
        ) from None
