"""daybreak turns dark pictures into clear ones.

>>> import daybreak, numpy as np
>>> dark = np.full((8, 12, 3), 12, np.uint8)
>>> bright = daybreak.enhance(dark)
>>> bright.shape, bright.dtype, bool(bright.mean() > 2 * dark.mean())
((8, 12, 3), dtype('uint8'), True)

Everything is imported when it is first used, so that `import daybreak` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from daybreak.version import __version__

if TYPE_CHECKING:
    from daybreak.enhancing.api import enhance, enhance_video, load_image, save_image
    from daybreak.enhancing.enhancer import Enhancer
    from daybreak.enhancing.video import VideoOptions
    from daybreak.errors import DaybreakError
    from daybreak.image.photo import Photo
    from daybreak.methods import get_method, list_methods

__all__ = [
    "DaybreakError",
    "Enhancer",
    "Photo",
    "VideoOptions",
    "__version__",
    "enhance",
    "enhance_video",
    "get_method",
    "list_methods",
    "load_image",
    "save_image",
]

_HOMES = {
    "DaybreakError": "daybreak.errors",
    "Enhancer": "daybreak.enhancing.enhancer",
    "Photo": "daybreak.image.photo",
    "VideoOptions": "daybreak.enhancing.video",
    "enhance": "daybreak.enhancing.api",
    "enhance_video": "daybreak.enhancing.api",
    "get_method": "daybreak.methods",
    "list_methods": "daybreak.methods",
    "load_image": "daybreak.enhancing.api",
    "save_image": "daybreak.enhancing.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'daybreak' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
