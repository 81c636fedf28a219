"""Running an exported graph: one small interface, and ONNX Runtime behind it."""

from daybreak.engines.base import Engine
from daybreak.engines.onnx_runtime import OnnxEngine

__all__ = ["Engine", "OnnxEngine"]
