"""Results as text: for a terminal, and as Markdown. Only numbers of one protocol stand below each other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from daybreak.evaluation.protocol import Column, Protocol
from daybreak.evaluation.results import Results, Row, Score
from daybreak.evaluation.verdicts import against, best, in_column, leaking
from daybreak.metrics import get_metric

DASH = "-"
LEAK = "†"
BEST = "*"
ALIKE = "≈"
DECIMALS = {"psnr": 2, "ciede2000": 2, "niqe": 2, "loe": 0, "mae": 1, "brightness": 1}


@dataclass(frozen=True)
class Cell:
    """What stands in one place of a table.

    Attributes:
        mean, interval: as text ("" where there is none).
        mark: `BEST`, `ALIKE` (not told apart from the best) or "".
        n: how many pictures, where that differs from the whole list; else 0.
    """

    mean: str
    interval: str = ""
    mark: str = ""
    n: int = 0


def marked(row: Row) -> str:
    """A row's name, with `LEAK` where its numbers are too good."""
    return f"{row.name} {LEAK}" if row.leak else row.name


def number(value: float, metric: str) -> str:
    """A score with as many decimals as its metric deserves.

    >>> number(17.2049, "psnr"), number(0.61842, "ssim"), number(float("inf"), "psnr")
    ('17.20', '0.6184', '∞')
    """
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value:.{DECIMALS.get(metric, 4)}f}"


def heading(column: Column) -> tuple[str, str]:
    """Two lines over a column: metric with unit and better direction, and what is unusual in its protocol.

    >>> from daybreak.evaluation.protocol import Protocol
    >>> heading(Column("psnr", Protocol("", gt_mean=True)))
    ('psnr dB ↑', 'GT-mean')
    """
    metric = get_metric(column.metric)
    arrow = "↑" if metric.better == "higher" else "↓"
    name, _, unusual = column.title.partition(" ")
    return " ".join(filter(None, (name, metric.unit, arrow))), unusual


def cells(rows: Sequence[Row], column: Column, total: int) -> dict[str, Cell]:
    """Row -> its cell in a column; rows without a score there are not in it."""
    scores = in_column(rows, column)
    top = best(scores, leaking(rows))
    verdicts = against(scores, top) if top else {}
    made = {}
    for name, score in scores.items():
        verdict = verdicts.get(name)
        mark = BEST if name == top else ALIKE if verdict and not verdict.real else ""
        made[name] = Cell(
            number(score.mean, column.metric),
            _interval(score),
            mark if len(scores) > 1 else "",
            score.n if score.n != total else 0,
        )
    return made


def _interval(score: Score) -> str:
    low, high = score.interval_95
    metric = score.column.metric
    return "" if math.isnan(low) else f"{number(low, metric)}–{number(high, metric)}"


def in_order(rows: Sequence[Row], column: Column | None) -> list[Row]:
    """Rows by their mean in a column, best first; those without one last, as they came."""
    if column is None:
        return list(rows)
    sign = -1.0 if get_metric(column.metric).better == "higher" else 1.0

    def place(row: Row) -> tuple[bool, float]:
        score = row.score(column)
        return (score is None or not score.n, sign * score.mean if score and score.n else 0.0)

    return sorted(rows, key=place)


def sort_column(columns: Sequence[Column], metric: str = "") -> Column | None:
    """The first column of a metric, or the first of all; None where there is none."""
    return next((column for column in columns if metric in ("", column.metric)), None)


def facts(row: Row) -> tuple[str, str, str]:
    """Seconds per picture, parameters and multiply-adds per pixel, as text.

    Dashes where there is no network, or nothing was run.
    """
    seconds = row.seconds_median
    return (
        DASH if seconds is None else f"{seconds:.3f}",
        DASH if row.parameters is None else f"{row.parameters:,}",
        DASH if row.macs_per_pixel is None else f"{row.macs_per_pixel:,}",
    )


FACTS = (("seconds", "a picture"), ("parameters", ""), ("MACs", "a pixel"))


def text_table(results: Results, sort: str = "", width: int = 0) -> Iterator[str]:
    """Lines for a terminal: each row's means, and below them the intervals.

    Args:
        results: one list of pictures.
        sort: a metric; rows stand by their means in its first column ("": in the first column of all).
        width: of the terminal, in signs; columns that do not fit beside each other go below. 0 for no limit.
    """
    columns = results.columns
    rows = in_order(results.rows, sort_column(columns, sort))
    total = len(results.images)
    named = [marked(row) for row in rows]
    grid = [_block(["method", *named], [""] * (len(rows) + 1), str.ljust)]
    grid.append(_block(["n", *(str(row.n) for row in rows)], [""] * (len(rows) + 1), str.rjust))
    for column in columns:
        found = cells(rows, column, total)
        first, second = heading(column)
        upper, lower = [first], [second]
        for row in rows:
            cell = found.get(row.name, Cell(DASH))
            upper.append(f"{cell.mean}{cell.mark or ' '}")
            lower.append(cell.interval + (f" n={cell.n}" if cell.n else ""))
        grid.append(_block(upper, lower, str.rjust))
    for metric in results.unavailable:
        grid.append(_block([metric, *([DASH] * len(rows))], [""] * (len(rows) + 1), str.rjust))
    for place, (first, second) in enumerate(FACTS):
        upper = [first, *(facts(row)[place] for row in rows)]
        grid.append(_block(upper, [second, *([""] * len(rows))], str.rjust))
    for place, blocks in enumerate(_fitting(grid[0], grid[1:], width)):
        if place:
            yield ""
        for line in zip(grid[0], *blocks, strict=True):
            joined = "  ".join(line).rstrip()
            if joined:
                yield joined


def _fitting(names: list[str], blocks: list[list[str]], width: int) -> Iterator[list[list[str]]]:
    """Divide the columns so that each part fits into a width beside the names; a part has at least one."""
    part: list[list[str]] = []
    used = len(names[0])
    for block in blocks:
        if part and width and used + 2 + len(block[0]) > width:
            yield part
            part, used = [], len(names[0])
        part.append(block)
        used += 2 + len(block[0])
    yield part


def _block(upper: Sequence[str], lower: Sequence[str], justify: object) -> list[str]:
    """One column as lines of equal width: upper and lower line of each row in turn."""
    width = max(len(text) for text in (*upper, *lower))
    lines = [text for pair in zip(upper, lower, strict=True) for text in pair]
    return [text.ljust(width) if justify is str.ljust else text.rjust(width) for text in lines]


def footnotes(results: Results) -> Iterator[str]:
    """What has to be read with the numbers: list, protocols, marks, leaks, notes, what is not available."""
    yield (
        f"{results.title}: {results.pictures}, sha256 of names and pixels "
        f"{results.images_sha256[:16]}, {results.date}, daybreak {results.daybreak}."
    )
    yield f"Seconds on {results.machine['cpu']}, {results.machine['cores']} cores."
    yield from protocols(results.columns)
    if results.columns:
        yield "Each picture scored, then the arithmetic mean, with its 95 % bootstrap interval."
    if len(results.rows) > 1 and results.columns:
        yield (
            f"{BEST} best of its column; {ALIKE} not told apart from it (paired bootstrap over pictures, "
            "Holm-adjusted, 5 %)."
        )
    for row in results.rows:
        if row.leak:
            yield f"{LEAK} {row.name}: {row.leak} Its numbers say little of new scenes."
    yield from results.notes
    for metric, told in results.unavailable.items():
        yield f"{metric} was not computed: {told}"


def protocols(columns: Iterable[Column]) -> Iterator[str]:
    """How the numbers of each metric were taken, one line for all that were taken alike."""
    switches: dict[tuple[str, Protocol], set[bool]] = {}
    for column in columns:
        shared = replace(column.protocol, gt_mean=False)
        switches.setdefault((column.metric, shared), set()).add(column.protocol.gt_mean)
    alike: dict[str, dict[str, None]] = {}
    for (metric, protocol), found in switches.items():
        switch = "GT-mean on" if found == {True} else "GT-mean off and on" if True in found else "GT-mean off"
        alike.setdefault(protocol.words().replace("GT-mean off", switch), {})[metric] = None
    yield from (f"{', '.join(metrics)}: {words}." for words, metrics in alike.items())


def markdown_table(results: Results, sort: str = "") -> Iterator[str]:
    """Lines of a Markdown table with the interval in brackets, and the footnotes below.

    Args:
        results, sort: as for `text_table`.
    """
    columns = results.columns
    heads = [" ".join(filter(None, heading(column))) for column in columns]
    last = [" ".join(filter(None, words)) for words in FACTS]
    names = ["method", "n", *heads, *results.unavailable, *last]
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    rows = in_order(results.rows, sort_column(columns, sort))
    table = [cells(rows, column, len(results.images)) for column in columns]
    for row in rows:
        shown = [marked(row), str(row.n)]
        for found in table:
            cell = found.get(row.name, Cell(DASH))
            between = cell.interval and f"[{cell.interval}]"
            fewer = f"(n={cell.n})" if cell.n else ""
            shown.append(" ".join(filter(None, (cell.mean + cell.mark, between, fewer))))
        shown += [DASH] * len(results.unavailable)
        yield f"| {' | '.join([*shown, *facts(row)])} |"
    yield ""
    for note in footnotes(results):
        yield note.replace("*", r"\*") + "  "  # two blanks break the line
