"""A small copy of a picture of any size, by area, with operations that any runtime has."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def _shares(count: int, length: int, like: Tensor) -> Tensor:
    """count×length: how much of each of `length` pixels lies in each of `count` equal parts."""
    edges = torch.arange(count + 1, device=like.device, dtype=torch.float32) * (length / count)
    places = torch.arange(length, device=like.device, dtype=torch.float32)
    begin, end = edges[:-1, None], edges[1:, None]
    overlap = torch.minimum(end, places + 1.0) - torch.maximum(begin, places)
    return overlap.clamp(min=0.0) * (count / length)


def thumbnail(picture: Tensor, side: int) -> Tensor:
    """The mean of each of side×side equal parts of a picture.

    Args:
        picture: B×C×H×W, any size, smaller than `side` too.
        side: of the result.

    Returns:
        B×C×side×side float32; its mean is that of the picture.
    """
    rows = _shares(side, picture.shape[2], picture)
    columns = _shares(side, picture.shape[3], picture)
    return rows @ picture.float() @ columns.T


def quarter(picture: Tensor) -> Tensor:
    """Means of 4×4 pixels of B×C×H×W, sides multiples of 4; rows first takes half as long as both at once."""
    rows = picture[..., 0::4, :] + picture[..., 1::4, :] + picture[..., 2::4, :] + picture[..., 3::4, :]
    return nn.functional.avg_pool2d(rows / 4.0, (1, 4))
