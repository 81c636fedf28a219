"""What the routes of one server share."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.requests import Request

from daybreak.serving.jobs.runner import Runner
from daybreak.serving.jobs.store import JobStore
from daybreak.serving.limits import ServerConfig
from daybreak.serving.measures import Measures
from daybreak.serving.work import Places, Workers


@dataclass
class ServerState:
    """One server's parts.

    Attributes:
        config: as it was started.
        workers: threads for single pictures.
        in_flight: places for requests with a body.
        watchers: places for streams of progress.
        store: the jobs on the disk.
        runner: does them.
        measures: counters.
        ready: whether the server takes requests on: False while it starts and ends.
    """

    config: ServerConfig
    workers: Workers
    in_flight: Places
    watchers: Places
    store: JobStore
    runner: Runner
    measures: Measures
    ready: bool = field(default=False)


def state_of(request: Request) -> ServerState:
    """The state of the server that answers a request."""
    state: ServerState = request.app.state.daybreak
    return state
