"""Manifests of evidence: what stands in one, and writing and reading them."""

from __future__ import annotations

import datetime
import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from daybreak.enhancing.operations import Operation
from daybreak.errors import BadSetting
from daybreak.files import make_folder, write_whole, writing
from daybreak.image.paths import shown

KIND: Literal["daybreak evidence"] = "daybreak evidence"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _as_text(value: object) -> str:
    """Text that may hold a path: no null byte; lone surrogates, of names that are no UTF-8, are right."""
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("a path is text without a null byte")
    return value


Text = Annotated[Any, BeforeValidator(_as_text)]


class FileFact(_Frozen):
    """One file: where it lies, seen from the manifest's folder ("" until written), and its bytes."""

    path: Text = ""
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Asked(_Frozen):
    """What makes the same result again; the same words as in `Enhancer` and `Output`."""

    method: str
    settings: dict[str, Any]
    strength: float
    exposure: float | None
    format: str
    quality: int | None
    bit_depth: int | None


class Ran(_Frozen):
    """What it came to; `method` is "" where the picture was left as it is."""

    method: str
    settings: dict[str, Any]
    strength: float
    weights_sha256: str
    note: str


class FilmAsked(_Frozen):
    """The same of a film; the words are those of `Enhancer` and `VideoOptions`."""

    method: str
    settings: dict[str, Any]
    strength: float
    exposure: float | None
    codec: Literal["h264", "hevc", "av1"] | None
    quality: int | None
    speed: Literal["fast", "medium", "slow"]
    start: float
    end: float | None
    denoise: float
    steady: float
    threads: int


class FilmChoice(_Frozen):
    """What an automatic method decided, from a frame on; see `Chosen` of the films."""

    frame: int
    method: str
    settings: dict[str, Any]
    strength: float


class FilmRan(_Frozen):
    """What it came to; `method`, `note` and `choices` are those of `VideoResult`."""

    method: str
    weights_sha256: str
    note: str
    frames: int
    broken: int
    notes: list[str]
    choices: list[FilmChoice] = []


class ComparisonAsked(_Frozen):
    """The same of a comparison: its methods, each with its defaults, and "html" or a format of pictures."""

    methods: list[str]
    format: str


class Made(_Frozen):
    """What is said of a picture, a film and a comparison alike.

    Attributes:
        made: when, UTC, ISO 8601.
        input, output: the files.
        operations: every one in order, see `daybreak.enhancing.operations`.
        environment: see `daybreak.enhancing.environment`.
    """

    made: str
    input: FileFact
    output: FileFact
    operations: list[Operation]
    environment: dict[str, str]


class Entry(Made):
    """One picture: what makes the same result again, and what it came to."""

    asked: Asked
    ran: Ran


class FilmEntry(Made):
    """One film, likewise."""

    asked: FilmAsked
    ran: FilmRan


class ComparisonEntry(Made):
    """One picture through several methods on a sheet or a page; `ran` in the order of `asked.methods`."""

    asked: ComparisonAsked
    ran: list[Ran]


AnyMade = TypeVar("AnyMade", bound=Made)


class Failure(_Frozen):
    """A picture of which nothing was made."""

    path: Text
    error: Text


class Manifest(_Frozen):
    """A run's manifest; in a watched folder, one for each picture, a line each.

    Attributes:
        complete: False where the run was interrupted.
        entries: one for each picture, in the order of the run.
        films: one for each film.
        comparisons: one for each sheet or page.
        failed: what was asked for and not made.
    """

    kind: Literal["daybreak evidence"]
    version: Literal[1] = 1
    complete: bool = True
    entries: list[Entry] = []
    films: list[FilmEntry] = []
    comparisons: list[ComparisonEntry] = []
    failed: list[Failure] = []


def fact(data: bytes) -> FileFact:
    """Size and SHA-256 of a file's bytes."""
    return FileFact(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def fact_of(path: Path) -> FileFact:
    """The same of a file that is too large to hold.

    Raises:
        OSError: it cannot be read, or is a pipe or a device, which might never end.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "no regular file")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileFact(bytes=file.tell(), sha256=digest)


def now() -> str:
    """UTC, to the second, ISO 8601."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def placed(entry: AnyMade, source: Path, target: Path, manifest: Path) -> AnyMade:
    """The entry with the paths of its files as they are seen from the manifest's folder."""
    return named(entry, _seen(source, manifest.parent), _seen(target, manifest.parent))


def named(entry: AnyMade, source: str, target: str) -> AnyMade:
    """The entry with the paths of its files as they stand in the manifest."""
    return entry.model_copy(
        update={
            "input": entry.input.model_copy(update={"path": source}),
            "output": entry.output.model_copy(update={"path": target}),
        }
    )


def _seen(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()
    except ValueError:  # another drive on Windows
        return path.absolute().as_posix()


def check_manifest_path(path: Path, suffix: Literal[".json", ".jsonl"], used: Iterable[Path]) -> None:
    """Refuse, before any work, a manifest that could not be written or would take another file's place.

    Args:
        suffix: what its name has to end in.
        used: inputs, results and other documents of the run.

    Raises:
        BadSetting: a wrong name, a name in use, or a manifest is there already: evidence is not replaced,
            unless it is that of an interrupted run, which the same command then completes.
        UnwritablePicture: its folder cannot be made.
    """
    if path.suffix.lower() != suffix:
        raise BadSetting(f"--evidence {shown(path)}", f"a name that ends in {suffix}")
    if path.absolute() in {other.absolute() for other in used}:
        raise BadSetting(f"--evidence {shown(path)} is a file of this run", "a name of its own")
    if suffix == ".json" and os.path.lexists(path) and not _unfinished(path):
        raise BadSetting(f"--evidence {shown(path)} is there already", "a new name: evidence is not replaced")
    make_folder(path.parent)


def _unfinished(path: Path) -> bool:
    try:
        return not all(manifest.complete for manifest in read_manifests(path))
    except BadSetting:
        return False


def write_manifest(
    path: Path,
    entries: Iterable[Entry],
    failed: Mapping[Path, str],
    *,
    films: Iterable[FilmEntry] = (),
    comparisons: Iterable[ComparisonEntry] = (),
    complete: bool = True,
) -> str:
    """Write the manifest of a run, whole or not at all.

    Args:
        path: a new file, or the manifest of an interrupted run.
        entries, films, comparisons: from `placed`.
        failed: picture -> why nothing was made of it.
        complete: False where the run was interrupted.

    Returns:
        The SHA-256 of the manifest, to be noted where nobody can change it.

    Raises:
        OutputExists: there is a file of that name.
        UnwritablePicture: it cannot be written.
    """
    failures = {_seen(source, path.parent): error for source, error in failed.items()}
    data = manifest_bytes(entries, failures, films=films, comparisons=comparisons, complete=complete)
    write_whole(path, data, overwrite=_unfinished(path))
    return fact(data).sha256


def manifest_bytes(
    entries: Iterable[Entry] = (),
    failed: Mapping[str, str] | None = None,
    *,
    films: Iterable[FilmEntry] = (),
    comparisons: Iterable[ComparisonEntry] = (),
    complete: bool = True,
) -> bytes:
    """What stands in the manifest of a run.

    Args:
        entries, films, comparisons: from `placed` or `named`.
        failed: picture, as seen from the manifest's folder -> why nothing was made of it.
        complete: False where the run was interrupted.
    """
    manifest = Manifest(
        kind=KIND,
        complete=complete,
        entries=list(entries),
        films=list(films),
        comparisons=list(comparisons),
        failed=[Failure(path=path, error=error) for path, error in (failed or {}).items()],
    )
    # ASCII, in which lone surrogates of odd file names survive
    return json.dumps(manifest.model_dump(mode="python"), indent=2).encode("ascii") + b"\n"


def append_entry(path: Path, entry: Entry) -> None:
    """Add a manifest of one entry as a line to a file of lines (`.jsonl`) and have it on the disk.

    A line that an earlier kill cut short is ended first, so that it spoils none but itself.

    Raises:
        UnwritablePicture: it cannot be written.
    """
    line = json.dumps(Manifest(kind=KIND, entries=[entry]).model_dump(mode="python")).encode("ascii") + b"\n"
    with writing(path), path.open("a+b") as file:
        if file.tell() and not _ends_a_line(file):
            line = b"\n" + line
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def _ends_a_line(file: Any) -> bool:
    file.seek(-1, os.SEEK_END)
    return bool(file.read(1) == b"\n")


def read_manifests(path: Path) -> list[Manifest]:
    """The manifest of a run, or one for each line of a watched folder's.

    A line that is no JSON was cut by a kill, and its picture entered again: it is given as a failure.

    Raises:
        BadSetting: the file cannot be read or is no manifest.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadSetting(f"the manifest {shown(path)} cannot be read ({error.strerror})") from None
    if path.suffix.lower() != ".jsonl":
        return [_parsed(data, path)]
    found = []
    for number, line in enumerate(data.splitlines(), 1):
        if _is_json(line):
            found.append(_parsed(line, path))
        elif line.strip():
            cut = Failure(path=f"line {number}", error="cut short, as by a kill")
            found.append(Manifest(kind=KIND, failed=[cut]))
    return found


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _parsed(data: bytes, path: Path) -> Manifest:
    try:
        return Manifest(**json.loads(data))
    except (ValueError, TypeError, RecursionError) as error:
        told = "it is no JSON object"
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            told = f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"
        came = f"{shown(path)} is no manifest of daybreak ({told})"
        raise BadSetting(came, "a file that --evidence wrote") from None
