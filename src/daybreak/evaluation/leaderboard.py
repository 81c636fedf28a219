"""One table from many runs: rows of one list of pictures together, protocols in columns of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from daybreak.evaluation.results import Results, Row


def merge(runs: Mapping[str, Results]) -> list[Results]:
    """Join runs on the same list of pictures.

    A column is a metric under one protocol, and the list of pictures is part of the protocol: what differs
    in any of it stays in a column or a table of its own. A list is its pictures, whatever it was called.

    Args:
        runs: what to call a run -> the run.

    Returns:
        One for each list of pictures, in the order of its first run.
    """
    lists: dict[str, dict[str, Results]] = {}
    for name, results in runs.items():
        lists.setdefault(results.images_sha256, {})[name] = results
    return [_join(joined) for joined in lists.values()]


def _join(runs: Mapping[str, Results]) -> Results:
    latest = max(runs.values(), key=lambda results: results.date)
    rows = _rows(runs)
    computed = {score.column.metric for row in rows for score in row.scores}
    unavailable = {metric: told for run in runs.values() for metric, told in run.unavailable.items()}
    machines = {str(run.machine.get("cpu")) for run in runs.values()}
    notes = [note for run in runs.values() for note in run.notes]
    if len(machines) > 1:
        notes.append(f"Seconds were measured on different machines: {', '.join(sorted(machines))}.")
    return latest.model_copy(
        update={
            "rows": rows,
            "problems": tuple(dict.fromkeys(told for run in runs.values() for told in run.problems)),
            "notes": tuple(dict.fromkeys(notes)),
            "unavailable": {metric: told for metric, told in unavailable.items() if metric not in computed},
        }
    )


def _rows(runs: Mapping[str, Results]) -> tuple[Row, ...]:
    """All rows; those of one name become one if they agree, and else carry the name of their run."""
    found: dict[str, list[tuple[str, Row]]] = {}
    for name, results in runs.items():
        for row in results.rows:
            found.setdefault(row.name, []).append((name, row))
    rows: list[Row] = []
    for named in found.values():
        parts = [row for _, row in named]
        if _agree(parts):
            scores = {score.column: score for row in parts for score in row.scores}
            leaks = "; ".join(dict.fromkeys(row.leak for row in parts if row.leak))
            rows.append(parts[-1].model_copy(update={"scores": tuple(scores.values()), "leak": leaks}))
        else:
            rows += [row.model_copy(update={"name": f"{row.name} ({run})"}) for run, row in named]
    return tuple(rows)


def _agree(rows: Sequence[Row]) -> bool:
    """Whether rows of one name say the same wherever they say something of the same column."""
    known: dict[object, object] = {}
    for row in rows:
        for score in row.scores:
            if known.setdefault(score.column, score.each) != score.each:
                return False
    return len({(row.method, row.weights_sha256) for row in rows}) == 1
