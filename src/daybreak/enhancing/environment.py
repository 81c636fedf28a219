"""What the bits of a result depend on besides the picture and the settings: libraries, system, processor."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from functools import cache

import cv2
import numpy as np

from daybreak.engines.onnx_runtime import PACKAGES
from daybreak.image.vips import load_vips
from daybreak.native import made_of
from daybreak.version import __version__

COMPILED = "compiled part"
"""Name of what `daybreak.native` has of it."""


@cache
def environment() -> dict[str, str]:
    """Versions by name, and what the processor has of the instructions that libraries choose their code by.

    Not whose machine it is: no host name, no serial number, no path.
    """
    import platform

    vips = load_vips()
    found = np.show_config(mode="dicts")["SIMD Extensions"]
    return {
        "daybreak": __version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "numpy": np.__version__,
        "blas": _blas(),
        "opencv": cv2.__version__,
        "onnxruntime": " ".join(filter(None, map(_version, PACKAGES))),
        "scipy": _version("scipy"),
        COMPILED: made_of(),
        "libvips": ".".join(str(vips.version(place)) for place in range(3)),
        "pyvips": _version("pyvips"),
        "pyav": _version("av"),
        "rawpy": _version("rawpy"),
        "pillow-heif": _version("pillow-heif"),
        "system": platform.system(),
        "libc": " ".join(platform.libc_ver()).strip(),
        "machine": platform.machine(),
        "numpy instructions": " ".join(found["baseline"] + found["found"]),
        "opencv instructions": cv2.getCPUFeaturesLine().replace("*", ""),
    }


def _blas() -> str:
    """What multiplies NumPy's matrices, and the processor that its code is for."""
    told = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    core = ""
    with contextlib.suppress(AttributeError, OSError):  # another library than that of NumPy's own wheels
        library = ctypes.CDLL(sys.modules["numpy._core._multiarray_umath"].__file__)
        library.scipy_openblas_get_corename64_.restype = ctypes.c_char_p
        core = library.scipy_openblas_get_corename64_().decode()
    return f"{told.get('name', '')} {told.get('version', '')} {core}".strip()


def _version(name: str) -> str:
    """Of an installed package, without importing it; "" where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version  # 15 ms that few runs need

    try:
        return version(name)
    except PackageNotFoundError:
        return ""
