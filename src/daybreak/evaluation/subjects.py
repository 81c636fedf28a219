"""What is scored: a method with its settings, the input itself, or pictures that another program made."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from daybreak.data.pairs import pictures_in
from daybreak.enhancing.enhancer import Enhancer
from daybreak.errors import BadSetting, DataError
from daybreak.evaluation.pictures import Picture
from daybreak.image.read import read_photo
from daybreak.methods.base import parse_settings
from daybreak.methods.describe import as_typed
from daybreak.methods.registry import get_method, list_methods
from daybreak.methods.weight_settings import AlphaSettings
from daybreak.types import Pixels

Kind: TypeAlias = Literal["method", "input", "folder"]

INPUT = "input"
FOLDER = "folder:"
KNOWN = "known"
"""Typed for α: each picture is enhanced with the α that it was darkened with."""


@dataclass(frozen=True, eq=False)
class Produced:
    """One output.

    Attributes:
        pixels: H×W×3 float32 in [0, 1].
        seconds: what making it took, reading and writing left out; None where nothing was made.
        weights_sha256: of the network that ran ("" for none).
        reduced: what was made at a reduced size for want of memory ("" as a rule).
    """

    pixels: Pixels
    seconds: float | None = None
    weights_sha256: str = ""
    reduced: str = ""


@dataclass(frozen=True)
class Subject:
    """A row of the table to be.

    Attributes:
        name: as shown, for example "he mode=rgb"; unique in a run.
        kind: what it is.
        method: the method's name, "input", or "folder".
        settings: as given; those left out took the method's defaults.
        produce: the output for one picture; raises a `DaybreakError` where there is none.
    """

    name: str
    kind: Kind
    method: str
    settings: Mapping[str, str]
    produce: Callable[[Picture], Produced]


def parse_subjects(texts: Iterable[str]) -> list[Subject]:
    """Read what was typed after `-m`, as often as it was typed.

    Each text is a list with commas: a method ("gamma"), a pattern ("ms*"), a method with settings
    ("gamma:mode=fixed:gamma=1.8"), "input", or "folder:DIR". A text that is "folder:" and a folder's whole
    path may hold commas. With "alpha-residual:alpha=known", each picture's α is that of its darkening.

    Raises:
        UnknownName: no such method or setting.
        BadSetting: nothing given, one row twice, a value out of its range, or settings without "=".
        DataError: a folder is missing or empty.
    """
    subjects = [subject for text in texts for part in _parts(text) for subject in _subjects(part)]
    if not subjects:
        raise BadSetting("no method", "names, for example -m gamma,lime")
    for place, subject in enumerate(subjects):
        if any(subject.name == other.name for other in subjects[:place]):
            raise BadSetting(f"{subject.name!r} twice", "each row once")
    return subjects


def _parts(text: str) -> list[str]:
    """Split at the commas that separate rows."""
    if text.startswith(FOLDER) and Path(text[len(FOLDER) :]).is_dir():
        return [text]
    return [part for part in map(str.strip, text.split(",")) if part]


def _subjects(part: str) -> list[Subject]:
    if part == INPUT:
        return [Subject(INPUT, "input", INPUT, {}, lambda picture: Produced(picture.low))]
    if part.startswith(FOLDER):
        return [folder_subject(Path(part[len(FOLDER) :]))]
    name, _, typed = part.partition(":")
    if typed:
        return [method_subject(name, _settings(part, typed))]
    return [method_subject(found, {}) for found in list_methods(name) or [get_method(name).card.name]]


def _settings(part: str, typed: str) -> dict[str, str]:
    settings: dict[str, str] = {}
    for piece in typed.split(":"):
        key, equals, value = (word.strip() for word in piece.partition("="))
        if not (key and equals) or key in settings:
            raise BadSetting(f"-m {part!r}", "METHOD:KEY=VALUE:KEY=VALUE, each key once")
        settings[key] = value
    return settings


def method_subject(name: str, settings: Mapping[str, Any]) -> Subject:
    """A method of daybreak with settings as typed.

    Raises:
        UnknownName: no such method or setting.
        BadSetting: a value out of its range.
    """
    if settings.get("alpha") == KNOWN and issubclass(get_method(name).card.settings, AlphaSettings):
        return _knowing(name, {key: value for key, value in settings.items() if key != "alpha"})
    parse_settings(get_method(name).card, dict(settings))  # before one could pass for an option of `Enhancer`
    enhancer = Enhancer(name, **settings)
    values = enhancer.settings.model_dump(mode="json")
    given = {key: as_typed(values[key]) for key in settings}

    def produce(picture: Picture) -> Produced:
        start = time.perf_counter()
        outcome = enhancer.run(picture.low)
        seconds = time.perf_counter() - start
        return Produced(outcome.pixels, seconds, outcome.weights_sha256, outcome.reduced)

    return Subject(_title(name, given), "method", name, given, produce)


def _knowing(name: str, settings: Mapping[str, Any]) -> Subject:
    """A method that is told each picture's α."""

    def produce(picture: Picture) -> Produced:
        if not picture.alpha:  # 0 would have it estimated
            raise DataError("no α is known of this picture", "one of synthetic:FOLDER, with α above 0")
        alone = method_subject(name, {**settings, "alpha": picture.alpha})
        return alone.produce(picture)

    given = {**method_subject(name, settings).settings, "alpha": KNOWN}
    return Subject(_title(name, given), "method", name, given, produce)


def _title(name: str, given: Mapping[str, str]) -> str:
    return " ".join([name, *(f"{key}={value}" for key, value in given.items())])


def folder_subject(folder: Path) -> Subject:
    """Pictures that another program made, matched to the list by their names.

    What a file's name adds to that of the picture, set off at the start or the end, does not matter:
    "1_daybreak.png" stands for the picture "1".

    Raises:
        DataError: no such folder, no picture in it, or two with one name.
    """
    found = pictures_in(folder)

    def produce(picture: Picture) -> Produced:
        path = match(picture.name, found)
        if path is None:
            raise DataError(f"{folder} has no picture of that name, or several")
        return Produced(read_photo(path).pixels)

    return Subject(f"{FOLDER}{folder}", "folder", "folder", {}, produce)


def match(name: str, found: Mapping[str, Path]) -> Path | None:
    """The file that stands for a picture of the list, or None where there is none or it is not clear which.

    Args:
        name: of the picture; of "Huawei/2001" the last part counts.
        found: stem -> file.

    >>> match("2", {"2_daybreak": Path("a"), "12_daybreak": Path("b"), "2": Path("c")})
    PosixPath('c')
    >>> match("2", {"2_daybreak": Path("a"), "12_daybreak": Path("b")})
    PosixPath('a')
    >>> match("0002", {"normal0002": Path("a"), "normal0003": Path("b")})
    PosixPath('a')
    """
    last = name.rpartition("/")[2]
    if last in found:
        return found[last]
    before = "[a-z]" if last[:1].isdigit() else ""
    pattern = re.compile(rf"(.*([^0-9a-z]|{before}))?{re.escape(last)}([^0-9a-z].*)?", re.IGNORECASE)
    candidates = [path for stem, path in found.items() if pattern.fullmatch(stem)]
    return candidates[0] if len(candidates) == 1 else None
