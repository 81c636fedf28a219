"""What a check remembers of one sample: sizes, depths, brightness, a hash of the pixels, alignment, scene."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import cv2
import numpy as np

from daybreak.data.align import Alignment, align
from daybreak.data.sample import Sample, levels, photo_of, size_of
from daybreak.data.scenes import Scene, describe
from daybreak.errors import DaybreakError
from daybreak.image.photo import Photo

BINS = 32
"""Of the brightness histograms, equally wide from 0 to 1."""


@dataclass(frozen=True)
class Seen:
    """One picture that could be read.

    Attributes:
        size: "width×height" in pixels.
        depth: bits of its file, 8 or 16.
        digest: sha256 of size, depth and pixels; equal only where every pixel is.
        brightness: mean gray value, 0 to 1.
        histogram: share of the pixels in each of `BINS` steps of gray, summing to 1.
    """

    size: str
    depth: int
    digest: str
    brightness: float
    histogram: tuple[float, ...]


@dataclass(frozen=True)
class Looked:
    """One sample after a look at it.

    Attributes:
        fault: why it cannot be used, one sentence; "" where it can, and then `input` is there.
        input, reference: its pictures.
        alignment: of a pair of at least 32 px.
        scene: of the reference, or of the input where there is none; None unless asked for.
    """

    fault: str = ""
    input: Seen | None = None
    reference: Seen | None = None
    alignment: Alignment | None = None
    scene: Scene | None = None


def look(sample: Sample, *, pairing: bool = True, scene: bool = False) -> Looked:
    """Read a sample and remember what a check needs; what is wrong with it is told, not raised.

    Args:
        pairing: also measure the alignment of a pair.
        scene: also remember the scene.
    """
    try:
        dark = photo_of(sample.input)
        bright = None if sample.reference is None else photo_of(sample.reference)
    except DaybreakError as error:
        return Looked(str(error))
    if bright is not None and dark.pixels.shape != bright.pixels.shape:
        return Looked(
            f"the input is {size_of(dark.pixels)} pixels and its reference {size_of(bright.pixels)}; "
            "expected two pictures of one size"
        )
    return Looked(
        input=_see(dark),
        reference=None if bright is None else _see(bright),
        alignment=align(dark.pixels, bright.pixels) if pairing and bright is not None else None,
        scene=describe((bright or dark).pixels) if scene else None,
    )


def _see(photo: Photo) -> Seen:
    gray = np.asarray(cv2.cvtColor(photo.pixels, cv2.COLOR_RGB2GRAY), np.float32)
    counts = np.bincount(np.minimum((gray * BINS).astype(np.intp), BINS - 1).ravel(), minlength=BINS)
    pixels = levels(photo)
    digest = hashlib.sha256(f"{pixels.shape} {pixels.dtype}".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return Seen(
        size_of(photo.pixels),
        photo.bit_depth,
        digest.hexdigest(),
        round(float(gray.mean()), 4),
        tuple((counts / gray.size).round(5).tolist()),
    )
