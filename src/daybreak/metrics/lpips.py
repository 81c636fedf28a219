"""Learned perceptual image patch similarity: how far apart two pictures are to a network that saw ImageNet.

Source: Zhang, Isola, Efros, Shechtman, Wang, "The Unreasonable Effectiveness of Deep Features as a Perceptual
Metric", CVPR 2018, version 0.1 of the published heads (methods.md D.3). Scores over AlexNet and over VGG16
are not comparable, so the backbone is part of the metric's name. Needs `daybreak[train]`, and either a model
that the caller made or two assets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from daybreak import assets
from daybreak.errors import MetricError, MissingAsset, MissingExtra, UnknownName
from daybreak.metrics.base import Metric
from daybreak.metrics.planes import Levels, both
from daybreak.types import Array

if TYPE_CHECKING:
    from torch import Tensor

# of pictures in [-1, 1]: what the published heads were trained with
SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)
EPSILON = 1e-10

Looks: TypeAlias = Literal["alex", "vgg"]


@dataclass(frozen=True)
class _Published:
    """What the published model of one backbone is made of; `smallest` is in pixels."""

    backbone: str
    heads: str
    channels: tuple[int, ...]
    smallest: int


PUBLISHED: dict[str, _Published] = {
    "alex": _Published("alexnet", "lpips-alex", (64, 192, 384, 256, 256), 31),
    "vgg": _Published("vgg16", "lpips-vgg", (64, 128, 256, 512, 512), 16),
}


@dataclass(frozen=True)
class LpipsModel:
    """A backbone and its heads.

    Attributes:
        name: of the backbone; stands beside each score.
        backbone: B×3×H×W (shifted and scaled) to one feature map B×C×h×w a head.
        heads: one vector of C weights a map, none negative; they decide precision and device.
        smallest: shortest side that leaves a pixel in every map, in pixels.

    Raises:
        MetricError: no head, or one that is no vector or has a negative weight.
    """

    name: str
    backbone: Callable[[Tensor], Sequence[Tensor]]
    heads: tuple[Tensor, ...]
    smallest: int = 1

    def __post_init__(self) -> None:
        if not self.heads or any(head.ndim != 1 or bool((head < 0).any()) for head in self.heads):
            raise MetricError(f"heads of LPIPS over {self.name}", "vectors of weights, none negative")


def lpips(output: Array, reference: Array, model: LpipsModel | Looks = "alex") -> float:
    """Perceptual distance; 0 for equal pictures, about 0.1 to 0.7 for poor ones.

    Args:
        output, reference: H×W×3 or H×W of one shape, at least 31 px (alex) or 16 px (vgg) on each side;
            uint8, uint16 or float in [0, 1].
        model: "alex" or "vgg" for the published one, from the cache; or one of your own.

    Raises:
        MetricError: no pictures, of different shapes, or too small.
        MissingExtra: PyTorch is not installed.
        MissingAsset: the published model was not fetched; the hint is the line to type.
        AssetError: a file of it is damaged.
    """
    model = load_lpips(model) if isinstance(model, str) else model
    pictures = both(output, reference, model.smallest)
    import torch

    with torch.inference_mode():
        ours, truth = (as_tensor(picture).to(model.heads[0]) for picture in pictures)
        return float(distance(model, ours, truth))


def as_tensor(picture: Levels) -> Tensor:
    """H×W×3 or H×W in 0 to 255 to 1×3×H×W in [-1, 1], float32."""
    import torch

    colour = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    signed = (colour / 127.5 - 1.0).astype(np.float32)
    return torch.from_numpy(np.ascontiguousarray(signed.transpose(2, 0, 1))[None])


def distance(model: LpipsModel, first: Tensor, second: Tensor) -> Tensor:
    """LPIPS of two batches B×3×H×W in [-1, 1]; a vector of B."""
    pairs = zip(directions(model, first), directions(model, second), model.heads, strict=True)
    # a head is a 1×1 convolution to one channel without bias: a weighted sum over channels
    terms = [((a - b).square() * head.view(1, -1, 1, 1)).sum(1).mean((1, 2)) for a, b, head in pairs]
    return sum(terms[1:], start=terms[0])


def directions(model: LpipsModel, picture: Tensor) -> list[Tensor]:
    """The feature maps of B×3×H×W in [-1, 1], at each pixel scaled to length 1 over the channels."""
    shift, scale = (picture.new_tensor(values).view(1, 3, 1, 1) for values in (SHIFT, SCALE))
    maps = model.backbone((picture - shift) / scale)
    return [m / (m.square().sum(1, keepdim=True).sqrt() + EPSILON) for m in maps]


@cache
def load_lpips(looks: Looks = "alex") -> LpipsModel:
    """The published model of version 0.1, from the cache of assets; loaded once a process.

    Raises:
        UnknownName: neither "alex" nor "vgg".
        MissingExtra: PyTorch is not installed.
        MissingAsset: its backbone or its heads were not fetched.
        AssetError: a file of it is damaged.
        WeightsError: a file holds other tensors.
    """
    if looks not in PUBLISHED:
        raise UnknownName("backbone of LPIPS", looks, PUBLISHED)
    parts = PUBLISHED[looks]
    if find_spec("torch") is None:  # looked for, not imported: that takes seconds, for nothing without assets
        raise MissingExtra("LPIPS", "train")
    absent = [name for name in (parts.heads, parts.backbone) if assets.find(name) is None]
    if absent:
        raise MissingAsset(*absent)
    from daybreak.layers import backbones, pth

    backbone = (backbones.alexnet if looks == "alex" else backbones.vgg16)()
    backbone.load(assets.require(parts.backbone))
    path = assets.require(parts.heads)
    shapes = {f"lin{i}.model.1.weight": (1, count, 1, 1) for i, count in enumerate(parts.channels)}
    heads = pth.pick(pth.read_pth(path), shapes, str(path))
    vectors = tuple(head.flatten() for head in heads.values())
    return LpipsModel(looks, backbone.requires_grad_(False).eval(), vectors, parts.smallest)


def _card(looks: Looks, backbone: str) -> Metric:
    return Metric(
        name=f"lpips-{looks}",
        summary=f"Learned perceptual distance over {backbone}, version 0.1.",
        paper="Zhang, Isola, Efros, Shechtman, Wang, CVPR 2018",
        better="lower",
        low=0.0,
        high=float("inf"),
        reference="truth",
        channels=("rgb",),
        smallest=PUBLISHED[looks].smallest,
        run=lpips,
        asset=PUBLISHED[looks].heads,
        load=partial(load_lpips, looks),
    )


METRICS = (_card("alex", "AlexNet"), _card("vgg", "VGG16"))
