"""One picture of a data set with its reference, wherever the two are kept, and loading both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from daybreak.errors import DataError
from daybreak.image.depth import to_levels
from daybreak.image.paths import shown
from daybreak.image.photo import Photo
from daybreak.image.read import read_photo
from daybreak.types import Array


class Stored(Protocol):
    """A picture that is no file of its own: made when it is asked for, or kept in a pack."""

    @property
    def name(self) -> str:
        """What to call it in messages, ending like a picture file."""

    def photo(self) -> Photo:
        """The picture.

        Raises:
            UnreadablePicture: it cannot be read.
        """


Source: TypeAlias = Path | Stored
"""Where a picture comes from."""


@dataclass(frozen=True)
class Sample:
    """One picture to enhance and, in a paired set, the picture it should become.

    Attributes:
        name: unique within its split; without a suffix; subsets stand before a slash ("Nikon/3005").
        input: the dark (or otherwise degraded) picture.
        reference: the well-lit one, None where there is none.
    """

    name: str
    input: Source
    reference: Source | None = None

    def load(self) -> tuple[Array, Array | None]:
        """Input and reference, H×W×3 RGB, upright, sRGB: uint8, or uint16 from a file of more than 8 bits.

        The two may differ in depth: each is as finely stored as its own file.

        Raises:
            UnreadablePicture: a file is missing, cut short or no picture.
            DataError: the two differ in size.
        """
        dark = levels(photo_of(self.input))
        if self.reference is None:
            return dark, None
        bright = levels(photo_of(self.reference))
        if dark.shape != bright.shape:
            raise DataError(
                f"{self.name}: the input is {size_of(dark)} pixels and its reference {size_of(bright)}",
                "two pictures of one size",
            )
        return dark, bright


def photo_of(source: Source) -> Photo:
    """Read a picture from wherever it is.

    Raises:
        UnreadablePicture: it cannot be read.
    """
    return read_photo(source) if isinstance(source, Path) else source.photo()


def name_of(source: Source) -> str:
    """What to call a source in a message or a list: a path, or the name of what is no file."""
    return shown(source) if isinstance(source, Path) else source.name


def levels(photo: Photo) -> Array:
    """The pixels of a photo as whole numbers of the file's depth: H×W×3, uint8 or uint16."""
    return to_levels(photo.pixels, photo.bit_depth)


def size_of(picture: Array) -> str:
    """Width×height, as people say it.

    >>> import numpy as np
    >>> size_of(np.zeros((400, 600, 3)))
    '600×400'
    """
    return f"{picture.shape[1]}×{picture.shape[0]}"
