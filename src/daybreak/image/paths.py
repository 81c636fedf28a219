"""Names of files as people see them, and reading a whole file with errors that help."""

from __future__ import annotations

import stat
from pathlib import Path

from daybreak.errors import UnreadablePicture


def shown(path: Path | str) -> str:
    """A path for a message of one line: in quotes with escapes where it holds a newline or the like.

    >>> shown("night.jpg"), shown("two\\nlines.jpg")
    ('night.jpg', "'two\\\\nlines.jpg'")
    """
    text = str(path)
    return text if text.isprintable() else ascii(text)


def beginning(path: Path, size: int) -> bytes:
    """Up to so many bytes from the start of a file.

    Raises:
        OSError: it cannot be read, or is no regular file: opening a pipe might wait for ever.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(f"{shown(path)} is no regular file")
    with path.open("rb") as file:
        return file.read(size)


def read_bytes(path: Path) -> bytes:
    """The whole file.

    Raises:
        UnreadablePicture: missing, a folder or a device, no permission, empty, or a reading error.
    """
    name = shown(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise UnreadablePicture(f"{name} is a folder", "a picture", "Give the files in it")
        if not stat.S_ISREG(mode):  # reading a pipe or a device might never end
            raise UnreadablePicture(f"{name} is no regular file", "a picture", "Use - to read a pipe")
        data = path.read_bytes()
    except FileNotFoundError:
        raise UnreadablePicture(f"{name} does not exist", hint="Check the name and the folder") from None
    except PermissionError:
        raise UnreadablePicture(f"{name} may not be read", hint="Ask its owner for permission") from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise UnreadablePicture(f"{name} cannot be read ({reason})") from None
    if not data:
        raise UnreadablePicture(f"{name} is empty (0 bytes)", "a picture", "Copy it again from its source")
    return data
