"""The figures of the papers, drawn anew with what is here: grids with crops and error maps, and curves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from daybreak.data.sample import Sample
from daybreak.data.synthetic import darken
from daybreak.enhancing.api import save_image
from daybreak.enhancing.compare import compare_sheet
from daybreak.errors import DataError, DaybreakError
from daybreak.evaluation.drawings import error_map
from daybreak.evaluation.lists import open_list
from daybreak.evaluation.pictures import Picture, as_float, load, to_8_bits
from daybreak.evaluation.plots import plot_generator
from daybreak.evaluation.published import Paper
from daybreak.evaluation.subjects import parse_subjects
from daybreak.types import Pixels

EXAMPLES = ((0.5, 0.5), (1.0, 2.0), (1.5, 0.5), (2.0, 1.0))
"""α and γ of paper 3's Fig. 2."""


@dataclass(frozen=True)
class Grid:
    """A figure that shows pictures of a data set through several methods.

    Attributes:
        paper, figure: where it stands.
        data: as after `-d`.
        rows: what is shown, as after `-m`; what cannot be run is left out.
        pictures: their names; () takes the first two, as is done where none of them is there. The papers do
            not name theirs.
    """

    paper: str
    figure: str
    data: str
    rows: tuple[str, ...]
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drawn:
    """A figure.

    Attributes:
        files: its pictures.
        note: what to know of them ("" for nothing).
    """

    files: list[Path]
    note: str = ""


OURS = ("auto", "cascade")
"""Shown where none of a paper's methods is here."""

CLASSICAL = ("bimef", "crm", "dong", "lime", "mf", "msrcr", "npe")

GRIDS = (
    Grid("paper0", "Fig. 6", "lol-v1:test", OURS, ("111", "748")),
    Grid("paper0", "Fig. 7", "brightening", OURS),
    Grid("paper0", "Fig. 9", "euvp", OURS),
    Grid("paper0", "Fig. 10", "reside-beta", OURS),
    Grid("paper1", "Fig. 5", "lol-v1:test", OURS, ("22", "780")),
    Grid("paper1", "Fig. 6", "lol-v2-real:test", OURS),
    Grid("paper1", "Fig. 7", "lsrw:test", OURS),
    Grid("paper2", "Fig. 5", "lol-v2-real:test", OURS),
    Grid("paper3", "Fig. 6", "lime", ("lime",)),
    Grid("paper4", "Fig. 5", "lol-v1:test", CLASSICAL, ("111", "748")),
    Grid("paper4", "Fig. 6", "lime", CLASSICAL),
    Grid("paper4", "Fig. 7", "npe", CLASSICAL),
    Grid("paper4", "Fig. 8", "dicm", CLASSICAL),
    Grid("paper4", "Fig. 9", "fivek:test", CLASSICAL),
)


def draw_figures(papers: Sequence[Paper], root: Path, folder: Path) -> Iterator[str]:
    """Draw what can be drawn as PNG; what cannot is told, not raised.

    Args:
        papers: whose figures.
        root: a folder with the data sets that there are.
        folder: where the pictures go; older ones are replaced.

    Yields:
        A line for each figure: its files and what to know of them, or why it is not drawn.
    """
    names = {paper.name for paper in papers}
    drawers: list[tuple[str, str, Callable[[], Drawn]]] = [
        *((grid.paper, grid.figure, partial(draw_grid, grid, root, folder)) for grid in GRIDS),
        ("paper3", "Fig. 1", partial(draw_curves, folder)),
        ("paper3", "Fig. 2", partial(draw_examples, root, folder)),
        ("paper3", "Fig. 5", partial(draw_differences, root, folder)),
    ]
    for paper, figure, draw in sorted(drawers, key=lambda drawer: (drawer[0], int(drawer[1].split()[1]))):
        if paper in names:
            try:
                drawn = draw()
                files = ", ".join(path.name for path in drawn.files)
                told = f"{files} ({drawn.note})" if drawn.note else files
            except DaybreakError as error:
                told = f"not drawn: {error}"
            yield f"{paper} {figure}: {told}"


def draw_grid(grid: Grid, root: Path, folder: Path) -> Drawn:
    """One sheet a picture: input, outputs, reference and error maps, each with the same crops.

    Raises:
        DataError: the data set is not below the root, or none of the rows can be run.
        UnwritablePicture: a sheet cannot be written.
    """
    drawn = []
    samples, note = _chosen(grid.data, root, grid.pictures)
    for picture in map(load, samples):
        results: dict[str, Pixels] = {}
        for row in grid.rows:
            try:
                results[row] = parse_subjects([row])[0].produce(picture).pixels
            except DaybreakError:
                continue
        if not results:
            raise DataError(f"none of {', '.join(grid.rows)} can be run")
        drawn.append(
            _write(grid.paper, grid.figure, picture.name, picture.low, _with_errors(results, picture), folder)
        )
    return Drawn(drawn, note)


def _with_errors(results: dict[str, Pixels], picture: Picture) -> dict[str, Pixels]:
    """The outputs, then the reference and the error maps where there is a reference."""
    truth = picture.truth
    if truth is None:
        return results
    maps = {
        f"error of {name}": as_float(error_map(to_8_bits(pixels), truth)) for name, pixels in results.items()
    }
    return {**results, "reference": as_float(truth), **maps}


def draw_curves(folder: Path) -> Drawn:
    """Paper 3, Fig. 1.

    Raises:
        MissingExtra: matplotlib is not installed.
        UnwritablePicture: the file cannot be written.
    """
    path = folder / "paper3-fig1.png"
    plot_generator(path)
    return Drawn([path])


def draw_examples(root: Path, folder: Path) -> Drawn:
    """Paper 3, Fig. 2: clean pictures and what the generator makes of them."""
    drawn = []
    samples, note = _chosen("synthetic:Kodak24", root, ("05", "23"))
    for picture in map(load, samples):
        clean = as_float(picture.truth) if picture.truth is not None else picture.low
        results = {
            f"alpha {alpha:g}, gamma {gamma:g}": darken(clean, alpha, gamma) for alpha, gamma in EXAMPLES
        }
        drawn.append(_write("paper3", "Fig. 2", picture.name, clean, results, folder))
    return Drawn(drawn, note)


def draw_differences(root: Path, folder: Path) -> Drawn:
    """Paper 3, Fig. 5: α = 1, γ = 0.5; the true difference map, and LIME's picture with what it adds."""
    drawn = []
    lime = parse_subjects(["lime"])[0]
    samples, note = _chosen("synthetic:Kodak24", root, ("05", "23"))
    for picture in map(load, samples):
        clean = as_float(picture.truth) if picture.truth is not None else picture.low
        dark = as_float(to_8_bits(darken(clean, 1.0, 0.5)))
        found = lime.produce(Picture(picture.name, dark, None)).pixels
        results = {
            "clean": clean,
            "difference map": clean - dark,
            "lime": found,
            "difference map of lime": np.clip(found - dark, 0.0, 1.0),
        }
        drawn.append(_write("paper3", "Fig. 5", picture.name, dark, results, folder))
    return Drawn(drawn, note)


def _chosen(data: str, root: Path, names: Sequence[str]) -> tuple[Sequence[Sample], str]:
    """The pictures of those names, or the first two where none of them is there; and which are not there."""
    samples = open_list(data, root).samples
    named = [sample for sample in samples if sample.name in names]
    absent = [name for name in names if name not in {sample.name for sample in named}]
    if not absent:
        return named or samples[:2], ""
    told = f"{data} has no picture {' or '.join(absent)}"
    return (named, told) if named else (samples[:2], f"the first two: {told}")


def _write(
    paper: str, figure: str, name: str, original: Pixels, results: dict[str, Pixels], folder: Path
) -> Path:
    stem = f"{paper}-{figure.lower().replace('. ', '')}-{name}".replace("/", "-")
    path = folder / f"{stem}.png"
    save_image(compare_sheet(original, results), path, bit_depth=8, overwrite=True)
    return path
