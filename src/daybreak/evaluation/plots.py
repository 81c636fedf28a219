"""Plots with matplotlib, drawn without a window: curves of paper 3, and quality against speed and size."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from daybreak.data.synthetic import darken
from daybreak.documents import check_document
from daybreak.errors import BadSetting, MissingExtra
from daybreak.evaluation.results import Results, Row
from daybreak.evaluation.tables import LEAK, heading, marked, sort_column
from daybreak.files import make_folder, whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SAYS = {"png": "Software", "svg": "Creator", "pdf": "Creator"}
"""Where a plot says what made it, by its format, which its name's end says."""

_MARK = "plotted by daybreak"

CURVES = ((0.5, 0.5), (0.5, 2.0), (1.0, 0.5), (1.0, 1.0), (1.0, 2.0), (1.5, 0.5), (2.0, 1.0))
"""α and γ of the curves: those of the paper's Fig. 2 and their neighbours."""


def plot_generator(path: Path) -> None:
    """Paper 3, Fig. 1: the level of a dark picture over that of the clean one, for several α and γ.

    Raises:
        MissingExtra: matplotlib is not installed.
        UnwritablePicture: the file cannot be written.
    """
    levels = np.linspace(0.0, 1.0, 256, dtype=np.float32)
    figure = new_figure(5.5, 4.5)
    axes = figure.subplots()
    for alpha, gamma in CURVES:
        axes.plot(levels, darken(levels, alpha, gamma), label=f"α = {alpha:g}, γ = {gamma:g}")
    axes.plot(levels, levels, color="0.6", linestyle=":", label="α = 0 (unchanged)")
    axes.set(xlabel="clean picture I", ylabel="dark picture I'", xlim=(0, 1), ylim=(0, 1))
    axes.legend(fontsize=8)
    save_figure(figure, path)


def plot_cost(results: Results, path: Path, metric: str = "") -> None:
    """Quality against seconds per picture and, where networks ran, against parameters.

    Args:
        results: of one list of pictures.
        path: a picture that matplotlib writes: .png, .svg, .pdf.
        metric: which; "" takes the first column.

    Raises:
        MissingExtra: matplotlib is not installed.
        BadSetting: no such column, no row that has both a score and a time, or another suffix.
        UnwritablePicture: the file cannot be written.
    """
    column = sort_column(results.columns, metric)
    rows = [row for row in results.rows if column and (score := row.score(column)) and score.n]
    timed = [row for row in rows if row.seconds_median]
    if column is None or not timed:
        raise BadSetting("nothing to plot", "rows with a score and a time")
    sized = [row for row in rows if row.parameters]
    panels: list[tuple[str, Sequence[Row], Callable[[Row], float]]] = [
        ("seconds a picture", timed, lambda row: row.seconds_median or 0.0)
    ]
    if sized:
        panels.append(("parameters", sized, lambda row: float(row.parameters or 0)))
    figure = new_figure(7.0 * len(panels), 6.0)
    for axes, (label, shown, place) in zip(
        figure.subplots(1, len(panels), squeeze=False, sharey=True)[0], panels, strict=True
    ):
        for row in shown:
            score = row.score(column)
            if score is None or not math.isfinite(score.mean):
                continue
            low, high = score.interval_95
            x = place(row)
            axes.errorbar(x, score.mean, [[score.mean - low], [high - score.mean]], fmt="o", capsize=2)
            axes.annotate(marked(row), (x, score.mean), (6, 4), textcoords="offset points", fontsize=8)
        name, unusual = heading(column)
        axes.set(xscale="log", xlabel=label, ylabel=" ".join(filter(None, (name, unusual))))
        axes.xaxis.set_major_formatter("{x:,g}")
        axes.xaxis.set_minor_formatter("")  # labels between the powers of ten run into each other
        axes.margins(x=0.15)
        axes.grid(True, alpha=0.3)
    warned = f"; {LEAK} has seen them, or nearly" if any(row.leak for row in timed) else ""
    figure.suptitle(f"{results.title}, {results.pictures}; bars: 95 % intervals{warned}", fontsize=10)
    save_figure(figure, path)


def check_plot_path(path: Path) -> None:
    """See before the work that a plot can be named so.

    Raises:
        BadSetting, UnwritablePicture: as of `check_document`.
        MissingExtra: matplotlib is not installed.
    """
    check_document(path, [f".{format}" for format in _SAYS], _MARK, "--plot")
    if find_spec("matplotlib") is None:  # looked for, not imported: that takes half a second
        raise MissingExtra("plotting", "plots")


def new_figure(width: float, height: float) -> Figure:
    """A figure of so many inches that belongs to no window.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("plotting", "plots") from None
    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure whole, in the format that the name's end says; an older one is replaced.

    Args:
        figure: from `new_figure`.
        path: as `check_plot_path` takes it.

    Raises:
        UnwritablePicture: the file cannot be written.
    """
    make_folder(path.parent)
    format = path.suffix.lower().lstrip(".")
    with whole_file(path, overwrite=True) as file:
        figure.savefig(file, format=format, dpi=150, metadata={_SAYS[format]: _MARK})
