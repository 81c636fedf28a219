"""The list of every device that a graph may run on, and what it takes to have it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

from daybreak.engines.base import Engine, Precision
from daybreak.engines.onnx_runtime import CPU, OnnxEngine, providers
from daybreak.engines.openvino import OpenvinoEngine, has_bf16
from daybreak.errors import DaybreakError, EngineError, MissingExtra
from daybreak.listing import index, look_up

Load: TypeAlias = Callable[[Path, int, bool, Precision], Engine]
"""(path, threads, wide, precision) -> the loaded graph; see `OnnxEngine`."""


@dataclass(frozen=True)
class Device:
    """Something that runs a graph: an engine on a piece of hardware.

    Attributes:
        name: as typed after `--device`.
        engine: who runs it there, for people.
        hardware: "cpu", or what else computes.
        load: loads a graph.
        precisions: what it computes in on this machine; raises a `DaybreakError` where it cannot be used.
    """

    name: str
    engine: str
    hardware: str
    load: Load = field(repr=False)
    precisions: Callable[[], tuple[Precision, ...]] = field(repr=False)

    def missing(self) -> DaybreakError | None:
        """Why it cannot be used on this machine; None where it can, as far as can be told without a graph."""
        try:
            self.precisions()
        except DaybreakError as error:
            return error
        return None


def _onnx(
    path: Path, threads: int, wide: bool, precision: Precision, provider: str, options: Mapping[str, str]
) -> Engine:
    assert precision == "fp32"  # the only one that such a device says it has
    return OnnxEngine(path, threads, wide=wide, provider=provider, options=options)


def _onnx_has(name: str, provider: str, hint: str) -> tuple[Precision, ...]:
    if provider not in providers():
        raise EngineError(
            f"there is no device {name}: the ONNX Runtime that is installed was built without it", hint=hint
        )
    return ("fp32",)


def _onnx_device(name: str, provider: str, hint: str, **options: str) -> Device:
    hardware = "cpu" if provider == CPU else name
    load = partial(_onnx, provider=provider, options=options)
    return Device(name, "ONNX Runtime", hardware, load, partial(_onnx_has, name, provider, hint))


def _openvino(path: Path, threads: int, wide: bool, precision: Precision) -> Engine:  # noqa: ARG001 - see `Load`
    return OpenvinoEngine(path, threads, precision)


def _openvino_has() -> tuple[Precision, ...]:
    if find_spec("openvino") is None:
        raise MissingExtra("OpenVINO", "openvino")
    return ("fp32", "bf16") if has_bf16() else ("fp32",)


REFERENCE = _onnx_device("cpu", CPU, "Install ONNX Runtime again")
"""What every other device is compared with, and what runs where nobody says otherwise."""

DEVICES: tuple[Device, ...] = (
    REFERENCE,
    Device("openvino", "OpenVINO", "cpu", _openvino, _openvino_has),
    _onnx_device(
        "cuda",
        "CUDAExecutionProvider",
        "Put onnxruntime-gpu in the place of onnxruntime: pip uninstall onnxruntime, then "
        "pip install onnxruntime-gpu",
        use_tf32="0",  # else fp32 would be ten bits of mantissa
    ),
    _onnx_device("coreml", "CoreMLExecutionProvider", "It is part of ONNX Runtime on macOS"),
    _onnx_device(
        "directml",
        "DmlExecutionProvider",
        "On Windows, put onnxruntime-directml in the place of onnxruntime: pip uninstall onnxruntime, then "
        "pip install onnxruntime-directml",
    ),
)
"""Every device, the reference first."""


def get_device(name: str, devices: Iterable[Device] = DEVICES) -> Device:
    """The device of that name, whether it can be used here or not.

    Raises:
        UnknownName: there is none; the error carries the nearest names.
    """
    table = index("device", devices, lambda device: device.name)
    return look_up("device", name, table, "See: daybreak doctor")
