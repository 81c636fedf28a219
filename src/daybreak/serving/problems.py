"""What a request that cannot be answered gets: a status and problem+json (RFC 9457), never a traceback."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from daybreak.errors import DaybreakError, PictureTooLarge, RegistryError, UnknownName, WeightsError
from daybreak.text import printable

LOG = logging.getLogger("daybreak.serving")

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2

_HINTS = {
    "Type --format": "Ask for format",
    " --format ": " ",
    "Films: daybreak video": "Films: kind=video at /v1/jobs",
}
"""What the command line's hints say here."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "Why a request was not answered (RFC 9457).",
    "properties": {
        "type": {"type": "string", "const": "about:blank"},
        "title": {"type": "string", "description": "What the status means."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What came and what was expected, in a sentence."},
        "hint": {"type": "string", "description": "What to do instead."},
        "nearest": {"type": "array", "items": {"type": "string"}, "description": "Names that were meant."},
    },
    "required": ["type", "title", "status", "detail"],
    "additionalProperties": False,
}
"""JSON schema of the body."""


class Problem(Exception):
    """Ends a request with a status and a sentence.

    Args:
        status: 4xx or 5xx.
        detail: what came and what was expected.
        hint: what to do instead ("" where there is nothing to do).
        retry_after: seconds after which to try again; None where that would not help.
        nearest: names that may have been meant.
        headers: besides.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        hint: str = "",
        *,
        retry_after: int | None = None,
        nearest: tuple[str, ...] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.hint, self.nearest = status, detail, hint, nearest
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(retry_after)

    def response(self) -> Response:
        """The answer."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": printable(self.detail),
        }
        if self.hint:
            body["hint"] = printable(self.hint)
        if self.nearest:
            body["nearest"] = list(self.nearest)
        return Response(json.dumps(body), self.status, self.headers, MEDIA_TYPE)


def busy(detail: str, status: int = HTTPStatus.TOO_MANY_REQUESTS) -> Problem:
    """Too much at once: the same request is welcome a little later."""
    return Problem(status, detail, "Try again a little later", retry_after=RETRY_SECONDS)


def problem_of(error: DaybreakError | MemoryError) -> Problem:
    """The problem that an error of the library stands for.

    413 for a picture of too many pixels, 503 for too little memory, 500 for what no request can mend
    (damaged weights), 422 for the rest: the request is to be corrected.
    """
    if isinstance(error, MemoryError):
        return busy("there is not enough memory for this picture now", HTTPStatus.SERVICE_UNAVAILABLE)
    detail = error.came + (f"; expected {error.expected}" if error.expected else "")
    if isinstance(error, PictureTooLarge):
        return Problem(413, detail, error.hint)
    if isinstance(error, UnknownName):
        hint = f"Did you mean {' or '.join(error.nearest)}?" if error.nearest else "See /v1/methods"
        return Problem(422, detail, hint, nearest=error.nearest)
    if (told := of_the_server(error)) is not None:
        return Problem(500, told)
    hint = error.hint
    for typed, asked in _HINTS.items():
        hint = hint.replace(typed, asked)
    return Problem(422, detail, hint)


def of_the_server(error: Exception) -> str | None:
    """What is told, and nothing more, where the fault is the server's own; the log says it all."""
    if not isinstance(error, (WeightsError, RegistryError)):
        return None
    LOG.error("%s", error)  # it names files of this machine
    return "this method is damaged on the server; its log says how"


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What the OpenAPI says of the problems that a route may answer with."""
    described: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        described[status] = {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        if status in (429, 503):
            described[status]["headers"] = {
                "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}
            }
    return described
