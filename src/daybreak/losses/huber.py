"""Huber's loss, scaled so that its far part has slope δ (paper 4, its eq. 2)."""

from __future__ import annotations

from torch import Tensor, nn


def huber(output: Tensor, reference: Tensor, delta: float) -> Tensor:
    """Mean of ½d² where |d| ≤ δ and δ(|d| − ½δ) beyond, over B×3×H×W; a scalar."""
    return nn.functional.huber_loss(output, reference, delta=delta)
