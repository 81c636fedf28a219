"""Graphs that OpenVINO has compiled, kept for the next start: loading one takes a quarter of compiling it.

Trusted no further than they are checked: each is kept with the SHA-256 of its bytes, under a name made of
all that went into it. One that is damaged, or of another version or processor, is compiled again. OpenVINO's
own cache does not check: of changed bytes in it, it makes another picture and says nothing (2026.4).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import platform
from collections.abc import Callable, Mapping
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daybreak.assets import cache_folder
from daybreak.errors import DaybreakError
from daybreak.files import make_folder, write_whole

if TYPE_CHECKING:
    import openvino as ov

MOST = 8 << 20
"""Bytes of the files of a graph that is kept: checking larger ones takes longer than it gains."""

KEPT = 40
"""Graphs that are kept; of more, those that were not used for the longest are removed."""

_DIGEST = 32  # bytes of a SHA-256


def compile_kept(
    core: ov.Core, path: Path, asked: object, config: Mapping[str, Any], read: Callable[[], ov.Model]
) -> ov.CompiledModel:
    """A graph, compiled for the CPU: as kept, or else now, and then kept if there is room for it.

    Args:
        core: of OpenVINO.
        path: the graph's file; what it keeps its parameters in lies beside it, under the same name.
        asked: all that `read` makes of the file besides, as JSON takes it.
        config: of the compiler.
        read: gives the graph.

    Raises:
        RuntimeError: OpenVINO cannot read or compile it.
    """
    if (kept := _place(core, path, asked, config)) is None:
        return core.compile_model(read(), "CPU", dict(config))
    if (blob := _checked(kept)) is not None:
        with contextlib.suppress(RuntimeError):
            with contextlib.suppress(OSError):
                os.utime(kept)  # those that are used stay
            return core.import_model(io.BytesIO(blob), "CPU", dict(config))
    compiled, whole = core.compile_model(read(), "CPU", dict(config)), io.BytesIO()
    with contextlib.suppress(DaybreakError, OSError, RuntimeError):  # a full disk costs time, not the picture
        compiled.export_model(whole)
        make_folder(kept.parent)
        data = whole.getvalue()
        write_whole(kept, hashlib.sha256(data).digest() + data, overwrite=True)
        for old in sorted(kept.parent.glob("*.blob"), key=lambda file: file.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)
    return compiled


def _place(core: ov.Core, path: Path, asked: object, config: Mapping[str, Any]) -> Path | None:
    """Where it would be kept; None if it is not to be."""
    import openvino as ov

    try:
        files = sorted(file for file in path.parent.glob(f"{escape(path.stem)}.*") if file.suffix != ".toml")
        if sum(file.stat().st_size for file in files) > MOST:
            return None
        read = [(file.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in files]
        folder = cache_folder("engines") / "openvino"
    except (OSError, RuntimeError):  # the latter of a home that nobody has
        return None
    machine = [ov.__version__, core.get_property("CPU", "FULL_DEVICE_NAME"), platform.machine()]
    told = json.dumps([machine, read, asked, dict(config)], sort_keys=True).encode()
    return folder / f"{hashlib.sha256(told).hexdigest()}.blob"


def _checked(path: Path) -> bytes | None:
    """A kept graph; None where there is none, or another than was written."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    digest, blob = data[:_DIGEST], data[_DIGEST:]
    return blob if hashlib.sha256(blob).digest() == digest else None
