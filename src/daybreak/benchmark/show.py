"""A benchmark for people: a table in Markdown, and a plot of quality against speed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from daybreak.benchmark.results import Benchmark, Row
from daybreak.errors import BadSetting
from daybreak.evaluation.plots import new_figure, save_figure
from daybreak.evaluation.results import Results
from daybreak.evaluation.tables import LEAK, sort_column
from daybreak.text import counted

HEADS = (
    "method",
    "engine",
    "picture",
    "threads",
    "method, ms",
    "whole, ms (spread)",
    "method / codec",
    "whole / codec",
    "CPU, whole / codec",
    "pictures/s",
    "peak MB",
    "MACs",
    "GFLOP/s (of ceiling)",
)


def markdown_table(found: Benchmark, width: int = 0) -> Iterator[str]:
    """Lines of a table, a row for each case, and what was measured where below it.

    Args:
        found: the benchmark.
        width: of the pictures to show; 0 shows all.
    """
    yield f"| {' | '.join(HEADS)} |"
    yield "|---|---|---|" + "---:|" * (len(HEADS) - 3)
    for row in found.rows:
        if not width or row.case.width == width:
            yield f"| {' | '.join(_cells(row))} |"
    yield ""
    yield told_of(found)


def _cells(row: Row) -> Iterator[str]:
    case = row.case
    yield case.method
    yield f"{case.device} {case.precision}".strip() or "-"
    yield f"{case.width}x{case.height}"
    yield str(case.threads)
    yield f"{1e3 * row.method.median:,.0f}"
    yield f"{1e3 * row.whole.median:,.0f} ({1e3 * row.whole.spread:,.0f})"
    yield f"{row.method_over_floor:.2f}"
    yield f"{row.whole_over_floor:.2f}"
    yield f"{row.cpu_over_floor:.2f}"
    yield f"{row.pictures_per_second:.1f}"
    yield f"{row.peak_mb:,.0f}"
    yield "-" if row.macs is None else f"{row.macs / 1e9:.2f} G"
    reached = row.gflops
    yield "-" if reached is None else f"{reached:.0f} ({reached / row.ceiling_gflops:.0%})"


def told_of(found: Benchmark) -> str:
    """One sentence: where, when, how."""
    machine = found.machine
    busy = f" Others were at work (load {found.load:g}): only the ratio of processor time says much."
    others = busy if found.load >= 0.5 else ""
    return (
        f"Medians of {counted(found.repeats, 'repeat')} or more, {found.date}, {machine.get('cpu')}, "
        f"{machine.get('cores')} cores. Codec: JPEG decode + encode of the same picture by libvips in the "
        "same repeats; a ratio is the median of the repeats' ratios. Method: decoded pixels to enhanced "
        f"ones. Whole: bytes to bytes, in one process.{others}"
    )


def plot_quality(found: Benchmark, scores: Results, path: Path) -> None:
    """Quality of each method against its time at the largest size, over that of the codec.

    Args:
        found: the benchmark; of several cases of a method the fastest at that size counts.
        scores: from `daybreak evaluate`, for the first metric there.
        path: ends in .png, .svg or .pdf.

    Raises:
        MissingExtra: matplotlib is not installed.
        BadSetting: no method has both a time and a score.
        UnwritablePicture: the file cannot be written.
    """
    column = sort_column(scores.columns, "")
    largest = max((row.case.pixels for row in found.rows), default=0)
    fastest: dict[str, float] = {}
    for timed in found.rows:
        if timed.case.pixels == largest:
            name = timed.case.method
            fastest[name] = min(fastest.get(name, timed.method_over_floor), timed.method_over_floor)
    points = [
        (row, fastest[row.method], score.mean)
        for row in scores.rows
        if column and row.method in fastest and not row.settings and (score := row.score(column)) and score.n
    ]
    if column is None or not points:
        raise BadSetting("nothing to plot", "methods with a time and a score")
    figure = new_figure(7.0, 5.0)
    axes = figure.subplots()
    for row, ratio, mean in points:
        axes.plot(ratio, mean, "o")
        label = f"{row.name} {LEAK}" if row.leak else row.name
        axes.annotate(label, (ratio, mean), (6, 4), textcoords="offset points", fontsize=8)
    axes.axvline(1.0, color="0.6", linestyle=":")
    axes.set(xscale="log", xlabel="time of the method over JPEG decode + encode of the same picture")
    axes.set(ylabel=f"{column.metric.upper()} on {scores.title}")
    axes.margins(x=0.15)
    axes.grid(True, alpha=0.3)
    save_figure(figure, path)
