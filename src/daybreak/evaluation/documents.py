"""Writing what was found between two marker lines of a page that people write."""

from __future__ import annotations

from pathlib import Path

from daybreak.errors import DataError
from daybreak.files import write_whole


def write_between(path: Path, name: str, text: str) -> None:
    """Replace what stands between `<!-- NAME -->` and `<!-- /NAME -->`.

    Args:
        path: of a UTF-8 page.
        name: of the markers.
        text: without the markers, no newline at its ends needed.

    Raises:
        DataError: the page cannot be read or lacks a marker; it stays as it was.
        UnwritablePicture: it cannot be written.
    """
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    try:
        before, found, rest = path.read_text(encoding="utf-8").partition(start)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read ({error})", "a page of text") from None
    _, also_found, after = rest.partition(end)
    if not (found and also_found):
        raise DataError(f"{path} lacks the lines {start} and {end}", "both, each once")
    whole = f"{before}{start}\n{text.strip()}\n{end}{after}"
    write_whole(path, whole.encode("utf-8"), overwrite=True)
