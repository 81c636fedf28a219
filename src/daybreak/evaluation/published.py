"""What the five papers print, as data: `published.toml` beside this file, checked when it is read."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from daybreak.errors import BadSetting, UnknownName
from daybreak.metrics import list_metrics

PARAMETERS = "parameters"
"""Counted, not scored; fewer are better."""


@dataclass(frozen=True)
class Line:
    """One row of a table.

    Attributes:
        method: as the paper calls it.
        figures: metric (or `PARAMETERS`) -> what is printed.
        row: the row of ours, as after `-m`; "" where nothing here can run it.
        needs: what is missing where `row` is empty.
        truncate: outputs are cut down to 8 bits, as that method's repository saves them.
        tolerance: metric -> what is still called matched, where it is not the usual.
        remark: what to know of the row.
    """

    method: str
    figures: dict[str, float]
    row: str = ""
    needs: str = ""
    truncate: bool = False
    tolerance: dict[str, float] = field(default_factory=dict)
    remark: str = ""


@dataclass(frozen=True)
class Table:
    """One table of a paper.

    Attributes:
        paper: "paper0" to "paper4".
        name: "Table 1".
        about: what was measured.
        data: what we score on, as after `-d`; "" where the table is not about pictures.
        lines: its rows.
        other: why our pictures are not the paper's ("" where they are).
        other_convention: metrics that the paper computes in another way than we do.
        remark: what to know of the table.
    """

    paper: str
    name: str
    about: str
    data: str
    lines: tuple[Line, ...]
    other: str = ""
    other_convention: tuple[str, ...] = ()
    remark: str = ""

    @property
    def metrics(self) -> tuple[str, ...]:
        """What its rows print, in order."""
        return tuple(dict.fromkeys(metric for line in self.lines for metric in line.figures))


@dataclass(frozen=True)
class Paper:
    """One of the five papers."""

    name: str
    title: str
    tables: tuple[Table, ...]


def read_papers() -> dict[str, Paper]:
    """Name -> paper, in their order.

    Raises:
        BadSetting: a row has neither a row of ours nor what it needs, or a key that is nothing.
    """
    stored = tomllib.loads(files(__package__).joinpath("published.toml").read_text("utf-8"))
    papers = {}
    for entry in stored["paper"]:
        tables = tuple(_table(entry["name"], table) for table in entry["table"])
        papers[entry["name"]] = Paper(entry["name"], entry["title"], tables)
    return papers


def pick_papers(names: list[str]) -> list[Paper]:
    """The papers of those names; none for all.

    Raises:
        UnknownName: there is no such paper.
    """
    papers = read_papers()
    for name in names:
        if name not in papers:
            raise UnknownName("paper", name, papers)
    return [paper for name, paper in papers.items() if not names or name in names]


def _table(paper: str, entry: dict[str, Any]) -> Table:
    lines = tuple(_line(dict(line)) for line in entry["row"])
    told = {key: entry[key] for key in ("other", "remark") if key in entry}
    convention = tuple(entry.get("other_convention", ()))
    return Table(
        paper, entry["name"], entry["about"], entry["data"], lines, other_convention=convention, **told
    )


def _line(entry: dict[str, Any]) -> Line:
    known = (PARAMETERS, *list_metrics())
    figures = {metric: float(entry.pop(metric)) for metric in known if metric in entry}
    line = Line(figures=figures, **entry)
    if bool(line.row) == bool(line.needs) or not figures:
        raise BadSetting(f"the published row {line.method!r}", "figures, and either a row or what it needs")
    return line
