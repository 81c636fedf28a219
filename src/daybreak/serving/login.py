"""The page on which a browser shows the token once; programs send it with every request instead."""

from __future__ import annotations

from html import escape

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from daybreak.serving.guard import COOKIE, badge, knows_token
from daybreak.serving.receiving import received
from daybreak.serving.state import state_of

router = APIRouter(include_in_schema=False)

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:28rem;margin:4rem auto;padding:0 1rem}"
    "input,button{font:inherit;padding:.5rem;width:100%;box-sizing:border-box;margin:.25rem 0}"
)


def _page(told: str = "", status: int = 200) -> HTMLResponse:
    alert = f'<p role="alert">{escape(told)}</p>' if told else ""
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>daybreak: token</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body><main>'
        f'<h1>daybreak</h1>{alert}<form method="post" enctype="multipart/form-data">'
        '<label for="token">Token of this server</label>'
        '<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>'
        "<button>Go on</button></form></main></body></html>",
        status,
    )


@router.get("/login")
async def ask() -> Response:
    """The form."""
    return _page()


@router.post("/login")
async def check(request: Request) -> Response:
    """A cookie for who knows the token; it is made of the token and is not the token."""
    token = state_of(request).config.token
    async with received(request, 0) as came:
        given = came.values.get("token", "")
    if not token or not knows_token(given, token):
        return _page("That is not the token of this server.", 401)
    answer = RedirectResponse("/", 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, badge(token), httponly=True, samesite="strict", secure=secure)
    return answer
