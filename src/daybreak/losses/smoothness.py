"""Smoothness: isotropic total variation.

Source: paper 2, eq. 6. As printed, the root of a product of differences is undefined where the product is
negative; it is read as the isotropic total variation (methods.md A.2).
"""

from __future__ import annotations

from torch import Tensor


def smoothness(picture: Tensor, epsilon: float = 1e-3) -> Tensor:
    """Mean of √(∇v² + ∇h² + ε²) over the pixels that have a neighbour below and to the right; a scalar.

    Args:
        picture: B×C×H×W with H, W ≥ 2.
        epsilon: grey levels of [0, 1]; keeps the gradient finite where the picture is flat.
    """
    corner = picture[..., :-1, :-1]
    down = picture[..., 1:, :-1] - corner
    right = picture[..., :-1, 1:] - corner
    return (down.square() + right.square() + epsilon**2).sqrt().mean()
