"""`synthetic:FOLDER`: paper 3's dark pictures of any clean photographs, made when they are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from daybreak.data.base import Card, Dataset, Found
from daybreak.data.layout import locate
from daybreak.data.pairs import pictures_in
from daybreak.data.sample import Sample
from daybreak.data.synthetic import dark_version
from daybreak.errors import DataError
from daybreak.image.photo import Photo
from daybreak.image.read import read_photo

PREFIX = "synthetic:"


@dataclass(frozen=True)
class Darkened:
    """The dark version of a clean picture; the same each time it is read.

    Attributes:
        clean: the file it is made from.
        seed: of the data set; together with the file's stem it decides the draw.
    """

    clean: Path
    seed: int

    @property
    def name(self) -> str:
        """As a file would be called."""
        return f"{self.clean.stem} (darkened, seed {self.seed}).png"

    def photo(self) -> Photo:
        """H×W×3 of 8 bits.

        Raises:
            UnreadablePicture: the clean file cannot be read.
        """
        dark, _ = dark_version(read_photo(self.clean).pixels, self.clean.stem, self.seed)
        return Photo.from_pixels(dark, bit_depth=8)


def darkened(folder: str, seed: int = 0) -> Dataset:
    """The data set of the clean pictures of a folder and their dark versions.

    Args:
        folder: absolute, relative to the root that is given when it is looked into, or found below that.
        seed: of the draws of α, γ and σ.
    """

    def find(root: Path, _split: str) -> Found:
        direct = root / folder  # an absolute folder stays itself
        place = direct if direct.is_dir() else locate(root, folder)
        if place is None:
            raise DataError(f"there is no folder {folder} in {root}")
        return Found(
            tuple(Sample(stem, Darkened(path, seed), path) for stem, path in pictures_in(place).items())
        )

    return Dataset(_card(folder, seed), find)


def _card(folder: str, seed: int) -> Card:
    return Card(
        name=PREFIX + folder,
        title="Paper 3's synthetic pairs",
        summary="Your own clean photographs and dark, noisy versions of them.",
        kind="paired",
        home="",
        get="Any folder of clean photographs will do; the papers take RAISE-1k, Kodak24 or BSDS500.",
        size="as many as the folder holds, of their sizes",
        terms="those of the clean photographs",
        layout="one folder of pictures; the dark ones are made from them when they are read, by a generator "
        f"with the seed {seed} and the file's name",
        splits={"all": "every picture"},
    )
