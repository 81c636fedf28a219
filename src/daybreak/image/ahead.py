"""The one picture of a command, decoded in a thread while the process still imports what will enhance it.

libvips lets go of the interpreter while it decodes, so a second core does it beside the imports, and then
finds the mean that the result tells and the small copy that `auto` will look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from itertools import pairwise
from pathlib import Path
from threading import Thread

from daybreak.image.formats import is_picture_name
from daybreak.image.photo import Photo
from daybreak.image.read import read_photo, read_size
from daybreak.image.rows import Levels, mean, thumbnail
from daybreak.image.vips import load_vips

_LARGEST = 50_000_000  # px: what is larger may not fit, and waits until somebody has counted the memory
_HEAVIEST = 100_000_000  # bytes of a file, for the same reason
_OTHERWISE = ("--max-memory", "--max-pixels", "--dry-run", "--engine", "--address")

_begun: list[tuple[bytes, Future[Photo]]] = []


def begin(arguments: Sequence[str]) -> None:
    """Decode the picture that a command line names, if it names one, no folder and nothing against it.

    Args:
        arguments: of the command, as typed: which of them are options is not known yet.
    """
    words = [
        word
        for before, word in pairwise(["", *arguments])
        if word not in ("-o", "--output") and before not in ("-o", "--output")
    ]
    named = [Path(word) for word in words if is_picture_name(word)]
    if len(named) != 1 or any(word.startswith(_OTHERWISE) for word in words):
        return
    try:
        if any(Path(word).is_dir() for word in words) or not 0 < named[0].stat().st_size <= _HEAVIEST:
            return
        load_vips()  # before there is a thread: a process that is forked from here on knows what it inherits
        if (read_size(named[0]) or _LARGEST) >= _LARGEST:
            return
        data = named[0].read_bytes()
    except (OSError, ValueError, MemoryError):  # who reads it in its turn tells of it
        return
    photo: Future[Photo] = Future()
    _begun.append((data, photo))
    auto = not any(word.startswith(("-m", "--method")) for word in words)
    Thread(target=_decode, args=(data, photo, auto), daemon=True).start()


def _decode(data: bytes, photo: Future[Photo], look: bool) -> None:
    try:
        read = read_photo(data, max_pixels=_LARGEST)
        if isinstance(read.stored, Levels):  # which keep what was found
            mean(read.stored)
            if look:
                thumbnail(read.stored)
        photo.set_result(read)
    except BaseException as error:  # said where it is read in its turn, by its name
        photo.set_exception(error)


def decoded(data: bytes, max_pixels: int) -> Photo | None:
    """The photo that was decoded of these very bytes, once; None where there is none, or it could not be.

    Args:
        data: a picture file's bytes.
        max_pixels: no photo of more.
    """
    if not _begun or _begun[0][0] != data:
        return None
    _, ahead = _begun.pop()
    if ahead.exception() is not None:
        return None
    photo = ahead.result()
    height, width = photo.stored.shape[:2]
    return photo if height * width <= max_pixels else None


def forget() -> None:
    """Let go of what nobody will ask for."""
    _begun.clear()
