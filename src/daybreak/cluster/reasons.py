"""What a file system's error means, as a sentence that says what to do and holds no secret."""

from __future__ import annotations

import re

from daybreak.cluster.masking import without_secrets
from daybreak.cluster.opening import DOCS
from daybreak.errors import PlaceError

_LONGEST = 200  # signs of a library's own message

_NO_KEYS = re.compile(r"(No|Partial|Default|Retriev\w*)Credentials|TokenRetrieval|CredentialRetrieval")
_NO_ANSWER = re.compile(r"Connection|Timeout|ClientConnector|ServerDisconnected|HTTPClientError")
"""Names of the error classes of botocore, aiohttp and Google's and Azure's libraries."""


def reason_of(error: BaseException) -> str:
    """What a library says, in one line of reasonable length."""
    text = without_secrets(getattr(error, "strerror", None) or str(error) or type(error).__name__)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def refused(what: str, error: BaseException) -> PlaceError:
    """The error to raise where a place could not be listed, read or written.

    Args:
        what: the place or file.
        error: what its file system raised.
    """
    what, reason = without_secrets(what), reason_of(error)
    if isinstance(error, PlaceError):
        return error
    if _is(error, _NO_KEYS):
        hint = f"Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; others: {DOCS}"
        return PlaceError(f"{what}: no credentials were found ({reason})", hint=hint)
    if isinstance(error, PermissionError):
        hint = "Check the key, and that it may list and read the input and write the results"
        return PlaceError(f"{what}: the credentials are refused ({reason})", hint=hint)
    if isinstance(error, FileNotFoundError):
        return PlaceError(f"{what}: there is no such bucket or folder", hint="Check the name")
    if isinstance(error, (TimeoutError, ConnectionError)) or _is(error, _NO_ANSWER):
        return PlaceError(
            f"{what}: the server does not answer ({reason})", hint="Check the network and endpoint"
        )
    return PlaceError(f"{what}: {type(error).__name__}: {reason}")


def _is(error: BaseException, names: re.Pattern[str]) -> bool:
    """Whether an error, or what caused it, is of such a class; the libraries need not be installed."""
    seen: BaseException | None = error
    while seen is not None:
        if any(names.search(kind.__name__) for kind in type(seen).__mro__):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
