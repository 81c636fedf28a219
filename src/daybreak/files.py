"""Write a file whole or not at all: under another name in its folder, flushed to the disk, then renamed.

Everything here that writes a file for people goes through these functions, so that neither an exception nor a
kill nor a loss of power ever leaves half of one: until the new file is complete, the old one stands.
"""

from __future__ import annotations

import errno
import filecmp
import itertools
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from daybreak.errors import OutputExists, UnwritablePicture
from daybreak.text import printable

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EACCES}
_NO_FLUSH = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS}

_HIDDEN = ".daybreak-"  # begins the names of files that are not whole yet

_HINTS = {
    errno.ENOENT: "Make the folder first",
    errno.ENOSPC: "Free some space, or choose another disk with -o",
    errno.EDQUOT: "Free some space, or choose another disk with -o",
    errno.EACCES: "Choose a folder you may write to with -o",
    errno.EPERM: "Choose a folder you may write to with -o",
    errno.EROFS: "Choose a folder you may write to with -o",
    errno.ENAMETOOLONG: "Choose a shorter name with -o",
}


def write_whole(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """Write the bytes of a file.

    Args:
        path, overwrite: as for `whole_path`.
        data: all of the file.

    Raises:
        OutputExists, UnwritablePicture: as `whole_path`.
    """
    with whole_file(path, overwrite=overwrite) as file:
        file.write(data)


@contextmanager
def whole_file(path: Path, *, overwrite: bool = False) -> Iterator[IO[bytes]]:
    """Open a file that appears under its name when the block ends, and not at all if it fails.

    Args:
        path, overwrite: as for `whole_path`.

    Raises:
        OutputExists, UnwritablePicture: as `whole_path`.
    """
    with whole_path(path, overwrite=overwrite) as hidden, hidden.open("wb") as file:
        yield file


@contextmanager
def whole_path(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Lend a name in the same folder; what lies there when the block ends becomes `path`.

    For libraries that want a name and no open file. There is an empty file under the name already, so what is
    private stays so. Whatever ends the block early leaves `path` as it was and no file under the name lent;
    only a kill leaves that one behind, hidden (`.daybreak-….tmp`).

    Args:
        path: where the file is to appear. A link there is replaced, and what it points to stays as it is; to
            write through a link, give `path.resolve()`.
        overwrite: replace a file, and keep its permissions. False never replaces one, not even one that
            appears while this one is written.

    Raises:
        OutputExists: there is a file and `overwrite` is False.
        UnwritablePicture: no such folder, no permission, no space, or something there that is no file;
            whatever the system refuses within the block counts as this too.
    """
    with writing(path):
        mode = _mode_to_keep(path, overwrite)
        hidden = path.with_name(f"{_HIDDEN}{secrets.token_hex(8)}.tmp")
        os.close(os.open(hidden, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666 if mode is None else 0o600))
        try:
            yield hidden
            _flush(hidden)
            if mode is not None:
                hidden.chmod(mode)
            if overwrite:
                hidden.replace(path)
            else:
                _take_free_name(hidden, path)
        finally:
            with suppress(FileNotFoundError):
                hidden.unlink()


def remove_leftovers(folder: Path, *, idle: float = 3600.0) -> list[Path]:
    """Remove what killed runs left behind in a folder and all below: hidden files that nobody writes to.

    Args:
        folder: need not be there.
        idle: seconds without a change, so that no file of a run at work is taken.

    Returns:
        What was removed; what cannot be removed stays.
    """
    removed = []
    for path in folder.rglob(f"{_HIDDEN}*.tmp"):
        with suppress(OSError):
            if path.is_file() and time.time() - path.stat().st_mtime > idle:
                path.unlink()
                removed.append(path)
    return removed


def move_file(source: Path, target: Path) -> Path:
    """Move a file, to another disk too; it lies whole under one of the names at any time.

    Args:
        source: a file.
        target: its new name. Where that is another file's, the next free of `NAME.2.jpg`, `NAME.3.jpg` … is
            taken; where it is a copy, as a kill in the middle leaves one, that stays and the source goes.
            Another file that takes the source's name meanwhile stays.

    Returns:
        Where it lies now.

    Raises:
        UnwritablePicture: it cannot be moved.
    """
    with writing(target):
        moved = _facts(source)
        while True:
            free = name_for(source, target)
            try:
                _copy_or_link(source, free)
            except OutputExists:
                if not _is_copy(source, free):
                    continue  # somebody was quicker
            with suppress(FileNotFoundError):
                if _facts(source) == moved:
                    source.unlink()
            return free


def _facts(path: Path) -> tuple[int, int, int]:
    """What tells a file from another one that took its name."""
    told = path.stat()
    return told.st_ino, told.st_size, told.st_mtime_ns


def name_for(source: Path, target: Path) -> Path:
    """Where `move_file` would move a file to."""
    numbered = (target.with_name(f"{target.stem}.{number}{target.suffix}") for number in itertools.count(2))
    names = itertools.chain([target], numbered)
    return next(name for name in names if not os.path.lexists(name) or _is_copy(source, name))


def _is_copy(source: Path, target: Path) -> bool:
    return target.is_file() and filecmp.cmp(source, target, shallow=False)


def _copy_or_link(source: Path, target: Path) -> None:
    """Give a file a second name, or its only one to another; a copy where that is on another disk."""
    try:
        _take_free_name(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with whole_path(target) as hidden:
            shutil.copyfile(source, hidden)
            shutil.copystat(source, hidden)


@contextmanager
def one_process(lock: Path, what: str) -> Iterator[None]:
    """Hold a lock file for as long as the block runs; a process that ends in any way lets go of it.

    Where the system has no such locks, this does nothing.

    Args:
        lock: made if need be, and left there.
        what: is going on, for the message: "watching into out".

    Raises:
        OutputExists: another process holds it.
        UnwritablePicture: it cannot be made.
    """
    with writing(lock):
        file = lock.open("ab")
    with file:
        if not locked(file.fileno()):
            raise OutputExists(f"another process is {what}", hint="Stop it, or choose another folder")
        yield


def locked(descriptor: int) -> bool:
    """Whether this process now has an open file to itself; always where the system has no such locks."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def same_file(one: Path, other: Path) -> bool:
    """Whether two names are of one file, or will be once folders on the way (`new/../a.jpg`) are made."""
    with suppress(OSError):
        if one.samefile(other):
            return True
    with suppress(OSError, RuntimeError):  # a circle of links
        return one.resolve() == other.resolve()
    return False


def make_folder(folder: Path) -> None:
    """Make a folder for results, with those above it.

    Raises:
        UnwritablePicture: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        came = f"the folder {printable(str(folder))} cannot be made ({error.strerror})"
        raise UnwritablePicture(came, hint="Give another folder") from None


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the system refuses while `path` is written into an `UnwritablePicture` that names it."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        hint = _HINTS.get(error.errno or 0, "")
        raise UnwritablePicture(f"{printable(str(path))} cannot be written ({reason})", hint=hint) from error


def _mode_to_keep(path: Path, overwrite: bool) -> int | None:
    """The permissions of the file that is to be replaced; None where a new one is made.

    Raises:
        OutputExists: there is something and it is not to be replaced.
        OSError: nothing can be written under that name.
    """
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "there is a null byte in the name")
    if not overwrite:
        if os.path.lexists(path):
            raise _exists(path)
        return None
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if stat.S_ISLNK(mode):
        return None
    if not stat.S_ISREG(mode):  # renaming would do away with a device or a pipe
        raise OSError(errno.EINVAL, "it is no regular file")
    return stat.S_IMODE(mode)


def _flush(path: Path) -> None:
    """Have the contents on the disk before the name is: a loss of power may reorder the two."""
    with path.open("r+b") as file:
        try:
            os.fsync(file.fileno())
        except OSError as error:
            if error.errno not in _NO_FLUSH:  # what a file system cannot do is no reason to fail
                raise


def _take_free_name(hidden: Path, path: Path) -> None:
    """Give a finished file its name unless that is taken.

    Raises:
        OutputExists: it is taken.
    """
    try:
        if os.name == "nt":
            hidden.rename(path)  # refuses there to replace
            return
        try:
            path.hardlink_to(hidden)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            _reserve_and_replace(hidden, path)  # a file system without hard links, such as exFAT
    except FileExistsError:
        raise _exists(path) from None


def _reserve_and_replace(hidden: Path, path: Path) -> None:
    path.open("xb").close()
    try:
        hidden.replace(path)
    except BaseException:
        path.unlink()
        raise


def _exists(path: Path) -> OutputExists:
    came = f"{printable(str(path))} is there already"
    return OutputExists(came, hint="Choose another name, or type --overwrite (in Python overwrite=True)")
