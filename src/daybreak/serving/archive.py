"""Zips that go out: what the results in them are called, and their evidence beside them.

A zip with evidence is unpacked beside the originals, so nothing in it has the name of one of them.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from daybreak.enhancing.manifest import Entry, fact, manifest_bytes, named
from daybreak.errors import BadSetting
from daybreak.image.formats import format_of, sniff, suffix_for

REPORT = "report.json"
EVIDENCE = "evidence.json"
SUFFIX = "_daybreak"
"""Marks the name of a result that may lie beside its original."""

MEDIA_TYPE = "application/zip"
HEADER = "Daybreak-Evidence-Sha256"
HEADERS = {HEADER: "of the manifest in the zip, with evidence alone; note it where nobody can change it"}


def result_name(name: str, made: bytes, mark: str = SUFFIX) -> str:
    r"""What a picture's result is called: as the picture, marked, with the suffix of what the result is.

    >>> result_name("day 2/a.JPG", b"\xff\xd8\xff"), result_name("a.v2", b"\xff\xd8\xff", "")
    ('day 2/a_daybreak.JPG', 'a.v2.jpg')
    """
    kind = sniff(made) or "png"
    told = format_of(name)
    if told is None:
        return f"{name}{mark}{suffix_for(kind)}"
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}{mark}{dot}{suffix}" if told.name == kind else f"{stem}{mark}{suffix_for(kind)}"


def marked_name(name: str, suffix: str) -> str:
    """A name, marked, with another suffix.

    >>> marked_name("night.MOV", ".mp4"), marked_name("night", ".zip")
    ('night_daybreak.mp4', 'night_daybreak.zip')
    """
    return f"{PurePosixPath(name).stem}{SUFFIX}{suffix}"


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


def check_names(names: Sequence[str]) -> None:
    """Refuse, before any work, originals that a manifest could not tell apart.

    Raises:
        BadSetting: a name came twice, or is that of a document in the zip.
    """
    seen: set[str] = {REPORT, EVIDENCE}
    for name in names:
        if name.lower() in seen:  # letter case does not tell two apart everywhere
            raise BadSetting(
                f"evidence of {name}: there is another file of that name",
                "a name of its own for each, for the manifest tells them apart by it",
            )
        seen.add(name.lower())


def with_evidence(made: bytes, name: str, entry: Entry) -> tuple[bytes, str]:
    """A result with the manifest that has it confirmed beside its original.

    Args:
        made: the encoded result.
        name: of the original.
        entry: from `enhance_bytes`.

    Returns:
        The zip, and the SHA-256 of the manifest.
    """
    target = result_name(name, made)
    manifest = manifest_bytes([named(entry, name, target)])
    with BytesIO() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # pictures are compressed already
            archive.writestr(target, made)
            archive.writestr(EVIDENCE, manifest)
        return file.getvalue(), fact(manifest).sha256


def manifest_sha256(path: Path) -> str:
    """The SHA-256 of the manifest in a zip; "" where it has none.

    Raises:
        FileNotFoundError: there is no such zip.
    """
    with zipfile.ZipFile(path) as archive:
        return fact(archive.read(EVIDENCE)).sha256 if EVIDENCE in archive.namelist() else ""


def attachment(name: str) -> str:
    """The header that has an answer saved under a name.

    >>> attachment("night_daybreak.zip"), attachment("夜.zip")
    ('attachment; filename="night_daybreak.zip"', "attachment; filename*=utf-8''%E5%A4%9C.zip")
    """
    plain = quote(name, safe="")
    return f'attachment; filename="{name}"' if plain == name else f"attachment; filename*=utf-8''{plain}"
