"""`POST /v1/enhance`, `GET /v1/methods`: one picture at a time, and what can be asked for."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from daybreak.enhancing.batch import Result, enhance_bytes
from daybreak.errors import DaybreakError, PictureTooLarge
from daybreak.image.formats import FORMATS, sniff
from daybreak.methods.describe import describe
from daybreak.methods.registry import get_method, list_methods
from daybreak.serving import archive
from daybreak.serving.asking import Asked, form, headers, once, parameters, settings_schema, understand
from daybreak.serving.problems import Problem, busy, problem_of, responses
from daybreak.serving.receiving import gone, media_type, received, shown_name
from daybreak.serving.state import ServerState, state_of
from daybreak.serving.work import fitting_pixels

router = APIRouter(prefix="/v1")

FIELD = "picture"
_CHUNK = 1 << 16

MEDIA_TYPES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "tiff": "image/tiff",
    "webp": "image/webp",
    "avif": "image/avif",
    "bmp": "image/bmp",
    "heif": "image/heic",
}
"""Format -> what the answer says it is."""

_BINARY = {"type": "string", "format": "binary"}
_HEADERS = {
    "Daybreak-Method": "the method that ran; none where the picture was left as it is",
    "Daybreak-Strength": "how much of it was applied",
    "Daybreak-Weights-Sha256": "of the network that ran; absent for the others",
    "Daybreak-Seconds": "from the whole request to the result, waiting included",
    "Daybreak-Note": "what a person should know: an automatic choice, what the format could not hold",
    **archive.HEADERS,
}
_DESCRIBED: dict[str, Any] = {
    "parameters": parameters(),
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": _BINARY},
            "image/*": {"schema": _BINARY},
            "multipart/form-data": {"schema": form({FIELD: _BINARY})},
        },
    },
}


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    """The data in pieces: a slow line is then one that stands still, not one that takes long over it all."""
    for start in range(0, len(data), _CHUNK):
        yield data[start : start + _CHUNK]


@router.post(
    "/enhance",
    summary="Enhance a picture",
    response_class=Response,
    responses={
        200: {
            "description": "The picture, with its metadata, profile and bit depth; with evidence, a zip of "
            "it and its manifest.",
            "content": {kind: {"schema": _BINARY} for kind in (*MEDIA_TYPES.values(), archive.MEDIA_TYPE)},
            "headers": headers(_HEADERS),
        },
        **responses(400, 401, 403, 408, 413, 415, 422, 429, 500, 503),
    },
    openapi_extra=_DESCRIBED,
)
async def enhance(request: Request) -> Response:
    """Send a picture as the body, or as the field `picture` of a form; get it back brighter.

    What is asked for stands in the query or in the form. The settings of the method go by their own names;
    those of another method are refused (`GET /v1/methods` has the ranges of each). With `evidence` a zip
    comes back instead, to be unpacked beside the original: the manifest knows that by the name it was sent
    under, and calls a picture that is the body itself `picture`.
    """
    state = state_of(request)
    if not state.ready:
        raise busy("the server is about to end", 503)
    with state.in_flight.take() as place:
        data, name, asked = await _read(request)
        if asked.output.evidence:
            archive.check_names([name])
        start = time.perf_counter()

        def work() -> tuple[bytes, dict[str, str], Result]:
            made, result = enhance_one(data, name, asked, state)
            return *_packed(made, name, result), result

        body, says, result = await state.workers.run(
            work, state.config.limits.seconds, place, lambda: gone(request)
        )
    seconds = time.perf_counter() - start
    state.measures.pictures.labels(result.method or "none").observe(seconds)
    says |= told(result, seconds) | {"Content-Length": str(len(body))}
    return StreamingResponse(pieces(body), headers=says)


def _packed(made: bytes, name: str, result: Result) -> tuple[bytes, dict[str, str]]:
    """What goes out of a result, and the headers that say what it is."""
    if result.evidence is None:
        return made, {"Content-Type": MEDIA_TYPES[sniff(made) or FORMATS["png"].name]}
    body, sealed = archive.with_evidence(made, name, result.evidence)
    return body, {
        "Content-Type": archive.MEDIA_TYPE,
        "Content-Disposition": archive.attachment(archive.marked_name(name, ".zip")),
        archive.HEADER: sealed,
    }


async def _read(request: Request) -> tuple[bytes, str, Asked]:
    """The picture's bytes, what to call it, and what is asked for.

    Raises:
        Problem, DaybreakError: the request is to be corrected.
    """
    kind = media_type(request)
    if kind == "multipart/form-data":
        async with received(request, 1) as came:
            if [field for field, _ in came.files] != [FIELD]:
                raise Problem(422, "a form without a file", f"Send the picture as the file {FIELD}")
            asked = await run_in_threadpool(understand, came.values)
            file = came.files[0][1]
            return await file.read(), shown_name(file, FIELD), asked
    if kind and kind != "application/octet-stream" and not kind.startswith("image/"):
        raise Problem(
            415,
            f"a body of type {kind}",
            "Send the picture's bytes as image/... or application/octet-stream, or a multipart form",
        )
    words = once(request.query_params.multi_items())
    asked = await run_in_threadpool(understand, words)
    try:
        return await request.body(), FIELD, asked
    except ClientDisconnect:
        raise Problem(400, "the request ended before its body did") from None


def enhance_one(data: bytes, name: str, asked: Asked, state: ServerState) -> tuple[bytes, Result]:
    """Enhance one picture as far as limits and memory go; runs in a thread.

    Raises:
        Problem: 413 for too many pixels, 503 where they do not fit into memory now, and what
            `problem_of` makes of the errors of the library.
    """
    limits = state.config.limits
    fits = fitting_pixels(asked.enhancer, state.workers.threads, data)
    most = limits.pixels if fits is None else min(limits.pixels, fits)
    try:
        return enhance_bytes(data, asked.enhancer, asked.output, Path(name), None, max_pixels=most)
    except PictureTooLarge as error:
        if most < limits.pixels:
            raise busy(f"{error.came}: more than fit into memory now", 503) from None
        raise problem_of(error) from None
    except (DaybreakError, MemoryError) as error:
        raise problem_of(error) from None


def told(result: Result, seconds: float) -> dict[str, str]:
    """The headers that say what was done."""
    says = {
        "Daybreak-Method": result.method or "none",
        "Daybreak-Strength": f"{result.strength:g}",
        "Daybreak-Seconds": f"{seconds:.3f}",
    }
    if result.weights_sha256:
        says["Daybreak-Weights-Sha256"] = result.weights_sha256
    if note := "; ".join((*result.notes, *result.lost)):
        says["Daybreak-Note"] = note.encode("ascii", "backslashreplace").decode("ascii")
    return says


def cards() -> list[dict[str, Any]]:
    """Every method's card, its settings as JSON schema."""
    return _cards(tuple(list_methods()))


@lru_cache(maxsize=1)
def _cards(methods: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        {
            **{name: value for name, value in describe(method.card).items() if name != "settings"},
            "settings": settings_schema(method.card),
        }
        for method in map(get_method, methods)
    ]


_CARD = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "summary": {"type": "string"},
        "settings": {"type": "object", "description": "JSON schema of the settings."},
    },
    "required": ["name", "summary", "settings"],
}


@router.get(
    "/methods",
    summary="The methods and their settings",
    response_class=JSONResponse,
    responses={
        200: {"content": {"application/json": {"schema": {"type": "array", "items": _CARD}}}},
        **responses(401, 403),
    },
)
async def methods() -> JSONResponse:
    """Each method's card, with the JSON schema of its settings."""
    return JSONResponse(await run_in_threadpool(cards))
