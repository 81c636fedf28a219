"""`synthetic:FOLDER`: paper 3's dark pictures of any clean photographs, made when they are read.

`synthetic:FOLDER?alpha=1&gamma=0.5` gives what is named and draws the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from daybreak.data.base import Card, Dataset, Found, NothingThere
from daybreak.data.layout import locate
from daybreak.data.pairs import pictures_in
from daybreak.data.sample import Sample
from daybreak.data.synthetic import Darkening, dark_version, drawn
from daybreak.errors import BadSetting, UnknownName
from daybreak.image.photo import Photo
from daybreak.image.read import read_photo

PREFIX = "synthetic:"


@dataclass(frozen=True)
class Darkened:
    """The dark version of a clean picture; the same each time it is read.

    Attributes:
        clean: the file it is made from.
        seed: of the data set; together with the file's stem it decides the draw.
        fixed: what of the draw is given.
    """

    clean: Path
    seed: int
    fixed: Mapping[str, float] = field(default_factory=dict, hash=False)

    @property
    def name(self) -> str:
        """As a file would be called."""
        return f"{self.clean.stem} (darkened, seed {self.seed}).png"

    @property
    def darkening(self) -> Darkening:
        """How the dark version is made; nothing is read for it."""
        return drawn(self.clean.stem, self.seed, self.fixed)

    def photo(self) -> Photo:
        """H×W×3 of 8 bits.

        Raises:
            UnreadablePicture: the clean file cannot be read.
        """
        dark, _ = dark_version(read_photo(self.clean).pixels, self.clean.stem, self.seed, self.fixed)
        return Photo.from_pixels(dark, bit_depth=8)


def darkened(text: str, seed: int = 0) -> Dataset:
    """The data set of the clean pictures of a folder and their dark versions.

    Args:
        text: the folder: absolute, relative to the root that is given when it is looked into, or found below
            that; behind it, where not all of α, γ and σ is to be drawn, "?alpha=1&gamma=0.5&sigma=0".
        seed: of the draws.

    Raises:
        UnknownName: a key is none of those three.
        BadSetting: a value is no number, or out of its range.
    """
    folder, fixed = _parts(text)

    def find(root: Path, _split: str) -> Found:
        direct = root / folder  # an absolute folder stays itself
        place = direct if direct.is_dir() else locate(root, folder)
        if place is None:
            raise NothingThere(f"there is no folder {folder} in {root}")
        pictures = pictures_in(place).items()
        return Found(tuple(Sample(stem, Darkened(path, seed, fixed), path) for stem, path in pictures))

    return Dataset(_card(text, seed), find)


def _parts(text: str) -> tuple[str, dict[str, float]]:
    """The folder, and what is given behind it.

    >>> _parts("photos?alpha=1&gamma=0.5"), _parts("what?")
    (('photos', {'alpha': 1.0, 'gamma': 0.5}), ('what?', {}))
    """
    folder, _, given = text.rpartition("?")
    if "=" not in given or not folder:
        return text, {}
    fixed: dict[str, float] = {}
    known = [part.name for part in fields(Darkening)]
    for pair in given.split("&"):
        key, _, value = pair.partition("=")
        if key not in known:
            raise UnknownName("part of a darkening", key, known)
        try:
            fixed[key] = float(value)
        except ValueError:
            raise BadSetting(f"{pair} in {PREFIX}{text}", f"{key}=NUMBER") from None
    drawn("", 0, fixed)  # complains of a value that nothing can be darkened by
    return folder, fixed


def _card(text: str, seed: int) -> Card:
    return Card(
        name=PREFIX + text,
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
