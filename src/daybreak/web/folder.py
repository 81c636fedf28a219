"""Where the page keeps uploads, and results until they are fetched: a folder that goes with the server."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from daybreak.files import make_folder
from daybreak.serving.problems import Problem

KEEP_SECONDS = 3600.0
UPLOAD = "/gradio_api/upload"


class PageFolder:
    """Takes uploads and hands out empty folders; what is older than an hour is removed as more comes.

    Args:
        root: made anew; what a killed server left in it goes.

    Attributes:
        uploads: Gradio's own; by default it would use one that all users of a machine share and can read.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.uploads, self._results = self.root / "uploads", self.root / "results"
        self.close()
        for folder in (self.uploads, self._results):
            make_folder(folder)

    def fresh(self) -> Path:
        """A new empty folder."""
        self.sweep()
        return Path(tempfile.mkdtemp(dir=self._results))

    def sweep(self) -> None:
        """Remove what is older than an hour."""
        now = time.time()
        for folder in (*self.uploads.iterdir(), *self._results.iterdir()):
            with suppress(FileNotFoundError):  # Gradio removes some itself
                if now - folder.stat().st_mtime > KEEP_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)

    def size(self) -> int:
        """Bytes of all files in it."""
        found = (Path(folder, name) for folder, _, names in os.walk(self.root) for name in names)
        total = 0
        for path in found:
            with suppress(FileNotFoundError):
                total += path.stat().st_size
        return total

    def close(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self.root, ignore_errors=True)


class Room:
    """ASGI middleware: refuses uploads to the page while as much lies in its folder as the server keeps.

    Args:
        app: what stands behind.
        folder: of the page.
        most: bytes.
    """

    def __init__(self, app: ASGIApp, folder: PageFolder, most: int) -> None:
        self.app, self.folder, self.most = app, folder, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            Problem: 503.
        """
        if scope["type"] == "http" and scope["path"] == UPLOAD:
            self.folder.sweep()
            if self.folder.size() > self.most:
                told = f"what was uploaded takes {self.most:,} bytes already, as many as this server keeps"
                raise Problem(503, told, "It is removed after an hour", retry_after=60)
        await self.app(scope, receive, send)
