"""Every operation between the bytes of a picture and those of its result, in order, for a manifest."""

from __future__ import annotations

import hashlib
from typing import Any

from daybreak.enhancing.enhancer import Enhancer, Outcome
from daybreak.image.formats import FORMATS
from daybreak.image.photo import Photo
from daybreak.image.profile import Space, is_srgb
from daybreak.image.write import choose_bits, profile_in
from daybreak.methods.base import Method

Operation = dict[str, Any]

_DECODERS = {"bmp": "OpenCV", "heif": "libheif", "raw": "LibRaw"}
_TURNED = {
    1: "as stored",
    2: "mirrored left to right",
    3: "turned by 180 degrees",
    4: "mirrored upside down",
    5: "mirrored along the main diagonal",
    6: "turned by 90 degrees clockwise",
    7: "mirrored along the other diagonal",
    8: "turned by 90 degrees counter-clockwise",
}


def operations(
    photo: Photo,
    enhancer: Enhancer,
    outcome: Outcome,
    *,
    format: str,
    quality: int | None,
    bit_depth: int | None,
    lost: tuple[str, ...],
    copied: bool,
) -> list[Operation]:
    """What was done to a picture.

    Args:
        photo: the picture as it was read.
        enhancer, outcome: what was asked for and what ran.
        format, quality, bit_depth: as the result was encoded.
        lost: what the format could not hold.
        copied: the result is the input's own bytes.

    Returns:
        One entry an operation: `operation` names it, the rest are its parameters, as JSON values.
    """
    looked = [*reading_operations(photo), *_choosing(enhancer, outcome)]
    if copied:
        return [*looked, {"operation": "copy", "why": outcome.note, "bytes": "unchanged"}]
    return [
        *looked,
        *_enhancing(enhancer, outcome),
        *_writing(photo, format, quality, bit_depth, lost),
    ]


def enhancing_operations(enhancer: Enhancer, outcome: Outcome) -> list[Operation]:
    """From the picture as it was read to its result: which method, chosen or named, and how much of it."""
    return [*_choosing(enhancer, outcome), *_enhancing(enhancer, outcome)]


def reading_operations(photo: Photo) -> list[Operation]:
    """From a file to upright sRGB."""
    height, width = photo.stored.shape[:2]
    colour = "CMYK" if photo.cmyk else "gray" if photo.gray else "RGB"
    return [
        {
            "operation": "read",
            "format": photo.format,
            "decoder": _DECODERS.get(photo.format, "libvips"),
            "colour": colour,
            "bits": photo.bit_depth,
            "width": width,
            "height": height,
            "alpha": _alpha(photo),
            "notes": list(photo.notes),
        },
        {"operation": "orient", "exif": photo.orientation, "turn": _TURNED.get(photo.orientation, "none")},
        {"operation": "to sRGB", **_profile(photo, photo.icc, photo.cmyk)},
    ]


def _alpha(photo: Photo) -> str:
    if photo.alpha is None:
        return "none"
    told = "kept beside the pixels"
    return told if photo.hidden is None else f"{told}, which count for nothing and stay where it is 0"


def _profile(photo: Photo, icc: bytes | None, ink: bool) -> Operation:
    """Between the colours of a file, ink or not, and sRGB, in either direction."""
    if icc is None:
        return {"profile": "that of libvips for CMYK" if ink else "none"}
    told = {"profile": "embedded", "sha256": hashlib.sha256(icc).hexdigest()}
    space: Space = "gray" if photo.gray else "rgb"
    if not photo.cmyk and is_srgb(icc, space):
        return {**told, "rule": "it means sRGB: levels as they are"}
    outside = "kept beside each pixel" if photo.beyond is not None else "none"
    rule = "relative colorimetric, black point compensation, lcms2"
    return {**told, "rule": rule, "outside sRGB": outside}


def _choosing(enhancer: Enhancer, outcome: Outcome) -> list[Operation]:
    if enhancer.method.choose is None:
        return []
    chosen = outcome.method or "leave it as it is"
    by, settings = enhancer.method.card.name, enhancer.settings.model_dump(mode="json")
    return [{"operation": "choose", "by": by, "settings": settings, "choice": chosen, "why": outcome.note}]


def _enhancing(enhancer: Enhancer, outcome: Outcome) -> list[Operation]:
    if outcome.unchanged:
        return []
    method: Operation = {
        "operation": "method",
        "name": outcome.method,
        "settings": outcome.settings,
        "weights_sha256": outcome.weights_sha256,
    }
    if outcome.engine:
        method["engine"] = outcome.engine
    return [method, _amount(enhancer.method, enhancer.exposure, outcome.strength)]


def _amount(method: Method[Any], exposure: float | None, strength: float) -> Operation:
    if exposure is not None:
        rule = "mean linear light times 2^EV, by the share of the result, then by a gain"
        return {"operation": "exposure", "ev": exposure, "rule": rule}
    native = method.strengthen is not None and strength != 1.0
    rule = "by the method's own control" if native else "clip(I + s (E - I), 0, 1)"
    return {"operation": "strength", "s": strength, "rule": rule}


def _writing(
    photo: Photo, format: str, quality: int | None, bit_depth: int | None, lost: tuple[str, ...]
) -> list[Operation]:
    form = FORMATS[format]
    chosen = None if form.quality is None else quality or form.quality
    lossless = form.quality is None or (format == "webp" and photo.lossless and quality is None)
    half = format == "jpeg" and photo.half_chroma
    bits = choose_bits(photo.bit_depth, form, quality, bit_depth)
    return [
        {"operation": "from sRGB", **_profile(photo, profile_in(photo, form), photo.cmyk and form.cmyk)},
        {"operation": "quantise", "bits": bits, "rule": "to the nearest level, ties to the even one"},
        {
            "operation": "encode",
            "format": format,
            "encoder": _DECODERS.get(format, "libvips"),
            "lossless": lossless,
            "quality": None if lossless else chosen,
            "chroma": "half resolution (4:2:0)" if half else "full resolution",
            "metadata": "kept, orientation 1, thumbnail dropped, record of daybreak in XMP"
            if form.tags
            else "the format holds none",
            "lost": list(lost),
        },
    ]
