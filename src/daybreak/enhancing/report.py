"""The JSON report of a batch: one entry a file, written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from daybreak.documents import check_document
from daybreak.enhancing.batch import Result
from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.finding import Refusal
from daybreak.enhancing.plan import Job
from daybreak.errors import BadSetting
from daybreak.files import write_whole
from daybreak.image.paths import shown
from daybreak.version import __version__

BRIGHTNESS = "arithmetic mean of the sRGB-encoded values of all pixels and channels, 0 to 1"
"""What the report says its brightness is; `auto` decides by another one, which it names in its note."""


def check_documents(
    jobs: Sequence[Job | Refusal],
    report: Path | None,
    gallery: Path | None,
    evidence: Path | None = None,
) -> None:
    """Refuse, before any work, a report, gallery or manifest that would take the place of something else.

    Raises:
        BadSetting: one of them is an input or a result of the batch; what `check_document` and
            `check_manifest_path` refuse.
    """
    used = {path.absolute() for job in jobs if isinstance(job, Job) for path in (job.source, job.target)}
    if evidence is not None:
        if any(isinstance(job, Job) and job.in_place for job in jobs):
            came = "--evidence of pictures that their results take the place of"
            raise BadSetting(came, "-o or a --suffix, so that the originals can be looked at")
        from daybreak.enhancing.manifest import check_manifest_path  # few ask for it

        check_manifest_path(evidence, ".json", [*used, *filter(None, (report, gallery))])
    for option, path in (("--report", report), ("--gallery", gallery)):
        if path is not None and path.absolute() in used:
            raise BadSetting(f"{option} {shown(path)} is a picture of this run", "a name of its own")
    if gallery is not None:
        from daybreak.enhancing.page import check_page_path  # few ask for one

        check_page_path(gallery, "--gallery")
    if report is not None:
        check_document(report, (".json",), '"report_schema"', "--report")


def write_report(results: Sequence[Result], enhancer: Enhancer, path: Path, *, complete: bool) -> None:
    """Write what became of each picture.

    Args:
        results: from `run_batch`.
        enhancer: what ran.
        path: replaced if it is there.
        complete: False where the batch was interrupted.

    Raises:
        UnwritablePicture: the file cannot be written.
    """
    told = {
        "report_schema": 1,
        "daybreak": __version__,
        "asked": {
            "method": enhancer.method.card.name,
            "settings": enhancer.settings.model_dump(mode="json"),
            "strength": enhancer.strength,
            "exposure_ev": enhancer.exposure,
        },
        "brightness": BRIGHTNESS,
        "complete": complete,
        "files": [_entry(result) for result in results],
    }
    text = json.dumps(told, indent=2, ensure_ascii=True)  # lone surrogates of odd file names survive as \\u
    write_whole(path, text.encode("ascii"), overwrite=True)


def write_evidence(results: Sequence[Result], path: Path, *, complete: bool) -> str:
    """Write the manifest of a batch.

    Args:
        results: from `run_batch` with `Output.evidence`.
        path: see `check_manifest_path`.
        complete: False where the batch was interrupted.

    Returns:
        Its SHA-256.

    Raises:
        UnwritablePicture: the file cannot be written.
    """
    from daybreak.enhancing.manifest import placed, write_manifest

    entries = [
        placed(result.evidence, result.source, result.target, path)
        for result in results
        if result.evidence is not None and result.target is not None
    ]
    failed = {result.source: result.error for result in results if result.error}
    return write_manifest(path, entries, failed, complete=complete)


def _entry(result: Result) -> dict[str, Any]:
    return {
        "input": str(result.source),
        "output": None if result.target is None else str(result.target),
        "state": result.state,
        "method": result.method,
        "settings": result.settings,
        "strength": result.strength,
        "weights_sha256": result.weights_sha256,
        "brightness_before": result.brightness_before,
        "brightness_after": result.brightness_after,
        "seconds": round(result.seconds, 4),
        "notes": list(result.notes),
        "lost": list(result.lost),
        "error": result.error,
    }
