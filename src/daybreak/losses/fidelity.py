"""Fidelity: the illumination of a stage stays close to what the stage was given.

Source: paper 2, eq. 5, with a mean in place of the sum so that the weight does not depend on the size of
the picture (methods.md A.2).
"""

from __future__ import annotations

from torch import Tensor


def fidelity(illumination: Tensor, stage_input: Tensor) -> Tensor:
    """Mean of (L − V)² over B×3×H×W; a scalar."""
    return (illumination - stage_input).square().mean()
