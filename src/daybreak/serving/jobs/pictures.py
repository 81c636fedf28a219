"""A job of many pictures: each enhanced by itself, then all in one zip with a report on each."""

from __future__ import annotations

import errno
import json
import logging
import sqlite3
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from daybreak.enhancing.batch import enhance_bytes
from daybreak.enhancing.manifest import Entry, manifest_bytes, named
from daybreak.errors import DaybreakError
from daybreak.files import whole_file, write_whole
from daybreak.serving.archive import EVIDENCE, REPORT, SUFFIX, free_name, result_name
from daybreak.serving.asking import Asked
from daybreak.serving.jobs.room import passing
from daybreak.serving.limits import Limits
from daybreak.serving.problems import of_the_server
from daybreak.serving.work import fitting_pixels
from daybreak.stopping import Stopped

LOG = logging.getLogger("daybreak.serving")


def run_pictures(
    inputs: Sequence[Path],
    names: Sequence[str],
    outputs: Path,
    result: Path,
    asked: Asked,
    limits: Limits,
    progress: Callable[[int, int, int, int], None],
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
    made = 0
    for place, (path, name) in enumerate(zip(inputs, names, strict=True)):
        known, target = outputs / f"{place:06}.json", outputs / f"{place:06}"
        if not known.exists():
            entry = _enhance(path, name, target, asked, limits)
            write_whole(known, json.dumps(entry).encode("ascii"), overwrite=True)
        entries.append(json.loads(known.read_text(encoding="ascii")))
        made += target.stat().st_size if target.exists() else 0
        progress(len(entries), sum(bool(entry["error"]) for entry in entries), len(inputs), made)
    _pack(entries, outputs, result, evidence=asked.output.evidence)


def _enhance(path: Path, name: str, target: Path, asked: Asked, limits: Limits) -> dict[str, Any]:
    """Make one picture's result; its entry in the report, whatever is wrong with the picture.

    Raises:
        Stopped: the job is wanted no more.
        OSError, DaybreakError: the system's fault, which is none of the picture's.
    """
    entry: dict[str, Any] = {"input": name, "output": None, "error": ""}
    data = path.read_bytes()
    most = min(limits.pixels, fitting_pixels(asked.enhancer, 1, data) or limits.pixels)
    try:
        made, result = enhance_bytes(data, asked.enhancer, asked.output, Path(name), None, max_pixels=most)
    except (Stopped, sqlite3.Error):
        raise
    except MemoryError:
        return entry | {"error": f"{name}: not enough memory for a picture of this size"}
    except Exception as fault:  # ours, or of a library; the others go on
        refused = passing(fault)
        if refused is not None and refused.errno != errno.ENOMEM:  # memory for it may never be there
            raise
        if isinstance(fault, DaybreakError):
            return entry | {"error": of_the_server(fault) or str(fault)}
        LOG.error("unexpected error in a picture of a job", exc_info=fault)
        return entry | {"error": f"{name}: an unexpected fault of the server; it is in its log"}
    write_whole(target, made, overwrite=True)
    return entry | {
        "output": result_name(name, made, SUFFIX if asked.output.evidence else ""),
        "state": result.state,
        "method": result.method,
        "settings": result.settings,
        "strength": result.strength,
        "weights_sha256": result.weights_sha256,
        "brightness_before": result.brightness_before,
        "brightness_after": result.brightness_after,
        "notes": list(result.notes),
        "lost": list(result.lost),
        "evidence": result.evidence and result.evidence.model_dump(),
    }


def _pack(entries: Sequence[dict[str, Any]], outputs: Path, result: Path, *, evidence: bool) -> None:
    """One zip of all results, each under a name of its own, the report, and the evidence if asked for."""
    taken = {REPORT, EVIDENCE} | ({entry["input"].lower() for entry in entries} if evidence else set())
    sealed: list[Entry] = []
    with (
        whole_file(result, overwrite=True) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive,  # pictures are compressed already
    ):
        for place, entry in enumerate(entries):
            proof = entry.pop("evidence", None)
            if entry["output"]:
                entry["output"] = free_name(entry["output"], taken)
                archive.write(outputs / f"{place:06}", entry["output"])
            if proof:
                sealed.append(named(Entry(**proof), entry["input"], entry["output"]))
        archive.writestr(REPORT, json.dumps({"files": list(entries)}, indent=2))
        if evidence:
            failed = {entry["input"]: entry["error"] for entry in entries if entry["error"]}
            archive.writestr(EVIDENCE, manifest_bytes(sealed, failed))
