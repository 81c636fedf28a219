"""The local part of daybreak's own network, in three sizes: what is done where, once the exposure is known.

All take a picture, or a tile of it, the slope that brings the whole to its exposure (`layers.exposure`) and
a few numbers that say what the whole looks like, and give the picture made of it. None looks further than
its halo, so tiles agree.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from daybreak.layers.exposure import lift, lift_hued
from daybreak.layers.film import Steered
from daybreak.layers.thumbnail import quarter

MARGIN = 32
"""px around what is enhanced, its border continued: convolutions see zeros beyond, which cast colours."""

FURTHEST = 3.0
"""log2 of how far a slope may go from that of the whole picture."""

FOG = 0.15
"""The mean of a colour over 16 px may grow by what there is after the lift, and this, or the dark is fog."""

KEPT = 0.3
"""Share of what is finer than 4 px that stays as it is, but for its colour: grain, not smeared texture."""

COLOR = 0.5
"""Share of the colour between 4 and 16 px that its gates always let through: small things keep theirs."""

RICHEST = 2.0
"""How many times as colourful as it is a place may become, before the curve."""


def _share_of(share: Tensor | None, part: Tensor) -> Tensor:
    return part if share is None else part * share.view(-1, 1, 1, 1)


class Curve(nn.Module):
    """Nothing local: the curve that holds for the whole picture, value by value."""

    halo = 0
    point = True

    def __init__(self, _width: int, _numbers: int) -> None:
        super().__init__()

    def forward(self, low: Tensor, slope: Tensor, _numbers: Tensor, _share: Tensor | None = None) -> Tensor:
        """As `Detail.forward`."""
        return lift(low, torch.exp2(slope).view(-1, 1, 1, 1))


class Detail(nn.Module):
    """A small U-Net at half the size: a slope at a quarter of the size, and a correction by sub-pixel ×2.

    Where the dark gives nothing away, what fits best is the mean of what may have been there: gray fog. So
    there is a bound to what the correction adds; of the texture that it changes some is left.

    Args:
        width: channels at half the size.
        numbers: that steer it.
    """

    halo = 128
    point = False

    def __init__(self, width: int, numbers: int) -> None:
        super().__init__()
        widths = (width, 2 * width, 4 * width, 6 * width)
        self.open = nn.Conv2d(12, width, 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(i, o, 3, stride=2, padding=1) for i, o in pairwise(widths))
        self.falling = nn.ModuleList(Steered(w, numbers) for w in widths)
        self.up = nn.ModuleList(
            nn.Conv2d(i, o, 1) for i, o in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.rising = nn.ModuleList(Steered(w, numbers) for w in widths[-2::-1])
        self.map = nn.Conv2d(2 * width, 1, 3, padding=1)
        self.close = nn.Conv2d(width, 12, 3, padding=1)
        for last in (self.map, self.close):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)  # type: ignore[arg-type]

    def forward(self, low: Tensor, slope: Tensor, numbers: Tensor, share: Tensor | None = None) -> Tensor:
        """The picture made, not clamped.

        Args:
            low: B×3×H×W in [0, 1], sides multiples of 16.
            slope: log2 of the slope that brings the whole to its exposure, B values.
            numbers: B×numbers.
            share: of what is local, B values; None for all.
        """
        low = nn.functional.pad(low, (MARGIN,) * 4, mode="replicate")
        even = lift_hued(low, torch.exp2(-slope).view(-1, 1, 1, 1))
        local, correction = self.parts(even, numbers)
        if not self.training:  # for it would learn to make up for this
            gray = _gray(correction)
            correction = correction - KEPT * (gray - _larger(quarter(gray), 4))
        made = lift_hued(even, torch.exp2(-_share_of(share, local))) + _share_of(share, correction)
        return made[..., MARGIN:-MARGIN, MARGIN:-MARGIN]

    def parts(self, picture: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """B×3×H×W, sides multiples of 16, to log2 of a slope, B×1×H×W, and a correction, B×3×H×W."""
        features = self.open(nn.functional.pixel_unshuffle(picture, 2))
        skips: list[Tensor] = []
        for number, block in enumerate(self.falling):
            features = block(self.down[number - 1](torch.relu(features)) if number else features, numbers)
            skips.append(features)
        skips.pop()
        slope = features
        for number, (up, block) in enumerate(zip(self.up, self.rising, strict=True)):
            features = nn.functional.interpolate(up(features), scale_factor=2.0, mode="nearest") + skips.pop()
            features = block(features, numbers)
            if number == len(self.up) - 2:
                slope = nn.functional.interpolate(
                    self.map(features).float(), scale_factor=4.0, mode="bilinear", align_corners=False
                )
        correction = nn.functional.pixel_shuffle(self.close(features), 2).float()
        most = FOG + nn.functional.avg_pool2d(picture.float(), 16)
        added = nn.functional.avg_pool2d(correction, 16)
        share = (most / added.clamp(min=1e-4)).clamp(max=1.0)
        share = share.amin(1, keepdim=True)  # of all colours, or red would turn orange
        # nearly: what lies between the means is interpolated
        correction = correction - _larger((1.0 - share) * added, 16)
        return slope.clamp(-FURTHEST, FURTHEST), correction


class Gates(nn.Module):
    """What costs next to nothing: slopes, and gates that let detail through where it is more than noise.

    The picture is parted into means of 4×4, 8×8 and 16×16 pixels, each brought up again, and what is finer
    than these. Convolutions at an eighth of the size see the levels and how rough they are; they tell a
    slope, and of each of the three finer parts how much passes, and how much of its colour. How colourful it
    all becomes, its tone, is told by how bright and how colourful the place is alone, so that even areas stay
    even. The curve is that of each colour where a pixel is dark; the nearer its brightest colour comes to
    white, the more that one alone decides, or lamps would lose their colour.

    Args:
        width: channels at an eighth of the size.
        numbers: that steer it.
    """

    halo = 32
    point = False

    def __init__(self, width: int, numbers: int) -> None:
        super().__init__()
        self.open = nn.Conv2d(4, width, 3, padding=1)
        self.look = nn.Conv2d(width, width, 3, padding=1)
        self.steer = nn.Linear(numbers, 2 * width)
        self.tone = nn.Linear(numbers, 5)
        self.close = nn.Conv2d(width, 7, 1)
        for last in (self.steer, self.tone, self.close):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)  # type: ignore[arg-type]

    def forward(self, low: Tensor, slope: Tensor, numbers: Tensor, share: Tensor | None = None) -> Tensor:
        """As `Detail.forward`."""
        coarse = quarter(low)
        smooth = _larger(coarse, 4)
        finer = low - smooth
        gray = _gray(finer)
        rough = nn.functional.avg_pool2d(gray.abs(), 8)
        level = nn.functional.avg_pool2d(coarse, 2)
        local, gates, tone = (_share_of(share, part) for part in self.parts(level, rough, slope, numbers))
        fine, middle, wide = (1.0 + gates).chunk(3, dim=1)
        tone = (1.0 + tone).clamp(0.0, RICHEST)
        around = _larger(nn.functional.avg_pool2d(level, 2), 2)
        off = level - around
        passing, color = wide[:, :1].clamp(0.0, 1.0), wide[:, 1:].clamp(COLOR, 1.0)
        even = around + color * off + (passing - color) * _gray(off)
        even = tone * even + (1.0 - tone) * _gray(even)
        off = coarse - _larger(level, 2)
        passing, color = middle[:, :1].clamp(0.0, 1.0), tone * middle[:, 1:].clamp(COLOR, 1.0)
        even = _larger(even, 2) + _larger(color, 2) * off + _larger(passing - color, 2) * _gray(off)
        passing, color = fine[:, :1].clamp(KEPT, 1.0), tone * fine[:, 1:].clamp(0.0, 1.0)
        calm = _larger(even, 4) + _larger(color, 8) * finer + _larger(passing - color, 8) * gray
        calm = calm.clamp(0.0, 1.0)
        flat = _larger(torch.exp2(-slope.view(-1, 1, 1, 1) - local), 8)
        return lift_hued(calm, flat)

    def parts(
        self, level: Tensor, rough: Tensor, slope: Tensor, numbers: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """log2 of slopes beside the whole picture's, gates less 1, and tones less 1, all at an eighth.

        B×1×h×w; B×6×h×w, of what is finer than 4, 8 and 16 px how much passes, and how much of its colour;
        B×1×h×w, how many times as colourful it all becomes.
        """
        steep = torch.exp2(slope).view(-1, 1, 1, 1)
        gray = level.mean(1, keepdim=True)
        gain = steep / (1.0 + (steep - 1.0) * gray).square()  # what `lift` makes of a small difference
        lit = lift(level, steep)
        bright, rich = _gray(lit), lit.amax(1, keepdim=True) - lit.amin(1, keepdim=True)
        base, by_light, by_light_2, by_color, by_color_2 = self.tone(numbers)[..., None, None].split(1, dim=1)
        tone = base + bright * (by_light + by_light_2 * bright) + rich * (by_color + by_color_2 * rich)
        seen = torch.cat([lit, 8.0 * gain * rough], dim=1)
        margin = MARGIN // 8
        seen = nn.functional.pad(seen, (margin,) * 4, mode="replicate")
        features = torch.relu(self.open(seen))
        scale, shift = self.steer(numbers)[..., None, None].chunk(2, dim=1)
        features = features + torch.relu(self.look(features) * (1.0 + scale) + shift)
        told = self.close(features).float()[..., margin:-margin, margin:-margin]
        local, gates = told.split((1, 6), dim=1)
        return local.clamp(-FURTHEST, FURTHEST), gates, tone


def _gray(picture: Tensor) -> Tensor:
    """The mean of the colours, three times as fast as a mean."""
    return (picture[:, :1] + picture[:, 1:2] + picture[:, 2:]) / 3.0


def _larger(picture: Tensor, times: int) -> Tensor:
    return nn.functional.interpolate(picture, scale_factor=float(times), mode="bilinear", align_corners=False)
