"""What the HTML pages share: one self-contained document with before/after sliders, no outside request.

The style and the script lie beside this file: pair.css and pair.js, of the sliders, which the web page has
too, and page.css and page.js, of these pages. They are written into each page.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from html import escape
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import cv2
import numpy as np
from numpy.typing import NDArray

from daybreak.documents import check_document
from daybreak.errors import UnwritablePicture
from daybreak.files import make_folder, writing
from daybreak.image.rows import Rows, shrink
from daybreak.text import printable
from daybreak.types import Pixels

Bytes8 = NDArray[np.uint8]
"""H×W×3, RGB, sRGB-encoded, 8 bits."""

_SUFFIXES = (".html", ".htm")
_MARK = '<meta name="generator" content="daybreak">'

TINY = 320  # a picture narrower than this is shown larger than it is: as sharp squares


def preview(rows: Rows, longest: int = 960) -> Bytes8:
    """A picture small enough for a page.

    Args:
        rows: H×W×3 in [0, 1], any size from 1×1.
        longest: the longer side of the result, in pixels; a smaller picture keeps its size.

    Returns:
        h×w×3 uint8, area-averaged, rounded.
    """
    return to_bytes(shrink(rows, longest))


def resized(pixels: Pixels, size: tuple[int, int], how: int) -> Pixels:
    """OpenCV's resize to (width, height), for pictures one pixel wide or high too."""
    return np.asarray(cv2.resize(pixels, size, interpolation=how), np.float32).reshape(size[1], size[0], 3)


def to_bytes(pixels: Pixels) -> Bytes8:
    """[0, 1] to 8 bits, rounded."""
    return np.asarray(np.clip(np.rint(pixels * 255.0), 0, 255), dtype=np.uint8)


def data_uri(image: Bytes8, extension: str = ".jpg") -> str:
    """The picture as a `data:` address: JPEG at quality 85, or lossless for ".png"."""
    options = [cv2.IMWRITE_JPEG_QUALITY, 85] if extension == ".jpg" else []
    done, encoded = cv2.imencode(extension, np.ascontiguousarray(image[:, :, ::-1]), options)
    if not done:
        raise UnwritablePicture(f"OpenCV could not encode a picture of {image.shape} as {extension}")
    kind = {".jpg": "jpeg", ".png": "png"}[extension]
    return f"data:image/{kind};base64,{base64.b64encode(encoded.tobytes()).decode('ascii')}"


def text(words: str) -> str:
    """Words as HTML, in text or in a quoted attribute; control characters are shown escaped."""
    return escape(printable(words), quote=True)


def image_tag(image: Bytes8, words: str, attributes: str = "") -> str:
    """An <img> that carries its picture; `words` is its text alternative, not yet escaped."""
    height, width = image.shape[:2]
    return (
        f'<img {attributes} width="{width}" height="{height}" decoding="async" draggable="false" '
        f'alt="{text(words)}" src="{data_uri(image)}">'
    )


def slider(images: str, label: str, left: str, right: str, shape: tuple[int, ...]) -> str:
    """A pair of stacked pictures with a range input over them.

    Args:
        images: <img> tags, of which one has the class "left" and one the class "right".
        label: what the slider is called, for a screen reader.
        left, right: what the two sides are called.
        shape: (height, width, …) of the pictures; gives the box its ratio.
    """
    left, right = text(left), text(right)
    return (
        f'<div class="pair" style="--ratio:{shape[1] / shape[0]:.5g}" '
        f'data-left="{left}" data-right="{right}">{images}<span class="line"></span>'
        f'<span class="tag" aria-hidden="true" data-side="left">{left}</span>'
        f'<span class="tag" aria-hidden="true" data-side="right">{right}</span>'
        f'<input type="range" min="0" max="100" step="5" value="50" aria-label="{text(label)}" '
        f'aria-valuetext="50 % {left}, 50 % {right}"></div>'
    )


def opening(title: str, style: str = "", script: str = "") -> str:
    """The page up to the start of its body. Its policy forbids every request and every other script.

    Args:
        title: of the page, not yet escaped.
        style, script: what a kind of page adds to page.css and page.js; `closing` gets the same script.
    """
    style = resource("page.css") + resource("pair.css") + style
    whole = _script(script)
    digest = base64.b64encode(hashlib.sha256(whole.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    plain = (
        ".pair{display:grid;gap:.25rem} .pair img{position:static;clip-path:none} .line,.tag{display:none}"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'{_MARK}\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{text(title)}</title>\n<link rel="icon" href="data:,">\n<style>\n{style}</style>\n'
        f"<noscript><style>{plain}</style></noscript>\n</head>\n<body>\n"
    )


def closing(script: str = "") -> str:
    """The script, with what `opening` was told of, and the end of the page."""
    return f"<script>{_script(script)}</script>\n</body>\n</html>\n"


def _script(more: str) -> str:
    return resource("pair.js") + resource("page.js") + more


def resource(name: str) -> str:
    """The text of a file that lies beside this one."""
    return files("daybreak.enhancing").joinpath(name).read_text(encoding="utf-8")


def is_page(path: Path) -> bool:
    """Whether a file is named like an HTML page."""
    return path.suffix.lower() in _SUFFIXES


def check_page_path(path: Path, option: str = "") -> None:
    """`check_document` of a page."""
    check_document(path, _SUFFIXES, _MARK, option)


@contextmanager
def spool(path: Path) -> Iterator[IO[bytes]]:
    """A nameless file in the folder of `path`, gone when closed; missing folders are made.

    Raises:
        UnwritablePicture: the folder cannot be made or written.
    """
    make_folder(path.parent)
    with ExitStack() as stack:
        with writing(path):
            file = stack.enter_context(TemporaryFile(dir=path.parent))
        yield file
