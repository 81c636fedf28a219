"""A place of pictures behind a URL (S3, GCS, Azure, HDFS, SFTP …) or on the disk: list, read, write whole."""

from __future__ import annotations

import errno
import posixpath
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daybreak.cluster.opening import is_url, open_url
from daybreak.cluster.reasons import reason_of, refused
from daybreak.cluster.writing import Writer
from daybreak.errors import BadSetting, PlaceError, UnreadablePicture, UnwritablePicture
from daybreak.image.paths import shown

_STAMPS = [
    "ETag",
    "etag",
    "md5Hash",
    "md5",
    "generation",
    "mtime",
    "LastModified",
    "last_modified",
    "updated",
    "modified",
    "modificationTime",
]
"""What file systems call the thing that changes when a file does; the surest first."""


@dataclass(frozen=True)
class Found:
    """One file of a place.

    Attributes:
        name: seen from the place, with slashes.
        bytes: its size.
        version: changes when the file does; "" where the file system tells nothing of the kind.
    """

    name: str
    bytes: int
    version: str


@dataclass(frozen=True)
class Unlisted:
    """A part of a place that could not be listed, and why."""

    name: str
    error: PlaceError


class Place:
    """A folder, a bucket, a part of one, or a single picture.

    Args:
        text: a URL that fsspec knows, or a path on this machine.

    Attributes:
        url: as given, paths made absolute.
        root: of the file system `fs`, without a slash at its end.

    Raises:
        BadSetting: an unknown kind of URL, or one with a password in it.
        MissingExtra: the optional part for URLs is not installed.
    """

    def __init__(self, text: str) -> None:
        self.url = text.rstrip("/") if is_url(text) else str(Path(text).absolute())
        self.fs, root = open_url(self.url)
        self.root: str = str(root).rstrip("/")
        self.local = "file" in _protocols(self.fs)
        self._only = ""  # the name of the picture, where the place is a single one
        self._write = Writer(self.fs, self.local)

    def check_source(self) -> None:
        """Look whether the place is there and may be read.

        Raises:
            PlaceError: it is not, or may not.
        """
        try:
            info = self.fs.info(self.root)
            if info["type"] == "file":
                self.root, _, self._only = self.root.rpartition("/")
        except Exception as error:
            raise refused(self.url, error) from error

    def check_target(self, source: Place) -> None:
        """Look whether results of another place may lie here.

        Raises:
            BadSetting: the two overlap so that results would pass for inputs, or nothing can be written
                whole here.
            PlaceError: the place does not answer or turns us away.
        """
        self._write.check(self.url)
        if self.same_system(source) and _inside(source.root, self.root):
            came = f"-o {shown(self.url)} holds the input {shown(source.url)}"
            raise BadSetting(came, "a place of its own for the results")
        try:
            self.fs.exists(self.root)
        except Exception as error:
            raise refused(self.url, error) from error

    def folds_case(self) -> bool:
        """Whether names that differ only in case are one here, as on most disks of Windows and macOS."""
        if not self.local:
            return "smb" in _protocols(self.fs)
        folder = next(path for path in (Path(self.root), *Path(self.root).parents) if path.is_dir())
        try:
            with tempfile.NamedTemporaryFile(prefix=".daybreak-", suffix=".tmp", dir=folder) as probe:
                return Path(probe.name).with_name(Path(probe.name).name.upper()).exists()
        except OSError:  # nothing can be written there, as will be told soon
            return False

    def same_system(self, other: Place) -> bool:
        """Whether the two lie on the same file system."""
        return bool(self.fs == other.fs)

    def files(self, left_out: Place | None = None) -> Iterator[Found | Unlisted]:
        """Every file, as a stream: a bucket by pages of 1,000 keys, others a folder at a time.

        Args:
            left_out: a place inside this one.
        """
        if self._only:
            yield self._found(self.fs.info(f"{self.root}/{self._only}"))
            return
        skipped = left_out.root if left_out is not None and self.same_system(left_out) else None
        listing = self._pages() if "s3" in _protocols(self.fs) else self._folders(skipped)
        for entry in listing:
            if isinstance(entry, Unlisted):
                yield entry
            elif skipped is None or not _inside(entry["name"], skipped):
                yield self._found(entry)

    def _pages(self) -> Iterator[dict[str, Any] | Unlisted]:
        bucket, _, prefix = self.root.partition("/")
        asked = {"Bucket": bucket, "Prefix": f"{prefix}/" if prefix else ""}
        while True:
            try:
                page = self.fs.call_s3("list_objects_v2", **asked)
            except Exception as error:
                yield Unlisted(self.url, refused(self.url, error))
                return
            for entry in page.get("Contents", ()):
                if not entry["Key"].endswith("/"):  # the empty object that stands for a folder
                    yield {**entry, "name": f"{bucket}/{entry['Key']}", "size": entry["Size"]}
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def _folders(self, skipped: str | None) -> Iterator[dict[str, Any] | Unlisted]:
        """Folder by folder in the order of names; links to files are followed, links to folders are not."""
        waiting = [self.root]
        while waiting:
            here = waiting.pop()
            if here == skipped:
                continue
            try:
                entries = sorted(self.fs.ls(here, detail=True), key=lambda entry: str(entry["name"]))
            except FileNotFoundError:
                continue  # removed since
            except Exception as error:
                yield Unlisted(here, refused(here, error))
                continue
            folders = [entry["name"].rstrip("/") for entry in entries if entry["type"] == "directory"]
            waiting.extend(folder for folder in reversed(folders) if folder != here)
            for entry in entries:
                if entry.get("islink"):
                    entry = self._followed(entry)
                if entry["type"] == "file":
                    yield entry

    def _followed(self, entry: dict[str, Any]) -> dict[str, Any]:
        try:
            return {**self.fs.info(entry["name"]), "name": entry["name"]}
        except OSError:
            return entry  # a link to nothing

    def _found(self, info: Mapping[str, Any]) -> Found:
        name = str(info["name"])[len(self.root) + 1 :]
        return Found(name, int(info["size"] or 0), _version(info))

    def path(self, name: Path | str) -> str:
        """The path of a file of this place in its file system."""
        relative = name.as_posix() if isinstance(name, Path) else name
        return f"{self.root}/{relative}" if self.root else relative

    def version(self, name: str) -> str:
        """As in `Found`; "" where the file is not there or cannot be looked at."""
        try:
            return _version(self.fs.info(self.path(name)))
        except Exception:  # it was written a moment ago: not to know it only costs a later run a look
            return ""

    def read_source(self, name: str) -> bytes:
        """All of an input.

        Raises:
            UnreadablePicture: it is gone or empty, or it alone may not be read: that of another user, or one
                in an archive (Glacier).
            PlaceError: the place is gone, does not answer or turns us away.
        """
        try:
            data = bytes(self.fs.cat_file(self.path(name)))
        except Exception as error:
            self.check_source()
            if isinstance(error, FileNotFoundError):
                told = f"{shown(name)} is no longer there"
                raise UnreadablePicture(told, hint="It was listed a moment ago") from None
            raise UnreadablePicture(f"{shown(name)} cannot be read ({reason_of(error)})") from error
        if not data:
            raise UnreadablePicture(f"{shown(name)} is empty (0 bytes)", "a picture", "Copy it again")
        return data

    def exists(self, target: Path) -> bool:
        """Whether there is a result of that name."""
        return bool(self.fs.exists(self.path(target)))

    def read(self, target: Path) -> bytes:
        """All of a result.

        Raises:
            UnwritablePicture: it is there and cannot be read.
            FileNotFoundError: it is not there.
        """
        try:
            return bytes(self.fs.cat_file(self.path(target)))
        except FileNotFoundError:
            raise
        except Exception as error:
            told = f"{shown(target)} in {self.url} cannot be looked at ({reason_of(error)})"
            raise UnwritablePicture(told) from OSError(errno.EIO, reason_of(error))

    def write(self, target: Path, data: bytes, *, overwrite: bool) -> None:
        """Write a result, whole or not at all.

        Raises:
            OutputExists: it is there and `overwrite` is False.
            UnwritablePicture: the place refuses.
        """
        self._write(self.path(target), data, overwrite=overwrite)

    def remove(self, name: str) -> None:
        """Remove a file of ours; one that is gone is fine."""
        try:
            self.fs.rm_file(self.path(name))
        except FileNotFoundError:
            pass
        except Exception as error:
            raise refused(f"{name} in {self.url}", error) from error


def _protocols(fs: Any) -> tuple[str, ...]:
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)


def _inside(path: str, folder: str) -> bool:
    path, folder = posixpath.normpath(path), posixpath.normpath(folder)
    return path == folder or path.startswith(folder.rstrip("/") + "/") or folder in ("", ".", "/")


def _version(info: Mapping[str, Any]) -> str:
    stamp = next((info[key] for key in _STAMPS if info.get(key)), None)
    size = info["size"] if "size" in info else info.get("Size")
    return "" if stamp is None else f"{size}:{str(stamp).strip(chr(34))}"
