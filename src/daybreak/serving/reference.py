"""`/docs`: the OpenAPI as one page of plain HTML, made here, that loads nothing from anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from daybreak.methods.describe import allowed

router = APIRouter(include_in_schema=False)

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem;
  color-scheme: light dark }
code, pre { font: 14px/1.5 ui-monospace, monospace }
pre { overflow-x: auto; padding: .75rem; border: 1px solid #8888; border-radius: .4rem }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #8884 }
.verb { font-weight: 700; text-transform: uppercase; margin-right: .5rem }
section { border-top: 2px solid #8886; margin-top: 1.5rem }
"""

_EXAMPLES = {
    "post /v1/enhance": "curl -F picture=@night.jpg -F method=lime {base}/v1/enhance -o bright.jpg",
    "post /v1/jobs": "curl -F files=@one.jpg -F files=@more.zip -F method=crm {base}/v1/jobs",
    "get /v1/jobs/{id}/events": "curl -N {base}/v1/jobs/ID/events",
}


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The page."""
    return HTMLResponse(page(request.app.openapi(), str(request.base_url).rstrip("/")))


def open_with_reference(app: FastAPI) -> None:
    """Lead who opens a server without the web page to the reference."""
    app.add_api_route("/", lambda: RedirectResponse("/docs"), include_in_schema=False)


def page(schema: dict[str, Any], base: str) -> str:
    """An OpenAPI as a page of HTML.

    Args:
        schema: of OpenAPI 3.1.
        base: the server's address, for the examples.
    """
    return "\n".join(_lines(schema, base))


def _lines(schema: dict[str, Any], base: str) -> Iterator[str]:
    title = f"{schema['info']['title']} {schema['info']['version']}"
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield f'<meta name="viewport" content="width=device-width"><title>{escape(title)}: HTTP API</title>'
    yield f"<style>{_STYLE}</style></head><body><main><h1>{escape(title)}: HTTP API</h1>"
    yield f"<p>{escape(schema['info'].get('description', ''))} The same for programs: "
    yield '<a href="/openapi.json">openapi.json</a>.</p>'
    for path, verbs in schema["paths"].items():
        for verb, operation in verbs.items():
            yield from _operation(verb, path, operation, base)
    yield "</main></body></html>"


def _operation(verb: str, path: str, operation: dict[str, Any], base: str) -> Iterator[str]:
    yield f'<section><h2><span class="verb">{verb}</span><code>{escape(path)}</code></h2>'
    yield f"<p><strong>{escape(operation.get('summary', ''))}.</strong> "
    yield f"{escape(operation.get('description', ''))}</p>"
    example = _EXAMPLES.get(f"{verb} {path}")
    if example:
        yield f"<pre>{escape(example.replace('{base}', base))}</pre>"
    rows = [
        (f"<code>{escape(rule['name'])}</code>", rule["in"], _range(rule["schema"]), _what(rule))
        for rule in operation.get("parameters", [])
    ]
    yield from _table(
        "Parameters (a form may carry those of the query)", ("name", "in", "takes", "what"), rows
    )
    bodies = operation.get("requestBody", {}).get("content", {})
    yield from _table("Body", ("type",), [(f"<code>{escape(kind)}</code>",) for kind in bodies])
    answers = [
        (
            escape(status),
            _what(answer),
            " ".join(f"<code>{escape(kind)}</code>" for kind in answer.get("content", {})),
            " ".join(f"<code>{escape(name)}</code>" for name in answer.get("headers", {})),
        )
        for status, answer in operation["responses"].items()
    ]
    yield from _table("Answers", ("status", "meaning", "type", "headers"), answers)
    yield "</section>"


def _what(rule: dict[str, Any]) -> str:
    return escape(rule.get("description", ""))


def _range(rule: dict[str, Any]) -> str:
    """What a parameter takes, and its default."""
    default = f", default {escape(json.dumps(rule['default']))}" if "default" in rule else ""
    return escape(allowed(rule, {})) + default


def _table(caption: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """A table of cells that are HTML already; nothing where it has no rows."""
    if not rows:
        return
    yield f'<h3>{escape(caption)}</h3><div class="wide" tabindex="0"><table><thead><tr>'
    yield "".join(f'<th scope="col">{head}</th>' for head in heads) + "</tr></thead><tbody>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
    yield "</tbody></table></div>"
