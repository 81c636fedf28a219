"""Files of any file system, written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import secrets
from pathlib import Path
from typing import Any

from daybreak.cluster.reasons import reason_of
from daybreak.errors import BadSetting, OutputExists, UnwritablePicture
from daybreak.files import make_folder, write_whole
from daybreak.image.paths import shown

_PUTS_WHOLE = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "memory"}
"""Protocols in which a file appears when all of it has arrived, and not before."""


class Writer:
    """Writes files of one file system.

    On a disk: `daybreak.files`. Where a put shows a file only when all of it is there: a put. Elsewhere:
    under another name in the same folder, then moved; what a kill leaves behind is called
    `.daybreak-….tmp`.

    Args:
        fs: of fsspec.
        local: whether it is this machine's disk.
    """

    def __init__(self, fs: Any, local: bool) -> None:
        self.fs, self.local = fs, local
        kinds = {fs.protocol} if isinstance(fs.protocol, str) else set(fs.protocol)
        self._puts_whole = bool(kinds & _PUTS_WHOLE)
        self._refuses_to_replace = bool(kinds & {"s3", "s3a"})

    def check(self, url: str) -> None:
        """Look whether files can appear whole here.

        Raises:
            BadSetting: its moves are copies, which a kill could leave half done.
        """
        from fsspec.spec import AbstractFileSystem

        if not (self.local or self._puts_whole) and type(self.fs).mv is AbstractFileSystem.mv:
            kind = url.partition(":")[0]
            raise BadSetting(
                f"-o {shown(url)}: {kind}:// can neither put a file at once nor rename one",
                "a place where no kill leaves half a file, such as s3://, gs://, abfs://, hdfs:// or sftp://",
            )

    def __call__(self, path: str, data: bytes, *, overwrite: bool) -> None:
        """Write one file.

        Raises:
            OutputExists: there is one and `overwrite` is False.
            UnwritablePicture: the file system refuses; its cause is an `OSError`.
        """
        if self.local:
            make_folder(Path(path).parent)
            return write_whole(Path(path), data, overwrite=overwrite)
        try:
            self._put(path, data, overwrite) if self._puts_whole else self._move_in(path, data, overwrite)
        except OutputExists:
            raise
        except Exception as error:
            if not overwrite and self._is_there(path):  # somebody was quicker, or the answer got lost
                raise OutputExists(f"{shown(path)} is there already") from error
            cause = error if isinstance(error, OSError) else OSError(errno.EIO, reason_of(error))
            raise UnwritablePicture(f"{shown(path)} cannot be written ({reason_of(error)})") from cause
        return None

    def _put(self, path: str, data: bytes, overwrite: bool) -> None:
        if overwrite:
            self.fs.pipe_file(path, data)
        elif self._refuses_to_replace:
            try:
                self.fs.pipe_file(path, data, mode="create")
            except OSError as error:
                if error.errno != errno.ENOSYS:  # a server of S3's kind that knows no conditions
                    raise
                self.fs.pipe_file(path, data)
        else:
            if self.fs.exists(path):
                raise OutputExists(f"{shown(path)} is there already")
            self.fs.pipe_file(path, data)

    def _move_in(self, path: str, data: bytes, overwrite: bool) -> None:
        folder, _, _ = path.rpartition("/")
        if not overwrite and self.fs.exists(path):
            raise OutputExists(f"{shown(path)} is there already")
        if folder:
            self.fs.makedirs(folder, exist_ok=True)
        hidden = f"{folder}/.daybreak-{secrets.token_hex(8)}.tmp"
        try:
            self.fs.pipe_file(hidden, data)
            if overwrite and self.fs.exists(path):  # many refuse to move onto a file
                self.fs.rm_file(path)
            self.fs.mv(hidden, path)
        except BaseException:
            with contextlib.suppress(Exception):
                self.fs.rm_file(hidden)
            raise

    def _is_there(self, path: str) -> bool:
        try:
            return bool(self.fs.exists(path))
        except Exception:  # it has just refused to write: what it says of this hardly matters
            return False
