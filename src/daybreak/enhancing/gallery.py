"""A gallery: one HTML page with a before/after slider for every picture of a run."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from daybreak.enhancing.batch import Result
from daybreak.enhancing.page import (
    TINY,
    Bytes8,
    check_page_path,
    closing,
    image_tag,
    opening,
    preview,
    slider,
    spool,
    text,
)
from daybreak.files import whole_file, writing
from daybreak.methods.describe import as_typed

__all__ = ["GalleryEntry", "preview", "write_gallery"]

FILTER_FROM = 8  # pictures; with fewer, all are in sight


@dataclass(frozen=True)
class GalleryEntry:
    """One picture of a gallery: either two previews or the reason why there are none.

    Attributes:
        name: what the picture is called, usually its file name; may hold anything.
        before, after: h×w×3 uint8 RGB, already small (see `preview`); None for a picture that failed.
        error: why it failed, one sentence ("" where it did not).
        method: what ran ("" where the picture was left as it is).
        settings: of the method, by name.
        brightness_before, brightness_after: arithmetic means in [0, 1], as in the report.
        seconds: what it took.
        note: one more clause, for example what an automatic method decided.
    """

    name: str
    before: Bytes8 | None = None
    after: Bytes8 | None = None
    error: str = ""
    method: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    brightness_before: float | None = None
    brightness_after: float | None = None
    seconds: float | None = None
    note: str = ""


def gallery_entry(result: Result) -> GalleryEntry:
    """A result, run with `Output.preview`, as a picture on the gallery page."""
    return GalleryEntry(
        name=str(result.source),
        before=result.before,
        after=result.after,
        error=result.error,
        method=result.method,
        settings=result.settings or {},
        brightness_before=result.brightness_before,
        brightness_after=result.brightness_after,
        seconds=result.seconds,
        note="; ".join(
            (*result.notes, *result.lost, *(["made before"] if result.state == "done before" else []))
        ),
    )


def write_gallery(entries: Iterable[GalleryEntry], path: Path, title: str) -> None:
    """Write one self-contained HTML page of all entries; one entry is held at a time.

    Args:
        entries: taken one by one, so a generator that does the work is welcome.
        path: the page, `*.html`; appears whole when all entries are in it, or not at all. Missing folders are
            made; an older page is replaced.
        title: the page's heading.

    Raises:
        BadSetting: the path is not named like a page (before the first entry is taken).
        UnwritablePicture: the folder cannot be made or written (before the first entry too), or is full.
    """
    check_page_path(path)
    count, failures = 0, []
    with spool(path) as body:
        for entry in entries:
            if entry.error:
                failures.append(f"<li><strong>{text(entry.name)}</strong>: {text(entry.error)}</li>\n")
                continue
            count += 1
            with writing(path):
                body.write(_article(entry).encode())
        with whole_file(path, overwrite=True) as page:
            page.write((opening(title) + _header(title, count, failures)).encode())
            body.seek(0)
            shutil.copyfileobj(body, page)
            page.write(f"</main>\n{closing()}".encode())


def _header(title: str, count: int, failures: list[str]) -> str:
    """Heading, how many there are, a filter where they are many, and what failed."""
    told = f"{count} picture{'' if count == 1 else 's'}"
    told += f', <span class="bad">{len(failures)} failed</span>' if failures else ""
    search = '<div class="field"><label for="filter">Filter by name or method</label>'
    search += '<input type="search" id="filter"></div>\n'
    failed = (
        '<section class="failures" aria-labelledby="failed"><h2 id="failed" class="bad">Failed</h2>\n'
        f"<ul>\n{''.join(failures)}</ul></section>\n"
    )
    return (
        f"<header><div><h1>{text(title)}</h1>\n"
        f'<p class="soft">{told}<span id="shown" role="status"></span></p></div>\n'
        f"{search if count >= FILTER_FROM else ''}</header>\n"
        f'{failed if failures else ""}<main class="pictures">\n'
    )


def _article(entry: GalleryEntry) -> str:
    find = text(f"{entry.name} {entry.method}".lower())
    shown = ""
    if entry.before is not None and entry.after is not None:
        tiny = " tiny" if entry.before.shape[1] < TINY else ""
        images = image_tag(entry.after, f"{entry.name}, after", f'class="right{tiny}"')
        images += image_tag(entry.before, f"{entry.name}, before", f'class="left{tiny}"')
        shown = slider(images, f"Before and after: {entry.name}", "before", "after", entry.before.shape)
    facts = "".join(f'<p class="facts">{text(line)}</p>\n' for line in _facts(entry))
    return f'<article data-find="{find}">\n<h2>{text(entry.name)}</h2>\n{shown}\n{facts}</article>\n'


def _facts(entry: GalleryEntry) -> list[str]:
    chosen = ", ".join(f"{name}={as_typed(value)}" for name, value in entry.settings.items())
    what = (entry.method or "left as it is") + (f" ({chosen})" if chosen else "")
    if entry.brightness_before is not None and entry.brightness_after is not None:
        what += f" · mean brightness {entry.brightness_before:.2f} → {entry.brightness_after:.2f}"
    if entry.seconds is not None:
        what += f" · {entry.seconds:.2f} s"
    return [what, entry.note] if entry.note else [what]
