"""A job of many pictures: each enhanced by itself, then all in one zip with a report on each."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from daybreak.enhancing.batch import enhance_bytes
from daybreak.errors import DaybreakError
from daybreak.files import whole_file, write_whole
from daybreak.image.formats import format_of, sniff, suffix_for
from daybreak.serving.asking import Asked
from daybreak.serving.limits import Limits
from daybreak.serving.work import fitting_pixels

REPORT = "report.json"


def run_pictures(
    inputs: Sequence[Path],
    names: Sequence[str],
    outputs: Path,
    result: Path,
    asked: Asked,
    limits: Limits,
    progress: Callable[[int, int, int], None],
) -> None:
    """Make the zip; a picture that was done before a restart is not done again.

    Args:
        inputs: the pictures' files.
        names: what they are called in the report and in the zip.
        outputs: folder for results and what is known of them.
        result: the zip.
        asked: what to do with each.
        limits: of the server.
        progress: is told after each picture; may raise to stop the work between two of them.
    """
    entries: list[dict[str, Any]] = []
    for place, (path, name) in enumerate(zip(inputs, names, strict=True)):
        known = outputs / f"{place:06}.json"
        if not known.exists():
            entry = _enhance(path, name, outputs / f"{place:06}", asked, limits)
            write_whole(known, json.dumps(entry).encode("ascii"), overwrite=True)
        entries.append(json.loads(known.read_text(encoding="ascii")))
        progress(len(entries), sum(bool(entry["error"]) for entry in entries), len(inputs))
    _pack(entries, outputs, result)


def _enhance(path: Path, name: str, target: Path, asked: Asked, limits: Limits) -> dict[str, Any]:
    """Make one picture's result; its entry in the report."""
    entry: dict[str, Any] = {"input": name, "output": None, "error": ""}
    most = min(limits.pixels, fitting_pixels(asked.enhancer, 1) or limits.pixels)
    try:
        data = path.read_bytes()
        made, result = enhance_bytes(data, asked.enhancer, asked.output, Path(name), None, max_pixels=most)
        write_whole(target, made, overwrite=True)
    except DaybreakError as error:
        return entry | {"error": str(error)}
    except MemoryError:
        return entry | {"error": f"{name}: not enough memory for a picture of this size"}
    return entry | {
        "output": _renamed(name, made),
        "state": result.state,
        "method": result.method,
        "settings": result.settings,
        "strength": result.strength,
        "weights_sha256": result.weights_sha256,
        "brightness_before": result.brightness_before,
        "brightness_after": result.brightness_after,
        "notes": list(result.notes),
        "lost": list(result.lost),
    }


def _renamed(name: str, made: bytes) -> str:
    """The name with the suffix of what the result is, where it has another one."""
    kind = sniff(made) or "png"
    named = format_of(name)
    if named is not None and named.name == kind:
        return name
    return name.rpartition(".")[0] + suffix_for(kind) if named else name + suffix_for(kind)


def _pack(entries: Sequence[dict[str, Any]], outputs: Path, result: Path) -> None:
    """One zip of all results, each under a name of its own, and the report."""
    taken = {REPORT}
    with (
        whole_file(result, overwrite=True) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive,  # pictures are compressed already
    ):
        for place, entry in enumerate(entries):
            if entry["output"]:
                entry["output"] = free_name(entry["output"], taken)
                archive.write(outputs / f"{place:06}", entry["output"])
        archive.writestr(REPORT, json.dumps({"files": list(entries)}, indent=2))


def free_name(name: str, taken: set[str]) -> str:
    """The name, or with a number where it is taken; letter case does not tell two apart everywhere.

    >>> taken = {"a.png"}
    >>> free_name("A.png", taken), free_name("A.png", taken)
    ('A-2.png', 'A-3.png')
    """
    stem, dot, suffix = name.rpartition(".")
    number, free = 1, name
    while free.lower() in taken:
        number += 1
        free = f"{stem}-{number}{dot}{suffix}"
    taken.add(free.lower())
    return free
