"""How much one server takes on: each limit with its default, once, and where the server listens."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from pathlib import Path

from daybreak.errors import BadSetting

MEBI = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What is refused, and with which status.

    Attributes:
        bytes: of one request to /v1/enhance, and of each picture of a job (413).
        pixels: of one picture, by its header, before anything is decoded (413).
        seconds: from the last byte of a request to the first of its answer (503).
        receive_seconds: for a request to arrive (408), and for each 64 KiB of an answer and its end to be
            taken, else the connection is closed.
        receive_rate: bytes of a request that earn it one second more: large ones come over thin lines too.
        header_seconds: for the head of a request to arrive, and for what still comes of one that is answered,
            else the connection is closed.
        connections: open at the same time (503).
        in_flight: requests that are received, wait or are worked on at the same time (429).
        jobs_queued: jobs that wait (429).
        job_bytes: of one request to /v1/jobs, and of what a zip in it unpacks to (413).
        job_pictures: in one job (413).
        kept_bytes: of all jobs together, with results that nobody fetched; then no more are taken (503), and
            a job that would make more has failed.
        watchers: streams of progress at the same time (429).
        keep_hours: how long the result of a job stays.
    """

    bytes: int = 64 * MEBI
    pixels: int = 64_000_000
    seconds: float = 60.0
    receive_seconds: float = 60.0
    receive_rate: int = 64 << 10
    header_seconds: float = 10.0
    connections: int = 512
    in_flight: int = 32
    jobs_queued: int = 16
    job_bytes: int = 1024 * MEBI
    job_pictures: int = 1000
    kept_bytes: int = 16 * 1024 * MEBI
    watchers: int = 64
    keep_hours: float = 24.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value <= 0:
                raise BadSetting(f"{name} = {value:g}", "a limit above 0")


@dataclass(frozen=True)
class ServerConfig:
    """Where a server listens, who may use it, and where it keeps its jobs.

    Attributes:
        state: folder for the jobs; made if it is missing.
        host: name or address to listen on.
        port: 0 takes any free one.
        token: asked of every request as `Authorization: Bearer TOKEN` ("" for none).
        insecure: listen beyond this machine without a token all the same.
        workers: pictures at the same time.
        limits: see `Limits`.

    Raises:
        BadSetting: a host that others can reach without a token, or a value out of its range.
    """

    state: Path
    host: str = "127.0.0.1"
    port: int = 8000
    token: str = field(default="", repr=False)
    insecure: bool = False
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise BadSetting(f"port {self.port}", "0 to 65535")
        if self.workers < 1:
            raise BadSetting(f"{self.workers} workers", "at least 1")
        if not (self.token.isascii() and self.token.isprintable()) or " " in self.token:
            raise BadSetting("a token with a space or a letter beyond ASCII", "one word of ASCII")
        if not (is_loopback(self.host) or self.token or self.insecure):
            raise BadSetting(
                f"--host {self.host} without a token: everyone who reaches it could use it",
                "a --token",
                "Give --token (or the variable DAYBREAK_TOKEN), or say --insecure",
            )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on a host.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def default_state() -> Path:
    """Where a server keeps its jobs unless told: XDG_STATE_HOME, or what stands in for it."""
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "daybreak" / "serve"
