"""Pictures as people hold them, to float32 pixels and back to the same kind.

What is accepted is written down once, in `adapt`; everything else in `enhancing` sees H×W×3 float32.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from daybreak.errors import BadPixels
from daybreak.image import exif
from daybreak.image.color import luma
from daybreak.image.depth import to_float, to_levels
from daybreak.image.photo import Metadata, Photo
from daybreak.image.read import read_photo, turn_upright
from daybreak.image.write import encode_photo, keep_format
from daybreak.types import Array, Pixels, Plane


class Rebuild(Protocol):
    """The way back from results to the kind of picture that came."""

    def __call__(self, results: list[Pixels], record: Mapping[str, str] | None = None, /) -> Any:
        """Make it of as many results; a kind that can carry a record of what was done takes it along.

        A result that is the very array that `adapt` gave says that the picture is left as it is: a file whose
        format can be kept is then the bytes that came, which tell of nothing that was done.
        """


_PEAK = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}
_KINDS = "a path, bytes of a picture file, a Photo, a PIL image, a NumPy array or a torch tensor"


Seen = tuple[Pixels, Plane | None]
"""H×W×3 float32, and alpha, H×W float32 in [0, 1], where there is any."""


def adapt(image: Any) -> tuple[list[Seen], Rebuild]:
    """Split a picture of any accepted kind into float32 pixels, alpha and the way back.

    Args:
        image: a path, the bytes of a picture file, a `Photo`, a PIL image, an array H×W, H×W×1, H×W×3 or
            H×W×4 of uint8, uint16 or float in [0, 1], or a torch tensor C×H×W or N×C×H×W with C in 1, 3, 4.

    Returns:
        The pictures (one, or N for a batch), and a function that takes as many results and gives back the
        kind that came, with its alpha. A path gives a `Photo`.

    Raises:
        BadPixels: another kind, shape or dtype; NaN or values outside [0, 1].
        UnreadablePicture: a file that cannot be read.
    """
    if isinstance(image, Photo):
        return _adapt_photo(image)
    if isinstance(image, str | Path):
        return adapt(read_photo(image))
    if isinstance(image, bytes | bytearray | memoryview):
        return _adapt_file(bytes(image))
    if isinstance(image, np.ndarray):
        seen, rebuild = _adapt_array(image)
        return [seen], lambda results, _=None: rebuild(results[0])
    return _adapt_pil(image) if _is_pil(image) else _adapt_tensor(image)


def as_photo(image: Any) -> Photo:
    """A single picture of any kind that `adapt` accepts, as a photo.

    A PIL image is turned as the EXIF in its `info` says, which goes along; its colours are taken as sRGB.

    Raises:
        BadPixels, UnreadablePicture: as `adapt`; several pictures.
    """
    if isinstance(image, Photo):
        return image
    if isinstance(image, str | Path):
        return read_photo(image)
    if isinstance(image, bytes | bytearray | memoryview):
        return read_photo(bytes(image))
    orientation, metadata = 1, Metadata()
    if isinstance(image, np.ndarray):
        array = image
    elif _is_pil(image):
        array = _pil_array(image)
        block = (image.info.get("exif") or b"").removeprefix(b"Exif\0\0")
        if exif.is_readable(block):
            orientation, metadata = image.getexif().get(exif.ORIENTATION, 1), Metadata(exif=block)
    else:
        array, *others = _tensor_arrays(image)
        if others:
            raise BadPixels(f"a batch of {1 + len(others)} pictures", "one picture a file")
    (pixels, alpha), _ = _adapt_array(array)
    return Photo(
        turn_upright(pixels, orientation),
        None if alpha is None else turn_upright(alpha, orientation),
        bit_depth=8 if array.dtype == np.uint8 else 16,
        gray=array.ndim == 2 or array.shape[2] == 1,
        metadata=metadata,
    )


def _is_pil(image: Any) -> bool:
    """Whether it is a picture of PIL's; False for a torch tensor.

    Raises:
        BadPixels: it is neither.
    """
    kinds = {f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in type(image).__mro__}
    if "PIL.Image" in kinds:
        return True
    if "torch.Tensor" in kinds and "torch" in sys.modules:
        return False
    raise BadPixels(f"a picture of type {type(image).__name__}", _KINDS)


def _adapt_photo(photo: Photo) -> tuple[list[Seen], Rebuild]:
    def back(results: list[Pixels], record: Mapping[str, str] | None = None) -> Photo:
        made = photo.with_pixels(results[0])
        return made if record is None else replace(made, record=record)

    return [(photo.pixels, photo.alpha)], back


def _adapt_file(data: bytes) -> tuple[list[Seen], Rebuild]:
    photo = read_photo(data)
    pictures, photo_of = _adapt_photo(photo)
    kept = keep_format(photo)

    def back(results: list[Pixels], record: Mapping[str, str] | None = None) -> bytes:
        left = results[0] is photo.pixels and kept == photo.format
        return data if left else encode_photo(photo_of(results, record), kept)

    return pictures, back


def _adapt_array(array: Array) -> tuple[Seen, Callable[[Pixels], Array]]:
    channels = 1 if array.ndim == 2 else array.shape[-1]
    if array.ndim not in (2, 3) or channels not in (1, 3, 4) or not array.size:
        raise BadPixels(
            f"an array of shape {array.shape}", "H×W, H×W×1, H×W×3 or H×W×4 with at least one pixel"
        )
    values = _to_float(array)
    planes = values.reshape(*values.shape[:2], channels)
    colour = np.repeat(planes, 3, axis=2) if channels == 1 else np.ascontiguousarray(planes[..., :3])
    alpha = np.ascontiguousarray(planes[..., 3]) if channels == 4 else None

    def rebuild(result: Pixels) -> Array:
        levels = _to_dtype(luma(result) if channels == 1 else result, array.dtype)
        if channels == 4:
            levels = np.concatenate([levels, _alpha(array, levels.shape)], axis=2)
        return levels.reshape(*result.shape[:2], *array.shape[2:])

    return (colour, alpha), rebuild


def _alpha(array: Array, shape: tuple[int, ...]) -> Array:
    """The fourth channel of H×W×4, H×W×1, bilinear at another size where the result has one."""
    alpha = array[..., 3:]
    if array.shape[:2] == shape[:2]:
        return alpha
    size = (shape[1], shape[0])
    larger = cv2.resize(alpha.astype(np.float32), size, interpolation=cv2.INTER_LINEAR).reshape(*shape[:2], 1)
    return (np.rint(larger) if array.dtype.kind == "u" else larger).astype(array.dtype)


def _to_float(array: Array) -> Array:
    """uint8, uint16 or float in [0, 1] to float32 in [0, 1]; refuse the rest."""
    if array.dtype in _PEAK:
        return to_float(array, _PEAK[array.dtype])
    if array.dtype.kind != "f":
        raise BadPixels(f"an array of dtype {array.dtype}", "uint8, uint16 or float in [0, 1]")
    low, high = float(array.min()), float(array.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise BadPixels("an array with NaN or infinity in it", "finite values in [0, 1]")
    if low < 0.0 or high > 1.0:
        hint = "Divide by 255, or give uint8" if high > 2.0 else "Clip it first"
        raise BadPixels(f"a float array between {low:.9g} and {high:.9g}", "values in [0, 1]", hint)
    return array.astype(np.float32)


def _to_dtype(values: Array, dtype: np.dtype[Any]) -> Array:
    return to_levels(values, 8 * dtype.itemsize) if dtype in _PEAK else values.astype(dtype)


def _pil_array(image: Any) -> Array:
    """A PIL image as H×W or H×W×C, as it lies."""
    palette = "RGBA" if "transparency" in image.info else "RGB"
    mode = {"1": "L", "LA": "RGBA", "P": palette, "PA": "RGBA", "CMYK": "RGB", "YCbCr": "RGB"}
    wanted = mode.get(image.mode, image.mode)
    if wanted not in ("L", "RGB", "RGBA", "I;16"):
        raise BadPixels(
            f"a PIL image of mode {image.mode}", "1, L, LA, P, PA, RGB, RGBA, CMYK, YCbCr or I;16"
        )
    return np.asarray(image if image.mode == wanted else image.convert(wanted))


def _adapt_pil(image: Any) -> tuple[list[Seen], Rebuild]:
    from PIL import Image

    seen, rebuild = _adapt_array(_pil_array(image))

    def back(results: list[Pixels], _: Mapping[str, str] | None = None) -> Any:
        made = Image.fromarray(rebuild(results[0]))
        made = made if image.mode in ("1", "P", "PA", made.mode) else made.convert(image.mode)
        made.info = {key: value for key, value in image.info.items() if key != "transparency"}
        return made

    return [seen], back


def _tensor_arrays(tensor: Any) -> list[Array]:
    """Each picture of a tensor as H×W×C."""
    import torch

    if tensor.ndim not in (3, 4) or tensor.shape[-3] not in (1, 3, 4) or not tensor.numel():
        raise BadPixels(
            f"a tensor of shape {tuple(tensor.shape)}", "C×H×W or N×C×H×W with 1, 3 or 4 channels"
        )
    batch = tensor.detach().cpu().reshape(-1, *tensor.shape[-3:]).movedim(1, -1)
    kept = torch.float32 if tensor.dtype in (torch.bfloat16, torch.float16) else tensor.dtype
    return [picture.to(kept).numpy() for picture in batch]


def _adapt_tensor(tensor: Any) -> tuple[list[Seen], Rebuild]:
    import torch

    split = [_adapt_array(picture) for picture in _tensor_arrays(tensor)]

    def back(results: list[Pixels], _: Mapping[str, str] | None = None) -> Any:
        arrays = [rebuild(result) for (_, rebuild), result in zip(split, results, strict=True)]
        made = torch.from_numpy(np.stack(arrays)).movedim(-1, 1)
        return made.reshape(*tensor.shape[:-2], *made.shape[-2:]).to(tensor.dtype).to(tensor.device)

    return [seen for seen, _ in split], back
