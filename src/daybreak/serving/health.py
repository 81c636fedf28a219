"""Whether the server lives, whether it takes requests on, and its counters."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from daybreak.serving.measures import MEDIA_TYPE
from daybreak.serving.problems import busy, responses
from daybreak.serving.state import state_of
from daybreak.version import __version__

router = APIRouter()

_STATUS = {
    "type": "object",
    "properties": {"status": {"type": "string"}, "daybreak": {"type": "string"}},
    "required": ["status", "daybreak"],
}
_AS_JSON: dict[int | str, dict[str, Any]] = {200: {"content": {"application/json": {"schema": _STATUS}}}}


def _status(word: str) -> JSONResponse:
    return JSONResponse({"status": word, "daybreak": __version__})


@router.get(
    "/healthz",
    summary="Is it alive?",
    response_class=JSONResponse,
    responses={**_AS_JSON, **responses(403)},
)
async def healthz() -> Response:
    """Answers as long as the server does; asks for no token."""
    return _status("alive")


@router.get(
    "/readyz",
    summary="Does it take requests on?",
    response_class=JSONResponse,
    responses={**_AS_JSON, **responses(403, 503)},
)
async def readyz(request: Request) -> Response:
    """503 while it starts or ends, and while all places or all workers are taken; asks for no token."""
    state = state_of(request)
    if not state.ready or state.workers.stuck or state.in_flight.taken >= state.in_flight.most:
        raise busy("not ready for requests", 503)
    return _status("ready")


@router.get(
    "/metrics",
    summary="Counters for Prometheus",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **responses(401, 403),
    },
)
async def metrics(request: Request) -> Response:
    """Answers by path and status, seconds by method, what is in flight, memory."""
    return Response(state_of(request).measures.text(), media_type=MEDIA_TYPE)
