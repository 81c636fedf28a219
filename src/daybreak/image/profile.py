"""Colour profiles (ICC.1:2010): from a file's own colours to sRGB and back.

Everything between is sRGB in 16 bits, relative colorimetric with black point compensation, by lcms2 in
libvips. Two things a plain transform there and back would lose are kept:

* Colours outside sRGB (of Display P3, Adobe RGB …). What sRGB cannot hold of a pixel is kept beside it, in
  the file's own RGB and divided by the pixel's brightest channel. On the way back it is multiplied by the
  brightest channel of the new pixel, so an unchanged pixel comes back as it was and a brightened one keeps
  its saturation (encodings are near a power law, where a change of exposure multiplies all channels alike).
* The accuracy of CMYK. The tables of a profile for the two directions are inverse to each other only to
  several levels, so the way back is corrected by what it misses (a fixed-point iteration).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np

from daybreak.image.depth import to_levels
from daybreak.image.vips import load_vips
from daybreak.types import Array, Pixels

Space = Literal["gray", "rgb", "cmyk"]

_SIGNATURES: dict[Space, bytes] = {"gray": b"GRAY", "rgb": b"RGB ", "cmyk": b"CMYK"}
_INTERPRETATIONS = {("gray", 1): "b-w", ("gray", 2): "grey16", ("rgb", 1): "srgb", ("rgb", 2): "rgb16",
                    ("cmyk", 1): "cmyk", ("cmyk", 2): "cmyk"}  # fmt: skip
_BUILT_IN = {"gray": "srgb", "rgb": "srgb", "cmyk": "cmyk"}
_CMYK_CORRECTIONS = 3  # each halves the error or better: mean 3.3, 1.4, 0.8, 0.5 levels of 255 on photographs
_REMEMBERED = 1000  # profiles
_MEASURED: dict[tuple[bytes, Space], tuple[float | None]] = {}
_ROWS = 256  # rows at a time, so that floats of a whole picture are never needed


def fits(icc: bytes, space: Space) -> bool:
    """Whether a profile is one for that kind of pixels and can be used in both directions."""
    return icc[16:20] == _SIGNATURES[space] and _probe(icc, space) is not None


def _is_whole(icc: bytes) -> bool:
    """Whether a profile is as long as it says and its tags lie inside it.

    libvips takes sRGB in place of an embedded profile that is broken and says nothing.
    """
    if len(icc) < 132 or icc[36:40] != b"acsp" or int.from_bytes(icc[:4], "big") > len(icc):
        return False
    (count,) = struct.unpack_from(">I", icc, 128)
    if 132 + 12 * count > len(icc):
        return False
    return all(
        at + size <= len(icc) for _, at, size in struct.iter_unpack(">4sII", icc[132 : 132 + 12 * count])
    )


def is_srgb(icc: bytes, space: Space) -> bool:
    """Whether a profile means sRGB itself (for gray: its tone curve) to within one level of 255."""
    probe = _probe(icc, space)
    return probe is not None and probe <= 257.0


def _probe(icc: bytes, space: Space) -> float | None:
    """What `_measure` says, remembered by a profile's sum: the profile itself may have megabytes."""
    key = sha256(icc).digest(), space
    if (known := _MEASURED.get(key)) is None:
        if len(_MEASURED) >= _REMEMBERED:
            _MEASURED.clear()
        known = _MEASURED[key] = (_measure(icc, space),)
    return known[0]


def _measure(icc: bytes, space: Space) -> float | None:
    """Largest step, in levels of 65535, that the way to sRGB makes on a grid of colours; None if it fails."""
    if not _is_whole(icc):
        return None
    if space == "rgb":
        steps = np.linspace(0, 255, 6).round().astype(np.uint8)
        grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    else:
        grid = np.arange(256, dtype=np.uint8).reshape(1, -1, 1).repeat(4 if space == "cmyk" else 1, axis=2)
    try:
        out = _transform(np.ascontiguousarray(grid), space, icc, "srgb", 16)
        with _as_file(icc) as name:
            _transform(out, "rgb", None, name, 8)
    except load_vips().Error:
        return None
    wide = grid[..., :3].astype(np.float32) * 257.0
    return float(np.abs(out - wide).max())


def to_srgb(device: Array, space: Space, icc: bytes | None) -> tuple[Array, Array | None]:
    """A file's own colours to sRGB.

    Args:
        device: H×W (gray), H×W×3 or H×W×4 (CMYK, 255 is full ink), uint8 or uint16.
        space: what the channels mean.
        icc: the embedded profile, one that `fits`; None for the built-in one.

    Returns:
        H×W×3 (gray: H×W) uint16, and what sRGB cannot hold, H×W×3 float16, or None where that is nothing.
    """
    srgb = _transform(device, space, icc, "srgb", 16)
    if space == "gray":
        return np.ascontiguousarray(srgb[..., 0]), None
    if space == "cmyk" or icc is None:
        return srgb, None
    with _as_file(icc) as name:
        back = _transform(srgb, "rgb", None, name, 8 * device.dtype.itemsize)
    if cv2.absdiff(device, back).max() <= 2 * np.iinfo(device.dtype).max // 255:  # rounding and no more
        return srgb, None
    return srgb, _beyond(device, back)


def from_srgb(pixels: Pixels, space: Space, icc: bytes | None, bits: int, beyond: Array | None) -> Array:
    """sRGB to a file's own colours.

    Args:
        pixels: H×W×3 float32 in [0, 1], sRGB-encoded.
        space, icc: as for `to_srgb`.
        bits: 8 or 16, of the result.
        beyond: from `to_srgb`, or None.

    Returns:
        H×W×3, H×W×4 (CMYK) or H×W (gray), uint8 or uint16.
    """
    wide = to_levels(pixels, 16)
    if icc is None:
        return _to_cmyk(wide, _BUILT_IN[space], None, bits) if space == "cmyk" else to_levels(pixels, bits)
    with _as_file(icc) as name:
        if space == "cmyk":
            return _to_cmyk(wide, name, icc, bits)
        device = _transform(wide, "rgb", None, name, bits)
    if space == "gray":
        return device.reshape(device.shape[:2])
    return device if beyond is None else _with_beyond(device, beyond)


def _transform(device: Array, space: Space, icc: bytes | None, target: str, bits: int) -> Array:
    """One lcms transform; `target` is the name of a built-in profile or of a file. H×W×bands."""
    vips = load_vips()
    bands = 1 if device.ndim == 2 else device.shape[2]
    height, width = device.shape[:2]
    kind = "uchar" if device.dtype == np.uint8 else "ushort"
    image = vips.Image.new_from_memory(np.ascontiguousarray(device), width, height, bands, kind)
    image = image.copy(interpretation=_INTERPRETATIONS[space, device.dtype.itemsize])
    if icc is None:
        source: dict[str, Any] = {"input_profile": _BUILT_IN[space]}
    else:
        image.set_type(vips.GValue.blob_type, "icc-profile-data", icc)
        source = {"embedded": True}
    image = image.icc_transform(
        target, depth=bits, intent="relative", black_point_compensation=True, **source
    )
    dtype = np.uint8 if bits == 8 else np.uint16
    return np.frombuffer(image.write_to_memory(), dtype=dtype).reshape(height, width, image.bands)


@contextmanager
def _as_file(icc: bytes) -> Iterator[str]:
    """A profile as a file, the only way in which libvips takes a target profile of one's own."""
    from tempfile import TemporaryDirectory  # with what it imports, 3 ms; few pictures have such a profile

    with TemporaryDirectory(prefix="daybreak-") as folder:
        path = Path(folder, "target.icc")
        path.write_bytes(icc)
        yield str(path)


def _to_cmyk(wide: Array, name: str, icc: bytes | None, bits: int) -> Array:
    """sRGB (uint16) to ink, corrected for what the profile's two directions disagree about."""
    aim = wide
    for _ in range(_CMYK_CORRECTIONS):
        seen = _transform(_transform(aim, "rgb", None, name, 16), "cmyk", icc, "srgb", 16)
        aim = _shifted(aim, wide, seen)
    return _transform(aim, "rgb", None, name, bits)


def _shifted(aim: Array, wanted: Array, seen: Array) -> Array:
    """aim + wanted − seen, all uint16, clipped."""
    out = np.empty_like(aim)
    for rows in _bands(aim.shape[0]):
        shift = aim[rows].astype(np.int32) + wanted[rows] - seen[rows]
        np.clip(shift, 0, 65_535, out=shift)
        out[rows] = shift
    return out


def _beyond(device: Array, back: Array) -> Array:
    """(device − back) / brightest channel of back; both uint8 or uint16."""
    out = np.empty(device.shape, np.float16)
    floor = np.float32(np.iinfo(device.dtype).max / 255)  # one level of 8 bits, for pixels that turned black
    for rows in _bands(device.shape[0]):
        out[rows] = (device[rows].astype(np.float32) - back[rows]) / _brightest(back[rows], floor)
    return out


def _with_beyond(device: Array, beyond: Array) -> Array:
    """The inverse of `_beyond`, for pixels that may have changed since."""
    out = np.empty_like(device)
    full = np.iinfo(device.dtype).max
    floor = np.float32(full / 255)
    for rows in _bands(device.shape[0]):
        wide = device[rows] + beyond[rows].astype(np.float32) * _brightest(device[rows], floor)
        out[rows] = np.rint(np.clip(wide, 0.0, full))
    return out


def _brightest(device: Array, floor: np.float32) -> Array:
    """H×W×1 float32: the largest of three channels, at least `floor`. (NumPy's max is 60 times as slow.)"""
    red, green, blue = (device[..., c] for c in range(3))
    return np.maximum(np.maximum(red, np.maximum(green, blue)), floor)[..., np.newaxis]


def _bands(height: int) -> Iterator[slice]:
    return (slice(top, top + _ROWS) for top in range(0, height, _ROWS))
