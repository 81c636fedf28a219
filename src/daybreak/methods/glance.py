"""daybreak's own look at the whole picture, as arithmetic: how bright it should be, and the curve there.

`networks.flagship` and `layers.exposure` say what is computed and why; what follows from it locally is in
`daybreak.methods.developing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from daybreak.methods.base import Prepared
from daybreak.types import Array, Pixels

Parameters = Mapping[str, Array]
"""The weight's, by the names they have in the network."""

# As in daybreak.networks.flagship and layers.exposure, which need torch.
USUAL, GAMMA, BRIGHTEST = -2.3, 2.2, 0.9
LEAST, MOST, RUNGS, NEAR = -4.0, 9.0, 14, 0.1

_ONE = np.float32(1.0)


@dataclass(frozen=True)
class Exposure:
    """What one look at the whole picture decides.

    Attributes:
        slope: log2 of the slope at black of the curve that brings the picture to its light.
        steering: numbers that steer what is local.
        share: of what is local, in [0, 1].
    """

    slope: float
    steering: Array
    share: float


def decide(parameters: Parameters, copy: Array, wanted: float, strength: float) -> Exposure:
    """`Develop.forward` up to what is local.

    Args:
        parameters: of the weight.
        copy: 3×64×64 float32 in [0, 1], the small copy of the whole picture.
        wanted: mean light to reach in EV; 0 as the network sees fit.
        strength: 0 gives the picture back, 1 reaches what is wanted, more goes beyond.
    """
    lights = _lights(copy, np.linspace(LEAST, MOST, RUNGS, dtype=np.float32))
    fit, numbers = _glance(parameters, copy, lights)
    fit = wanted if wanted < 0.0 else fit
    before, after = (2.0 ** (ev / GAMMA) for ev in (float(_light(copy)), fit))
    reached = min(max(before + strength * (after - before), 1e-3), BRIGHTEST)
    fit = GAMMA * float(np.log2(reached))
    share = min(255.0 * float(copy.max()), 1.0) * min(strength, 1.0)
    slope = _slope_for(copy, lights, fit)
    steering = np.array([*numbers, slope / 4.0, fit - USUAL], np.float32)
    return Exposure(slope, steering, share)


def _glance(parameters: Parameters, copy: Array, lights: Array) -> tuple[float, Array]:
    """The light that fits, in EV, and a few numbers besides."""
    even = lift(copy, 2.0 ** _slope_for(copy, lights, USUAL))
    dark = np.log2(copy + np.float32(1.0 / 255.0)) / 4.0 + 1.0
    features = np.concatenate([even, dark]).transpose(1, 0, 2)  # row by row, as all that is convolved here
    for layer in (0, 2, 4, 6):
        features = _halved(features, *layer_of(parameters, f"glance.look.{layer}"))
    pooled = np.concatenate([features.mean((0, 2)), features.max((0, 2))])
    told = np.maximum(weighted(parameters, "glance.tell.0", pooled), 0.0)
    exposure = USUAL + float(weighted(parameters, "glance.exposure", told)[0])
    named = "glance.numbers.weight" in parameters
    return exposure, weighted(parameters, "glance.numbers", told) if named else told[:0]


def layer_of(parameters: Parameters, name: str) -> tuple[Array, Array]:
    """A layer's weight and bias."""
    return parameters[f"{name}.weight"], parameters[f"{name}.bias"]


def weighted(parameters: Parameters, name: str, given: Array) -> Array:
    """What a fully connected layer makes of a vector."""
    weight, bias = layer_of(parameters, name)
    told: Array = np.einsum("oi,i->o", weight, given) + bias
    return told


def _halved(features: Array, weight: Array, bias: Array) -> Array:
    """A 3×3 convolution of stride 2 with zeros around, and ReLU: h×C×w to h/2×O×w/2."""
    height, _, width = features.shape
    padded = np.pad(features, ((1, 1), (0, 0), (1, 1)))
    taps = [padded[k : k + height : 2, :, n : n + width : 2] for k in range(3) for n in range(3)]
    flat = weight.transpose(0, 2, 3, 1).reshape(len(weight), -1)
    made = np.matmul(flat, np.concatenate(taps, axis=1)) + bias[:, None]
    return np.asarray(np.maximum(made, 0.0))


def lift(picture: Array, slope: float | Array) -> Array:
    """kx / (1 + (k − 1)x)."""
    steep = np.asarray(slope, np.float32)
    lifted: Array = steep * picture / (_ONE + (steep - _ONE) * picture)
    return lifted


def _light(picture: Array) -> Array:
    """EV: log2 of the mean linear luminance (BT.709) of …×3×h×w in [0, 1]."""
    linear = np.where(
        picture <= 0.04045, picture / np.float32(12.92), ((picture + 0.055) / 1.055) ** np.float32(2.4)
    )
    means = linear.mean((-2, -1), dtype=np.float64)
    light: Array = np.log2(means @ np.array([0.2126, 0.7152, 0.0722]) + 1e-4)
    return light


def _lights(copy: Array, slopes: Array) -> Array:
    """The mean lights in EV that slopes (their log2) bring the copy to."""
    return _light(lift(copy, np.exp2(slopes)[:, None, None, None]))


def _slope_for(copy: Array, lights: Array, wanted: float) -> float:
    """log2 of the slope that brings the copy to a mean light in EV; `lights` are those of all rungs."""
    about = _between(LEAST, 1.0, lights, wanted)
    least = min(max(about - NEAR, LEAST), MOST - 2.0 * NEAR)
    return _between(
        least, NEAR, _lights(copy, np.float32(least) + NEAR * np.arange(3, dtype=np.float32)), wanted
    )


def _between(least: float, step: float, lights: Array, wanted: float) -> float:
    """The slope by a line between the two rungs around the light."""
    place = min(max(int((lights < wanted).sum()) - 1, 0), len(lights) - 2)
    low, high = float(lights[place]), float(lights[place + 1])
    share = min(max((wanted - low) / max(high - low, 1e-9), 0.0), 1.0)
    return least + step * (place + share)


def curved(exposure: Exposure) -> Prepared:
    """`Curve`: the curve that holds for the whole picture, value by value."""
    steep = 2.0**exposure.slope

    def run(window: Pixels, _top: int, _left: int) -> Pixels:
        return np.clip(lift(window, steep), 0.0, 1.0)

    return Prepared(run, point=True)
