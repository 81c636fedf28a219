"""Where the page keeps results until they are fetched: a folder of its own that goes when the server ends."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

KEEP_SECONDS = 3600.0


class PageFolder:
    """Hands out empty folders; those that are older than an hour are removed as new ones are made."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="daybreak-page-"))  # readable by this user alone

    def fresh(self) -> Path:
        """A new empty folder."""
        now = time.time()
        for folder in self.root.iterdir():
            if now - folder.stat().st_mtime > KEEP_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
        return Path(tempfile.mkdtemp(dir=self.root))

    def close(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self.root, ignore_errors=True)
