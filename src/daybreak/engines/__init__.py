"""Running an exported graph: one small interface, ONNX Runtime and OpenVINO behind it."""

from daybreak.engines.base import Engine, Precision
from daybreak.engines.devices import DEVICES, REFERENCE, Device, get_device
from daybreak.engines.onnx_runtime import OnnxEngine
from daybreak.engines.openvino import OpenvinoEngine
from daybreak.engines.runtime import Place, Runtime, places

__all__ = [
    "DEVICES",
    "REFERENCE",
    "Device",
    "Engine",
    "OnnxEngine",
    "OpenvinoEngine",
    "Place",
    "Precision",
    "Runtime",
    "get_device",
    "places",
]
