"""Where the page keeps uploads, and results until they are fetched: a folder that goes with the server."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from daybreak.errors import UnreadablePicture
from daybreak.files import make_folder, writing
from daybreak.image.paths import shown
from daybreak.serving.problems import Problem

KEEP_SECONDS = 3600.0
UPLOAD = "/gradio_api/upload"


class PageFolder:
    """Takes uploads and hands out empty folders; what is older than an hour is removed as more comes.

    Args:
        root: made anew; what a killed server left in it goes.

    Attributes:
        uploads: Gradio's own; by default it would use one that all users of a machine share and can read.
            Results lie in it too: what lies in a folder of Gradio's `allowed_paths` would be shown as a page
            of ours, were it HTML or SVG; of what lies here only pictures, films and the like are shown.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.uploads = self.root / "uploads"
        self.close()
        make_folder(self.uploads)

    def fresh(self) -> Path:
        """A new empty folder."""
        self.sweep()
        return Path(tempfile.mkdtemp(dir=self.uploads))

    @contextmanager
    def held(self, uploads: Sequence[Path], folder: Path) -> Iterator[list[Path]]:
        """Lend second names of uploads, which go after the block; the first ones may go after an hour.

        Args:
            uploads: files.
            folder: from `fresh`, kept for as long as `touch` is called at least once an hour.

        Raises:
            UnreadablePicture: one is gone already.
            UnwritablePicture: the file system knows no second names and has no room for a copy.
        """
        sources = folder / "sources"
        try:
            yield [_second(upload, sources / str(place)) for place, upload in enumerate(uploads)]
        finally:
            shutil.rmtree(sources, ignore_errors=True)

    def touch(self, folder: Path) -> None:
        """Have a folder count as new: it is in use."""
        os.utime(folder)

    def sweep(self) -> None:
        """Remove what is older than an hour, uploads that were broken off too."""
        now = time.time()
        for path in self.uploads.iterdir():
            with suppress(OSError):  # Gradio removes some itself
                if now - path.stat().st_mtime <= KEEP_SECONDS:
                    continue
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink()

    def size(self) -> int:
        """Bytes of all files in it; one with two names counts once."""
        sizes: dict[tuple[int, int], int] = {}
        for folder, _, names in os.walk(self.root):
            for name in names:
                with suppress(FileNotFoundError):
                    status = Path(folder, name).stat()
                    sizes[status.st_dev, status.st_ino] = status.st_size
        return sum(sizes.values())

    def close(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self.root, ignore_errors=True)


def _second(upload: Path, folder: Path) -> Path:
    """Another name of a file in a new folder; a copy where the file system knows no such names."""
    make_folder(folder)
    path = folder / upload.name
    try:
        path.hardlink_to(upload)
    except FileNotFoundError:
        gone = f"{shown(upload.name)} is here no more: what was uploaded goes after an hour"
        raise UnreadablePicture(gone, hint="Drop or choose it again") from None
    except OSError:
        with writing(path):
            shutil.copyfile(upload, path)
    return path


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
