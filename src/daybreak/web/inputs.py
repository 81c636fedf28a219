"""What the page's own requests may name: uploads alone, never an address that the server would fetch."""

from __future__ import annotations

import json
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from daybreak.serving.problems import Problem
from daybreak.web.folder import UPLOAD


class OnlyUploads:
    """ASGI middleware: Gradio downloads a file that a request names by its URL; here, nothing is fetched.

    Args:
        app: what stands behind.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            Problem: 422.
        """
        asks = scope["type"] == "http" and scope["method"] == "POST"
        if not asks or scope["path"] == UPLOAD or not scope["path"].startswith("/gradio_api/"):
            await self.app(scope, receive, send)
            return
        came: list[Message] = []
        while not came or came[-1].get("more_body", False):
            came.append(await receive())
        body = b"".join(message.get("body", b"") for message in came)
        try:
            fetches = _names_address(json.loads(body or b"null"))
        except (ValueError, RecursionError):
            raise Problem(422, "a body that is no JSON") from None
        if fetches:
            raise Problem(422, "a file by its address", "Upload it")

        async def again() -> Message:
            return came.pop(0) if came else await receive()

        await self.app(scope, again, send)


def _names_address(asked: Any) -> bool:
    """Whether there is a file in it whose path is a URL.

    >>> _names_address([{"path": "https://example.org/a.png"}]), _names_address({"path": "/a.png"})
    (True, False)
    """
    if isinstance(asked, dict):
        path = asked.get("path")
        return (isinstance(path, str) and "://" in path) or any(map(_names_address, asked.values()))
    return isinstance(asked, list) and any(map(_names_address, asked))
