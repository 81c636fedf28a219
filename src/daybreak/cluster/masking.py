"""Keys and passwords out of sentences, before they reach a log, a terminal or the manifest."""

from __future__ import annotations

import os
import re

from daybreak.text import printable

_SECRET_NAMES = re.compile(r"KEY|SECRET|TOKEN|PASSW|SAS|CREDENTIAL|CONNECTION_STRING", re.IGNORECASE)
_SHORTEST = 6  # a shorter value of such a variable is more likely a word ("true") than a secret

_IN_URLS = re.compile(r"(://[^\s/@:]*):[^\s/@]+@")
_IN_QUERIES = re.compile(
    r"([\w-]*(?:\bsig|secret|token|password|signature|account_?key|access_?key|x-amz-)[\w-]*\s*[=:]\s*)"
    r"[^\s&;,'\"]+",
    re.IGNORECASE,
)
_ACCESS_KEYS = re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{12,}\b")


def without_secrets(text: str) -> str:
    """One printable line in which stars stand for passwords, tokens and keys.

    What counts: values of the environment's variables whose names say so, passwords in URLs, signatures in
    queries, and access keys of AWS by their shape.

    >>> without_secrets("ftp://me:hidden@host/a?sig=abc%3D&x=1")
    'ftp://me:***@host/a?sig=***&x=1'
    """
    for name, value in os.environ.items():
        if len(value) >= _SHORTEST and _SECRET_NAMES.search(name) and not _is_path(value):
            text = text.replace(value, "***")
    text = _IN_URLS.sub(r"\1:***@", text)
    text = _IN_QUERIES.sub(r"\1***", text)
    return printable(" ".join(_ACCESS_KEYS.sub("***", text).split()))


def _is_path(value: str) -> bool:
    """Whether a variable rather says where a secret lies, as GOOGLE_APPLICATION_CREDENTIALS does."""
    return value.startswith(("/", "~", "."))
