"""Writing what was found between two marker lines of a page that people write."""

from __future__ import annotations

from pathlib import Path

from daybreak.errors import DataError
from daybreak.files import write_whole


def markers(name: str) -> tuple[str, str]:
    """The two lines between which a part of a page is written."""
    return f"<!-- {name} -->", f"<!-- /{name} -->"


def around(path: Path, name: str) -> tuple[str, str]:
    """What stands before and after the markers of a page, which need not be there.

    Raises:
        DataError: the page cannot be read or lacks a marker.
    """
    start, end = markers(name)
    hint = f"Make a page with the lines {start} and {end}"
    try:
        if not path.exists():
            return "", "\n"
        before, found, rest = path.read_text(encoding="utf-8").partition(start)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})", "a page of text", hint) from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is no text in UTF-8", "a page of text", hint) from None
    _, also_found, after = rest.partition(end)
    if not (found and also_found):
        raise DataError(f"{path} lacks the lines {start} and {end}", "both, each once")
    return before, after


def write_between(path: Path, name: str, text: str) -> None:
    """Replace what stands between `<!-- NAME -->` and `<!-- /NAME -->`.

    Args:
        path: of a UTF-8 page, or a new one.
        name: of the markers.
        text: without the markers, no newline at its ends needed.

    Raises:
        DataError: the page cannot be read or lacks a marker; it stays as it was.
        UnwritablePicture: it cannot be written.
    """
    before, after = around(path, name)
    start, end = markers(name)
    whole = f"{before}{start}\n{text.strip()}\n{end}{after}"
    write_whole(path, whole.encode("utf-8"), overwrite=True)
