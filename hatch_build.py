"""Compiles what is written in C, where there is a compiler. Without one NumPy does the same, more slowly."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = "src/daybreak/native/developing.c"
LIBRARY = "src/daybreak/native/libdaybreak.so"
# no contraction: the same bits on every processor
FLAGS = ("-O3", "-std=gnu11", "-ffp-contract=off", "-fPIC", "-shared", "-fvisibility=hidden")


class CustomBuildHook(BuildHookInterface[Any]):
    """Makes the library beside its source, where an editable installation looks for it too."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Before a wheel is put together."""
        if self.target_name != "wheel":
            return
        library = Path(self.root, LIBRARY)
        made = library.with_name(f".{os.getpid()}.so")
        try:
            compiler = shlex.split(os.environ.get("CC", "cc"))
            subprocess.run([*compiler, *FLAGS, str(Path(self.root, SOURCE)), "-o", str(made)], check=True)
            made.replace(library)
        except (OSError, subprocess.CalledProcessError) as error:
            made.unlink(missing_ok=True)
            library.unlink(missing_ok=True)  # an older one may not be of this source
            self.app.display_warning(f"daybreak goes without its compiled part and is slower: {error}")
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["artifacts"].append(LIBRARY)
