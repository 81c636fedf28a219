"""What a person asks for, a device and a precision, and what that comes to for one weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from daybreak.engines.base import Engine, Precision
from daybreak.engines.devices import DEVICES, REFERENCE, Device, get_device
from daybreak.errors import BadSetting, EngineError, MissingExtra

AUTO = "auto"

PrecisionAsked = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True)
class Runtime:
    """What was asked for.

    Without a word, networks run on the reference: ONNX Runtime on the CPU in fp32; those that are written
    down as arithmetic run as that, here and with "auto" (`methods.pretrained.written`). The reference needs
    nothing besides the base install, starts quickest, and gives the same pixels wherever the same versions
    run. "auto" takes the fastest device at full precision. Half precision is never chosen by itself: it moves
    pixels by a grey level or two, and only a person can say whether that matters.

    Attributes:
        device: a name from `DEVICES`, or "auto" for the fastest here. "cpu" is the reference, or for bf16 the
            first engine that has it on the CPU.
        precision: "auto" is fp32.

    Raises:
        UnknownName: no such device.
        BadSetting: no such precision.
    """

    device: str = REFERENCE.name
    precision: PrecisionAsked = "auto"

    def __post_init__(self) -> None:
        if self.device != AUTO:
            get_device(self.device)
        if self.precision not in get_args(PrecisionAsked):
            raise BadSetting(f"the precision {self.precision!r}", ", ".join(get_args(PrecisionAsked)))

    @property
    def computed(self) -> Precision:
        """The precision that is meant."""
        return "bf16" if self.precision == "bf16" else "fp32"

    @property
    def reference(self) -> bool:
        """Whether that is the reference, whose results come out bit for bit again."""
        return self.device == REFERENCE.name and self.computed == "fp32"

    def __str__(self) -> str:
        return f"{self.device} {self.computed}"


@dataclass(frozen=True)
class Place:
    """Where a graph runs, and in what precision."""

    device: Device
    precision: Precision

    def load(self, path: Path, threads: int, wide: bool) -> Engine:
        """The graph, loaded there; see `OnnxEngine`."""
        return self.device.load(path, threads, wide, self.precision)

    def __str__(self) -> str:
        return f"{self.device.engine} {self.device.hardware} {self.precision}"


def places(runtime: Runtime, devices: Sequence[Device] = DEVICES) -> list[Place]:
    """Every place that fits what was asked for and can be used on this machine, in the order of the list.

    Nothing is looked at where the reference is asked for: it is always there.

    Raises:
        MissingExtra: the device, or for bf16 the engine, is not installed.
        EngineError: the device is not on this machine, or does not have the precision.
    """
    if runtime.reference:
        return [Place(REFERENCE, "fp32")]
    precision = runtime.computed
    named = [device for device in devices if runtime.device in (AUTO, device.name, device.hardware)]
    if len(named) == 1 and (why := named[0].missing()):
        raise why
    usable = [device for device in named if not device.missing()]
    found = [Place(device, precision) for device in usable if precision in device.precisions()]
    if found:
        return found
    absent = [why for device in named if isinstance(why := device.missing(), MissingExtra)]
    if absent:
        raise absent[0]
    on = " or ".join(device.name for device in usable)
    raise EngineError(
        f"{precision} cannot be had on {on or runtime.device} of this machine", hint="Type --precision fp32"
    )
