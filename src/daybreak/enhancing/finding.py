"""Which files what was typed means: files, folders and globs, each picture once, in order."""

from __future__ import annotations

import glob
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from daybreak.errors import BadSetting, DaybreakError, UnreadablePicture
from daybreak.image.formats import is_picture_name
from daybreak.image.paths import shown


@dataclass(frozen=True)
class Refusal:
    """A path that cannot become a job, with the reason."""

    source: Path
    error: DaybreakError


def find(paths: Sequence[str], recursive: bool, output: Path | None) -> Iterator[tuple[Path | Refusal, Path]]:
    """Each picture (or refusal) once, with the folder below the output that it goes to."""
    seen: set[Path] = set()
    given = [path for text in paths for path in _expand(text)]
    trees = _trees([path for path in given if is_kind(Path.is_dir, path)]) if len(given) > 1 else {}
    for path in given:
        if told := _missing(path):
            yield Refusal(path, UnreadablePicture(f"{shown(path)}: {told}")), Path()
            continue
        inside = _walk(path, recursive, output) if is_kind(Path.is_dir, path) else iter([(path, Path())])
        for source, below in inside:
            if isinstance(source, Refusal):
                yield source, below
            elif place_of(source) not in seen:
                seen.add(place_of(source))
                yield source, trees.get(path, Path()) / below


def _trees(folders: Sequence[Path]) -> dict[Path, Path]:
    """Folder -> the last parts of its path, as many as tell it from the others.

    >>> [str(tree) for tree in _trees([Path("a/low"), Path("b/low"), Path("c"), Path("./a/low/")]).values()]
    ['a/low', 'b/low', 'c']
    """
    whole = {folder: folder.resolve() if ".." in folder.parts else folder.absolute() for folder in folders}
    parts = {folder: path.parts[1:] for folder, path in whole.items()}
    different = set(parts.values())

    def tail(own: tuple[str, ...]) -> Path:
        tails = ([other[-n:] for other in different].count(own[-n:]) for n in itertools.count(1))
        depth = next(n for n, alike in enumerate(tails, 1) if alike == 1)
        return Path(*own[-depth:])

    return {folder: tail(own) for folder, own in parts.items()}


def is_kind(kind: Callable[[Path], bool], path: Path) -> bool:
    """`Path.is_dir` or `is_file`; False for what cannot be looked at, which they raise for."""
    try:
        return kind(path)
    except OSError:
        return False


def _missing(path: Path) -> str:
    """Why a path cannot be looked at, or ""."""
    try:
        path.stat()
    except FileNotFoundError:
        return "a link to nothing" if path.is_symlink() else "no such file or folder"
    except (OSError, ValueError) as error:
        return f"cannot be looked at ({getattr(error, 'strerror', None) or error})"
    return ""


def _expand(text: str) -> list[Path]:
    """A glob's matches, or the path itself where it exists or matches nothing."""
    path = Path(text)
    if not glob.has_magic(text) or not _missing(path):
        return [path]
    fixed = Path(*itertools.takewhile(lambda part: not glob.has_magic(part), path.parts))
    try:
        return sorted(fixed.glob(str(path.relative_to(fixed)))) or [path]
    except ValueError as error:  # for example "**.jpg"
        raise BadSetting(f"the pattern {text!r}", "a glob such as 'photos/*.jpg'", f"{error}") from None


def _walk(folder: Path, recursive: bool, output: Path | None) -> Iterator[tuple[Path | Refusal, Path]]:
    """Pictures of a folder in name order, hidden ones and the output folder left out; links once."""
    visited: set[Path] = set()
    skipped = output.resolve() if output is not None and output.resolve() != folder.resolve() else None

    def enter(here: Path) -> Iterator[tuple[Path | Refusal, Path]]:
        real = here.resolve()
        if real in visited or real == skipped:
            return
        visited.add(real)
        try:
            entries = sorted(here.iterdir())
        except OSError as error:
            yield (
                Refusal(here, UnreadablePicture(f"{here}: the folder cannot be read ({error.strerror})")),
                Path(),
            )
            return
        for entry in entries:
            if not is_picture_name(entry) or entry.name.startswith("."):
                continue
            if is_kind(Path.is_file, entry):
                yield entry, here.relative_to(folder)
            elif told := _missing(entry):
                yield Refusal(entry, UnreadablePicture(f"{shown(entry)}: {told}")), Path()
        for entry in entries:
            if recursive and is_kind(Path.is_dir, entry):
                yield from enter(entry)

    yield from enter(folder)


def place_of(path: Path) -> Path:
    """One key per place on the disk: the folder resolved, the name as it is."""
    return path.parent.resolve() / path.name
