"""What `reproduce` found, in words: aligned for a terminal, or as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from daybreak.evaluation.published import PARAMETERS, Paper
from daybreak.evaluation.reproduce import DECIMALS, Entry, Finding, Reproduced

HEAD = ("method", "metric", "published", "ours", "verdict")


def value(number: float, metric: str) -> str:
    """A figure with the decimals of its metric.

    >>> value(17.2049, "psnr"), value(1300.0, "parameters")
    ('17.20', '1,300')
    """
    return f"{number:,.{DECIMALS.get(metric, 4)}f}"


def lines_of(reproduced: Reproduced) -> Iterator[tuple[str, ...]]:
    """The cells of each line, one a figure; a row of which nothing can be run is one line."""
    for entry in reproduced.entries:
        verdicts = {finding.verdict for finding in entry.findings}
        if len(verdicts) == 1 and all(finding.ours is None for finding in entry.findings):
            metrics = ", ".join(finding.metric for finding in entry.findings)
            printed = ", ".join(_printed(finding) for finding in entry.findings)
            yield (entry.line.method, metrics, printed, "-", verdicts.pop())
            continue
        for place, finding in enumerate(entry.findings):
            name = entry.line.method if place == 0 else ""
            yield (name, finding.metric, _printed(finding), _ours(finding), finding.verdict)


def _printed(finding: Finding) -> str:
    """A published figure; of metrics without a usual number of decimals as many as there are."""
    exact = finding.metric not in ("psnr", PARAMETERS)
    return f"{finding.published:g}" if exact else value(finding.published, finding.metric)


def _ours(finding: Finding) -> str:
    if finding.ours is None:
        return "-"
    shown = value(finding.ours, finding.metric)
    if finding.score is None:
        return shown
    low, high = finding.score.interval_95
    between = "" if math.isnan(low) else f" [{value(low, finding.metric)}–{value(high, finding.metric)}]"
    return f"{shown}{between}, n={finding.score.n}"


def remarks(reproduced: Reproduced) -> Iterator[str]:
    """What to know of a table and its rows, one sentence or more each."""
    table = reproduced.table
    if table.other:
        yield f"Our pictures: {table.other}."
    for protocol in dict.fromkeys(_protocols(reproduced.entries)):
        yield f"Ours: {protocol}."
    if table.remark:
        yield table.remark
    for entry in reproduced.entries:
        told = " ".join(filter(None, (entry.line.remark, entry.leak)))
        if told:
            yield f"{entry.line.method}: {told}"


def _protocols(entries: Sequence[Entry]) -> Iterator[str]:
    for entry in entries:
        for finding in entry.findings:
            if finding.score:
                yield f"{finding.metric}, {finding.score.column.protocol.words()}"


def as_text(papers: Sequence[Paper], found: Sequence[Reproduced]) -> Iterator[str]:
    """Lines for a terminal."""
    titles = {paper.name: paper.title for paper in papers}
    for reproduced in found:
        table = reproduced.table
        yield f"{table.paper} {table.name}: {table.about} ({titles[table.paper]})"
        grid = [HEAD, *lines_of(reproduced)]
        widths = [max(len(line[place]) for line in grid) for place in range(len(HEAD) - 1)]
        for line in grid:
            yield "  ".join(
                [*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]]
            )
        yield from (f"  {remark}" for remark in remarks(reproduced))
        yield ""
    yield summary(found)


def as_markdown(papers: Sequence[Paper], found: Sequence[Reproduced]) -> Iterator[str]:
    """Lines of Markdown, a heading for each paper and each table."""
    yield summary(found)
    for paper in papers:
        yield from ("", f"### {paper.name}: {paper.title}")
        for reproduced in (one for one in found if one.table.paper == paper.name):
            yield from ("", f"**{reproduced.table.name}**: {reproduced.table.about}", "")
            yield f"| {' | '.join(HEAD)} |"
            yield f"|{'---|' * len(HEAD)}"
            yield from (f"| {' | '.join(line)} |" for line in lines_of(reproduced))
            told = list(remarks(reproduced))
            yield from ("", *(f"- {remark}" for remark in told)) if told else ()


def summary(found: Sequence[Reproduced]) -> str:
    """How many figures are matched, short, better and not runnable."""
    verdicts = [f.verdict for table in found for entry in table.entries for f in entry.findings]
    words = ("matched", "short", "better", "not runnable")
    counts = {word: sum(verdict.startswith(word) for verdict in verdicts) for word in words}
    told = ", ".join(f"{count} {word}" for word, count in counts.items())
    return f"{len(verdicts)} published figures: {told}."
