"""Weights, those that ship and one's own: a card (`NAME.TAG.toml`) beside its `.safetensors` and `.onnx`."""

from daybreak.weights.card import Control, Score, WeightCard
from daybreak.weights.store import Weight, find_weight, list_weights

__all__ = ["Control", "Score", "Weight", "WeightCard", "find_weight", "list_weights"]
