"""What stands before every route: who may come in, how much they may bring, and how long they may take."""

from __future__ import annotations

import asyncio
import hmac
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from daybreak.serving.limits import ServerConfig, is_loopback
from daybreak.serving.problems import LOG, Problem

COOKIE = "daybreak"
OPEN = frozenset({"/healthz", "/readyz", "/login"})
"""Paths that ask for no token."""

LARGE = ("/v1/jobs", "/gradio_api/upload")
"""Paths whose requests may have `Limits.job_bytes`."""

PICTURE = "/v1/enhance"
"""The path whose requests may have `Limits.bytes`; those of all others have words at most."""

WORDS = 1 << 20  # bytes


def badge(token: str) -> str:
    """What a browser keeps instead of the token once it has shown it."""
    return hmac.new(token.encode("ascii"), b"daybreak page", sha256).hexdigest()


def knows_token(given: str, token: str) -> bool:
    """Whether a text is the token, in a time that tells nothing about either."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode("ascii"))


class Guard:
    """ASGI middleware, outermost.

    Refuses requests for another host (a page elsewhere that had its name pointed here), from another page
    (`Origin`), without the token, with too large a body or too slowly sent; and turns whatever no one else
    caught into a problem without a traceback.

    Args:
        app: what stands behind.
        config: of the server.
    """

    def __init__(self, app: ASGIApp, config: ServerConfig) -> None:
        self.app, self.config = app, config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one connection through, or answer it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # nothing here speaks WebSocket
            await send({"type": "websocket.close", "code": 1008})
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            headers = Headers(scope=scope)
            self._check_place(scope, headers)
            self._check_token(scope, headers)
            await self.app(scope, self._bounded(scope, headers, receive), sending)
        except Exception as error:
            if begun:  # half an answer cannot be taken back: the connection breaks
                raise
            problem = error if isinstance(error, Problem) else _unexpected(error)
            await problem.response()(scope, receive, sending)

    def _check_place(self, scope: Scope, headers: Headers) -> None:
        """Refuse other hosts where only this machine is served without a token, and other pages everywhere.

        Raises:
            Problem: 403.
        """
        host, origin = headers.get("host", ""), headers.get("origin")
        alone = is_loopback(self.config.host) and not self.config.token  # else a proxy may stand before it
        if alone and not is_loopback(_name(host)):
            raise Problem(403, "a request for another host than this machine")
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return
        if origin and origin.partition("://")[2] != host:
            raise Problem(403, "a request from a page of another host")
        if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            raise Problem(403, "a request from a page of another host")

    def _check_token(self, scope: Scope, headers: Headers) -> None:
        """Refuse who does not know the token.

        Raises:
            Problem: 401; 303 to the page that asks for the token, where a browser wants a page.
        """
        token = self.config.token
        if not token or scope["path"] in OPEN:
            return
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and knows_token(given.strip(), token):
            return
        if knows_token(_cookie(headers), badge(token)):
            return
        if "text/html" in headers.get("accept", "") and scope["method"] == "GET":
            raise Problem(303, "the token is asked for first", headers={"Location": "/login"})
        raise Problem(401, "no token, or a wrong one", headers={"WWW-Authenticate": "Bearer"})

    def _bounded(self, scope: Scope, headers: Headers, receive: Receive) -> Receive:
        """The body of a request, until it is too large or takes too long.

        Raises:
            Problem: 413 at once, where the header says so already.
        """
        limits = self.config.limits
        path = scope["path"]
        most = limits.job_bytes if path in LARGE else limits.bytes if path == PICTURE else WORDS
        told = headers.get("content-length", "")
        if told.isdigit() and int(told) > most:
            raise _too_large(most)
        return bounded(receive, most, limits.receive_seconds, limits.receive_rate)


def bounded(receive: Receive, most: int, seconds: float, rate: int) -> Receive:
    """A `receive` of at most so many bytes, in so many seconds and one more for each `rate` of them."""
    loop = asyncio.get_running_loop()
    came, ended, deadline = 0, False, 0.0

    async def receiving() -> Message:
        nonlocal came, ended, deadline
        if ended:  # what is waited for now is the end of the connection
            return await receive()
        deadline = deadline or loop.time() + seconds
        try:
            message = await asyncio.wait_for(receive(), max(0.0, deadline + came / rate - loop.time()))
        except TimeoutError:
            raise Problem(
                408, f"the body came too slowly: {came:,} bytes in time", headers={"Connection": "close"}
            ) from None
        came += len(message.get("body", b""))
        ended = not message.get("more_body", False)
        if came > most:
            raise _too_large(most)
        return message

    return receiving


def _too_large(most: int) -> Problem:
    return Problem(
        413, "the request is too large", f"Send at most {most:,} bytes", headers={"Connection": "close"}
    )


def _unexpected(error: Exception) -> Problem:
    LOG.error("unexpected error", exc_info=error)
    return Problem(500, "an unexpected fault of the server; it is in its log")


def _name(host: str) -> str:
    """The name in a `Host` header without its port; "" where it makes no sense.

    >>> _name("localhost:8000"), _name("[::1]:8000"), _name("someone@localhost"), _name("[")
    ('localhost', '::1', '', '')
    """
    try:
        return "" if "@" in host else urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _cookie(headers: Headers) -> str:
    """The badge among the cookies of a host, which other applications of it set as they like."""
    return cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
