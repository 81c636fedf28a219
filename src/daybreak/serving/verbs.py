"""HEAD, wrong verbs and unknown paths: the page, mounted at "/", would answer them in its own way."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.responses import StreamingResponse
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from daybreak.serving.problems import MEDIA_TYPE, Problem

PAGES_OWN = "/gradio_api/"
"""Paths whose answers the page's scripts read: they stay as they are."""

HEAD_ALONE = "daybreak.head"
"""Stands in the scope of a GET whose answer's body nobody will get."""


class Verbs:
    """ASGI middleware: 405 with `Allow` for a verb that a path does not have, HEAD wherever there is GET, and
    a problem instead of whatever else is told of a path that there is not.

    Args:
        app: what stands behind.
        routes: the API's own.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        self.app = app
        self.routes = [route for route in routes if isinstance(route, Route)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            Problem: 404, 405.
        """
        if scope["type"] != "http" or scope["path"].startswith(PAGES_OWN):
            await self.app(scope, receive, send)
            return
        verb, allowed = scope["method"], self._allowed(scope)
        if not allowed:
            await self._elsewhere(scope, receive, send)
        elif verb == "HEAD" and verb in allowed:
            inner = {**scope, "method": "GET", HEAD_ALONE: True}
            await self.app(inner, receive, _without_body(scope, inner, send))
        elif verb in allowed:
            await self.app(scope, receive, send)
        else:
            told = ", ".join(sorted(allowed))
            raise Problem(405, f"{verb} of this path; it takes {told}", headers={"Allow": told})

    def _allowed(self, scope: Scope) -> set[str]:
        """The verbs of a path of ours; empty for all other paths."""
        found: set[str] = set()
        for route in self.routes:
            if route.matches(scope)[0] is not Match.NONE:
                found |= route.methods or set()
                if "GET" in found and getattr(route, "response_class", None) is not StreamingResponse:
                    found.add("HEAD")  # of a stream, that would last as long as the stream
        return found

    async def _elsewhere(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What is not ours: the page, its files, or nothing at all."""

        replaced = False

        async def sending(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and _is_foreign(message):
                replaced = True
                problem = Problem(
                    message["status"], f"there is no {scope['method']} of this path", "See /docs"
                )
                await problem.response()(scope, receive, send)
            elif not replaced:
                await send(message)

        await self.app(scope, receive, sending)


def _is_foreign(start: Message) -> bool:
    """Whether an answer refuses in another form than ours."""
    return start["status"] in (404, 405) and Headers(raw=start["headers"]).get("content-type") != MEDIA_TYPE


def _without_body(scope: Scope, inner: Scope, send: Send) -> Send:
    """A `send` that passes on the head of an answer alone."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            scope["route"] = inner.get("route")  # it is counted by this
            await send(message)
        elif message["type"] == "http.response.body" and not message.get("more_body", False):
            await send({"type": "http.response.body", "body": b""})

    return sending
