"""The one door to libvips: imported late (40 ms), with a setup fit for pictures from strangers."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np

from daybreak.types import Array

CLASSIC_TIFF = 2_800_000_000
"""Bytes of levels up to which a file is no BigTIFF: offsets end at 4 GiB, and LZW makes noise 1.4 times as
long."""

_DTYPES = {"uchar": np.uint8, "ushort": np.uint16, "float": np.float32}


@cache
def load_vips() -> Any:
    """The pyvips module, imported at the first picture and set up once for the whole process.

    libvips remembers operations by the address of a buffer, which may be used again for another picture, so
    its cache is turned off. Loaders that its authors call untrusted (never fuzzed) are blocked; those used
    here are named one by one, so a PDF or an SVG reaches no parser at all.
    """
    import pyvips

    pyvips.cache_set_max(0)
    pyvips.block_untrusted_set(True)

    def text(pointer: Any) -> str:
        told: bytes = b"" if pointer == pyvips.ffi.NULL else pyvips.ffi.string(pointer)
        return told.decode("utf-8", "replace")

    # Messages that quote a damaged file are no UTF-8; pyvips, strict there, would print a traceback instead.
    pyvips._to_string = pyvips.error._to_string = text
    return pyvips


def pixels_of(image: Any) -> Array:
    """Decode an image: H×W×bands, of a format that we read.

    Into memory of NumPy's, which comes in large pages: the first touch of libvips' own, 4 KB at a time, takes
    a third of the time of decoding a JPEG.

    Args:
        image: of libvips, uchar, ushort or float.
    """
    pixels = np.empty((image.height, image.width, image.bands), _DTYPES[image.format])
    size = (image.width, image.height, image.bands, image.format)
    image.write(load_vips().Image.new_from_memory(pixels, *size))
    return pixels


def tiff_options(size: int) -> dict[str, Any]:
    """How TIFF is saved: LZW with the horizontal predictor, known to every reader.

    Args:
        size: of all levels, bytes.
    """
    return {"compression": "lzw", "predictor": "horizontal", "bigtiff": size > CLASSIC_TIFF}


def one_line(error: Exception) -> str:
    """What a libvips error says, without the names of functions and the lines that repeat it."""
    lines = [" ".join(line.split()) for line in str(error).splitlines()]
    told = [line for line in lines if line and not line.startswith("unable to ")]
    return re.sub(r"^(\w+: )+", "", (told or lines or [type(error).__name__])[0])
