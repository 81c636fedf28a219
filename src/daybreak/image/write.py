"""Write a `Photo` as a file of any format that daybreak writes: whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from daybreak.errors import BadSetting, UnwritablePicture
from daybreak.files import whole_file
from daybreak.image import containers, xmp
from daybreak.image.depth import to_levels
from daybreak.image.encode import ENCODERS, Ready
from daybreak.image.formats import FORMATS, Format, find_format, format_of
from daybreak.image.paths import shown
from daybreak.image.photo import Photo
from daybreak.image.profile import Space, from_srgb, is_srgb
from daybreak.image.rows import Levels
from daybreak.image.vips import load_vips, one_line
from daybreak.types import Array

_DEEP_BITS = {"avif": 12, "heif": 10}  # what "16 bits" become where 16 do not fit


def keep_format(photo: Photo) -> str:
    """The format that a photo is kept in: its own, or the nearest where that is only read (GIF, RAW)."""
    return FORMATS[photo.format].fallback


def encode_photo(
    photo: Photo,
    format: str,
    *,
    quality: int | None = None,
    bit_depth: int | None = None,
    record: Mapping[str, str] | None = None,
) -> bytes:
    """The bytes of a picture file.

    Args:
        photo: what to write. Its profile, EXIF, XMP, IPTC and resolution go along where the format holds
            them.
        format: a key of `FORMATS`, or a suffix without its dot ("jpg").
        quality: 1 to 100 for JPEG, WebP, AVIF and HEIC; None for the format's default; the lossless formats
            have no use for it.
        bit_depth: 8 or 16; None keeps the photo's where the format can. AVIF stores 12 of the 16 bits, HEIC
            10.
        record: what was done, as text by name; kept in XMP and read back by `read_record`. None takes that
            of the photo.

    Raises:
        UnwritablePicture: a format that is only read or cannot hold what is asked of it.
        UnknownName: there is no such format.
        BadSetting: quality or bit depth out of range.
        MissingExtra: HEIC without the optional part that writes it.
    """
    form = find_format(format)
    bits = choose_bits(photo.bit_depth, form, quality, bit_depth)
    height, width = photo.stored.shape[:2]
    if max(height, width) > form.max_side:
        raise UnwritablePicture(
            f"a picture of {width}x{height} as {form.name.upper()}",
            f"sides of at most {form.max_side:,} pixels",
            "Type --format png or --format tiff",
        )
    try:
        return ENCODERS[form.name](_prepare(photo, form, bits, quality, record or photo.record))
    except OSError as error:  # a colour profile goes through a temporary file
        raise UnwritablePicture(f"no temporary file could be made ({error.strerror})") from None
    except (load_vips().Error, cv2.error, ValueError, RuntimeError) as error:
        raise UnwritablePicture(
            f"{form.name.upper()} could not be made ({one_line(error)})", hint="Type another --format"
        ) from None


def losses(photo: Photo, format: str, bit_depth: int | None = None) -> tuple[str, ...]:
    """What a file of that format will lack of the photo though nobody asked for it, as clauses for people.

    Args:
        photo, format, bit_depth: as for `encode_photo`.
    """
    form = find_format(format)
    told, name = [], form.name.upper()
    alpha = photo.alpha
    if alpha is not None and not _keeps_alpha(form, _space_in(photo, form)) and float(alpha.min()) < 1.0:
        told.append(f"transparency became white, for {'CMYK' if form.alpha else name} holds none")
    if photo.bit_depth > 8 and bit_depth is None:
        told.append(lost_bits(photo.format, form))
    return tuple(filter(None, told))


def lost_bits(came_as: str, form: Format) -> str:
    """What a format lacks of more than 8 bits, as a clause for people; "" where it holds them.

    Args:
        came_as: the format of the picture, a key of `FORMATS`.
        form: that it becomes.
    """
    if 16 not in form.bit_depths:
        return f"more than 8 bits became 8, for {form.name.upper()} holds no more"
    if form.name in _DEEP_BITS and FORMATS[came_as].name not in _DEEP_BITS:
        return f"16 bits became {_DEEP_BITS[form.name]}, for {form.name.upper()} holds no more"
    return ""


def write_photo(
    photo: Photo,
    path: Path,
    *,
    format: str | None = None,
    quality: int | None = None,
    bit_depth: int | None = None,
    record: Mapping[str, str] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a picture file: whole, or not at all.

    Args:
        path: where to.
        format: as for `encode_photo`; None takes it from the suffix of `path`.
        quality, bit_depth, record: as for `encode_photo`.
        overwrite: replace a file that is there.

    Raises:
        OutputExists: there is a file and `overwrite` is False.
        UnwritablePicture: no permission, no space, an unknown suffix, or what `encode_photo` refuses.
    """
    path = Path(path)
    if format is None:
        form = format_of(path)
        if form is None:
            known = ", ".join(row.suffixes[0] for row in FORMATS.values() if row.writable)
            raise UnwritablePicture(f"{shown(path)} does not end like a picture", f"one of {known}")
        format = form.name
    with whole_file(path, overwrite=overwrite) as file:  # a name that is taken is told before the work
        file.write(encode_photo(photo, format, quality=quality, bit_depth=bit_depth, record=record))


def choose_bits(had: int, form: Format, quality: int | None, bit_depth: int | None) -> int:
    """Bits of each level in the file, after refusing what cannot be; as `encode_photo` says.

    Args:
        had: bits of the picture, 8 or 16.
        form, quality, bit_depth: as for `encode_photo`.
    """
    if not form.writable:
        raise UnwritablePicture(
            f"{form.name.upper()} is only read",
            "a format that is written",
            f"Type --format {form.fallback}",
        )
    if quality is not None and not 1 <= quality <= 100:
        raise BadSetting(f"quality {quality}", "1 to 100")
    if bit_depth not in (None, 8, 16):
        raise BadSetting(f"bit depth {bit_depth}", "8 or 16")
    if bit_depth is not None and bit_depth not in form.bit_depths:
        raise UnwritablePicture(
            f"{form.name.upper()} cannot hold {bit_depth} bits",
            "8 bits",
            "Type --format png or --format tiff",
        )
    wanted = bit_depth or (had if had in form.bit_depths else 8)
    return 8 if wanted == 8 else _DEEP_BITS.get(form.name, 16)


def _prepare(
    photo: Photo, form: Format, bits: int, quality: int | None, record: Mapping[str, str] | None
) -> Ready:
    """Pixels to levels in the colours of the file, with alpha where the format holds it."""
    space = _space_in(photo, form)
    icc = profile_in(photo, form)
    alpha = photo.alpha if _keeps_alpha(form, space) else None
    if form.name == "bmp" and space == "gray" and alpha is not None:
        space = "rgb"  # BMP has no gray with alpha
    shape = photo.stored.shape[:2]
    flat = photo if alpha is photo.alpha else _onto_white(photo)
    if space == "cmyk" or (icc is not None and not is_srgb(icc, space)):
        colour = from_srgb(flat.pixels, space, icc, 8 if bits == 8 else 16, flat.beyond)
        if bits not in (8, 16):
            colour = _shifted_up(to_levels(colour.astype(np.float32) * np.float32(1 / 65_535), bits), bits)
    elif space == "gray":
        gray = cv2.cvtColor(flat.pixels, cv2.COLOR_RGB2GRAY).reshape(shape)
        colour = _shifted_up(to_levels(gray, bits), bits)
    elif isinstance(flat.stored, Levels) and flat.stored.peak == (1 << bits) - 1:
        colour = _shifted_up(flat.stored.whole, bits)
    else:
        colour = _shifted_up(to_levels(flat.pixels, bits), bits)
    if alpha is not None:
        planes = cv2.split(colour) if colour.ndim == 3 else [colour]
        colour = cv2.merge([*planes, _shifted_up(to_levels(alpha, bits), bits)])
        colour = colour.reshape(*shape, -1)
    metadata = photo.metadata
    return Ready(
        np.ascontiguousarray(colour),
        space,
        alpha=alpha is not None,
        bits=bits,
        quality=quality or form.quality or 100,
        lossless=photo.lossless and quality is None,
        icc=icc,
        xmp=_packet(metadata.xmp, record, form),
        photo=photo,
    )


def profile_in(photo: Photo, form: Format) -> bytes | None:
    """The colour profile that a file of that format gets; None where that is sRGB, unsaid."""
    own_space = _space_in(photo, form) == ("cmyk" if photo.cmyk else "gray" if photo.gray else "rgb")
    return photo.icc if form.icc and own_space else None


def _space_in(photo: Photo, form: Format) -> Space:
    """What the channels of a file mean."""
    return "cmyk" if photo.cmyk and form.cmyk else "gray" if photo.gray and form.gray else "rgb"


def _keeps_alpha(form: Format, space: Space) -> bool:
    return form.alpha and space != "cmyk"


def _packet(packet: bytes | None, record: Mapping[str, str] | None, form: Format) -> bytes | None:
    """XMP to write; where the whole of it is too large for a JPEG, the record alone."""
    if not form.tags:
        return None
    whole = xmp.refreshed(packet, record)
    if whole is not None and form.name == "jpeg" and len(whole) > containers.LARGEST_XMP_IN_JPEG:
        return xmp.refreshed(None, record)
    return whole


def _onto_white(photo: Photo) -> Photo:
    """The picture laid on white paper, for formats without transparency; white holds nothing beyond sRGB."""
    if photo.alpha is None:
        return photo
    opaque = photo.alpha[..., np.newaxis]
    pixels = np.asarray(photo.pixels * opaque + (np.float32(1.0) - opaque), dtype=np.float32)
    beyond = None if photo.beyond is None else np.multiply(photo.beyond, opaque, dtype=np.float16)
    return replace(photo, stored=pixels, beyond=beyond)


def _shifted_up(levels: Array, bits: int) -> Array:
    """Levels of 10 or 12 bits as the upper bits of 16, which is where encoders look for them."""
    return levels if bits in (8, 16) else np.left_shift(levels, 16 - bits)
