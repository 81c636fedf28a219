"""The application: made of its routes, its limits and its jobs by `create_app`."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import cv2
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from daybreak.errors import DaybreakError
from daybreak.serving import health, login, pictures, reference
from daybreak.serving.guard import Guard
from daybreak.serving.jobs import routes as jobs
from daybreak.serving.jobs.runner import Runner
from daybreak.serving.jobs.store import JobStore
from daybreak.serving.limits import ServerConfig
from daybreak.serving.measures import Counted, Measures
from daybreak.serving.problems import SCHEMA, Problem, problem_of
from daybreak.serving.state import ServerState
from daybreak.serving.verbs import Verbs
from daybreak.serving.work import Places, Workers
from daybreak.version import __version__

DESCRIPTION = (
    "Pictures in, brighter pictures out, with metadata, profile and bit depth kept. "
    "Whatever is refused is answered with application/problem+json."
)


def create_app(config: ServerConfig) -> FastAPI:
    """The HTTP API of one server; its threads start with the application's lifespan.

    Args:
        config: where it listens decides which hosts it answers for; its state folder is made.

    Raises:
        UnwritablePicture: the state folder cannot be made.
    """
    state = _parts(config)
    app = FastAPI(
        title="daybreak",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,  # FastAPI's own page loads its scripts from elsewhere: see `reference`
        redoc_url=None,
        lifespan=_lifespan,
        telemetry={"auto_configure": False},  # nothing is reported anywhere
    )
    app.state.daybreak = state
    routes = list(app.routes)
    for part in (pictures, jobs, health, reference, login):
        app.include_router(part.router)
        routes += part.router.routes
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(DaybreakError, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_middleware(Verbs, routes=routes)
    app.add_middleware(Guard, config=config)
    app.add_middleware(Counted, measures=state.measures)  # the last is the outermost
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _parts(config: ServerConfig) -> ServerState:
    limits = config.limits
    store = JobStore(config.state)
    state = ServerState(
        config,
        Workers(config.workers),
        Places(limits.in_flight, "requests in flight"),
        Places(limits.watchers, "streams of progress"),
        store,
        Runner(store, limits),
        Measures(),
    )
    state.measures.watch("daybreak_in_flight", "Requests in flight.", lambda: state.in_flight.taken)
    state.measures.watch(
        "daybreak_given_up", "Pictures worked on though answered already.", lambda: state.workers.given_up
    )
    state.measures.watch("daybreak_jobs_queued", "Jobs that wait.", lambda: store.count("queued"))
    return state


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Threads begin, and end; OpenCV's are shared out among the pictures that are worked on together."""
    state: ServerState = app.state.daybreak
    threads_before = cv2.getNumThreads()
    cv2.setNumThreads(max(1, (os.cpu_count() or 1) // state.workers.threads))
    state.runner.start()
    state.ready = True
    try:
        yield
    finally:
        state.ready = False
        state.runner.close()
        state.workers.close()
        state.store.close()
        cv2.setNumThreads(threads_before)


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, DaybreakError)
    return problem_of(error).response()


async def _http(_: Request, error: Exception) -> Response:
    """What the framework refuses: an unknown path, another verb, a body that is no form."""
    assert isinstance(error, HTTPException)
    return Problem(error.status_code, str(error.detail), headers=dict(error.headers or {})).response()


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return Problem(422, f"{'.'.join(map(str, first['loc']))}: {first['msg']}").response()


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI, made once: with the form of a problem, and the token where one is asked for."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        parts = schema.setdefault("components", {})
        parts["schemas"] = {"Problem": SCHEMA}
        if app.state.daybreak.config.token:
            parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            for path, verbs in schema["paths"].items():
                for verb in verbs.values():
                    verb["security"] = [] if path in ("/healthz", "/readyz") else [{"token": []}]
        app.openapi_schema = schema
    return app.openapi_schema
