"""Run an application with uvicorn, on connections that nobody can hold without using them."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from daybreak import heap
from daybreak.errors import BadSetting
from daybreak.serving.limits import Limits, ServerConfig
from daybreak.serving.problems import RETRY_SECONDS

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nconnection: close\r\n"
    b"retry-after: %d\r\ncontent-length: %d\r\n\r\n%b"
)
_FULL_BODY = (
    b'{"type": "about:blank", "title": "Service Unavailable", "status": 503, '
    b'"detail": "there are as many connections as this server takes on"}'
)


def protocol(limits: Limits) -> type[H11Protocol]:
    """uvicorn's protocol with limits that it lacks: connections, and seconds for what a client keeps waiting.

    Without the second, a client holds its connection for ever: by a header a minute (slow loris), by the body
    of a request that is answered already, or by not reading an answer or its end.
    """

    class Timed(H11Protocol):
        timer: asyncio.TimerHandle | None = None
        watch: asyncio.TimerHandle | None = None
        stalled: asyncio.TimerHandle | None = None
        closing = False

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._look()
            if len(self.connections) > limits.connections:
                transport.write(_FULL % (RETRY_SECONDS, len(_FULL_BODY), _FULL_BODY))
                transport.close()
                return
            self._set_timer()

        def data_received(self, data: bytes) -> None:
            if self.transport.is_closing():
                return
            super().data_received(data)
            answered = self.cycle is None or self.cycle.response_complete
            if self.conn.their_state is not h11.IDLE and not answered:  # a body has its own limits
                self._unset_timer()
            elif self.timer is None:
                self._set_timer()

        def connection_lost(self, exc: Exception | None) -> None:
            self._unset_timer()
            for handle in filter(None, (self.watch, self.stalled)):
                handle.cancel()
            super().connection_lost(exc)

        def pause_writing(self) -> None:
            super().pause_writing()
            self.stalled = self.loop.call_later(limits.receive_seconds, self.transport.abort)

        def resume_writing(self) -> None:
            if self.stalled is not None:
                self.stalled.cancel()
            super().resume_writing()

        def _look(self) -> None:
            """Break off what was being closed when it was last looked at: its end is not read."""
            if self.closing:
                self.transport.abort()
                return
            self.closing = self.transport.is_closing()
            self.watch = self.loop.call_later(limits.receive_seconds, self._look)

        def _set_timer(self) -> None:
            self.timer = self.loop.call_later(limits.header_seconds, self.transport.close)

        def _unset_timer(self) -> None:
            if self.timer is not None:
                self.timer.cancel()
                self.timer = None

    return Timed


def make_server(app: ASGIApp, config: ServerConfig) -> uvicorn.Server:
    """A server for an application, not yet running.

    Args:
        app: from `create_app`.
        config: where it listens and its limits.
    """
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=config.host,
            port=config.port,
            http=protocol(config.limits),
            ws="none",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=10,
        )
    )


def listen(config: ServerConfig) -> socket.socket:
    """A socket at the host and the port, on which connections wait from now on.

    Raises:
        BadSetting: the port is taken or may not be used, or there is no such host.
    """
    listener: socket.socket | None = None
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, number)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError as error:
        if listener is not None:
            listener.close()
        came = f"--host {config.host} --port {config.port} ({error.strerror or error})"
        raise BadSetting(came, "an address of this machine that is free", "Give another --port") from None
    return listener


_FILES = 10_240  # that macOS allows where it says that there is no limit


def allow_open_files() -> None:
    """Let this process have as many files open as it may; one form may bring 1,000 of them."""
    try:
        import resource
    except ImportError:  # no Unix
        return
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for wanted in (most, min(most, _FILES)):
        with suppress(OSError, ValueError):  # a system that allows fewer than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
            return


def run(app: ASGIApp, config: ServerConfig, listener: socket.socket) -> None:
    """Serve until the process is told to stop (SIGINT, SIGTERM); what is being answered is finished."""
    heap.tell({heap.ARENA_MAX: 1})  # else each thread keeps what its largest picture took
    allow_open_files()
    make_server(app, config).run(sockets=[listener])
