"""A photo with other pixels keeps the rest."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak.errors import BadPixels
from daybreak.image.photo import Metadata, Photo


def pixels(height, width, value=0.5):
    return np.full((height, width, 3), value, np.float32)


def test_other_pixels_of_the_same_size_keep_everything_else():
    photo = Photo(
        pixels(4, 6), np.ones((4, 6), np.float32), 16, "tiff", gray=True, metadata=Metadata(xmp=b"x")
    )
    other = photo.with_pixels(pixels(4, 6, 0.7))
    assert other.pixels[0, 0, 0] == np.float32(0.7)
    assert photo.pixels[0, 0, 0] == 0.5
    assert other.alpha is photo.alpha
    assert (other.bit_depth, other.format, other.gray, other.metadata) == (
        16,
        "tiff",
        True,
        Metadata(xmp=b"x"),
    )


@pytest.mark.parametrize("size", [(1, 1), (3, 7), (8, 12)])
def test_alpha_and_what_lies_beyond_are_resized_within_their_range(size):
    alpha = np.random.default_rng(1).random((4, 6), dtype=np.float32)
    photo = Photo(pixels(4, 6), alpha, beyond=np.full((4, 6, 3), 0.25, np.float16))
    other = photo.with_pixels(pixels(*size))
    assert other.alpha.shape == size
    assert alpha.min() <= other.alpha.min() <= other.alpha.max() <= alpha.max()
    assert other.beyond.shape == (*size, 3)
    assert (other.beyond == 0.25).all()


@pytest.mark.parametrize("array", [np.zeros((4, 6), np.float32), np.zeros((4, 6, 4), np.float32),
                                   np.zeros((4, 6, 3)), np.zeros((0, 6, 3), np.float32)],
                         ids=["gray", "four channels", "float64", "empty"])  # fmt: skip
def test_what_is_no_picture_is_refused(array):
    with pytest.raises(BadPixels, match="expected H×W×3 float32"):
        Photo(pixels(4, 6)).with_pixels(array)


def test_a_photo_of_pixels_alone():
    photo = Photo.from_pixels(pixels(2, 3))
    assert (photo.bit_depth, photo.format, photo.alpha, photo.icc) == (16, "png", None, None)
