"""What a data set is: a card with all there is to know before using it, and a way to find its samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from daybreak.data.sample import Sample
from daybreak.errors import DataError, UnknownName

Kind = Literal["paired", "unpaired", "clean"]


class NothingThere(DataError):
    """No folder of a data set is where it was looked for: the set was not got yet, or lies elsewhere."""


@dataclass(frozen=True)
class Leak:
    """Pictures of a split that are also, or almost, in something that is trained on.

    Attributes:
        split: of the data set whose card this stands on.
        source: what shares pictures with it, "DATASET:SPLIT".
        told: one sentence for whoever reports a number on the split.
    """

    split: str
    source: str
    told: str


@dataclass(frozen=True)
class Card:
    """What there is to know of a data set.

    Attributes:
        name: lower case, as typed.
        title: as its authors call it.
        summary: one line for a list.
        kind: "paired" (input and reference), "unpaired" (dark pictures alone) or "clean" (well-lit pictures
            alone, to make dark ones from).
        paper: the publication, with year and venue ("" where there is none).
        home: web page of its authors, or of who keeps it ("" for pictures of one's own).
        get: how to get it, in a sentence or two.
        size: how many pictures of what size.
        terms: licence, or what is known of it.
        layout: folders and names that are understood, in words.
        splits: name -> what it is; the first is the default unless there is a "test".
        notes: what to know before using it ("" where there is nothing).
        leaks: what may not be trained on before a split is reported.
    """

    name: str
    title: str
    summary: str
    kind: Kind
    home: str
    get: str
    size: str
    terms: str
    layout: str
    splits: Mapping[str, str]
    paper: str = ""
    notes: str = ""
    leaks: tuple[Leak, ...] = ()

    @property
    def paired(self) -> bool:
        """Whether samples have references."""
        return self.kind == "paired"

    @property
    def default_split(self) -> str:
        """What is meant where no split is named."""
        return "test" if "test" in self.splits else next(iter(self.splits))


@dataclass(frozen=True)
class Found:
    """What is there of a split.

    Attributes:
        samples: what can be used, in natural order.
        problems: what is missing or does not fit together, one error each, not raised.
    """

    samples: tuple[Sample, ...]
    problems: tuple[DataError, ...] = field(default=())


@dataclass(frozen=True)
class Dataset:
    """A data set: its card and what finds its files.

    Attributes:
        card: what there is to know.
        finder: (root, split) -> what is there; called with a split that the card names.
    """

    card: Card
    finder: Callable[[Path, str], Found]

    def find(self, root: Path, split: str = "") -> Found:
        """What there is of a split below a folder; no picture is opened.

        Args:
            root: the data set's folder, or one that holds it under its usual name.
            split: one of the card's; "" for its default.

        Raises:
            UnknownName: no such split.
            NothingThere: none of the folders of the card's layout is in it.
            DataError: there is no such folder, or not one usable sample in what is there.
        """
        split = split or self.card.default_split
        if split not in self.card.splits:
            raise UnknownName(f"split of {self.card.name}", split, self.card.splits)
        if not root.is_dir():
            raise DataError(f"there is no folder {root}", hint=self.where)
        try:
            found = self.finder(root, split)
        except DataError as error:
            raise type(error)(error.came, error.expected, error.hint or self.where) from None
        if not found.samples:
            told = "; ".join(problem.came for problem in found.problems[:3]) or "no picture is there"
            raise DataError(f"nothing of {self.card.name}:{split} can be used: {told}", hint=self.where)
        return found

    def samples(self, root: Path, split: str = "") -> list[Sample]:
        """Every sample of a split, which must be complete; see `find` for what is not.

        Raises:
            UnknownName: no such split.
            DataError: as from `find`, or the first of its problems.
        """
        found = self.find(root, split)
        if found.problems:
            raise found.problems[0]
        return list(found.samples)

    @property
    def where(self) -> str:
        """The line to type for how to get it."""
        return f"See: daybreak data where {self.card.name}"
