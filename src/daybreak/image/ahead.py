"""The one picture of a command, decoded in a thread while the process still imports what will enhance it.

libvips lets go of the interpreter while it decodes, so on a second core it costs the command nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Thread

from daybreak.image.formats import is_picture_name
from daybreak.image.photo import Photo
from daybreak.image.read import read_photo
from daybreak.image.vips import load_vips

_LARGEST = 50_000_000  # px: what is larger may not fit, and waits until somebody has counted the memory

_begun: list[tuple[bytes, Future[Photo]]] = []


def begin(arguments: Sequence[str]) -> None:
    """Decode the picture that a command line names, if it is one alone and no memory is told of.

    Args:
        arguments: of the command, as typed: which of them are options is not known yet.
    """
    named = [Path(word) for word in arguments if is_picture_name(Path(word))]
    if len(named) != 1 or any(word.startswith("--max-memory") for word in arguments):
        return
    try:
        data = named[0].read_bytes() if named[0].is_file() else b""
    except OSError:  # who reads it in its turn tells of it
        return
    if data:
        load_vips()  # before there is a thread: a process that is forked from here on knows what it inherits
        photo: Future[Photo] = Future()
        _begun.append((data, photo))
        Thread(target=_decode, args=(data, photo), daemon=True).start()


def _decode(data: bytes, photo: Future[Photo]) -> None:
    try:
        photo.set_result(read_photo(data, max_pixels=_LARGEST))
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
