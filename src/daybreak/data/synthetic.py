"""Paper 3's low-light generator: dark pictures made from clean ones, seeded.

Source: the α-controllable residual restoration paper, equations 3 to 7 (methods.md A.3). With I the clean
picture, α how dark and γ how much the bright parts are spared:

    I_D = (1 - I^γ) I        the difference picture
    I'  = I - α I_D          clipped below at 0; hence I = I' + α I_D where nothing was clipped

The paper draws α from [0.5, 2] and leaves γ and the noise open: we draw γ from [0.5, 2] (its examples use
0.5, 1 and 2) and add Gaussian noise to every second picture, with σ up to 10 of 255 levels.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from daybreak.errors import BadSetting
from daybreak.types import Pixels

ALPHA = (0.5, 2.0)
GAMMA = (0.5, 2.0)
SIGMA = (0.0, 10.0 / 255.0)
NOISY = 0.5  # share of the pictures that get noise
FREE: Mapping[str, float] = MappingProxyType({})  # nothing given: all of a darkening is drawn


@dataclass(frozen=True)
class Darkening:
    """One draw of the generator.

    Attributes:
        alpha: how dark, at least 0; 0 changes nothing, up to 1 clips nothing.
        gamma: exponent, above 0; more darkens the middle tones further.
        sigma: standard deviation of the noise, in units of full scale; 0 for none.
    """

    alpha: float
    gamma: float
    sigma: float = 0.0

    def __post_init__(self) -> None:
        if not (0.0 <= self.alpha < np.inf and 0.0 < self.gamma < np.inf and 0.0 <= self.sigma < np.inf):
            raise BadSetting(
                f"a darkening with alpha={self.alpha:g}, gamma={self.gamma:g}, sigma={self.sigma:g}",
                "alpha and sigma of at least 0 and gamma above 0",
            )


def draw(rng: np.random.Generator) -> Darkening:
    """Draw α, γ and, for every second picture, σ, each uniformly from its range."""
    alpha, gamma = rng.uniform(*ALPHA), rng.uniform(*GAMMA)
    noisy, sigma = rng.random() < NOISY, rng.uniform(*SIGMA)
    return Darkening(float(alpha), float(gamma), float(sigma) if noisy else 0.0)


def difference(pixels: Pixels, gamma: float) -> Pixels:
    """I_D = (1 - I^γ) I (eq. 6), H×W×3 float32 in [0, 1]; 0 where I is 0 or 1."""
    return np.asarray((1.0 - pixels ** np.float32(gamma)) * pixels, np.float32)


def darken(pixels: Pixels, alpha: float, gamma: float) -> Pixels:
    """I' = max(I - α (1 - I^γ) I, 0) (eq. 5), without noise or quantisation.

    Args:
        pixels: H×W×3 (or any shape) float32 in [0, 1].
        alpha: at least 0.
        gamma: above 0.

    Returns:
        The same shape, float32 in [0, 1], nowhere brighter than the input.
    """
    return np.maximum(pixels - np.float32(alpha) * difference(pixels, gamma), np.float32(0))


def synthesise(
    pixels: Pixels, darkening: Darkening, rng: np.random.Generator, quantise: bool = True
) -> Pixels:
    """A dark, noisy picture as a camera would have written it.

    Args:
        pixels: H×W×3 float32 in [0, 1].
        darkening: α, γ and σ.
        rng: source of the noise; untouched where σ is 0.
        quantise: round to the 256 levels of an 8-bit file (the paper counts quantisation among what is
            to be restored).

    Returns:
        H×W×3 float32 in [0, 1].
    """
    dark = darken(pixels, darkening.alpha, darkening.gamma)
    if darkening.sigma:
        noise = rng.standard_normal(dark.shape, dtype=np.float32) * np.float32(darkening.sigma)
        dark = np.clip(dark + noise, 0.0, 1.0)
    if quantise:
        dark = np.rint(dark * np.float32(255)) / np.float32(255)
    return dark


def dark_version(
    pixels: Pixels, name: str, seed: int = 0, fixed: Mapping[str, float] = FREE
) -> tuple[Pixels, Darkening]:
    """The dark version of one picture of a data set, from its name and the seed of the set alone.

    So a picture's partner stays the same when others are added, left out or made in another order.

    Args:
        pixels: H×W×3 float32 in [0, 1].
        name: of the picture.
        seed: of the set.
        fixed: of alpha, gamma and sigma what is not drawn but given.

    Returns:
        H×W×3 float32 in [0, 1], quantised to 8 bits, and the draw that made it.

    Raises:
        BadSetting: a value that is given is out of its range.
    """
    rng = _random(name, seed)
    darkening = replace(draw(rng), **fixed)
    return synthesise(pixels, darkening, rng), darkening


def drawn(name: str, seed: int = 0, fixed: Mapping[str, float] = FREE) -> Darkening:
    """What `dark_version` draws for a picture of that name.

    Raises:
        BadSetting: a value that is given is out of its range.
    """
    return replace(draw(_random(name, seed)), **fixed)


def _random(name: str, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(name.encode("utf-8", "surrogateescape"))])
