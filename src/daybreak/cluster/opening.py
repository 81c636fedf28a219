"""From a URL to the file system behind it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from daybreak.cluster.masking import without_secrets
from daybreak.errors import BadSetting, MissingExtra, PlaceError

DOCS = "docs/cluster.md"


def is_url(text: str) -> bool:
    """Whether this names a place by a URL and not by a path.

    >>> is_url("s3://photos/in"), is_url("photos/in"), is_url("C:/photos")
    (True, False, False)
    """
    return "://" in text


def open_url(text: str) -> tuple[Any, str]:
    """The fsspec file system of a URL or a path, made so that it remembers no listing, and the path in it.

    Raises:
        BadSetting: a kind of URL that is not known or lacks its driver; one that holds a password.
        MissingExtra: fsspec is not installed.
        PlaceError: its server cannot be reached.
    """
    try:
        import fsspec.core
    except ImportError:
        raise MissingExtra("a place behind a URL, or a cluster,", "cluster") from None
    shown = without_secrets(text)
    if _password(text):
        came = f"a password in {shown}, where every list of processes shows it"
        raise BadSetting(
            came, "a URL without one", f"Give it in the environment or a file of its own: {DOCS}"
        )
    if "::" in text:
        raise BadSetting(f"a chain of places, {shown}", "one place, for example s3://bucket/folder")
    try:
        fs, path = fsspec.core.url_to_fs(text, use_listings_cache=False)
    except ImportError as error:
        kind = text.partition(":")[0]
        if kind in ("s3", "s3a"):
            raise MissingExtra(f"a place such as {kind}://", "cluster") from None
        raise BadSetting(f"{kind}:// needs a driver that is not installed", hint=str(error)) from None
    except ValueError as error:
        known = "a path, or a URL such as s3://, gs://, abfs://, hdfs:// or sftp://"
        raise BadSetting(f"{shown} ({without_secrets(str(error))})", known) from None
    except OSError as error:  # some log in at once
        why = without_secrets(error.strerror or str(error))
        raise PlaceError(f"{shown}: {why}", hint="Check the address and the network") from None
    return fs, path


def _password(text: str) -> bool:
    try:
        return urlsplit(text).password is not None
    except ValueError:  # no URL of the usual form: its file system will judge it
        return False
