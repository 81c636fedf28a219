"""The functions of the Python API: `daybreak.enhance`, `enhance_video`, `load_image` and `save_image`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daybreak.enhancing.arrays import as_photo
from daybreak.enhancing.enhancer import Enhancer
from daybreak.image.photo import Photo
from daybreak.image.read import read_photo
from daybreak.image.write import write_photo

if TYPE_CHECKING:
    from daybreak.enhancing.video import Progress, VideoOptions, VideoResult


def enhance(
    image: Any,
    method: str = "auto",
    strength: float = 1.0,
    *,
    exposure: float | None = None,
    **settings: Any,
) -> Any:
    """Enhance one picture and give back the same kind of thing; `Enhancer` does many.

    Args:
        image: a path (gives a `Photo`), the bytes of a picture file (gives bytes of the same format), a
            `Photo`, a PIL image, an array H×W, H×W×1, H×W×3 or H×W×4 of uint8, uint16 or float in [0, 1],
            or a torch tensor C×H×W or N×C×H×W. RGB, sRGB-encoded.
        method: a name from `daybreak.list_methods()`; "auto" looks at the picture and decides.
        strength: 0 gives the input back, 1 the method's own result, up to 1.5 goes beyond.
        exposure: instead of a strength: stops (EV) from the input's mean linear light to the result's.
        **settings: of the method, by name; see `daybreak methods NAME`.

    Returns:
        The same kind, dtype and number of channels; of a file that is left as it is, its own bytes.

    Raises:
        UnknownName: no such method or setting; carries the nearest names.
        BadSetting: a value out of its range.
        BadPixels: an array that is no picture, or NaN in it.
        UnreadablePicture: a file that cannot be read.

    >>> import numpy as np
    >>> enhance(np.full((2, 2), 16, np.uint8), method="gamma", gamma=2.0)
    array([[64, 64],
           [64, 64]], dtype=uint8)
    """
    return Enhancer(method, strength=strength, exposure=exposure, **settings)(image)


def enhance_video(
    source: str | Path,
    target: str | Path,
    method: str = "auto",
    strength: float = 1.0,
    *,
    exposure: float | None = None,
    options: VideoOptions | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
    **settings: Any,
) -> VideoResult:
    """Enhance a film, held steady over time; sound, subtitles, chapters and times stay as they are.

    Args:
        source: a video file.
        target: where to; its suffix decides the container. It appears whole or not at all.
        method, strength, exposure, **settings: as for `enhance`.
        options: codec, quality, part of the film, `overwrite`, `resume` …: a `daybreak.VideoOptions`.
        progress: called after each frame, from this thread.
        stop: asked before each frame; True ends the run.

    Returns:
        What was done: frames, seconds, notes.

    Raises:
        MissingExtra: the extra `video` is not installed.
        UnknownName, BadSetting: as `enhance`, and for the options.
        UnreadablePicture: the source is missing or no video.
        OutputExists: the target is there and `options.overwrite` is False.
        UnwritablePicture: the target cannot be written, or cannot hold the sound or subtitles.
        daybreak.enhancing.video.Stopped: `stop` said so.
    """
    from daybreak.enhancing import video

    enhancer = Enhancer(method, strength=strength, exposure=exposure, **settings)
    options = options or video.VideoOptions()
    return video.enhance_video(Path(source), Path(target), enhancer, options, progress=progress, stop=stop)


def load_image(path: str | Path) -> Photo:
    """Read a picture file with all that travels beside its pixels.

    Args:
        path: JPEG, PNG, TIFF, WebP, AVIF, BMP or GIF; RAW and HEIC with their extras.

    Returns:
        A `Photo`: `.pixels` is H×W×3 float32 sRGB in [0, 1], upright.

    Raises:
        UnreadablePicture: missing, empty, truncated, no picture, or too large; names the file.
    """
    return read_photo(Path(path))


def save_image(
    image: Any,
    path: str | Path,
    *,
    quality: int | None = None,
    bit_depth: int | None = None,
    overwrite: bool = False,
) -> None:
    """Write a picture; the suffix of the path decides the format. The file is whole or absent.

    Args:
        image: a `Photo`, a path or the bytes of a file (metadata and profile go along), or any single picture
            that `enhance` accepts. A PIL image is turned as the EXIF in its `info` says, which goes along;
            its colours count as sRGB. Alpha is laid on white where the format holds none.
        path: where to; never replaced unless `overwrite`.
        quality: 1 to 100 for JPEG, WebP and AVIF; None for the format's default.
        bit_depth: 8 or 16; None keeps that of the picture (16 for uint16 and floats where it fits).
        overwrite: replace a file that is there.

    Raises:
        OutputExists: the file is there and `overwrite` is False.
        UnwritablePicture: no permission, no space, or a format that cannot hold it.
        BadPixels: no picture, or several.
    """
    write_photo(as_photo(image), Path(path), quality=quality, bit_depth=bit_depth, overwrite=overwrite)
