"""`daybreak serve`: the HTTP API and the web page, on this machine unless told otherwise."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from daybreak.cli.console import DONE
from daybreak.errors import MissingExtra

_SERVING = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")
_WEB = ("gradio",)


def serve(
    host: Annotated[
        str, typer.Option("--host", help="Name or address to listen on; beyond this machine with a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes any free one.")] = 8000,
    token: Annotated[
        str,
        typer.Option("--token", envvar="DAYBREAK_TOKEN", help="Asked of every request.", show_default=False),
    ] = "",
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen beyond this machine without a token.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Pictures at the same time. [default: one a core]")
    ] = None,
    state: Annotated[
        Path | None, typer.Option("--state", help="Folder for jobs. [default: ~/.local/state/daybreak/serve]")
    ] = None,
    page: Annotated[bool, typer.Option("--page/--no-page", help="The web page besides the API.")] = True,
) -> int:
    """Serve the HTTP API (reference under /docs) and the web page until stopped."""
    if not all(map(find_spec, _SERVING)):
        raise MissingExtra("serve", "serve")
    from daybreak.serving.app import create_app
    from daybreak.serving.limits import ServerConfig, default_state
    from daybreak.serving.reference import open_with_reference
    from daybreak.serving.server import listen, run

    config = ServerConfig(state or default_state(), host, port, token, insecure)
    if workers is not None:
        config = replace(config, workers=workers)
    with listen(config) as listener:
        app = create_app(config)
        with_page = page and all(map(find_spec, _WEB))
        if with_page:
            from daybreak.web.mount import mount_page

            mount_page(app)
        else:
            open_with_reference(app)
        shown = f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{listener.getsockname()[1]}"
        at = f"{address}/ (API: {address}/docs)" if with_page else f"{address}/docs"
        print(f"daybreak serves at {at}; Ctrl-C stops it", file=sys.stderr, flush=True)
        if page and not with_page:
            print('no web page: type pip install "daybreak[web]"', file=sys.stderr, flush=True)
        run(app, config, listener)
    return DONE
