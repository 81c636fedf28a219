"""Compiles what is written in C, where there is a compiler. Without one NumPy does the same, more slowly."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = "src/daybreak/native/developing.c"
LIBRARY = "daybreak/native/libdaybreak.so"
# no contraction: the same bits on every processor
FLAGS = ("-O3", "-std=gnu11", "-ffp-contract=off", "-fPIC", "-shared", "-fvisibility=hidden")


class CustomBuildHook(BuildHookInterface[Any]):
    """Puts the library into the wheel; of an editable installation beside its source."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before a wheel is put together."""
        if self.target_name != "wheel":
            return
        self.folder = tempfile.mkdtemp()
        made, beside = Path(self.folder, "libdaybreak.so"), Path(self.root, "src", LIBRARY)
        told = self._compile(made)
        if told:
            self.app.display_warning(f"daybreak goes without its compiled part and is slower: {told}")
        if version == "editable":
            with contextlib.suppress(OSError):  # a library of another source is not loaded
                if told:
                    beside.unlink(missing_ok=True)
                else:
                    hidden = beside.with_name(f".{os.getpid()}.so")
                    shutil.copyfile(made, hidden)
                    hidden.replace(beside)  # whole, or as it was
        elif not told:
            build_data["force_include"][str(made)] = LIBRARY
            build_data["pure_python"] = False
            build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """After it was."""
        if self.target_name == "wheel":
            shutil.rmtree(self.folder, ignore_errors=True)

    def _compile(self, made: Path) -> str:
        """What went wrong, or ""."""
        source = Path(self.root, SOURCE)
        digest = hashlib.sha256(source.read_bytes()).hexdigest()
        compiler = shlex.split(os.environ.get("CC") or "cc")
        try:
            subprocess.run(
                [*compiler, *FLAGS, f'-DSOURCE="{digest}"', str(source), "-o", str(made)], check=True
            )
        except (OSError, subprocess.CalledProcessError) as error:
            return str(error)
        return ""
