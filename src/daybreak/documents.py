"""What a command writes beside pictures: pages, reports, results, plots. None takes another file's place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from daybreak.errors import BadSetting
from daybreak.files import make_folder, writing
from daybreak.image.paths import shown

_ENDS = 4096  # bytes at each end of a file, in one of which the mark of its kind stands


def check_document(path: Path, suffixes: Sequence[str], mark: str, option: str = "") -> None:
    """See, before any work, that a document can be written, and that nothing else lies there.

    An older one of its kind is replaced.

    Args:
        path: as typed.
        suffixes: one of which its name has to end in; the first is the one to type.
        mark: stands near an end of every document of the kind, and of no other.
        option: by which it was asked for, for the message.

    Raises:
        BadSetting: another name, or a folder or another file lies there.
        UnwritablePicture: its folder cannot be made.
    """
    name = f"{option} {shown(path)}".strip()
    if path.suffix.lower() not in suffixes:
        raise BadSetting(name, f"a name that ends in {', '.join(suffixes)}")
    if path.is_dir():
        raise BadSetting(f"{name} is a folder", "the name of a file in it")
    if path.is_file() and path.stat().st_size and mark.encode() not in _ends(path):
        raise BadSetting(f"{name} is another file, which would be lost", "a name of its own")
    make_folder(path.parent)


def _ends(path: Path) -> bytes:
    with writing(path), path.open("rb") as file:
        first = file.read(_ENDS)
        file.seek(max(file.tell(), path.stat().st_size - _ENDS))
        return first + file.read(_ENDS)
