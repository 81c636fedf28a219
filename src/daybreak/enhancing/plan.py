"""Which files become which: from what was typed to a list of jobs, before anything is read or written."""

from __future__ import annotations

import filecmp
import os
import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath

from daybreak.enhancing.finding import Refusal, find, is_kind, place_of
from daybreak.enhancing.record import made_of
from daybreak.errors import BadSetting, OutputExists
from daybreak.image.formats import FORMATS, format_of, is_picture_name, suffix_for
from daybreak.image.read import read_record

STDIN, STDOUT = Path("stdin"), Path("stdout")
"""What stands in a job, a message and a report for a picture that comes or goes through a pipe."""


@dataclass(frozen=True)
class Job:
    """One picture to enhance: where it lies and where its result goes.

    Attributes:
        source, target: the same file, or a link and the file behind it, where it is `in_place`.
    """

    source: Path
    target: Path
    in_place: bool = False


def plan(
    paths: Sequence[str],
    *,
    output: Path | None = None,
    recursive: bool = False,
    suffix: str = "_daybreak",
    format: str | None = None,
    overwrite: bool = False,
) -> list[Job | Refusal]:
    """Lay out the jobs for files, folders and globs, in the order given, each file once.

    Args:
        paths: files, folders or glob patterns. A folder means the pictures in it (by their suffix), with
            `recursive` those below it too.
        output: a folder (made if need be), or, for a single picture, a file name with a picture suffix. None:
            beside each input. The tree below a folder given is kept: right below `output` if nothing else was
            given, else below its own name there, with as much of its path as tells it from the others.
        suffix: put between the name and the extension.
        format: a key of `FORMATS`, or None to keep each picture's own.
        overwrite: whether a result may take the place of its own input; where that is a link, the place of
            the file behind it.

    Returns:
        Jobs, and refusals for paths that are not there, and for results that would fall on an input or on
        each other.

    Raises:
        BadSetting: `output` is a file name but there is more than one picture; a suffix with a slash.
    """
    if "/" in suffix or os.sep in suffix:
        raise BadSetting(f"suffix {suffix!r}", "a few characters for the file name, without a slash")
    if "" in paths:
        raise BadSetting("an empty path", "files, folders or globs", "Is a variable not set?")
    found = list(find(paths, recursive, output))
    single = output is not None and is_picture_name(output) and not is_kind(Path.is_dir, output)
    if not single:
        found = _without_results(found, suffix, format, output)
    if single and (len(found) != 1 or is_kind(Path.is_dir, Path(paths[0]))):
        raise BadSetting(
            f"-o {output} is a file name, for {len(found)} pictures", "a folder", "Type: -o FOLDER"
        )
    if single and output is not None:
        _check_format(output, format)
    elif output is not None and len(found) == 1 and not is_kind(Path.is_dir, Path(paths[0])):
        _check_folder(output)
    jobs: list[Job | Refusal] = []
    taken: dict[Path, list[Job]] = {}
    inputs = {place_of(source) for source, _ in found if not isinstance(source, Refusal)}
    for source, below in found:
        if isinstance(source, Refusal):
            jobs.append(source)
            continue
        name = result_name(source, suffix, format)
        target = output if single and output is not None else _folder(source, below, output) / name
        jobs.append(_check(source, target, taken, inputs, overwrite))
    return jobs


def plan_stream(paths: Sequence[str], *, output: Path | None = None, format: str | None = None) -> Job:
    """Lay out the job for `-`: one picture from stdin, to stdout or to the file `output`.

    Raises:
        BadSetting: other paths beside it; an output that is no name of a picture, or of another format.
    """
    if len(paths) > 1:
        raise BadSetting("- (stdin) together with other paths", "one or the other")
    if output is None:
        return Job(STDIN, STDOUT)
    if output.is_dir() or not is_picture_name(output):
        raise BadSetting(
            f"-o {output} for a picture from stdin, which has no name to keep",
            "the name of a picture",
            f"Type for example: -o {output / 'night.jpg'}",
        )
    _check_format(output, format)
    return Job(STDIN, output)


def _check_format(output: Path, format: str | None) -> None:
    named = format_of(output)
    if named and format and named.name != format:
        raise BadSetting(f"-o {output} together with --format {format}", "one and the same format")


def _check_folder(output: Path) -> None:
    """Refuse a new folder that is named like a file: its ending is mistyped, or of another kind."""
    if re.fullmatch(r"\.[A-Za-z][A-Za-z0-9]{2,3}", output.suffix) and not os.path.lexists(output):
        endings = ", ".join(row.suffixes[0] for row in FORMATS.values() if row.writable)
        raise BadSetting(
            f"-o {output} for one picture",
            f"a folder, or a name that ends in {endings}",
            f"Type mkdir {output} first, if it is to be a folder",
        )


def _folder(source: Path, below: Path, output: Path | None) -> Path:
    """Where a result goes."""
    return source.parent if output is None else output / below


def _check(
    source: Path, target: Path, taken: dict[Path, list[Job]], inputs: set[Path], overwrite: bool
) -> Job | Refusal:
    in_place = overwrite and place_of(target) == place_of(source)
    if in_place and source.is_symlink():
        target = source.resolve()  # the file that is meant, not the link to it
    kind = format_of(target)
    if in_place and kind is not None and not kind.tags:
        came = f"{source}: the same command again would brighten it again, for {kind.name} keeps no record"
        return Refusal(
            source, BadSetting(came, hint="Give it a place of its own with -o, or another --format")
        )
    key = place_of(target)
    alike = _anywhere(key) if overwrite else key  # else writing finds the other one there
    others = taken.setdefault(alike, [])
    other = next(
        (job for job in others if place_of(job.target) == key or not _apart(target, job.target)), None
    )
    if other is not None:
        came = f"{source}: its result would take the place of that of {other.source} ({target})"
        hint = "Do one of them by itself, with another -o or --suffix"
        if source.parent != other.source.parent:
            hint += ", or give their folders: those are kept apart"
        return Refusal(source, OutputExists(came, hint=hint))
    if key in inputs and not in_place:
        came = f"{source}: its result {target} is an input"
        itself = ", or --overwrite to replace it" if key == place_of(source) else ""
        return Refusal(source, OutputExists(came, hint=f"Type a --suffix or an -o{itself}"))
    others.append(Job(source, target, in_place))
    return others[-1]


def _without_results(
    found: list[tuple[Path | Refusal, Path]], suffix: str, format: str | None, output: Path | None
) -> list[tuple[Path | Refusal, Path]]:
    """Leave out what an earlier run made of another input: NAME_daybreak.jpg, where NAME's result goes.

    Without a suffix the name has to be all that of the result: NAME.png of NAME.jpg with `format`.
    """
    targets = (
        (place_of(_folder(source, below, output) / _called(source, suffix, format)), source)
        for source, below in found
        if isinstance(source, Path)
    )
    made = {target: source for target, source in targets if target != place_of(source)}

    def ours(source: Path | Refusal) -> bool:
        if isinstance(source, Refusal):
            return False
        original = made.get(place_of(source.parent / source.stem if suffix else source))
        return original is not None and (_is_result if suffix else _says_so)(source, original)

    return [(source, below) for source, below in found if not ours(source)]


def _called(source: Path, suffix: str, format: str | None) -> str:
    """The name of a result, without its ending where there is a suffix."""
    return f"{source.stem}{suffix}" if suffix else result_name(source, "", format)


def _is_result(source: Path, original: Path) -> bool:
    """Whether a file says that daybreak made it, cannot say so, or is a copy of the original."""
    kind = format_of(source)
    if (kind is not None and not kind.tags) or read_record(source) is not None:
        return True
    try:
        return filecmp.cmp(source, original, shallow=False)
    except OSError:
        return False


def _says_so(source: Path, original: Path) -> bool:
    """Whether a file says that daybreak made it of the original, or is a copy of it."""
    record = read_record(source)
    with suppress(OSError):
        if record is not None and record.get("source") == made_of(original.read_bytes())["source"]:
            return True
        return filecmp.cmp(source, original, shallow=False)
    return False


def result_name(source: PurePath, suffix: str, format: str | None) -> str:
    """The file name of a picture's result.

    Args:
        suffix, format: as for `plan`.

    >>> result_name(Path("in/a.gif"), "_daybreak", None), result_name(Path("a.JPG"), "", "png")
    ('a_daybreak.png', 'a.png')
    """
    return source.stem + suffix + (suffix_for(format) if format else _kept_suffix(source))


def _kept_suffix(source: PurePath) -> str:
    """The suffix of a result that keeps its input's format: the input's own where we can write it."""
    kept = format_of(source)
    return source.suffix if kept is None or kept.writable else suffix_for(kept.fallback)


def _anywhere(key: Path) -> Path:
    """One key for paths that some disk takes for one: that differ in case, or in how accents are coded."""
    return Path(unicodedata.normalize("NFC", str(key)).casefold())


def _apart(one: Path, other: Path) -> bool:
    """Whether two files are there already, and are not one."""
    try:
        return not one.samefile(other)
    except OSError:
        return False
