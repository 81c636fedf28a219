"""The HTML report of a run: sortable tables, and the telling pictures with sliders, crops and error maps."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from importlib.resources import files
from pathlib import Path

from daybreak.enhancing.page import check_page_path, closing, opening, text
from daybreak.evaluation.cases import article, open_case, telling
from daybreak.evaluation.protocol import Column
from daybreak.evaluation.results import Results, Row
from daybreak.evaluation.run import Run
from daybreak.evaluation.tables import (
    DASH,
    FACTS,
    cells,
    facts,
    footnotes,
    heading,
    in_order,
    marked,
    number,
    sort_column,
)
from daybreak.evaluation.verdicts import against, best, in_column, leaking
from daybreak.files import make_folder, whole_file
from daybreak.metrics import get_metric


def write_report(path: Path, results: Results, run: Run) -> None:
    """Write the page; it makes no request and opens from a disk.

    Args:
        path: `*.html`; appears whole or not at all.
        results: of the run.
        run: what was scored; the outputs of the pictures that are shown are made again.

    Raises:
        BadSetting: the path is not named like a page.
        UnwritablePicture: the page cannot be written.
    """
    check_page_path(path)
    style, script = (
        files(__package__).joinpath(name).read_text("utf-8") for name in ("report.css", "report.js")
    )
    title = f"{results.title}, {results.pictures}"
    make_folder(path.parent)
    with whole_file(path, overwrite=True) as page:
        page.write(
            (opening(title, style, script) + f"<header><h1>{text(title)}</h1></header>\n<main>\n").encode()
        )
        page.write("".join(_tables(results)).encode())
        page.write(b"<section>\n<h2>Pictures</h2>\n")
        for place, (name, reasons) in enumerate(telling(results).items()):
            page.write(article(open_case(run, name), results, reasons, f"-{place}").encode())
        page.write(f"</section>\n</main>\n{closing(script)}".encode())


def _tables(results: Results) -> Iterator[str]:
    """The three tables and what has to be read with them."""
    rows = in_order(results.rows, sort_column(results.columns))
    notes = "".join(f"<li>{text(note)}</li>\n" for note in (*footnotes(results), *results.problems))
    yield f"<section>\n<h2>Scores</h2>\n{_wide(_scores(results, rows), 'Scores')}"
    yield f'<ul class="notes">\n{notes}</ul>\n</section>\n'
    if len(rows) > 1 and results.columns:
        yield "<section>\n<h2>Differences from the best of each column</h2>\n"
        yield _wide(_gaps(results, rows), "Differences")
        yield '<p class="facts">Mean and 95 % interval of the paired differences; grey: not told apart.</p>\n'
        yield "</section>\n"
    first = sort_column(results.columns)
    if first is not None and results.images:
        label = f"{' '.join(filter(None, heading(first)))} of each picture"
        yield f"<section>\n<h2>{text(label)}</h2>\n"
        yield f"{_wide(_each(results, rows, first), label, 'long')}</section>\n"


def _wide(table: str, label: str, kind: str = "") -> str:
    """A table in a box that scrolls sideways, by keyboard too."""
    return f'<div class="wide {kind}" role="region" aria-label="{text(label)}" tabindex="0">\n{table}</div>\n'


def _head(names: list[tuple[str, str, str]]) -> str:
    """A row of sort buttons: name, second line, and the direction of the first click."""
    heads = "".join(
        f'<th scope="col" data-first="{first}"><button type="button">{text(name)}'
        f"<span></span>{f'<small>{text(under)}</small>' if under else ''}</button></th>"
        for name, under, first in names
    )
    return f"<thead><tr>{heads}</tr></thead>\n"


def _cell(shown: str, value: float | None, under: str = "", kind: str = "") -> str:
    """A number with a smaller second line; no value is a dash that sorts last."""
    data = "NaN" if value is None else repr(value).replace("inf", "Infinity")
    small = f"<small>{escape(under)}</small>" if under else ""
    return f'<td class="{kind}" data-value="{data}">{escape(shown)}{small}</td>'


def _named(row: Row) -> str:
    return f'<th scope="row">{text(marked(row))}</th>'


def _direction(column: Column) -> str:
    """Best first."""
    return "descending" if get_metric(column.metric).better == "higher" else "ascending"


def _scores(results: Results, rows: list[Row]) -> str:
    total = len(results.images)
    names = [("method", "", "ascending"), ("n", "", "descending")]
    names += [(*heading(column), _direction(column)) for column in results.columns]
    names += [(metric, "not available", "ascending") for metric in results.unavailable]
    names += [(name, under, "ascending") for name, under in FACTS]
    table = [(column, cells(rows, column, total)) for column in results.columns]
    body = ""
    for row in rows:
        line = _named(row) + _cell(str(row.n), row.n)
        for column, found in table:
            cell, score = found.get(row.name), row.score(column)
            if cell is None or score is None:
                line += _cell(DASH, None)
                continue
            kind = {"*": "best", "≈": "alike"}.get(cell.mark, "")
            fewer = f" (n={cell.n})" if cell.n else ""
            line += _cell(
                cell.mean + cell.mark, score.mean, cell.interval + fewer, kind if kind == "best" else ""
            )
        line += _cell(DASH, None) * len(results.unavailable)
        values = (row.seconds_median, row.parameters, row.macs_per_pixel)
        line += "".join(_cell(shown, value) for shown, value in zip(facts(row), values, strict=True))
        body += f"<tr>{line}</tr>\n"
    return f'<table class="sortable">\n{_head(names)}<tbody>\n{body}</tbody></table>\n'


def _gaps(results: Results, rows: list[Row]) -> str:
    names = [("method", "", "ascending")]
    lines = {row.name: _named(row) for row in rows}
    for column in results.columns:
        scores = in_column(rows, column)
        top = best(scores, leaking(rows))
        name, unusual = heading(column)
        names.append((name, " ".join(filter(None, (unusual, top and f"from {top}"))), _direction(column)))
        verdicts = against(scores, top) if top else {}
        for row in rows:
            verdict = verdicts.get(row.name)
            if verdict is None:
                lines[row.name] += _cell(
                    "best" if row.name == top else DASH, 0.0 if row.name == top else None
                )
                continue
            gap = verdict.difference
            low, mean, high = (number(value, column.metric) for value in (gap.low, gap.mean, gap.high))
            sign = "+" if gap.mean > 0 else ""
            lines[row.name] += _cell(
                f"{sign}{mean}", gap.mean, f"{low} to {high}", "" if verdict.real else "alike"
            )
    body = "".join(f"<tr>{line}</tr>\n" for line in lines.values())
    return f'<table class="sortable">\n{_head(names)}<tbody>\n{body}</tbody></table>\n'


def _each(results: Results, rows: list[Row], column: Column) -> str:
    scores = in_column(rows, column)
    names = [("picture", "", "ascending")]
    names += [
        (name, "", "ascending" if score.better == "higher" else "descending")
        for name, score in scores.items()
    ]
    body = ""
    for image in results.images:
        here = {name: score.each[image.name] for name, score in scores.items() if image.name in score.each}
        top = (max if _direction(column) == "descending" else min)(here.values(), default=None)
        line = f'<th scope="row">{text(image.name)}</th>'
        for name in scores:
            value = here.get(name)
            shown = DASH if value is None else number(value, column.metric)
            line += _cell(shown, value, kind="best" if value is not None and value == top else "")
        body += f"<tr>{line}</tr>\n"
    return f'<table class="sortable">\n{_head(names)}<tbody>\n{body}</tbody></table>\n'
