"""`daybreak verify`: whether evidence holds, by making it again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from daybreak.cli.console import DONE, SOME_FAILED, complain
from daybreak.cli.options import PixelsOption
from daybreak.enhancing.manifest import Manifest, read_manifests
from daybreak.enhancing.verify import Verdict, verify_comparison, verify_entry
from daybreak.image.read import MAX_PIXELS
from daybreak.text import printable


def verify(
    manifests: Annotated[
        list[Path], typer.Argument(help="What --evidence wrote.", metavar="MANIFEST...", show_default=False)
    ],
    max_pixels: PixelsOption = None,
) -> int:
    """Make each result again from its input as the manifest says, and compare bit for bit; writes nothing.

    Exit code 0: all confirmed. 1: something differs, and is told. 2: no manifest.
    """
    most = max_pixels * 1_000_000 if max_pixels else MAX_PIXELS
    found = [(path, manifest) for path in manifests for manifest in read_manifests(path)]
    confirmed = differ = 0
    for path, manifest in found:
        if not manifest.complete:
            complain(f"{path}: the run was interrupted; it holds what was done until then")
        for failure in manifest.failed:
            complain(f"{path}: nothing was made of {failure.path}: {failure.error}")
        for verdict in verdicts(manifest, path.parent, most):
            tell(verdict)
            confirmed, differ = confirmed + verdict.confirmed, differ + (not verdict.confirmed)
    for path in manifests:
        print(printable(f"{path}: SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}"))
    print(f"{confirmed} confirmed bit for bit, {differ} not")
    if differ:
        complain(f"{differ} of {confirmed + differ} could not be confirmed")
    return SOME_FAILED if differ else DONE


def verdicts(manifest: Manifest, folder: Path, max_pixels: int) -> Iterator[Verdict]:
    """Of the pictures, of the comparisons, then of the films."""
    yield from (verify_entry(entry, folder, max_pixels) for entry in manifest.entries)
    yield from (verify_comparison(entry, folder, max_pixels) for entry in manifest.comparisons)
    if manifest.films:
        from daybreak.enhancing.video.evidence import verify_film  # brings FFmpeg in

        yield from (verify_film(entry, folder) for entry in manifest.films)


def tell(verdict: Verdict) -> None:
    """One line, and one for each thing that differs."""
    if verdict.confirmed:
        remarks = f" ({'; '.join(verdict.remarks)})" if verdict.remarks else ""
        print(printable(f"{verdict.target}: confirmed bit for bit{remarks}"))
        return
    print(printable(f"{verdict.target}: NOT confirmed"))
    for finding in verdict.findings:
        print(printable(f"    {finding}"))
