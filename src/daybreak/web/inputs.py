"""What the page's own requests may name: uploads alone, never an address that the server would fetch."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from daybreak.serving.problems import Problem
from daybreak.serving.verbs import PAGES_OWN
from daybreak.web.folder import UPLOAD

FILES = (f"{PAGES_OWN}file=", f"{PAGES_OWN}file/")
"""How the paths begin by which Gradio hands out files, and would hand on what lies at an address."""

PROXY = f"{PAGES_OWN}proxy="


class OnlyUploads:
    """ASGI middleware: nothing is fetched from elsewhere, and no file of the machine is taken but uploads.

    Gradio downloads a file that a request names by its URL, in its body or in its path; and where it is
    mounted on another application, it takes any file of the machine for an upload.

    Args:
        app: what stands behind.
        uploads: folder that every file lies in which a request may name.
    """

    def __init__(self, app: ASGIApp, uploads: Path) -> None:
        self.app, self.uploads = app, uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            Problem: 403, 422.
        """
        if scope["type"] == "http" and asks_elsewhere(scope["path"]):
            raise Problem(403, "a file by its address", "Fetch it from there")
        asks = scope["type"] == "http" and scope["method"] == "POST"
        if not asks or scope["path"] == UPLOAD or not scope["path"].startswith(PAGES_OWN):
            await self.app(scope, receive, send)
            return
        came: list[Message] = []
        while not came or came[-1].get("more_body", False):
            came.append(await receive())
        body = b"".join(message.get("body", b"") for message in came)
        try:
            strange = _names_others(json.loads(body or b"null"), self.uploads)
        except (ValueError, RecursionError):
            raise Problem(422, "a body that is no JSON") from None
        if strange:
            raise Problem(422, "a file that is no upload", "Upload it")

        async def again() -> Message:
            return came.pop(0) if came else await receive()

        await self.app(scope, again, send)


def asks_elsewhere(path: str) -> bool:
    r"""Whether a request's path asks for what lies at an address, of the web or of a share (`\\host\name`).

    >>> asks_elsewhere("/gradio_api/file=https://example.org/a"), asks_elsewhere("/gradio_api/file=/a")
    (True, False)
    """
    if path.startswith(PROXY):
        return True
    return path.startswith(FILES) and "//" in unquote(path[len(FILES[0]) :]).replace("\\", "/")


def _names_others(asked: Any, uploads: Path) -> bool:
    """Whether there is a file in it that lies elsewhere than in a folder.

    >>> asked = [{"path": "/page/a.png"}, {"path": "/page/../b.png"}, {"path": "https://example.org/c.png"}]
    >>> [_names_others(one, Path("/page")) for one in asked]
    [False, True, True]
    """
    if isinstance(asked, dict):
        path = asked.get("path")
        strange = isinstance(path, str) and not Path(os.path.normpath(path)).is_relative_to(uploads)
        return strange or any(_names_others(value, uploads) for value in asked.values())
    return isinstance(asked, list) and any(_names_others(part, uploads) for part in asked)
