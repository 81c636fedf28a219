"""Score one output: round it as written, cut, scale where the protocol says so, and ask each metric."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from daybreak import metrics
from daybreak.errors import DaybreakError, MetricError
from daybreak.evaluation.pictures import Bytes8, Picture, to_8_bits
from daybreak.evaluation.protocol import Column, Rounding
from daybreak.types import Array, Pixels


def written(pixels: Pixels, rounding: Rounding) -> Bytes8:
    """The output as an 8-bit file would hold it.

    Raises:
        MetricError: NaN or infinity in it.
    """
    bad = int(np.count_nonzero(~np.isfinite(pixels)))
    if bad:
        raise MetricError(f"an output with {bad} values that are NaN or infinite", "finite values")
    return to_8_bits(pixels, rounding)


def score(
    output: Bytes8, picture: Picture, columns: Sequence[Column], models: Mapping[str, Any]
) -> tuple[dict[Column, float], dict[str, str]]:
    """Score one output in every column.

    Args:
        output: H×W×3 uint8, from `written`.
        picture: what it was made from.
        columns: of one rounding and crop.
        models: metric -> the parameters that it needs.

    Returns:
        Column -> score for what could be scored, and metric -> why not for the rest.
    """
    if picture.truth is not None and output.shape != picture.truth.shape:
        sizes = [f"{levels.shape[1]}×{levels.shape[0]}" for levels in (output, picture.truth)]
        raise MetricError(f"an output of {sizes[0]} for a reference of {sizes[1]}", "one size")
    scores: dict[Column, float] = {}
    problems: dict[str, str] = {}
    for column in columns:
        metric = metrics.get_metric(column.metric)
        references: dict[str, Array | None] = {
            "truth": picture.truth,
            "input": to_8_bits(picture.low) if metric.reference == "input" else None,
            "none": None,
        }
        reference = _cut(references[metric.reference], column.protocol.crop)
        ours: Array = _cut(output, column.protocol.crop)
        try:
            if column.protocol.gt_mean:
                ours = metrics.gt_mean(ours, reference)
            value = metric.score(ours, reference, column.protocol.channel, models.get(metric.name))
        except DaybreakError as error:
            problems[metric.name] = str(error)
            continue
        if math.isnan(value):
            problems[metric.name] = "gave no number (NaN)"
        else:
            scores[column] = value
    return scores, problems


def _cut(levels: Any, border: int) -> Any:
    return levels if levels is None or not border else levels[border:-border, border:-border]
