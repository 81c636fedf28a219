"""Put the page on the server's application, at its own address."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

from fastapi import FastAPI

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when Gradio is imported: nothing is reported anywhere
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

import gradio as gr
from starlette.middleware import Middleware

from daybreak.enhancing.page import resource
from daybreak.serving.state import ServerState
from daybreak.web.actions import Actions
from daybreak.web.folder import PageFolder, Room
from daybreak.web.inputs import OnlyUploads
from daybreak.web.page import build


def mount_page(app: FastAPI) -> None:
    """Serve the page at "/"; the API's own routes come first.

    Args:
        app: from `daybreak.serving.app.create_app`; its guard stands before the page too.
    """
    state: ServerState = app.state.daybreak
    limits = state.config.limits
    folder = PageFolder(state.config.state / "page")  # for this user alone, as all of the state
    os.environ["GRADIO_TEMP_DIR"] = str(folder.uploads)  # read as the page is built and as files come
    page = build(Actions(limits, folder, state.workers.threads + 1))  # the pictures', and a whole film
    page.queue(max_size=limits.in_flight, default_concurrency_limit=state.workers.threads)
    ours = files("daybreak.web")
    style = resource("pair.css") + ours.joinpath("page.css").read_text(encoding="utf-8")
    script = resource("pair.js") + ours.joinpath("page.js").read_text(encoding="utf-8")
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        server_name=state.config.host,
        server_port=state.config.port,
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        enable_monitoring=False,
        max_file_size=limits.job_bytes,
        head=f"<style>{style}</style><script>{script}</script>",
    )
    app.user_middleware += [  # innermost, behind the guard
        Middleware(Room, folder, limits.kept_bytes),
        Middleware(OnlyUploads, folder.uploads),
    ]
    _remove_at_end(app, folder)


def _remove_at_end(app: FastAPI, folder: PageFolder) -> None:
    within = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(served: Any) -> AsyncIterator[Any]:
        try:
            async with within(served) as state:
                yield state
        finally:
            folder.close()

    app.router.lifespan_context = lifespan
