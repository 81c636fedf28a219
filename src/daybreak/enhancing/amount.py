"""How much of a method is applied: by strength, or up to an exposure that is asked for.

Strength s mixes the method's result E with the input I as clip(I + s·(E − I)): 0 is the input, 1 the method's
own result, and up to 1.5 goes beyond it. An exposure asks for a brightness instead: the mean of the linear
light of the result is 2^EV times that of the input. It is reached by choosing s, and where the method's range
ends before it (or the picture is to get darker), by a plain gain in linear light on top: of s = 1.5, 1, 0 the
first that gets there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real

import cv2
import numpy as np

from daybreak.errors import BadSetting
from daybreak.image.color import linear_to_srgb, srgb_to_linear
from daybreak.image.rows import Rows, sparse
from daybreak.types import Pixels

MAX_STRENGTH = 1.5
MAX_EXPOSURE = 10.0
_NEAR = 0.15  # EV that a result may be off without a word: what is measured on samples and rounded to levels
_TOLD_APART = 1.02  # times the mean light
_SAMPLES = 250_000  # pixels that the exposure is measured on: the mean is then good to 0.01 EV


def check_amount(strength: float, exposure: float | None) -> None:
    """Refuse a strength outside [0, 1.5] and an exposure outside ±10 EV.

    Raises:
        BadSetting: one of them is no number or out of range, or both are given.
    """
    for name, value in (("strength", strength), ("exposure", 0.0 if exposure is None else exposure)):
        if not isinstance(value, Real):
            raise BadSetting(f"{name} {value!r}", "a number")
    if not 0.0 <= strength <= MAX_STRENGTH:
        raise BadSetting(f"strength {strength:g}", f"a number from 0 (the input) to {MAX_STRENGTH:g}")
    if exposure is None:
        return
    if not -MAX_EXPOSURE <= exposure <= MAX_EXPOSURE:
        raise BadSetting(
            f"exposure {exposure:g}", f"stops (EV) between -{MAX_EXPOSURE:g} and +{MAX_EXPOSURE:g}"
        )
    if strength != 1.0:
        raise BadSetting("a strength and an exposure together", "one of the two")


def blend(pixels: Pixels, enhanced: Pixels, strength: float) -> Pixels:
    """clip(I + s·(E − I), 0, 1).

    Args:
        pixels: the input I, H×W×3 float32 in [0, 1].
        enhanced: the method's result E, same shape; may be reused for the answer.
        strength: s, in [0, 1.5].

    Returns:
        H×W×3 float32 in [0, 1]; `pixels` itself for s = 0, `enhanced` itself for s = 1.
    """
    if strength == 0.0:
        return pixels
    if strength == 1.0:
        return enhanced
    mixed = cv2.addWeighted(pixels, 1.0 - strength, enhanced, strength, 0.0, dst=enhanced)
    mixed = np.asarray(mixed, dtype=np.float32).reshape(pixels.shape)
    return mixed if strength < 1.0 else np.clip(mixed, 0.0, 1.0, out=mixed)


def enlarged(pixels: Pixels, shape: tuple[int, ...]) -> Pixels:
    """The input at the size of a result that is larger, bicubic; itself where the sizes are equal."""
    if pixels.shape == shape:
        return pixels
    larger = cv2.resize(pixels, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(larger, 0.0, 1.0), np.float32).reshape(shape)


def mean_light(pixels: Pixels) -> float:
    """Mean of the linear light over pixels and channels, in [0, 1]."""
    return float(srgb_to_linear(pixels).mean())


def gain(pixels: Pixels, factor: float) -> Pixels:
    """Multiply the linear light by a factor and clip: what a longer or shorter exposure would do."""
    light = srgb_to_linear(pixels)
    return linear_to_srgb(np.clip(light * np.float32(factor), 0.0, 1.0))


@dataclass(frozen=True)
class Amount:
    """How a result is mixed with its input, the same at every pixel.

    Attributes:
        strength: as for `blend`.
        factor: a gain in linear light on top.
    """

    strength: float
    factor: float = 1.0

    def __call__(self, pixels: Pixels, enhanced: Pixels) -> Pixels:
        """Mix them.

        Args:
            pixels: the input or a part of it, H×W×3 float32 in [0, 1].
            enhanced: the method's own result, same shape; may be reused for the answer.
        """
        mixed = blend(pixels, enhanced, self.strength)
        return mixed if self.factor == 1.0 else gain(mixed, self.factor)


def amount_for(pixels: Pixels, enhanced: Pixels, stops: float) -> Amount:
    """What brings the result's mean linear light to 2^stops times the input's.

    Args:
        pixels: the input or a reduced copy of it, H×W×3 float32 in [0, 1].
        enhanced: the method's own result, same shape.
        stops: EV relative to the input; negative darkens.

    Returns:
        The amount; one that is as bright as can be where the target lies above white.
    """
    step = sample_step(pixels.shape)
    few, few_enhanced = (np.ascontiguousarray(p[::step, ::step]) for p in (pixels, enhanced))
    target = mean_light(few) * 2.0**stops

    def blended(strength: float) -> Pixels:
        return blend(few, few_enhanced.copy(), strength)

    if mean_light(few) <= target <= mean_light(blended(MAX_STRENGTH)):
        return Amount(_solve(lambda s: mean_light(blended(s)), target, 0.0, MAX_STRENGTH))
    best, most = Amount(0.0), 0.0
    for strength in (MAX_STRENGTH, 1.0, 0.0) if stops > 0 else (0.0,):  # what a method makes black stays so
        base = blended(strength)
        factor = _factor_for(base, target)
        reached = mean_light(gain(base, factor))
        if reached > most * _TOLD_APART:
            best, most = Amount(strength, factor), reached
        if reached * _TOLD_APART >= target:
            break
    return best


def _factor_for(pixels: Pixels, target: float) -> float:
    """The gain in linear light that brings a picture to a mean, or as near as it gets."""
    return float(2.0 ** _solve(lambda stops: mean_light(gain(pixels, 2.0**stops)), target, -20.0, 20.0))


def short_of(before: Rows, after: Rows, stops: float) -> str:
    """For people: how bright a result is that did not get as bright (or dark) as was asked; "" where it did.

    Args:
        before, after: the input and the result, H×W×3.
        stops: EV that were asked for.
    """
    step = sample_step(before.shape)
    larger = step * after.shape[0] // before.shape[0]
    return told_short(mean_light(sparse(before, step)), mean_light(sparse(after, larger)), stops)


def told_short(was: float, made: float, stops: float) -> str:
    """`short_of` of the mean light before and after."""
    if min(was, made) <= 0.0:  # nothing makes black brighter
        return ""
    reached = float(np.log2(made / was))
    if abs(reached - stops) <= _NEAR:
        return ""
    return f"{reached:+.1f} EV of the {stops:+g} asked for"


def sample_step(shape: tuple[int, ...]) -> int:
    """How far apart the pixels lie that light is measured on."""
    return max(1, int(np.sqrt(shape[0] * shape[1] / _SAMPLES)))


def _solve(rising: Callable[[float], float], target: float, low: float, high: float) -> float:
    """Bisect a rising function to its argument with value `target`; 20 halvings are below 1e-4 of a stop."""
    for _ in range(20):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if rising(middle) < target else (low, middle)
    return 0.5 * (low + high)
