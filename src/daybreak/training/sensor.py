"""Dark pictures as a camera writes them: less light, its noise, its white balance, 8 bits and JPEG.

Sources: the noise of a sensor, shot noise that grows with the light and read noise that does not (Foi,
Trimeche, Katkovnik, Egiazarian, "Practical Poissonian-Gaussian noise modeling and fitting for single-image
raw-data", IEEE Transactions on Image Processing 2008), in linear light and before encoding, as in Brooks et
al., "Unprocessing images for learned raw denoising", CVPR 2019. JPEG: ITU-T T.81, with the tables of its
annex K. The ranges are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from daybreak.layers.exposure import linear

STOPS = (1.0, 5.0)
"""EV of light that is missing."""

SHOT = (-4.5, -2.5)
"""log10 of the variance of shot noise at full scale, in linear light."""

READ = (-4.0, -2.6)
"""log10 of the standard deviation of read noise."""

BALANCE = 0.1
"""EV by which red and blue are off at the most."""

LAMP = (0.1, 0.4)
"""Radius (σ) of what a lamp lights, as a share of the longer side."""

PEDESTAL = 0.002
"""Linear light that is added to black at the most: stray light, a black level that is off."""

QUALITY = (55, 98)
"""Of the JPEG that every second picture becomes."""


@dataclass(frozen=True)
class Exposure:
    """One draw: what a camera did.

    Attributes:
        stops: EV of light that is missing.
        lamp: where in the picture a lamp stands, down and to the right as shares of its sides, how far it
            reaches as a share of the longer side, and which share of the missing stops it gives back there;
            in every second picture that is 0.
        shot: variance of the shot noise at full scale.
        read: standard deviation of the read noise.
        red, blue: gains of the two.
        pedestal: linear light added to black.
        grain: whether neighbouring pixels share their noise, as after demosaicing.
        quality: of the JPEG, or 0 for none.
        corner: px, where in an 8×8 block of the JPEG the picture begins, down and to the right.
    """

    stops: float
    lamp: tuple[float, float, float, float]
    shot: float
    read: float
    red: float
    blue: float
    pedestal: float
    grain: bool
    quality: int
    corner: tuple[int, int]


def draw(random: np.random.Generator) -> Exposure:
    """Draw each from its range: evenly, noise and gains on a logarithmic scale."""
    low, high = QUALITY
    return Exposure(
        stops=random.uniform(*STOPS),
        lamp=(
            random.random(),
            random.random(),
            random.uniform(*LAMP),
            random.integers(2) * random.uniform(0.5, 1),
        ),
        shot=10.0 ** random.uniform(*SHOT),
        read=10.0 ** random.uniform(*READ),
        red=2.0 ** random.uniform(-BALANCE, BALANCE),
        blue=2.0 ** random.uniform(-BALANCE, BALANCE),
        pedestal=random.uniform(0.0, PEDESTAL),
        grain=bool(random.integers(2)),
        quality=int(random.integers(low, high + 1)) if random.integers(2) else 0,
        corner=(int(random.integers(8)), int(random.integers(8))),
    )


def photograph(high: Tensor, drawn: Exposure, seed: int) -> Tensor:
    """What the camera would have written of a scene that was lit as in `high`.

    Args:
        high: H×W×3 float32 in [0, 1], sRGB-encoded.
        drawn: the exposure.
        seed: of the noise.

    Returns:
        H×W×3 float32 in [0, 1], sRGB-encoded, of 8 bits.
    """
    source = torch.Generator(high.device).manual_seed(seed)
    noise = torch.randn(high.shape, generator=source, device=high.device).permute(2, 0, 1)[None]
    levels = exposed(
        high.permute(2, 0, 1)[None],
        grainy(noise) if drawn.grain else noise,
        drawn.stops * missing(high.shape[0], high.shape[1], high.new_tensor([drawn.lamp])),
        gains=high.new_tensor([[drawn.red, 1.0, drawn.blue]]),
        variances=high.new_tensor([[drawn.shot, drawn.read**2]]),
        pedestal=high.new_tensor([drawn.pedestal]),
    )
    if drawn.quality:
        levels = jpeg(levels, high.new_tensor([drawn.quality]), drawn.corner)
    return levels[0].permute(1, 2, 0) / 255.0


def exposed(
    high: Tensor, noise: Tensor, stops: Tensor, *, gains: Tensor, variances: Tensor, pedestal: Tensor
) -> Tensor:
    """What a sensor reads, as whole numbers from 0 to 255, sRGB-encoded, B×3×H×W float32.

    Args:
        high: B×3×H×W in [0, 1], sRGB-encoded.
        noise: the same shape, of variance 1.
        stops: EV of light that is missing, B×1×H×W.
        gains: of the three colours, B×3.
        variances: of the shot noise at full scale and of the read noise, B×2, in linear light.
        pedestal: linear light added to black, B.
    """
    shot, read = variances[..., None, None, None].unbind(1)
    light = linear(high) * gains[..., None, None] * torch.exp2(-stops) + pedestal.view(-1, 1, 1, 1)
    light = (light + (shot * light + read).sqrt() * noise).clamp(0.0, 1.0)
    return (encoded(light) * 255.0).round()


def missing(height: int, width: int, lamps: Tensor) -> Tensor:
    """B×1×H×W: the share of the missing stops that is missing at each pixel, for B×4 of `Exposure.lamp`."""
    down, right, reach, share = lamps[..., None, None].unbind(1)
    rows = torch.arange(height, device=lamps.device)[:, None] - down * height
    columns = torch.arange(width, device=lamps.device) - right * width
    away = (rows.square() + columns.square()) / (reach * max(height, width)) ** 2
    return (1.0 - share * torch.exp(-away / 2.0))[:, None]


def encoded(light: Tensor) -> Tensor:
    """Linear light in [0, 1] to sRGB-encoded values (IEC 61966-2-1)."""
    return torch.where(
        light <= 0.0031308, 12.92 * light, 1.055 * light.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    )


_GRAIN = tuple(tuple(a * b / 6 for b in (1.0, 2.0, 1.0)) for a in (1.0, 2.0, 1.0))  # squares that sum to 1


def grainy(noise: Tensor) -> Tensor:
    """B×3×H×W noise that neighbours share, of the same strength."""
    window = _held(_GRAIN, noise.device).expand(3, 1, 3, 3)
    return nn.functional.conv2d(nn.functional.pad(noise, (1,) * 4, mode="circular"), window, groups=3)


_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)
_TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
_FROM_YCC = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))


def jpeg(levels: Tensor, quality: Tensor, corner: tuple[int, int] = (0, 0)) -> Tensor:
    """What is left of pictures after JPEG with colour at half the size, but for the rounding of its decoder.

    Args:
        levels: B×3×H×W float32, whole numbers from 0 to 255.
        quality: 1 to 100, as the Independent JPEG Group scales the tables of annex K; B.
        corner: px, where in an 8×8 block the picture begins.

    Returns:
        The same shape, whole numbers from 0 to 255.
    """
    scale = torch.where(quality < 50, 5000.0 / quality, 200.0 - 2.0 * quality) / 100.0
    height, width = levels.shape[2:]
    above, left = corner
    planes = _mixed(levels, _TO_YCC)  # colour around 0
    beyond = (left, -(left + width) % 16, above, -(above + height) % 16)
    planes = nn.functional.pad(planes, beyond, mode="replicate")
    luma = _quantised(planes[:, :1] - 128.0, _LUMA, scale) + 128.0
    colour = _quantised(nn.functional.avg_pool2d(planes[:, 1:], 2), _CHROMA, scale)
    colour = nn.functional.interpolate(colour, scale_factor=2.0, mode="bilinear", align_corners=False)
    planes = torch.cat([luma, colour], dim=1)[:, :, above : above + height, left : left + width]
    kept = _mixed(planes, _FROM_YCC)
    return kept.round().clamp(0.0, 255.0)


def _mixed(planes: Tensor, matrix: tuple[tuple[float, ...], ...]) -> Tensor:
    """B×3×H×W, each pixel times a 3×3 matrix."""
    return torch.einsum("ij,bjhw->bihw", _held(matrix, planes.device), planes)


@lru_cache(maxsize=16)
def _held(table: tuple[tuple[float, ...], ...], device: torch.device) -> Tensor:
    """Numbers on a device, sent there once: a CUDA graph cannot send them."""
    return torch.tensor(table, device=device, dtype=torch.float32)


def _quantised(planes: Tensor, table: tuple[tuple[int, ...], ...], scale: Tensor) -> Tensor:
    """B×C×H×W, sides multiples of 8: DCT coefficients rounded to multiples of the table times a scale."""
    steps = _held(table, planes.device) * scale.view(-1, 1, 1, 1, 1, 1)
    steps = steps.add(0.5).floor().clamp(1.0, 255.0)
    cosines = _cosines(planes)
    height, width = planes.shape[2:]
    blocks = planes.view(*planes.shape[:2], height // 8, 8, width // 8, 8).transpose(3, 4)
    kept = ((cosines @ blocks @ cosines.T) / steps).round() * steps  # B×C×h×w×8×8
    back: Tensor = cosines.T @ kept @ cosines
    return back.transpose(3, 4).reshape(planes.shape)


def _cosines(like: Tensor) -> Tensor:
    """The orthonormal DCT-II of 8 values, 8×8."""
    place = torch.arange(8, device=like.device, dtype=like.dtype)
    cosines = torch.cos((2.0 * place + 1.0) * place[:, None] * (torch.pi / 16.0)) / 2.0
    cosines[0] /= 2.0**0.5
    return cosines
