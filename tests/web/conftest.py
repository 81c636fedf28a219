"""The page on a real server on loopback, and a browser that writes down what it asks for."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Of a server with the page."""
    pytest.importorskip("gradio")
    from daybreak.serving.app import create_app
    from daybreak.serving.limits import ServerConfig
    from daybreak.serving.server import listen, make_server
    from daybreak.web.mount import mount_page

    config = ServerConfig(tmp_path_factory.mktemp("home") / ".local" / "state", port=0)

    async def make():  # within a loop: without one, Gradio makes several and leaves them open
        app = create_app(config)
        mount_page(app)
        return app

    with ThreadPoolExecutor(1) as pool:  # Playwright has one in this thread
        app = pool.submit(asyncio.run, make()).result()
    listener = listen(config)
    server = make_server(app, config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    deadline = time.monotonic() + 120
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(60)
    listener.close()


@pytest.fixture
def page(browser, address):
    """The page, open; fails the test at its end if anything else was asked for or went wrong."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(90_000)
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address)
    page.get_by_role("button", name="Enhance", exact=True).wait_for()
    yield page
    context.close()
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    assert wrong == []
