"""What a check of a data set found, as one self-contained HTML page with the pictures it speaks of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np

from daybreak.data.check_report import CheckReport, PartReport, SharedScene, Shift, Side
from daybreak.data.sample import Sample, Source, photo_of
from daybreak.enhancing.page import (
    check_page_path,
    closing,
    image_tag,
    opening,
    preview,
    slider,
    text,
)
from daybreak.errors import DaybreakError
from daybreak.files import make_folder, whole_file
from daybreak.types import Pixels

SHOWN = 48
"""Pictures of one kind on the page; the JSON file has them all."""

PARTNERS = 3  # shown beside a picture whose scene is in another part

LARGE, SMALL = 720, 320  # px, longer side of a picture that is compared, and of one that is only recognised


def write_check_page(report: CheckReport, path: Path) -> None:
    """Write the page; a page that is there is replaced.

    Args:
        report: of `daybreak.data.check.check`; its samples are read again for their pictures.
        path: `*.html`.

    Raises:
        BadSetting: the path is not named like a page.
        UnwritablePicture: the folder cannot be made or written, or is full.
    """
    check_page_path(path)
    style = files("daybreak.evaluation").joinpath("check.css").read_text(encoding="utf-8")
    make_folder(path.parent)
    with whole_file(path, overwrite=True) as page:
        for piece in (opening(f"Check of {report.root}", style), *_body(report), closing()):
            page.write(piece.encode())


def _body(report: CheckReport) -> Iterator[str]:
    against = f" against {report.against}" if report.against else ""
    yield f"<header><div><h1>{text(f'Check of {report.root}{against}')}</h1>\n"
    yield f'<p class="soft">{text(summary(report))}</p></div></header>\n'
    if report.faults:
        rows = "".join(f"<li><strong>{text(f.where)}</strong>: {text(f.why)}</li>\n" for f in report.faults)
        yield f'<section class="failures"><h2 class="bad">Cannot be used</h2>\n<ul>\n{rows}</ul></section>\n'
    yield "<main>\n"
    yield _parts(report)
    yield from _shifts(report, report.shifted, "Misaligned pairs")
    yield from _shifts(report, report.untold, "Pairs with too little in common to compare them")
    yield from _shared(report)
    yield from _twins(report)
    yield "</main>\n"


def summary(report: CheckReport) -> str:
    """The findings in one sentence."""
    usable = sum(part.usable for part in report.parts)
    pictures = sum(part.pictures for part in report.parts)
    told = [f"{usable} of {pictures} samples can be used", f"{len(report.shifted)} are misaligned"]
    if report.untold:
        told.append(f"{len(report.untold)} have too little in common to tell")
    told.append(f"{len(report.twins)} groups of equal pictures")
    for part in report.parts:
        if scenes := report.shared_scenes(part.name):
            told.append(f"{len(scenes)} of {part.name} show a scene of another part")
    return ", ".join(told) + "."


def _parts(report: CheckReport) -> str:
    rows = "".join(_part_row(part, len(report.shared_scenes(part.name))) for part in report.parts)
    titles = ("Part", "Samples", "Usable", "Sizes", "Bits", "Brightness", "In another part", "Histogram")
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    notes = "".join(f"<p>{text(note)}</p>\n" for note in report.notes)
    return (
        '<section><h2>Parts</h2>\n<div class="wide"><table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
        '<p class="facts">Brightness is the mean gray value from 0 to 1; the histograms go from black on the '
        f"left to white on the right: inputs filled, references as a line.</p>\n{notes}</section>\n"
    )


def _part_row(part: PartReport, shared: int) -> str:
    sides = [side for side in (part.input, part.reference) if side is not None]
    cells = (
        part.pictures,
        part.usable,
        " / ".join(_counts(side.sizes) for side in sides),
        " / ".join(_counts(side.depths) for side in sides),
        " / ".join(f"{np.mean(side.brightness):.3f}" for side in sides),
        shared,
    )
    told = "".join(f"<td>{text(str(cell))}</td>" for cell in cells)
    name = part.name + (" (compared with)" if part.other else "")
    return f'<tr><th scope="row">{text(name)}</th>{told}<td>{_histogram(part)}</td></tr>\n'


def _counts(values: dict[str, int] | dict[int, int]) -> str:
    """The commonest value, and how many others there are."""
    first, *others = values
    return f"{first}" if not others else f"{first} and {len(others)} more"


def _histogram(part: PartReport) -> str:
    """Both histograms of a part as a drawing; each is as high as its own highest bin."""
    if part.input is None:
        return ""
    width, height = 160, 40

    def points(side: Side) -> list[tuple[float, float]]:
        top = max(side.histogram)
        step = width / len(side.histogram)
        return [(step * (i + 0.5), height * (1 - share / top)) for i, share in enumerate(side.histogram)]

    filled = points(part.input)
    area = " ".join(f"L{x:.1f} {y:.1f}" for x, y in filled)
    drawing = f'<path class="in" d="M{filled[0][0]:.1f} {height} {area} L{filled[-1][0]:.1f} {height} Z"/>'
    if part.reference is not None:
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points(part.reference))
        drawing += f'<polyline class="ref" points="{line}"/>'
    label = text(f"Brightness histogram of {part.name}")
    return (
        f'<svg class="histogram" role="img" aria-label="{label}" width="{width}" height="{height}" '
        f'viewBox="0 -1 {width} {height + 2}">{drawing}</svg>'
    )


def _shift_told(shift: Shift) -> str:
    a = shift.alignment
    if not a.told:
        return f"likeness {a.likeness:.2f}: too dark or too noisy, or pictures of two scenes"
    whole = f"input lies {abs(a.dx):.1f} px {'right' if a.dx > 0 else 'left'} of its reference and "
    whole += f"{abs(a.dy):.1f} px {'below' if a.dy > 0 else 'above'} it"
    told = f"{a.farthest:.1f} px in some part; {whole}; likeness {a.likeness:.2f}"
    return told if a.blocks >= 2 else f"{told}; uncertain, for little fits together"


def _shifts(report: CheckReport, shifts: Sequence[Shift], title: str) -> Iterator[str]:
    if not shifts:
        return
    yield f'<section><h2>{text(_title(title, len(shifts)))}</h2>\n<div class="pictures">\n'
    for shift in shifts[:SHOWN]:
        yield _pair(shift.where, report.samples[shift.where], _shift_told(shift))
    yield "</div></section>\n"


def _pair(name: str, sample: Sample, words: str) -> str:
    """Both pictures under a slider, the input as bright as its reference."""
    try:
        dark = photo_of(sample.input).pixels
        bright = dark if sample.reference is None else photo_of(sample.reference).pixels
    except DaybreakError as error:
        return f"<article><h2>{text(name)}</h2><p>{text(str(error))}</p></article>\n"
    left, right = preview(_brightened(dark, float(bright.mean())), LARGE), preview(bright, LARGE)
    images = image_tag(right, f"{name}, reference", 'class="right"')
    images += image_tag(left, f"{name}, input, brightened", 'class="left"')
    shown = slider(images, f"Input and reference: {name}", "input, brightened", "reference", left.shape)
    return f'<article><h2>{text(name)}</h2>\n{shown}\n<p class="facts">{text(words)}</p></article>\n'


def _brightened(pixels: Pixels, mean: float) -> Pixels:
    gain = mean / max(float(pixels.mean()), 1e-4)
    return np.asarray(np.minimum(pixels * np.float32(gain), np.float32(1)), np.float32)


def _shared(report: CheckReport) -> Iterator[str]:
    """Each picture of the smaller part with those of the other that show its scene, the likest first."""
    groups: dict[str, list[SharedScene]] = {}
    for pair in report.shared:
        groups.setdefault(pair.first, []).append(pair)
    if not groups:
        return
    yield f"<section><h2>{text(_title('Scenes in two parts', len(groups)))}</h2>\n"
    yield '<p class="facts">Whoever trains on one part and reports the other has seen these.</p>\n'
    for name, pairs in list(groups.items())[:SHOWN]:
        likest = sorted(
            pairs, key=lambda pair: (-pair.identical, -max(pair.correlation, pair.agreeing / 100))
        )
        few = f"; the {PARTNERS} likest" if len(pairs) > PARTNERS else ""
        yield f"<h3>{text(f'{name} and {len(pairs)} in other parts{few}')}</h3>\n"
        figures = [_figure(report, name, name)]
        figures += [_figure(report, pair.second, _likeness_told(pair)) for pair in likest[:PARTNERS]]
        yield f'<div class="crops">{"".join(figures)}</div>\n'
    yield "</section>\n"


def _likeness_told(pair: SharedScene) -> str:
    if pair.identical:
        return f"{pair.second}: the same picture"
    return f"{pair.second}: correlation {pair.correlation:.2f}, {pair.agreeing} key points agree"


def _twins(report: CheckReport) -> Iterator[str]:
    if not report.twins:
        return
    yield f"<section><h2>{text(_title('Equal pictures', len(report.twins)))}</h2>\n"
    yield '<p class="facts">Every pixel is the same. Several inputs of one scene may share a reference.</p>\n'
    figures = [
        _figure(report, twins.where[0], f"{twins.side}: {', '.join(twins.where)}", twins.side)
        for twins in report.twins[:SHOWN]
    ]
    yield f'<div class="crops">{"".join(figures)}</div>\n</section>\n'


def _figure(report: CheckReport, name: str, caption: str, side: str = "reference") -> str:
    sample = report.samples[name]
    source: Source = sample.input if side == "input" else sample.reference or sample.input
    try:
        shown = image_tag(preview(photo_of(source).pixels, SMALL), name)
    except DaybreakError as error:
        shown = f"<p>{text(str(error))}</p>"
    return f"<figure>{shown}<figcaption>{text(caption)}</figcaption></figure>"


def _title(title: str, count: int) -> str:
    return f"{title}: {count}" + (f" (the first {SHOWN} are shown)" if count > SHOWN else "")
