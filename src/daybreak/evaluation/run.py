"""Score subjects on a list of pictures: one picture is held at a time, one failure stops nothing else."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from daybreak.data.recognise import recognise
from daybreak.data.sample import Sample
from daybreak.errors import DaybreakError
from daybreak.evaluation.machine import machine
from daybreak.evaluation.pictures import Bytes8, ListHash, Picture, PictureList, load, to_8_bits
from daybreak.evaluation.problems import Problems
from daybreak.evaluation.protocol import Column, Protocol, columns_for
from daybreak.evaluation.results import ImageFacts, Results
from daybreak.evaluation.rows import Tally, make_row
from daybreak.evaluation.scoring import score, written
from daybreak.evaluation.subjects import Subject
from daybreak.files import make_folder
from daybreak.image.depth import to_float
from daybreak.image.photo import Photo
from daybreak.image.write import write_photo
from daybreak.metrics import get_metric
from daybreak.version import __version__


@dataclass(frozen=True)
class Options:
    """How a run scores.

    Attributes:
        metrics: names, in the order of the columns.
        gt_mean: whether outputs are scaled to their references.
        protocol: channel ("" for each metric's own), rounding, crop and the name of NIQE's model.
        models: metric -> its parameters.
        unavailable: metric -> why it is not computed.
        save: a folder for the outputs as they were scored, or None.
    """

    metrics: tuple[str, ...]
    gt_mean: Literal["both", "on", "off"] = "both"
    protocol: Protocol = field(default_factory=lambda: Protocol("", channel=""))
    models: Mapping[str, Any] = field(default_factory=dict)
    unavailable: Mapping[str, str] = field(default_factory=dict)
    save: Path | None = None

    def columns(self) -> list[Column]:
        """The columns of the run, with no list of pictures in their protocols yet."""
        names = [name for name in self.metrics if name not in self.unavailable]
        return [
            column for name in names for column in columns_for(get_metric(name), self.protocol, self.gt_mean)
        ]


class Run:
    """One evaluation in progress: iterate over it to the end, then ask for its results.

    Where the iteration is left by Ctrl-C the results are those of the pictures that every row went through.

    Args:
        pictures: what to score on.
        subjects: what to score.
        options: how.

    Attributes:
        done: how many pictures were gone through so far.
    """

    def __init__(self, pictures: PictureList, subjects: Sequence[Subject], options: Options) -> None:
        self.pictures, self.subjects, self.options = pictures, subjects, options
        self.columns = options.columns()
        self._hash = ListHash()
        self._images: list[ImageFacts] = []
        self._tallies = [Tally({column: {} for column in self.columns}) for _ in subjects]
        self._problems = Problems()
        self._notes = Problems()
        self._recognised: Counter[str] = Counter()
        self.done = 0

    def __len__(self) -> int:
        return len(self.pictures.samples)

    def __iter__(self) -> Iterator[str]:
        """Score picture after picture; yields the name of each when it is done."""
        for sample in self.pictures.samples:
            try:
                self._do(sample)
            except KeyboardInterrupt:
                self._forget(sample.name)  # some rows have it, others do not
                raise
            self.done += 1
            yield sample.name

    def _do(self, sample: Sample) -> None:
        picture = self._load(sample)
        if picture is None:
            return
        for subject, tally in zip(self.subjects, self._tallies, strict=True):
            self._score(subject, tally, picture)
        height, width = picture.low.shape[:2]
        self._images.append(ImageFacts(name=picture.name, width=width, height=height))
        self._hash.add(picture)
        if found := recognise(to_8_bits(picture.low)):
            self._recognised[found] += 1

    def _forget(self, name: str) -> None:
        for tally in self._tallies:
            tally.forget(name)
        for kept in (self._problems, self._notes):
            kept.forget(name)

    def _load(self, sample: Sample) -> Picture | None:
        try:
            picture = load(sample)
        except DaybreakError as error:
            self._problems.add("left out", str(error), sample.name)
            return None
        if picture.note:
            self._notes.add("", picture.note, picture.name)
        return picture

    def _score(self, subject: Subject, tally: Tally, picture: Picture) -> None:
        try:
            produced = subject.produce(picture)
            output = written(produced.pixels, self.options.protocol.rounding)
            scores, problems = score(output, picture, self.columns, self.options.models)
        except (DaybreakError, MemoryError) as error:
            self._problems.add(subject.name, str(error) or "not enough memory", picture.name)
            return
        if produced.seconds is not None:
            tally.seconds[picture.name] = produced.seconds
        if produced.weights_sha256:
            tally.weights.setdefault(produced.weights_sha256, None)
        for column, value in scores.items():
            tally.scores[column][picture.name] = value
        if produced.reduced:  # with more memory the score would be another one
            self._problems.add(subject.name, f"{produced.reduced}; scored all the same", picture.name)
        for metric, problem in problems.items():
            self._problems.add(f"{metric} of {subject.name}", problem, picture.name)
        if self.options.save and subject.kind == "method":
            try:
                save_output(output, self.options.save / slug(subject.name) / f"{picture.name}.png")
            except DaybreakError as error:
                self._problems.add(f"saving {subject.name}", str(error), picture.name)

    def results(self) -> Results:
        """Everything that was found so far."""
        images = self._hash.hexdigest()
        return Results(
            daybreak=__version__,
            date=datetime.date.today(),
            machine=machine(),
            dataset=self.pictures.card.name,
            split=self.pictures.split,
            images=tuple(self._images),
            images_sha256=images,
            rows=tuple(
                make_row(subject, tally, images, self.pictures, self._recognised)
                for subject, tally in zip(self.subjects, self._tallies, strict=True)
            ),
            problems=(*self.pictures.problems, *self._problems.sentences()),
            notes=(*self._unfinished(), *self._notes.sentences()),
            unavailable=dict(self.options.unavailable),
        )

    def _unfinished(self) -> list[str]:
        if self.done == len(self):
            return []
        return [f"Stopped after {self.done} of {len(self)} pictures: these are no numbers of the whole list."]


def save_output(output: Bytes8, path: Path) -> None:
    """Write an output as it was scored: 8 bits, lossless. Missing folders are made.

    Raises:
        UnwritablePicture: no permission, no space.
    """
    make_folder(path.parent)
    photo = Photo.from_pixels(to_float(output, 255), bit_depth=8)
    write_photo(photo, path, overwrite=True)


def slug(name: str) -> str:
    """A row's name as the name of a folder.

    >>> slug("he mode=rgb")
    'he_mode=rgb'
    """
    return name.replace(" ", "_").replace("/", "_")
