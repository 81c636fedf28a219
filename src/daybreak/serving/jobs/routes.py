"""`/v1/jobs`: queue many pictures, watch them being done, fetch the result, cancel."""

from __future__ import annotations

import asyncio
import json
import math
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Annotated, Any

from fastapi import APIRouter
from fastapi import Path as PathParameter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from daybreak.serving.archive import HEADER, HEADERS, check_names, manifest_sha256
from daybreak.serving.asking import Asked, form, headers, parameters, understand
from daybreak.serving.jobs.intake import take_in
from daybreak.serving.jobs.kinds import KINDS, RESULTS, JobKind, get_kind, result_type
from daybreak.serving.jobs.store import Job
from daybreak.serving.problems import RETRY_SECONDS, Problem, busy, responses
from daybreak.serving.receiving import media_type, received, shown_name
from daybreak.serving.state import ServerState, state_of
from daybreak.serving.verbs import HEAD_ALONE
from daybreak.serving.work import Place

router = APIRouter(prefix="/v1/jobs")

FIELD = "files"
_LOOK_SECONDS = 0.2  # between two looks at a job that is watched
_ALIVE_SECONDS = 15.0  # a comment at least this often, so that proxies keep the line open

JobId = Annotated[
    str, PathParameter(pattern="^[0-9a-f]{32}$", description="From the answer that queued the job.")
]

_TIME = {"type": "number", "description": "Seconds since 1970."}
_JOB: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "kind": {"type": "string", "enum": list(KINDS)},
        "state": {"type": "string", "enum": ["queued", "running", "done", "failed"]},
        "done": {
            "type": "integer",
            "description": "Files (of a film: frames) done or failed.",
        },
        "failed": {"type": "integer"},
        "total": {"type": "integer"},
        "error": {"type": "string", "description": "Why there is no result."},
        "created": _TIME,
        "ended": {**_TIME, "type": ["number", "null"]},
        "expires": {**_TIME, "type": ["number", "null"]},
    },
    "required": ["id", "kind", "state", "done", "failed", "total"],
}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILES = {kind: _BINARY for _, _, kind, _ in RESULTS}
_AS_JSON = {"content": {"application/json": {"schema": _JOB}}}
_KIND = {
    "name": "kind",
    "in": "query",
    "required": False,
    "description": " ".join(f"{kind.name}: {kind.summary}" for kind in KINDS.values()),
    "schema": {"type": "string", "enum": list(KINDS), "default": "pictures"},
}


def _form() -> dict[str, Any]:
    files = {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}}
    schema = form({FIELD: files})
    schema["properties"]["kind"] = {**_KIND["schema"], "description": _KIND["description"]}  # type: ignore[dict-item]
    return schema


@router.post(
    "",
    status_code=202,
    summary="Queue a job",
    response_class=JSONResponse,
    responses={
        202: {**_AS_JSON, "headers": {"Location": {"schema": {"type": "string"}}}},
        **responses(400, 401, 403, 408, 413, 415, 422, 429, 500, 503),
    },
    openapi_extra={
        "parameters": [_KIND, *parameters()],
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _form()}}},
    },
)
async def queue(request: Request) -> Response:
    """Send the files as the fields `files` of a form: pictures, zips of pictures, or both; or one film.

    The words that `/v1/enhance` takes hold for each of them.
    """
    state = state_of(request)
    if not state.ready:
        raise busy("the server is about to end", 503)
    if media_type(request) != "multipart/form-data":
        raise Problem(415, "a body that is no multipart form", f"Send files as its fields {FIELD}")
    await run_in_threadpool(_check_room, state)
    with state.in_flight.take():
        async with received(request, state.config.limits.job_pictures) as came:
            if wrong := [field for field, _ in came.files if field != FIELD]:
                raise Problem(422, f"files under the name {wrong[0][:40]}", f"Name each {FIELD}")
            words = dict(came.values)
            kind = get_kind(words.pop("kind", "pictures"))
            asked = await run_in_threadpool(understand, words)
            files = [(shown_name(file, f"{place}"), file.file) for place, (_, file) in enumerate(came.files)]
            with _disk():
                id = state.store.new_id()
            try:
                names = await run_in_threadpool(_take_in, state, kind, id, files, asked)
                await run_in_threadpool(_check_room, state)  # others may have come meanwhile
                with _disk():
                    job = state.store.add(id, kind.name, asked.values, names)
            except BaseException:
                state.store.drop(id)
                raise
    state.runner.wake()
    return JSONResponse(job.told(), 202, {"Location": f"/v1/jobs/{id}"})


class _Watching(StreamingResponse):
    """A stream of events that gives its place back when it ends, however that comes."""

    def __init__(self, events: AsyncIterator[bytes], place: Place) -> None:
        super().__init__(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._place:
            await super().__call__(scope, receive, send)


def _check_room(state: ServerState) -> None:
    """Whether one job more may come.

    Raises:
        Problem: 429, too many wait; 503, too much lies here.
    """
    limits = state.config.limits
    if state.store.count("queued") >= limits.jobs_queued:
        raise busy(f"{limits.jobs_queued} jobs wait already, as many as this server takes on")
    if state.store.size() > limits.kept_bytes:
        told = f"the jobs here take {limits.kept_bytes:,} bytes already, as many as this server keeps"
        raise Problem(503, told, "Fetch results and cancel their jobs (DELETE)", retry_after=60)


@contextmanager
def _disk() -> Iterator[None]:
    """Answer 503 where the disk does not take what is written in the block."""
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        reason = getattr(error, "strerror", None) or error
        raise busy(f"there is no room for the job ({reason})", 503) from None


def _take_in(
    state: ServerState, kind: JobKind, id: str, files: Sequence[tuple[str, IO[bytes]]], asked: Asked
) -> list[str]:
    """Lay the files of a job down, and refuse what its kind cannot take; in a thread.

    Raises:
        Problem, DaybreakError: the request is to be corrected.
    """
    folder, limits = state.store.inputs(id), state.config.limits
    names = take_in(files, folder, limits, single=kind.single)
    if asked.output.evidence:
        check_names(names)
    if kind.check is not None:
        for path, name in zip(sorted(folder.iterdir()), names, strict=True):
            kind.check(path, name, asked, limits)
    return names


_GONE = "there is no such job: it never was, was cancelled, or its time is over"


def _find(request: Request, id: str) -> Job:
    job = state_of(request).store.find(id)
    if job is None:
        raise Problem(404, _GONE)
    return job


@router.get(
    "/{id}",
    summary="How far a job is",
    response_class=JSONResponse,
    responses={200: _AS_JSON, **responses(401, 403, 404, 422)},
)
async def look(request: Request, id: JobId) -> Response:
    """State, files done and failed, and when the result goes."""
    return JSONResponse(_find(request, id).told())


@router.delete(
    "/{id}",
    status_code=204,
    summary="Cancel a job",
    response_class=Response,
    responses={204: {"description": "It is gone."}, **responses(401, 403, 404, 422, 503)},
)
async def cancel(request: Request, id: JobId) -> Response:
    """Stop it where it is, and remove all of it, the result too."""
    _find(request, id)
    with _disk():
        await run_in_threadpool(state_of(request).store.drop, id)
    return Response(status_code=204)


class _Result(FileResponse):
    """A file, or the part of it that `Range` asks for; nothing of it is read for HEAD."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer.

        Raises:
            Problem: 400, 416: a `Range` that makes no sense, or lies beyond the end.
        """

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                told = f"the range {Headers(scope=scope)['range']} of {self.headers['content-length']} bytes"
                size = {"Content-Range": f"bytes */{self.headers['content-length']}"}
                raise Problem(message["status"], told, "Ask for bytes=FIRST-LAST", headers=size)
            await send(message)

        method = "HEAD" if scope.get(HEAD_ALONE) else scope["method"]
        await super().__call__({**scope, "method": method}, receive, sending)


@router.get(
    "/{id}/result",
    summary="What a job made",
    response_class=FileResponse,
    responses={
        200: {"content": _FILES, "headers": headers(HEADERS)},
        206: {"content": _FILES | {"multipart/byteranges": _BINARY}, "headers": headers(HEADERS)},
        **responses(400, 401, 403, 404, 409, 416, 422),
    },
)
async def result(request: Request, id: JobId) -> Response:
    """Of pictures, a zip with `report.json`, which says what became of each; of a film, the film.

    With `evidence` the zip has `evidence.json` too, and a film comes in one.
    """
    job = _find(request, id)
    if job.state == "failed":
        raise Problem(409, f"the job failed: {job.error}")
    if job.state != "done":
        raise Problem(409, f"the job is {job.state}", "Watch its events", retry_after=RETRY_SECONDS)
    path = state_of(request).store.result(id)
    try:
        media, suffix = await run_in_threadpool(result_type, path)
        sealed = await run_in_threadpool(manifest_sha256, path) if suffix == ".zip" else ""
    except FileNotFoundError:  # cancelled in this moment
        raise Problem(404, _GONE) from None
    left = max(0, math.floor((job.expires or 0) - time.time()))
    return _Result(
        path,
        media_type=media,
        filename=f"daybreak-{id[:8]}{suffix}",
        headers={"Cache-Control": f"private, max-age={left}"} | ({HEADER: sealed} if sealed else {}),
    )


@router.get(
    "/{id}/events",
    summary="Watch a job",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
        **responses(401, 403, 404, 422, 429),
    },
)
async def events(request: Request, id: JobId) -> Response:
    """Server-sent events: `progress` with the job as JSON at each change; `done`, `failed` or `cancelled`."""
    _find(request, id)
    state = state_of(request)
    return _Watching(_watch(state, id), state.watchers.take())


async def _watch(state: ServerState, id: str) -> AsyncIterator[bytes]:
    """The events of a job, until it is over or the server ends."""
    last, quiet = None, time.monotonic()
    while state.ready:
        job = state.store.find(id)
        if job is None:
            yield _event("cancelled", {"id": id})
            return
        if job != last:
            yield _event(job.state if job.over else "progress", job.told())
            if job.over:
                return
            last, quiet = job, time.monotonic()
        elif time.monotonic() - quiet > _ALIVE_SECONDS:
            yield b": still here\n\n"
            quiet = time.monotonic()
        await asyncio.sleep(_LOOK_SECONDS)


def _event(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
