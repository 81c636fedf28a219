"""Options that two or more commands share: how their text is read and how the shell completes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from daybreak.errors import BadSetting

if TYPE_CHECKING:
    from daybreak.enhancing.enhancer import Enhancer


def parse_sets(texts: Iterable[str]) -> dict[str, str]:
    """Read `--set KEY=VALUE` as often as it was given; the settings model turns the values into numbers.

    Raises:
        BadSetting: no "=", no key, or one key twice.

    >>> parse_sets(["gamma=2.4", "mode=fixed"])
    {'gamma': '2.4', 'mode': 'fixed'}
    """
    values: dict[str, str] = {}
    for text in texts:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not (key and equals):
            raise BadSetting(f"--set {text!r}", "KEY=VALUE, for example --set gamma=2.4")
        if key in values:
            raise BadSetting(f"--set gives {key!r} twice, {values[key]!r} and {value!r}", "each setting once")
        values[key] = value
    return values


def parse_seconds(option: str, text: str) -> float:
    """Read a length of time: seconds with or without an s, or minutes and hours before colons.

    Raises:
        BadSetting: neither.

    >>> parse_seconds("--start", "10s"), parse_seconds("--start", "1:02:03.5")
    (10.0, 3723.5)
    """
    seconds, parts = 0.0, text.strip().removesuffix("s").split(":")
    try:
        if len(parts) > 3:
            raise ValueError
        for part in parts:
            value = float(part)
            if not 0.0 <= value < float("inf"):
                raise ValueError
            seconds = 60.0 * seconds + value
    except ValueError:
        raise BadSetting(f"{option} {text!r}", "seconds or H:MM:SS, for example 90, 90s or 1:30") from None
    return seconds


def parse_methods(text: str) -> list[str]:
    """Names of methods from a list with commas; a shell pattern stands for all that match it.

    Raises:
        UnknownName: a name or a pattern that no method has.
        BadSetting: nothing between the commas.

    >>> parse_methods("gamma, gam*")
    ['gamma']
    """
    from daybreak.methods.registry import get_method, list_methods

    names: dict[str, None] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        names.update(dict.fromkeys(list_methods(part) or [get_method(part).card.name]))
    if not names:
        raise BadSetting(f"a list of methods that reads {text!r}", "names, for example -m gamma,lime")
    return list(names)


def complete_method(incomplete: str) -> list[tuple[str, str]]:
    """(name, summary) of each method, for the shell's TAB after `-m`."""
    from daybreak.methods.registry import every_method  # only when the shell asks: it brings OpenCV in

    return [(m.card.name, m.card.summary) for m in every_method() if m.card.name.startswith(incomplete)]


def complete_methods(incomplete: str) -> list[tuple[str, str]]:
    """The same for a list with commas: completes what stands after the last comma."""
    before, comma, last = incomplete.rpartition(",")
    return [(before + comma + name, summary) for name, summary in complete_method(last)]


def complete_device(incomplete: str) -> list[tuple[str, str]]:
    """(name, engine) of each device."""
    from daybreak.engines import DEVICES

    offered = [("auto", "the fastest here"), *((device.name, device.engine) for device in DEVICES)]
    return [(name, told) for name, told in offered if name.startswith(incomplete)]


MethodOption = Annotated[str, typer.Option("-m", "--method", autocompletion=complete_method)]
StrengthOption = Annotated[
    float, typer.Option("-s", "--strength", help="0 the input, 1 the method's own result, up to 1.5.")
]
ExposureOption = Annotated[
    float | None,
    typer.Option("--exposure", help="Instead of a strength: stops (EV) brighter than the input."),
]
UpscaleOption = Annotated[
    int | None, typer.Option("--upscale", help="2 for twice the size, with a method that can (neid).")
]
SetsOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A setting of the method; may repeat."),
]
SuffixOption = Annotated[str, typer.Option("--suffix", help="Put before the extension of each result.")]
FormatOption = Annotated[
    Literal["keep", "jpg", "png", "tiff", "webp", "avif"],
    typer.Option("--format", help="Of the results."),
]
QualityOption = Annotated[int | None, typer.Option("--quality", min=1, max=100, help="For JPEG, WebP, AVIF.")]
DepthOption = Annotated[Literal["keep", "8", "16"], typer.Option("--bit-depth", help="Bits a channel.")]
PixelsOption = Annotated[
    int | None,
    typer.Option(
        "--max-pixels",
        min=1,
        metavar="MILLIONS",
        help="Largest picture to accept. [default: 268]",
        show_default=False,
    ),
]
DeviceOption = Annotated[
    str,
    typer.Option(
        "--device",
        help="Where networks run: cpu, auto (the fastest), or a device that `daybreak doctor` lists.",
        autocompletion=complete_device,
    ),
]
PrecisionOption = Annotated[
    Literal["auto", "fp32", "bf16"],
    typer.Option("--precision", help="Of networks; auto is fp32. bf16 is faster and moves grey levels."),
]
MemoryOption = Annotated[
    str | None,
    typer.Option(
        "--max-memory",
        metavar="AMOUNT",
        help="Memory to keep to, such as 1GB; large pictures are worked on in parts, and auto picks "
        "what takes little. [default: what is free]",
        show_default=False,
    ),
]
ThreadsOption = Annotated[
    int | None, typer.Option("--threads", min=1, help="Cores to use. [default: all]", show_default=False)
]


def chosen_enhancer(
    method: str,
    strength: float,
    exposure: float | None,
    upscale: int | None,
    sets: Sequence[str] | None,
    **runtime: Any,
) -> Enhancer:
    """The enhancer that was typed.

    Args:
        **runtime: `device`, `precision`, `threads` and `max_memory`, as for `Enhancer`.

    Raises:
        UnknownName, BadSetting, MissingExtra, EngineError: as `parse_sets`, to which `--upscale` is one more,
            and `Enhancer`.
    """
    from daybreak.enhancing.enhancer import Enhancer
    from daybreak.methods.base import parse_settings
    from daybreak.methods.registry import get_method

    if upscale is not None and "upscale" not in get_method(method).card.settings.model_fields:
        raise BadSetting(f"--upscale with {method}", "a method that can", "Type -m neid")
    doubled = [] if upscale is None else [f"upscale={upscale}"]
    given: dict[str, Any] = dict(parse_sets([*doubled, *(sets or [])]))
    parse_settings(get_method(method).card, given)  # before `strength` among them could pass for the option
    return Enhancer(method, strength=strength, exposure=exposure, **runtime, **given)


def chosen_memory(amount: str | None) -> int | None:
    """The bytes that were typed; None for what is free.

    Raises:
        BadSetting: no amount, or too little.
    """
    if amount is None:
        return None
    from daybreak.enhancing.memory import parse_memory

    return parse_memory(amount)


def chosen_format(format: str) -> str | None:
    """The key of `FORMATS` that was typed; None to keep each picture's own."""
    return None if format == "keep" else {"jpg": "jpeg"}.get(format, format)


def chosen_depth(bit_depth: str) -> int | None:
    """The bits that were typed; None to keep each picture's own."""
    return None if bit_depth == "keep" else int(bit_depth)
