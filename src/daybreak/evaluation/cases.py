"""The pictures that a report shows: which, and what is to be seen of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from daybreak.enhancing.compare import chooser, stack
from daybreak.enhancing.crops import choose_crops
from daybreak.enhancing.page import Bytes8, data_uri, preview, text
from daybreak.errors import DaybreakError
from daybreak.evaluation.drawings import FULL, error_map, histogram
from daybreak.evaluation.pictures import as_float, load
from daybreak.evaluation.results import Results
from daybreak.evaluation.run import Run
from daybreak.evaluation.scoring import written
from daybreak.evaluation.tables import heading, number, sort_column
from daybreak.evaluation.verdicts import best, in_column, leaking
from daybreak.types import Pixels

SHOWN = 6  # pictures at most
OUTPUTS = 60  # on the whole page at most, about 10 MB; but two pictures always
LONGEST = 900  # px, of the pictures under the slider
MAP = 480  # px, longest side of an error map
INPUT, REFERENCE = "input", "reference"


@dataclass(frozen=True)
class Case:
    """One picture with every output of it.

    Attributes:
        name: of the picture.
        levels: "input", each row and "reference" (where there is one) -> H×W×3 uint8, as they were scored.
    """

    name: str
    levels: Mapping[str, Bytes8]

    @property
    def truth(self) -> Bytes8 | None:
        """The reference, or None."""
        return self.levels.get(REFERENCE)


def telling(results: Results) -> dict[str, list[str]]:
    """The pictures on which most rows are at their best or their worst, with those reasons.

    Returns:
        Picture -> reasons, in the order of the list; where there are no reasons, the first pictures.
    """
    column = sort_column(results.columns)
    reasons: dict[str, list[str]] = {image.name: [] for image in results.images}
    if column is not None:
        for row_name, score in in_column(results.rows, column).items():
            if row_name == INPUT or score.n < 2:
                continue
            turn = 1 if score.better == "higher" else -1
            ranked = sorted(score.each, key=lambda name: turn * score.each[name])
            reasons[ranked[0]].append(f"worst of {row_name}")
            reasons[ranked[-1]].append(f"best of {row_name}")
    votes = Counter({name: len(told) for name, told in reasons.items() if told} or reasons.keys())
    count = max(2, min(SHOWN, OUTPUTS // max(1, len(results.rows))))
    kept = {name for name, _ in votes.most_common(count)}
    return {name: told for name, told in reasons.items() if name in kept}


def open_case(run: Run, name: str) -> Case:
    """Make the outputs of one picture again; what fails is left out, as it was in the run."""
    sample = next(sample for sample in run.pictures.samples if sample.name == name)
    picture = load(sample)
    levels = {INPUT: written(picture.low, "round")}
    for subject in run.subjects:
        if subject.kind == "input":
            continue
        try:
            levels[subject.name] = written(subject.produce(picture).pixels, run.options.protocol.rounding)
        except DaybreakError:
            continue
    if picture.truth is not None:
        levels[REFERENCE] = picture.truth
    return Case(name, levels)


def article(case: Case, results: Results, reasons: list[str], key: str) -> str:
    """A picture on the page: slider over any two, crops, error maps, histograms.

    Args:
        case: the picture and its outputs.
        results: of the run, for the scores in the captions.
        reasons: why it is shown.
        key: what makes its ids unique on the page.
    """
    pictures = {name: as_float(levels) for name, levels in case.levels.items()}
    original = pictures[INPUT]
    names = list(pictures)
    column = sort_column(results.columns)
    top = best(in_column(results.rows, column), leaking(results.rows)) if column else None
    right = names.index(top) if top in names else min(1, len(names) - 1)
    sides = {"left": 0, "right": right}
    told = f'<p class="facts">{text("; ".join(reasons))}</p>\n' if reasons else ""
    parts = [
        f'<article class="case">\n<h2>{text(case.name)}</h2>\n{told}<div>\n',
        chooser(names, sides, key),
        stack(pictures, original.shape, sides, LONGEST),
        "</div>\n",
        *_crops(pictures, original),
        *_errors(case, results),
        _histograms(case),
        "</article>\n",
    ]
    return "".join(parts)


def _strip(title: str, figures: Mapping[str, str], hint: str = "") -> str:
    """A heading and a row of figures with their captions; captions are not yet escaped, `hint` is HTML."""
    shown = "".join(
        f"<figure>{figure}<figcaption>{text(caption)}</figcaption></figure>\n"
        for caption, figure in figures.items()
    )
    return f'<h3>{text(title)}{hint}</h3>\n<div class="crops">\n{shown}</div>\n'


def _crops(pictures: Mapping[str, Pixels], original: Pixels) -> list[str]:
    strips = []
    for crop, title in zip(choose_crops(original), ("Darkest detail", "Most texture"), strict=False):
        figures = {
            name: _image(preview(crop.cut(pixels, original.shape)), f"{title}, {name}, enlarged")
            for name, pixels in pictures.items()
        }
        strips.append(_strip(title, figures))
    return strips


def _errors(case: Case, results: Results) -> list[str]:
    truth = case.truth
    if truth is None:
        return []
    caption = _captions(case, results)
    figures = {
        caption(name): _image(
            preview(as_float(error_map(levels, truth)), MAP), f"Error of {name}", 'class="map"'
        )
        for name, levels in case.levels.items()
        if name != REFERENCE and levels.shape == truth.shape
    }
    hint = f' <span class="scale" role="img" aria-label="colour scale"></span> 0 to {FULL:g} levels'
    return [_strip("Error", figures, hint)]


def _captions(case: Case, results: Results) -> Callable[[str], str]:
    """A row's name with its score on this picture in the first column."""
    column = sort_column(results.columns)
    scores = in_column(results.rows, column) if column else {}

    def caption(name: str) -> str:
        score = scores.get(name)
        if column is None or score is None or case.name not in score.each:
            return name
        unit = heading(column)[0].removesuffix("↑").removesuffix("↓").partition(" ")[2]
        return f"{name}: {number(score.each[case.name], column.metric)} {unit}".strip()

    return caption


def _histograms(case: Case) -> str:
    behind = case.truth
    figures = {
        name: histogram(levels, behind if name != REFERENCE else None, f"Histogram of {name}")
        for name, levels in case.levels.items()
    }
    return _strip("Histograms" + (", the reference behind in grey" if behind is not None else ""), figures)


def _image(levels: Bytes8, words: str, attributes: str = "") -> str:
    return f'<img {attributes} loading="lazy" alt="{text(words)}" src="{data_uri(levels)}">'
