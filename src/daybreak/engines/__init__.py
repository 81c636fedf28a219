"""Running an exported graph: one small interface, ONNX Runtime and OpenVINO behind it."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # ONNX Runtime would keep a device id and tell its makers

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
