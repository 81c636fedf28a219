"""`daybreak reproduce`: every published row that can be run here, run, and the rest with what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from daybreak.data.base import NothingThere
from daybreak.data.registry import parse_dataset
from daybreak.errors import DaybreakError, UnknownName
from daybreak.evaluation.lists import open_list
from daybreak.evaluation.models import load_models, pristine_name
from daybreak.evaluation.protocol import Protocol, Rounding
from daybreak.evaluation.published import PARAMETERS, Line, Paper, Table
from daybreak.evaluation.results import Results, Score
from daybreak.evaluation.rows import card_of
from daybreak.evaluation.run import Options, Run
from daybreak.evaluation.subjects import Subject, parse_subjects
from daybreak.methods.registry import PRETRAINED, get_method
from daybreak.metrics import get_metric, list_metrics

TOLERANCE = {"psnr": 0.05, "ssim": 0.003, "lpips-alex": 0.005, "niqe": 0.05, PARAMETERS: 50.0}
"""What is still called matched: rounding of what is printed, and what another decoder or resize moves."""

DECIMALS = {"psnr": 2, "niqe": 2, PARAMETERS: 0}


@dataclass(frozen=True)
class Finding:
    """One published figure and ours.

    Attributes:
        metric: its name, or "parameters".
        published: as printed.
        ours: None where it cannot be run.
        score: ours with every picture, None for a count and where it cannot be run.
        verdict: "matched", "short by 0.06", "better by …", or "not runnable: " and what is missing.
    """

    metric: str
    published: float
    ours: float | None
    score: Score | None
    verdict: str


@dataclass(frozen=True)
class Entry:
    """One published row with its findings."""

    line: Line
    findings: tuple[Finding, ...]
    leak: str = ""


@dataclass(frozen=True)
class Reproduced:
    """One published table with what was found."""

    table: Table
    entries: tuple[Entry, ...]


@dataclass
class Job:
    """The rows of several tables that are run together: one list of pictures, one way of rounding.

    Attributes:
        data: as after `-d`.
        truncate: how outputs become 8 bits.
        rows: what is run, as after `-m`.
        metrics: what is computed.
        results: what was found.
        missing: row -> why it cannot be run; "" -> why nothing can.
        problems: what is there and could not be read or scored, one sentence each.
    """

    data: str
    truncate: bool
    rows: dict[str, None]
    metrics: dict[str, None]
    results: Results | None
    missing: dict[str, str]
    problems: list[str] = field(default_factory=list)

    def start(self, root: Path) -> Run | None:
        """The run to iterate over; None where the data are not there or nothing can be run, which is noted.

        Data that are there and cannot be used are a problem too.

        Args:
            root: a folder with the data sets that there are.
        """
        try:
            pictures = open_list(self.data, root)
        except NothingThere:
            name = parse_dataset(self.data)[0].card.name
            self.missing[""] = f"the data set {self.data} (see: daybreak data where {name})"
            return None
        except DaybreakError as error:
            self.missing[""] = str(error)
            self.problems.append(str(error))
            return None
        subjects = [subject for row in self.rows for subject in self._subject(row)]
        if not subjects:
            return None
        models, unavailable = load_models(self.metrics, None, pictures.paired)
        rounding: Rounding = "truncate" if self.truncate else "round"
        protocol = Protocol("", "", rounding=rounding, niqe=pristine_name(models))
        return Run(pictures, subjects, Options(tuple(self.metrics), "off", protocol, models, unavailable))

    def finish(self, run: Run) -> None:
        """Keep what a run found."""
        self.results = run.results()
        self.problems += self.results.problems

    def _subject(self, row: str) -> list[Subject]:
        try:
            return parse_subjects([row])
        except DaybreakError as error:
            self.missing[row] = _lacking(row, error)
            return []


def plan(papers: Sequence[Paper]) -> list[Job]:
    """Everything that has to be run or looked for, each list of pictures and each row once."""
    known = set(list_metrics())
    jobs: dict[tuple[str, bool], Job] = {}
    for table in (table for paper in papers for table in paper.tables if table.data):
        for line in table.lines:  # a row that is not ours still tells whether its data are there
            key = (table.data, line.truncate)
            job = jobs.setdefault(key, Job(*key, {}, {}, None, {}))
            if line.row:
                job.rows[line.row] = None
                job.metrics |= dict.fromkeys(metric for metric in line.figures if metric in known)
    return list(jobs.values())


def conclude(papers: Sequence[Paper], jobs: Sequence[Job]) -> list[Reproduced]:
    """Put what the jobs found beside what is published."""
    done = {(job.data, job.truncate): job for job in jobs}
    return [
        Reproduced(
            table,
            tuple(_entry(table, line, done.get((table.data, line.truncate))) for line in table.lines),
        )
        for paper in papers
        for table in paper.tables
    ]


def _entry(table: Table, line: Line, job: Job | None) -> Entry:
    if not line.row:
        nowhere = job.missing.get("", "") if job else ""
        missing = f"not runnable: {' and '.join(filter(None, (line.needs, nowhere)))}"
        return Entry(line, tuple(Finding(m, value, None, None, missing) for m, value in line.figures.items()))
    found = job.results if job else None
    row = next((row for row in found.rows if row.name == line.row.replace(":", " ")), None) if found else None
    findings = []
    for metric, published in line.figures.items():
        if metric == PARAMETERS:
            findings.append(_count(line, published))
            continue
        score = next((score for score in row.scores if score.column.metric == metric), None) if row else None
        if score is None or not score.n:
            findings.append(
                Finding(metric, published, None, None, f"not runnable: {_why(metric, line, job)}")
            )
        else:
            verdict = judge(metric, published, score.mean, line.tolerance.get(metric))
            convention = " (another convention)" if metric in table.other_convention else ""
            pictures = " (other pictures)" if table.other else ""
            findings.append(Finding(metric, published, score.mean, score, verdict + convention + pictures))
    return Entry(line, tuple(findings), row.leak if row else "")


def _why(metric: str, line: Line, job: Job | None) -> str:
    """What is missing for a figure of a row that is ours."""
    if job is None:
        return "nothing was run"
    missing = job.missing.get("") or job.missing.get(line.row)
    unavailable = job.results.unavailable.get(metric) if job.results else None
    return missing or unavailable or "no picture could be scored"


def _count(line: Line, published: float) -> Finding:
    """The parameters of the weight behind a method."""
    try:
        card = card_of(get_method(line.row).card.weights_sha256)
    except DaybreakError as error:
        return Finding(PARAMETERS, published, None, None, f"not runnable: {_lacking(line.row, error)}")
    if card is None:
        return Finding(PARAMETERS, published, None, None, f"not runnable: {line.row} has no weight here")
    verdict = judge(PARAMETERS, published, card.parameters, line.tolerance.get(PARAMETERS))
    return Finding(PARAMETERS, published, float(card.parameters), None, verdict)


def _lacking(row: str, error: DaybreakError) -> str:
    """Why a row of ours cannot be run: in most cases its weight does not ship yet."""
    name = row.partition(":")[0]
    weight = PRETRAINED.get(name, name)
    return f"a trained weight {weight}" if "." in weight and isinstance(error, UnknownName) else error.came


def judge(metric: str, published: float, ours: float, tolerance: float | None = None) -> str:
    """Ours against what is printed.

    Args:
        metric: a metric's name or "parameters".
        published, ours: means.
        tolerance: what is still matched; None takes the metric's usual one.

    >>> judge("psnr", 16.76, 16.70), judge("psnr", 16.76, 16.70, 0.2), judge("niqe", 7.0, 6.0)
    ('short by 0.06', 'matched', 'better by 1.00')
    """
    limit = TOLERANCE.get(metric, 0.0) if tolerance is None else tolerance
    gap = ours - published
    if abs(gap) <= limit:
        return "matched"
    higher = metric != PARAMETERS and get_metric(metric).better == "higher"
    word = "better" if (gap > 0) == higher else "short"
    return f"{word} by {abs(gap):,.{DECIMALS.get(metric, 4)}f}"
