"""Which differences between the rows of a column are real."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from daybreak.evaluation.bootstrap import Difference, compare, holm
from daybreak.evaluation.protocol import Column, require_one
from daybreak.evaluation.results import Results, Row, Score

SURE = 0.05


@dataclass(frozen=True)
class Verdict:
    """A row against the best of its column.

    Attributes:
        difference: the row less the best.
        p: Holm-adjusted over the rows of the column.
    """

    difference: Difference
    p: float

    @property
    def real(self) -> bool:
        """Whether the row is told apart from the best."""
        return self.p < SURE


def in_column(rows: Collection[Row], column: Column) -> dict[str, Score]:
    """Row -> its score in a column, for the rows that have any picture scored in it."""
    found = {row.name: row.score(column) for row in rows}
    return {name: score for name, score in found.items() if score is not None and score.n}


def best(scores: Mapping[str, Score], barred: Collection[str] = ()) -> str | None:
    """The row with the best mean, of those with the most pictures.

    Args:
        scores: row -> score.
        barred: rows that do not stand for election: a leak touches them.

    Raises:
        MixedProtocols: the scores are not all of one metric and protocol.
    """
    if not scores:
        return None
    require_one(score.column for score in scores.values())
    standing = {name: score for name, score in scores.items() if name not in barred}
    complete = max((score.n for score in standing.values()), default=0)
    whole = {name: score.mean for name, score in standing.items() if score.n == complete}
    if not whole:
        return None
    sign = -1.0 if next(iter(scores.values())).better == "lower" else 1.0
    return max(whole, key=lambda name: sign * whole[name])


def against(scores: Mapping[str, Score], top: str) -> dict[str, Verdict]:
    """How every other row stands against one.

    Args:
        scores: row -> score, of one column.
        top: a row of it, as a rule the best.

    Raises:
        MixedProtocols: the scores are not all of one metric and protocol.
    """
    require_one(score.column for score in scores.values())
    others = {name: compare(score.each, scores[top].each) for name, score in scores.items() if name != top}
    adjusted = holm([difference.p for difference in others.values()])
    return {name: Verdict(gap, p) for (name, gap), p in zip(others.items(), adjusted, strict=True)}


def leaking(rows: Collection[Row]) -> set[str]:
    """Names of the rows whose numbers a leak touches."""
    return {row.name for row in rows if row.leak}


def differences(results: Results) -> list[dict[str, Any]]:
    """For a results file: in each column the best row, all others against it, and every pair.

    A pair is a list: row, the row it is compared with, and the fields of `Difference` (plain p-value).
    """
    tables = []
    for column in results.columns:
        scores = in_column(results.rows, column)
        top = best(scores, leaking(results.rows))
        verdicts = against(scores, top) if top else {}
        names = list(scores)
        tables.append(
            {
                "column": column.to_json(),
                "best": top,
                "against_best": {
                    name: {**_plain(verdict.difference), "p_holm": verdict.p, "real": verdict.real}
                    for name, verdict in verdicts.items()
                },
                "pair_fields": ["row", "less", *(field.name for field in fields(Difference))],
                "pairs": [
                    [name, other, *_plain(compare(scores[name].each, scores[other].each)).values()]
                    for place, name in enumerate(names)
                    for other in names[place + 1 :]
                ],
            }
        )
    return tables


def _plain(difference: Difference) -> dict[str, Any]:
    """As JSON can hold it: six digits, None for what is not finite."""
    return {
        key: float(f"{value:.6g}") if math.isfinite(value) else None
        for key, value in asdict(difference).items()
    }
