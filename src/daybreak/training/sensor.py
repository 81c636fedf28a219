"""Dark pictures as a camera writes them: less light, its noise, its white balance, 8 bits and JPEG.

Sources: the noise of a sensor, shot noise that grows with the light and read noise that does not (Foi,
Trimeche, Katkovnik, Egiazarian, "Practical Poissonian-Gaussian noise modeling and fitting for single-image
raw-data", IEEE Transactions on Image Processing 2008), in linear light and before encoding, as in Brooks et
al., "Unprocessing images for learned raw denoising", CVPR 2019. JPEG: ITU-T T.81, with the tables of its
annex K. The ranges are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    gains = high.new_tensor([drawn.red, 1.0, drawn.blue])
    light = linear(high) * gains * torch.exp2(-drawn.stops * _missing(high, drawn.lamp)) + drawn.pedestal
    source = torch.Generator(high.device).manual_seed(seed)
    noise = torch.randn(high.shape, generator=source, device=high.device)
    if drawn.grain:
        noise = _grainy(noise)
    light = (light + (drawn.shot * light + drawn.read**2).sqrt() * noise).clamp(0.0, 1.0)
    levels = (encoded(light) * 255.0).round()
    return (jpeg(levels, drawn.quality, drawn.corner) if drawn.quality else levels) / 255.0


def _missing(high: Tensor, lamp: tuple[float, float, float, float]) -> Tensor:
    """H×W×1: the share of the missing stops that is missing at each pixel."""
    down, right, reach, share = lamp
    height, width = high.shape[:2]
    rows = torch.arange(height, device=high.device) - down * height
    columns = torch.arange(width, device=high.device) - right * width
    away = (rows.square()[:, None] + columns.square()) / (reach * max(height, width)) ** 2
    return (1.0 - share * torch.exp(-away / 2.0))[..., None]


def encoded(light: Tensor) -> Tensor:
    """Linear light in [0, 1] to sRGB-encoded values (IEC 61966-2-1)."""
    return torch.where(
        light <= 0.0031308, 12.92 * light, 1.055 * light.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    )


def _grainy(noise: Tensor) -> Tensor:
    """H×W×3 noise that neighbours share, of the same strength."""
    kernel = noise.new_tensor([0.25, 0.5, 0.25])
    planes = nn.functional.pad(noise.permute(2, 0, 1)[:, None], (1, 1, 1, 1), mode="circular")
    shared = nn.functional.conv2d(planes, torch.outer(kernel, kernel)[None, None])[:, 0].permute(1, 2, 0)
    return shared / kernel.square().sum()  # of both directions: its root, twice


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


def jpeg(levels: Tensor, quality: int, corner: tuple[int, int] = (0, 0)) -> Tensor:
    """What is left of a picture after JPEG with colour at half the size, but for the rounding of its decoder.

    Args:
        levels: H×W×3 float32, whole numbers from 0 to 255.
        quality: 1 to 100, as the Independent JPEG Group scales the tables of annex K.
        corner: px, where in an 8×8 block the picture begins.

    Returns:
        The same shape, whole numbers from 0 to 255.
    """
    scale = (5000.0 / quality if quality < 50 else 200.0 - 2.0 * quality) / 100.0
    height, width = levels.shape[:2]
    above, left = corner
    planes = (levels @ levels.new_tensor(_TO_YCC).T).permute(2, 0, 1)[None]  # 1×3×H×W, colour around 0
    beyond = (left, -(left + width) % 16, above, -(above + height) % 16)
    planes = nn.functional.pad(planes, beyond, mode="replicate")
    luma = _quantised(planes[:, :1] - 128.0, _LUMA, scale) + 128.0
    colour = _quantised(nn.functional.avg_pool2d(planes[:, 1:], 2), _CHROMA, scale)
    colour = nn.functional.interpolate(colour, scale_factor=2.0, mode="bilinear", align_corners=False)
    planes = torch.cat([luma, colour], dim=1)[0, :, above : above + height, left : left + width]
    back = torch.linalg.inv(levels.new_tensor(_TO_YCC))
    kept: Tensor = (planes.permute(1, 2, 0) @ back.T).round().clamp(0.0, 255.0)
    return kept


def _quantised(planes: Tensor, table: tuple[tuple[int, ...], ...], scale: float) -> Tensor:
    """1×C×H×W, sides multiples of 8: its DCT coefficients rounded to multiples of the table."""
    steps = (planes.new_tensor(table) * scale).add(0.5).floor().clamp(1.0, 255.0)
    cosines = _cosines(planes)
    count, (height, width) = planes.shape[1], planes.shape[2:]
    blocks = planes.view(count, height // 8, 8, width // 8, 8).transpose(2, 3)  # C×h×w×8×8
    kept = ((cosines @ blocks @ cosines.T) / steps).round() * steps
    back: Tensor = cosines.T @ kept @ cosines
    return back.transpose(2, 3).reshape(planes.shape)


def _cosines(like: Tensor) -> Tensor:
    """The orthonormal DCT-II of 8 values, 8×8."""
    place = torch.arange(8, device=like.device, dtype=like.dtype)
    cosines = torch.cos((2.0 * place + 1.0) * place[:, None] * (torch.pi / 16.0)) / 2.0
    cosines[0] /= 2.0**0.5
    return cosines
